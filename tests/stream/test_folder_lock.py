"""Of two workers on one state folder the second is refused, and told what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stream_rec.errors import StateError
from stream_rec.stream.folder_lock import FolderLock

HOLDER = """
import sys
from pathlib import Path
from stream_rec.stream.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fcntl")
def test_folder_of_a_running_worker_is_refused_until_that_one_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StateError, match=r"another is running.*worker\.state_dir=FOLDER"):
            FolderLock(tmp_path)
        holder.kill()
    FolderLock(tmp_path).release()


def test_folder_is_free_after_its_release(tmp_path: Path) -> None:
    FolderLock(tmp_path).release()
    FolderLock(tmp_path).release()


def test_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match=r"worker\.state_dir=FOLDER"):
        FolderLock(tmp_path / "file")
