"""Who owns a changelog partition, and which of its records count.

Several workers may write to one changelog partition: its owner, and one that lost it and does not
know yet (a zombie). Two rules keep the zombie's records out:

1. Reading: a record whose epoch is smaller than one read before it is stale and ignored.
2. Writing: Kafka gives an owner that is alone in a partition consecutive offsets. Where the
   acknowledged offsets leave a hole, somebody else has written there: a claim with a greater epoch
   means that we are the zombie; records with a smaller one are a zombie's, and the keys that they
   touched have to be written once more, because compaction keeps the last record of a key, stale
   or not.

So a store never holds a row that is not in the valid part of its changelog, without anybody having
to follow the changelog while writing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from stream_rec.errors import StateError
from stream_rec.stream.changelog import CLAIM_KEY, Position
from stream_rec.stream.effects import LogRecord, Row

_EPOCH = attrgetter("epoch")
_KEY_AND_VALUE = attrgetter("key", "value")


class FencedError(StateError):
    """Another worker owns this partition now; this one must not write to it any more."""


class ValidPrefix:
    """Follows a changelog partition record by record and tells what counts.

    Parameters
    ----------
    position : Position
        Where the reader's copy ends.
    """

    def __init__(self, position: Position) -> None:
        self.position = position
        self.stale_keys: set[bytes] = set()
        self._before_stale = position

    @property
    def settled_position(self) -> Position:
        """Where a reader has to begin again who dies before the stale keys are written again.

        Rows from behind it may be in its store: it will read them again.
        """
        return self._before_stale if self.stale_keys else self.position

    def accept(self, records: Sequence[LogRecord]) -> dict[bytes, bytes | None]:
        """Take the next records; return the last valid value of each key in them."""
        offset, epoch = self.position
        rows: dict[bytes, bytes | None] = {}
        if not self.stale_keys and _is_of_one_owner(records, epoch):
            offset, epoch = records[-1].offset, records[-1].epoch
            rows.update(map(_KEY_AND_VALUE, records))
            rows.pop(CLAIM_KEY, None)
            records = ()
        for record in records:
            before, offset = offset, record.offset
            if record.epoch < epoch:
                if not self.stale_keys:
                    self._before_stale = Position(before, epoch)
                self.stale_keys.add(record.key)
                continue
            epoch = record.epoch
            self.stale_keys.discard(record.key)
            if record.key != CLAIM_KEY:
                rows[record.key] = record.value
        self.position = Position(offset, epoch)
        return rows


def _is_of_one_owner(records: Sequence[LogRecord], epoch: int) -> bool:
    """Say whether one owner, not older than ``epoch``, wrote all of them; mostly so, and quick."""
    epochs = set(map(_EPOCH, records))
    return len(epochs) == 1 and min(epochs) >= epoch


def check_foreign(records: Iterable[LogRecord], epoch: int) -> set[bytes]:
    """Look at a stretch that should hold only our records; return the keys a zombie wrote.

    Raises
    ------
    FencedError
        A greater epoch is in it: the partition has a new owner.
    """
    stale_keys: set[bytes] = set()
    for record in records:
        if record.epoch > epoch:
            raise FencedError(
                f"expected epochs up to {epoch} in this changelog, came {record.epoch} at offset "
                f"{record.offset}: another worker owns this partition; this one stops"
            )
        if record.epoch < epoch:
            stale_keys.add(record.key)
        else:
            stale_keys.discard(record.key)
    return stale_keys


def claim_row() -> Row:
    """Return the record by which a new owner announces itself."""
    return CLAIM_KEY, b""
