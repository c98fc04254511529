"""`stream-rec forget` sends no request that a worker would refuse: nothing would be forgotten."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("", "expected user of at least one character"),
        ("x" * 257, "256"),
        ("\ud800", "surrogates"),
    ],
)
def test_an_id_that_can_be_nobodys_is_refused_before_anything_is_sent(
    stream_rec, user: str, expected: str
) -> None:
    result = stream_rec("--set", "kafka.broker=127.0.0.1:1", "forget", "--", user)
    assert result.exit_code == 2
    assert expected in result.output
    assert "nothing was sent" in result.output
