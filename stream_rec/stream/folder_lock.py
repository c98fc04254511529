"""A lock on the state folder: of two workers with the same one, the second is refused at its start.

RocksDB locks each store, but only when its partition comes, which may be hours later. The system
lets the lock go when the process ends, however it ends. Where there is no such lock (Windows, some
network disks), RocksDB's own have to do.
"""

from __future__ import annotations

import sys
from pathlib import Path

from stream_rec.errors import StateError

if sys.platform != "win32":
    import fcntl

FILE_NAME = "worker.lock"


class FolderLock:
    """Holds the lock of a folder until it is released.

    Parameters
    ----------
    folder : Path
        Exists.

    Raises
    ------
    StateError
        Another worker holds it, or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._file = (folder / FILE_NAME).open("a")
        except OSError as error:
            raise StateError(
                f"expected a folder that this worker may write to, came {folder}: {error}; use "
                "another: `stream-rec worker --set worker.state_dir=FOLDER`"
            ) from error
        if not self._is_free():
            self._file.close()
            raise StateError(
                f"expected a state folder that only this worker uses, came {folder}, on which "
                "another is running; give each its own: `stream-rec worker --set "
                "worker.state_dir=FOLDER`"
            )

    def release(self) -> None:
        """Let the next have it."""
        self._file.close()

    def _is_free(self) -> bool:
        """Take the lock; say no where another has it."""
        if sys.platform != "win32":
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            except OSError:  # a disk that knows no locks
                return True
        return True
