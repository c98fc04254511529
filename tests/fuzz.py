"""Fuzzing of everything that reads bytes it did not write: ``python -m tests.fuzz --inputs N``.

Inputs are whole ones, damaged up to three times: bits flipped, cut, doubled, spliced (structured
ones are drawn by hypothesis in tests/model/test_events_fuzzed.py). Whatever comes, the decoder of
events gives an event within bounds or a refusal with a known code, which the engine turns into a
dead letter; a row is read, or refused with an error that says what to do. Anything else is a crash,
printed with its input.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.errors import InvalidEventError, RowFormatError
from stream_rec.model.engine import Engine
from stream_rec.model.events import EventDecoder
from stream_rec.model.item_codec import decode_id, read_items
from stream_rec.model.rows import (
    ITEM,
    ITEM_ID,
    PROFILE,
    PROFILE_PARTS,
    PROFILE_TYPE,
    ROW_KEY_BYTES,
    WEIGHTS,
    WEIGHTS_PARTS,
    WEIGHTS_TYPE,
    check_version,
    split,
)
from stream_rec.model.runs import Run
from stream_rec.stream.changelog import Position, Watermark, decode_epoch
from tests.model.test_events_fuzzed import check, check_code

GOLDEN = sorted((Path(__file__).parent / "golden").glob("rows_*.json"))
ENGINE_BATCH = 64
N_HALF_LIVES, N_FACTORS = len(ModelSettings().half_lives_s), 4
DECODER = EventDecoder(EventSettings())
TOKENS = [b'"', b"{", b"}", b"[", b":", b",", b"\\u0000", b"\\ud800", b"1e999", b"-0", b"null"]
TOKENS += [b"true", b"\xff", b"\xed\xa0\x80", b'"ts":', b'"value":', b'"user":', b"9" * 400, b""]
EVENTS = [
    {"user": "ann", "item": "x", "type": "click"},
    {"user": "ann", "item": "é", "type": "rating", "value": 4.5, "ts": 1_714_557_600},
    {"user": "ann", "item": "y", "type": "view", "ts": "2024-05-01T12:00:00Z", "event_id": "e1"},
    {"user": "ann", "item": "z", "type": "purchase", "context": {"a": [1, None]}, "session": "s"},
]


class Tally(NamedTuple):
    """How many inputs were accepted and how many refused."""

    n_accepted: int
    n_refused: int


def fuzz(n_inputs: int, seed: int) -> dict[str, Tally]:
    """Feed inputs to every reader in turn.

    Raises
    ------
    AssertionError
        An input was neither accepted nor refused; the message has it.
    """
    source = random.Random(seed)
    events = [json.dumps(event).encode() for event in EVENTS]
    rows = _golden_rows()
    targets: dict[str, tuple[Callable[[bytes], bool], list[bytes]]] = {
        "event": (_decode_event, events),
        "item row": (_read_item, rows[ITEM]),
        "id row": (_read_id, rows[ITEM_ID]),
        "profile row": (_read_profile, rows[PROFILE]),
        "weights row": (_read_weights, rows[WEIGHTS]),
        "watermark": (_read_watermark, [Watermark(7, 8).encode()]),
        "position": (_read_position, [Position(7, 3).encode()]),
    }
    shares = {"event": 0.5}
    tallies = {}
    for name, (target, seeds) in targets.items():
        share = shares.get(name, 0.5 / (len(targets) - 1))
        tallies[name] = _fuzz_one(target, seeds, round(n_inputs * share), source)
    tallies["engine"] = fuzz_engine(max(n_inputs // 100, ENGINE_BATCH), source)
    return tallies


def damage(whole: bytes, source: random.Random) -> bytes:
    """Return an input with up to three kinds of damage."""
    content = bytearray(whole)
    for _ in range(source.randint(0, 3)):
        at = source.randrange(len(content) + 1)
        kind = source.randrange(6)
        if kind == 0 and content:
            content[at % len(content)] ^= 1 << source.randrange(8)
        elif kind == 1:
            del content[at:]
        elif kind == 2:
            content[at:at] = source.choice(TOKENS)
        elif kind == 3:
            content[at : at + source.randrange(9)] = source.randbytes(source.randrange(9))
        elif kind == 4:
            content[at:at] = content[: source.randrange(len(content) + 1)]
        else:
            del content[at : at + source.randrange(9)]
    return bytes(content)


def fuzz_engine(n_inputs: int, source: random.Random) -> Tally:
    """Feed damaged events to an engine: each gets a list, or is refused for the dead letters."""
    engine = Engine(ModelSettings(), EventSettings(), source_topic="events", n_partitions=1)
    engine.open_partition(0)
    events = [json.dumps(event).encode() for event in EVENTS]
    n_listed = n_refused = offset = 0
    while offset < n_inputs:
        batch = []
        for _ in range(ENGINE_BATCH):
            value = damage(source.choice(events), source)
            batch.append(_Record(offset, b"ann", value, 1_714_557_600_000))
            offset += 1
        result = engine.process([Run(0, batch)], 0)[0]
        n_once = result.n_duplicates + result.n_ignored
        assert len(result.published) + len(result.refused) + n_once == len(batch), batch
        n_listed += len(result.published) + n_once
        n_refused += len(result.refused)
    engine.freeze(0)
    return Tally(n_listed, n_refused)


class _Record(NamedTuple):
    offset: int
    key: bytes
    value: bytes
    timestamp: int


def _fuzz_one(
    target: Callable[[bytes], bool], seeds: list[bytes], n_inputs: int, source: random.Random
) -> Tally:
    n_accepted = 0
    for _ in range(n_inputs):
        value = damage(source.choice(seeds), source)
        try:
            n_accepted += target(value)
        except Exception as error:
            raise AssertionError(f"{target.__name__} of {value!r}: {error!r}") from error
    return Tally(n_accepted, n_inputs - n_accepted)


def _decode_event(value: bytes) -> bool:
    try:
        event = DECODER.from_record(value, b"ann", 1_714_557_600_000)
    except InvalidEventError as refused:
        check_code(refused)
        return False
    check(event)
    return True


def _is_read(read: Callable[[], object]) -> bool:
    try:
        read()
    except RowFormatError:
        return False
    return True


def _read_item(content: bytes) -> bool:
    key, row = content[:ROW_KEY_BYTES], content[ROW_KEY_BYTES:]
    return _is_read(lambda: read_items([key], [row], N_HALF_LIVES, N_FACTORS))


def _read_id(content: bytes) -> bool:
    return _is_read(lambda: decode_id(content[:ROW_KEY_BYTES], content[ROW_KEY_BYTES:]))


def _read_profile(content: bytes) -> bool:
    key, row = content[:ROW_KEY_BYTES], content[ROW_KEY_BYTES:]
    if not _is_read(lambda: check_version(key, row)):
        return False
    return _is_read(lambda: split(key, row, PROFILE_TYPE, PROFILE_PARTS))


def _read_weights(content: bytes) -> bool:
    key, row = content[: len(WEIGHTS)], content[len(WEIGHTS) :]
    if not _is_read(lambda: check_version(key, row)):
        return False
    return _is_read(lambda: split(key, row, WEIGHTS_TYPE, WEIGHTS_PARTS))


def _read_watermark(value: bytes) -> bool:
    decode_epoch([("epoch", value)])
    return _is_read(lambda: Watermark.decode(value))


def _read_position(value: bytes) -> bool:
    return _is_read(lambda: Position.decode(value))


def _golden_rows() -> dict[bytes, list[bytes]]:
    """Return key and row of each golden row, one behind the other, by kind."""
    rows: dict[bytes, list[bytes]] = {}
    for table in chain.from_iterable(json.loads(file.read_text()).values() for file in GOLDEN):
        for key, row in table.items():
            rows.setdefault(bytes.fromhex(key)[:1], []).append(bytes.fromhex(key + row))
    return rows


def main() -> int:
    """Fuzz, and print what became of the inputs."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    started_s = time.monotonic()
    tallies = fuzz(given.inputs, given.seed)
    for name, tally in tallies.items():
        print(f"{name:12} {tally.n_accepted:>9,} accepted {tally.n_refused:>9,} refused")
    total = sum(map(sum, tallies.values()))
    print(
        f"{total:,} inputs, no crash, in {time.monotonic() - started_s:.0f} s (seed {given.seed})"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
