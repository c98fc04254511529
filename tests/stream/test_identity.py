"""The file that says what a state folder belongs to: whole, or an error that says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stream_rec.errors import StateError
from stream_rec.settings import Settings
from stream_rec.stream.identity import FILE_NAME, TOPICS, check_folder, read_folder

OURS = dict.fromkeys(("app_id", "kafka", *TOPICS), "ours")
DAMAGED = ["", "[]", '"x"', "null", "{}", '{"app_id": "ours"}', "[" * 99_999]


def test_start_leaves_an_identity_that_is_right_untouched(tmp_path: Path) -> None:
    check_folder(tmp_path, Settings(), OURS)
    before = (tmp_path / FILE_NAME).stat()
    check_folder(tmp_path, Settings(), OURS)
    after = (tmp_path / FILE_NAME).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert read_folder(tmp_path) == OURS


def test_identity_is_whole_whatever_fails_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    check_folder(tmp_path, Settings(), OURS | {"more": "before"})
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateError, match="No space left"):
        check_folder(tmp_path, Settings(), OURS)
    assert read_folder(tmp_path) == OURS | {"more": "before"}
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("content", DAMAGED)
def test_damaged_identity_is_told_and_left(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(StateError, match=r"identity\.json is damaged.*rm -r"):
        check_folder(tmp_path, Settings(), OURS)
    assert (tmp_path / FILE_NAME).read_text() == content
