"""Which errors of RocksDB mean that a database has to be rebuilt, and a note for the next start.

RocksDB reads most blocks long after it has opened a database, so damage may show while a worker
serves. The worker then stops, and the next start finds the note, deletes the database and rebuilds
it from its changelog: opening it again would succeed, and the same read would fail again.
An error that says nothing about the files (no space, no permission, in use) is never damage.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

NOTE_SUFFIX = ".damaged"
DAMAGE = ("Corruption:", "No such file or directory")
NO_DAMAGE = ("While lock file", "lock hold by", "No space left", "Permission denied")


def is_damage(error: BaseException) -> bool:
    """Say whether an error of RocksDB means that the files of a database are not to be trusted.

    Examples
    --------
    >>> is_damage(Exception("Corruption: block checksum mismatch"))
    True
    >>> is_damage(Exception("IO error: No space left on device: While appending to file"))
    False
    """
    text = str(error)
    return any(sign in text for sign in DAMAGE) and not any(sign in text for sign in NO_DAMAGE)


def note_damage(database: Path) -> None:
    """Leave a note beside a database that it has to be rebuilt."""
    with contextlib.suppress(OSError):  # a disk so broken is another's to report
        _note(database).touch()


def has_damage(database: Path) -> bool:
    """Say whether an earlier worker left a note."""
    return _note(database).exists()


def forget_damage(database: Path) -> None:
    """Remove the note, after the database was deleted."""
    _note(database).unlink(missing_ok=True)


def _note(database: Path) -> Path:
    return database.with_name(database.name + NOTE_SUFFIX)
