"""A few thousand inputs of the fuzzer; ``make fuzz`` runs a million."""

from __future__ import annotations

import pytest

from stream_rec.errors import InvalidEventError
from tests import fuzz


def test_every_input_is_accepted_or_refused() -> None:
    tallies = fuzz.fuzz(4_000, seed=1)
    assert all(tally.n_accepted and tally.n_refused for tally in tallies.values()), tallies


def test_a_crash_is_reported_with_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Crashing:
        def from_record(self, value: bytes, key: bytes, timestamp_ms: int) -> None:
            if b"\xff" in value:
                raise UnicodeDecodeError("utf-8", value, 0, 1, "planted")
            raise InvalidEventError("not_json", "planted")

    monkeypatch.setattr(fuzz, "DECODER", Crashing())
    with pytest.raises(AssertionError, match=r"_decode_event of b'.*\\xff.*planted"):
        fuzz.fuzz(4_000, seed=1)
