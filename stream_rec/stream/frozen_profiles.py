"""Profiles that are frozen but not yet in their store.

The engine takes a frozen profile for clean and may drop it from memory at once. Until the commit
cycle has written it, the store holds an older one; folding an event into that would lose what lies
between. So what was frozen last is kept here and read before the store. The next freeze of a
partition comes only after the cycle of the one before has ended, so it may replace it.
"""

from __future__ import annotations

from collections.abc import Iterable

from stream_rec.stream.effects import Row
from stream_rec.stream.engine_port import ProfileReader


class FrozenProfiles:
    """Reads profiles: what was frozen last, else what the store holds.

    Parameters
    ----------
    read_store : ProfileReader
        Reads the profiles store.

    Attributes
    ----------
    n_reads : int
        Profiles asked for: of users who were not in the engine's memory.
    """

    def __init__(self, read_store: ProfileReader) -> None:
        self._read_store = read_store
        self.n_reads = 0
        self._frozen: dict[int, dict[bytes, bytes | None]] = {}

    def begin(self, partition: int) -> None:
        """Forget what the freeze before handed out: a new one begins."""
        self._frozen[partition] = {}

    def keep(self, partition: int, rows: Iterable[Row]) -> None:
        """Keep what a part of a freeze has handed out or removed."""
        self._frozen[partition].update(rows)

    def drop(self, partition: int) -> None:
        """Forget a partition that is given up."""
        self._frozen.pop(partition, None)

    def read(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        """Read profiles by key; None where there is none."""
        self.n_reads += len(keys)
        frozen = self._frozen.get(partition, {})
        missing = [key for key in keys if key not in frozen]
        stored = dict(zip(missing, self._read_store(partition, missing), strict=True))
        return [frozen[key] if key in frozen else stored[key] for key in keys]
