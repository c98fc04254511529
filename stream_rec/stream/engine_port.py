"""What the stream asks of an engine; stream_rec.model.engine is the one in production.

The engine is a deterministic fold: runs of records in offset order in, lists and refusals out,
state kept as rows. Row keys and values are opaque to the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from stream_rec.model.runs import HitRate, Record, Run, RunResult


class FrozenRows(Protocol):
    """Rows of a partition that were dirty, encoded."""

    @property
    def items(self) -> Sequence[tuple[bytes, bytes]]:
        """Rows of the items table."""

    @property
    def profiles(self) -> Sequence[tuple[bytes, bytes | None]]:
        """Rows of the profiles table; None removes one."""


class Engine(Protocol):
    """The model: partitions that this worker owns, and item rows of those that it follows."""

    def open_partition(
        self,
        partition: int,
        rows: Iterable[tuple[bytes, bytes]] = (),
        watermark: int = -1,
        *,
        refresh: bool = True,
    ) -> None:
        """Load the durable item rows of a partition; refresh the view or leave it to the next."""

    def close_partition(self, partition: int, *, refresh: bool = True) -> None:
        """Forget all of a partition, dirty or not; refresh the view or leave it to what follows."""

    def process(self, runs: Sequence[Run[Record]], generated_at_ms: int) -> Sequence[RunResult]:
        """Fold runs of records in turn and rank for each of their events; one result for each."""

    def n_dirty(self, partition: int) -> int:
        """Return the number of rows that changed since they were last frozen."""

    def hit_rate(self, partition: int) -> HitRate:
        """Return how well an open partition foresees what is taken next."""

    def freeze_in_parts(self, partition: int, rows_max: int) -> Iterator[FrozenRows]:
        """Hand out the dirty rows, so many items at a time; runs may be processed in between.

        All events before the first part are in them, and no later ones in the profiles, which are
        in the first part. Item rows may hold later ones.
        """

    def follow_partition(self, partition: int) -> None:
        """Keep the item rows of a partition that others own now: what is here, or none yet."""

    def stage_foreign(self, partition: int, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Set item rows of a followed partition; None removes one."""

    def refresh_view(self, n_items_max: int | None = None) -> int:
        """Let rows that were set count, of so many items; return how many still wait."""


ProfileReader = Callable[[int, list[bytes]], list[bytes | None]]
"""(partition, keys) -> rows of the profiles store, None where there is none."""

EngineFactory = Callable[[int, ProfileReader], Engine]
"""(number of partitions of the events topic, reader of profiles) -> engine."""
