"""Whether the stores of a state folder are sound, and whether they fit what Kafka has.

Read through and through: RocksDB checks the checksum of every block, every row is taken apart as a
worker would. A store that is behind its changelog is sound; one that is ahead of it is not.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from stream_rec.errors import RowFormatError, StateError
from stream_rec.model.readable import applied_offset, check_row
from stream_rec.settings import ModelSettings
from stream_rec.stream.changelog import PROFILES
from stream_rec.stream.state.offsets import Offsets
from stream_rec.stream.state.snapshot import Snapshot, Snapshots

PROBLEMS_MAX = 20
"""Damaged rows named for each store; a damaged disk has more."""


class StoreReport(NamedTuple):
    """What was found in one store.

    Attributes
    ----------
    rows : dict
        Number of rows by kind.
    n_bytes : int
        Of keys and values.
    changelog_offset, watermark : int
        The last changelog record and the last event in it; −1 for none.
    changelog_behind, events_behind : int or None
        Records and events that Kafka has beyond; None where it was not asked.
    problems : list of str
    """

    table: str
    partition: int
    rows: dict[str, int]
    n_bytes: int
    changelog_offset: int
    watermark: int
    changelog_behind: int | None
    events_behind: int | None
    problems: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return self._asdict()


def verify(folder: Path, model: ModelSettings, offsets: Offsets | None) -> list[StoreReport]:
    """Check all stores of a state folder; a worker may be running on it.

    Parameters
    ----------
    folder : Path
    model : ModelSettings
        What the rows have to fit.
    offsets : Offsets or None
        Of Kafka; None leaves it out.

    Raises
    ------
    StateError
        The folder holds no stores, or one cannot be opened.
    """
    with Snapshots(folder, with_damaged=True) as snapshots:
        return [_verify_store(store, model, offsets) for store in snapshots.stores.values()]


def _verify_store(store: Snapshot, model: ModelSettings, offsets: Offsets | None) -> StoreReport:
    kinds: Counter[str] = Counter()
    problems: list[str] = [] if store.damage is None else [str(store.damage)]
    n_bytes, highest, n_damaged = 0, -1, 0
    try:
        for key, value in store.rows():
            n_bytes += len(key) + len(value)
            try:
                kinds[check_row(key, value, len(model.half_lives_s), model.n_factors)] += 1
                highest = max(highest, applied_offset(value))
            except RowFormatError as error:
                n_damaged += 1
                if n_damaged <= PROBLEMS_MAX:
                    problems.append(str(error))
    except StateError as error:
        problems.append(str(error))
    if n_damaged > PROBLEMS_MAX:
        problems.append(f"{n_damaged - PROBLEMS_MAX} more rows like these")
    watermark = -1 if store.watermark is None else store.watermark.offset
    behind: tuple[int | None, int | None] = None, None
    if offsets is not None:
        behind = _compare(store, watermark, highest, offsets, problems)
    position = store.position.offset
    return StoreReport(
        *(store.name.table, store.name.partition, dict(kinds), n_bytes, position, watermark),
        *behind,
        problems,
    )


def _compare(
    store: Snapshot, watermark: int, highest: int, offsets: Offsets, problems: list[str]
) -> tuple[int, int]:
    """Compare with Kafka; return how far the changelog and the events go beyond the store."""
    table, partition = store.name
    changelog_end = offsets.changelog_end(table, partition)
    events_first, events_end = offsets.events_range(partition)
    position = store.position.offset
    if position >= changelog_end:
        problems.append(
            f"expected at most changelog offset {changelog_end - 1}, came {position}: the "
            "changelog was re-created or has lost records"
        )
    if max(watermark, highest) >= events_end:
        problems.append(
            f"expected at most event offset {events_end - 1}, came {max(watermark, highest)}: the "
            "events topic was re-created or has lost records"
        )
    # The committed offset follows the watermark, or where that was deleted, the first event.
    committed = offsets.committed(partition)
    is_current = position == changelog_end - 1
    if table == PROFILES and is_current and committed > max(watermark + 1, events_first):
        problems.append(
            f"expected the group to have committed at most {watermark + 1}, came {committed}: "
            "something else commits for this application"
        )
    return changelog_end - 1 - position, events_end - 1 - watermark
