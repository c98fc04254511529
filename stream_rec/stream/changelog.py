r"""Layout of what the stream itself writes into changelogs and stores: epochs, watermarks, claims.

Every record of a changelog carries the epoch of the worker that wrote it, in the header ``epoch``:

    epoch        i64 big endian = era << 32 | generation of the consumer group

The generation grows with every rebalance, so a worker that lost its partitions has a smaller epoch
than the one that got them. A group that was deleted, or that expired, starts again at generation 1;
its first owner that proves to be a member then begins the next era.

Reserved keys (all others belong to the engine and are opaque here):

    b"\0watermark"   in profiles changelogs and in both stores: the durable prefix of the events
        format          u16    4 (2 and 3 had the same layout; 1 had neither flags nor removed)
        flags           u16    bit 0: written by a rebuild that has not been switched to yet
        n_partitions    u32    of the events topic, when this was written
        offset          i64    highest event offset folded in, -1 for none
        removed         i64    watermark of the last commit that removed rows, -1 for none
        topic_id        16 B   of the events topic, zeros where the broker tells none
    b"\0removing" n  in profiles changelogs, n a byte: rows that go once a watermark is durable
        format          u16    4 (removals.py)
        n_lists         u8     how many of these records there are
        offset          i64    the watermark
        keys                   u16 length and bytes, each
    b"\0claim"       in changelogs: the first record of a new owner; no value of interest
    b"\0position"    in stores: how far this copy of the changelog goes
        format          u16    4 (1 to 3 had the same layout)
        offset          i64    of the last changelog record applied
        epoch           i64    highest epoch up to there

The format is that of everything a build writes: it grows whenever a layout here or in model/rows.py
does. So a store's position alone tells an older build to leave the store as it is.

Kafka forgets a tombstone some time after compacting it (``delete.retention.ms``, a day). A store
that was away for longer would never hear of the rows that were removed meanwhile. ``removed`` tells
it: a store whose own watermark is older has to be restored from the beginning (recovery.py).
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from typing import NamedTuple

from stream_rec.errors import RowFormatError

ITEMS = "items"
PROFILES = "profiles"
TABLES = (ITEMS, PROFILES)

RESERVED_PREFIX = b"\0"
WATERMARK_KEY = b"\0watermark"
REMOVING_KEY = b"\0removing"
CLAIM_KEY = b"\0claim"
POSITION_KEY = b"\0position"
EPOCH_HEADER = "epoch"

FORMAT_VERSION = 4
NO_EPOCH = -1
NO_OFFSET = -1
REBUILDING = 1
NO_TOPIC_ID = bytes(16)
GENERATION_BITS = 32

Headers = list[tuple[str, str | bytes | None]]
FRAME_BYTES = 64
"""What a header, or a record, takes at most beside its bytes."""

EPOCH = struct.Struct(">q")
FORMAT = struct.Struct("<H")
WATERMARK = struct.Struct("<HHIqq16s")
WATERMARK_1 = struct.Struct("<HIq16s")
POSITION = struct.Struct("<Hqq")
WATERMARKS = {1: WATERMARK_1, 2: WATERMARK, 3: WATERMARK, 4: WATERMARK}
POSITIONS = dict.fromkeys((1, 2, 3, 4), POSITION)
"""By format."""
REMOVING = struct.Struct("<HBq")
KEY_LENGTH = struct.Struct("<H")


class Watermark(NamedTuple):
    """Everything of a partition up to and including ``offset`` is durable."""

    offset: int
    n_partitions: int
    topic_id: bytes = NO_TOPIC_ID
    removed: int = NO_OFFSET
    is_rebuilding: bool = False

    def encode(self) -> bytes:
        """Return the bytes of this watermark."""
        flags = REBUILDING if self.is_rebuilding else 0
        return WATERMARK.pack(
            FORMAT_VERSION, flags, self.n_partitions, self.offset, self.removed, self.topic_id
        )

    @classmethod
    def decode(cls, value: bytes) -> Watermark:
        """Read a watermark.

        Raises
        ------
        RowFormatError
            It was written by a newer build, or is no watermark.
        """
        version = _check_format(value, "watermark", WATERMARKS)
        if version == 1:
            _, n_partitions, offset, topic_id = WATERMARK_1.unpack(value)
            return cls(offset, n_partitions, topic_id)
        _, flags, n_partitions, offset, removed, topic_id = WATERMARK.unpack(value)
        return cls(offset, n_partitions, topic_id, removed, bool(flags & REBUILDING))


class Position(NamedTuple):
    """A store holds its changelog up to and including ``offset``, whose highest epoch is given."""

    offset: int = -1
    epoch: int = NO_EPOCH

    def encode(self) -> bytes:
        """Return the bytes of this position."""
        return POSITION.pack(FORMAT_VERSION, self.offset, self.epoch)

    @classmethod
    def decode(cls, value: bytes) -> Position:
        """Read a position.

        Raises
        ------
        RowFormatError
            It was written by a newer build, or is no position.
        """
        _check_format(value, "position", POSITIONS)
        _, offset, epoch = POSITION.unpack(value)
        return cls(offset, epoch)


class Removing(NamedTuple):
    """One of ``n_lists`` lists of rows that go once the watermark ``offset`` is durable."""

    n_lists: int
    offset: int
    keys: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the bytes of this list."""
        keys = b"".join(KEY_LENGTH.pack(len(key)) + key for key in self.keys)
        return REMOVING.pack(FORMAT_VERSION, self.n_lists, self.offset) + keys

    @classmethod
    def decode(cls, value: bytes) -> Removing:
        """Read a list.

        Raises
        ------
        RowFormatError
            It was written by a newer build, or is no list of keys.
        """
        _check_version(value, "list of removals", (4,), len(value) >= REMOVING.size)
        _, n_lists, offset = REMOVING.unpack_from(value)
        keys, at = [], REMOVING.size
        while at < len(value):
            first = at + KEY_LENGTH.size
            at = first + int.from_bytes(value[at:first], "little")
            keys.append(value[first:at])
        _check_version(value, "list of removals", (4,), at == len(value))
        return cls(n_lists, offset, tuple(keys))


def make_epoch(era: int, generation: int) -> int:
    """Return the epoch of a generation of the consumer group.

    Examples
    --------
    >>> make_epoch(0, 7) < make_epoch(0, 8) < make_epoch(1, 1)
    True
    """
    return era << GENERATION_BITS | generation


def era_of(epoch: int) -> int:
    """Return the era of an epoch; 0 where there was none yet."""
    return max(epoch, 0) >> GENERATION_BITS


def encode_epoch(epoch: int) -> Headers:
    """Return the headers of a changelog record."""
    return [(EPOCH_HEADER, EPOCH.pack(epoch))]


def decode_epoch(headers: Headers | None) -> int:
    """Read the epoch of a changelog record; a record without one is older than every epoch."""
    for name, value in headers or ():
        if name == EPOCH_HEADER and isinstance(value, bytes) and len(value) == EPOCH.size:
            epoch: int = EPOCH.unpack(value)[0]
            return epoch
    return NO_EPOCH


def _check_format(value: bytes, name: str, layouts: Mapping[int, struct.Struct]) -> int:
    """Return the format version of a value that has one of the layouts."""
    version = FORMAT.unpack_from(value)[0] if len(value) >= FORMAT.size else 0
    fits = version in layouts and len(value) == layouts[version].size
    _check_version(value, name, layouts, fits)
    return version


def _check_version(value: bytes, name: str, versions: Collection[int], fits: bool) -> None:
    """See that a value is of one of the formats, and fits the layout of that."""
    version = FORMAT.unpack_from(value)[0] if len(value) >= FORMAT.size else 0
    if version > FORMAT_VERSION:
        raise RowFormatError(
            f"{name} of format {version} is newer than this build reads (1–{FORMAT_VERSION}); "
            "nothing was changed; upgrade the worker"
        )
    if version not in versions or not fits:
        raise RowFormatError(
            f"expected a {name} of format {min(versions)}–{FORMAT_VERSION}, came {len(value)} "
            f"bytes of format {version}: it is damaged; delete the worker's state folder to "
            "restore it"
        )


def bytes_of_headers(headers: Headers) -> int:
    """Return what headers take at most in a record, bytes."""
    return sum(len(name.encode()) + len(value or b"") + FRAME_BYTES for name, value in headers)
