"""The simulated disk of a worker: stores that may lose any suffix of what was written.

A store is the list of its write batches. A batch is all or nothing; a batch that was not synced may
be lost, and all after it are lost with it. Large writes arrive as several batches, as in
`stream_rec.stream.kafka_effects`, with position and watermark in the last of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from stream_rec.stream.changelog import (
    POSITION_KEY,
    RESERVED_PREFIX,
    WATERMARK_KEY,
    Position,
    Watermark,
)
from stream_rec.stream.effects import Row
from tests.simulation.broker import Where


class Store:
    """One database."""

    def __init__(self) -> None:
        self.batches: list[tuple[Row, ...]] = []
        self.rows: dict[bytes, bytes] = {}

    @property
    def position(self) -> Position:
        """How far it holds its changelog."""
        stored = self.rows.get(POSITION_KEY)
        return Position() if stored is None else Position.decode(stored)

    @property
    def engine_rows(self) -> dict[bytes, bytes]:
        """All rows but the reserved ones, in key order."""
        return {k: v for k, v in sorted(self.rows.items()) if not k.startswith(RESERVED_PREFIX)}

    def write(self, rows: Sequence[Row]) -> None:
        """Write a batch, all or nothing."""
        self.batches.append(tuple(rows))
        self._apply(rows)

    def lose(self, n_batches: int) -> None:
        """Lose the last batches."""
        self.batches = self.batches[: max(0, len(self.batches) - n_batches)]
        self.rows = {}
        for batch in self.batches:
            self._apply(batch)

    def copy(self) -> Store:
        """Return a copy that goes its own way."""
        other = Store()
        other.batches, other.rows = list(self.batches), dict(self.rows)
        return other

    def _apply(self, rows: Sequence[Row]) -> None:
        for key, value in rows:
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value


class Disk:
    """The stores of one worker, by table and partition; they outlive its process."""

    def __init__(self) -> None:
        self.stores: dict[Where, Store] = {}

    def store(self, where: Where) -> Store:
        """Return a store, a new one if need be."""
        return self.stores.setdefault(where, Store())

    def copy(self) -> Disk:
        """Return a copy that goes its own way."""
        other = Disk()
        other.become(self)
        return other

    def become(self, other: Disk) -> None:
        """Hold what another disk does."""
        self.stores = {where: store.copy() for where, store in other.stores.items()}

    def fingerprint(self) -> int:
        """Return a number that is the same for disks that hold the same."""
        stores = sorted((where, sorted(store.rows.items())) for where, store in self.stores.items())
        return hash(tuple((where, tuple(rows)) for where, rows in stores))

    def lose_all(self) -> None:
        """Come back empty."""
        self.stores.clear()


def closing_rows(position: Position, watermark: Watermark | None) -> list[Row]:
    """Return the reserved rows that end a write."""
    rows: list[Row] = [(POSITION_KEY, position.encode())]
    if watermark is not None:
        rows.append((WATERMARK_KEY, watermark.encode()))
    return rows
