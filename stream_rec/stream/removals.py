"""Removals: a row goes only when the watermark that vouches for its going is durable.

Until then, events from behind the watermark before may have to be folded again, and a row that is
gone does not say which of them it held: one that repeats an event of the time before would be
counted. So a commit lists the keys that are to go, in the changelog beside the rows (`listing`);
then comes the watermark, then the rows go (`removals`), and then the lists (`dropping`).

After a crash in between, what the next owner finds listed (`find_listed`) tells it what is left to
do: all of it if just that watermark is durable. If it is not yet, the events will be folded again;
if a later one is, somebody else has done it. Then only the lists go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stream_rec.stream.changelog import NO_OFFSET, PROFILES, REMOVING_KEY, Removing
from stream_rec.stream.effects import Effects, Row

KEYS_PER_LIST = 50_000
"""So a list of keys as long as the engine's stays below the megabyte that Kafka takes."""


class Listed(NamedTuple):
    """What a commit has listed to be removed.

    Attributes
    ----------
    offset : int
        The watermark that vouches for it, `NO_OFFSET` where nothing is listed.
    keys : sequence of bytes
        Of profiles.
    n_lists : int
        Records that they fill.
    """

    offset: int = NO_OFFSET
    keys: Sequence[bytes] = ()
    n_lists: int = 0


def list_removed(offset: int, rows: Sequence[Row]) -> Listed:
    """Return what is to go of the rows of a commit, once its watermark is durable."""
    keys = [key for key, value in rows if value is None]
    return Listed(offset, keys, -(-len(keys) // KEYS_PER_LIST))


def listing(listed: Listed) -> list[Row]:
    """Return the rows that tell what is to go."""
    keys = [listed.keys[n * KEYS_PER_LIST :][:KEYS_PER_LIST] for n in range(listed.n_lists)]
    lists = [Removing(listed.n_lists, listed.offset, tuple(some)).encode() for some in keys]
    return [(_key(n), value) for n, value in enumerate(lists)]


def removals(listed: Listed) -> list[Row]:
    """Return the rows that remove what is listed."""
    return [(key, None) for key in listed.keys]


def dropping(listed: Listed) -> list[Row]:
    """Return the rows that remove the lists, the first one last: it tells how many there are.

    They may not just follow the removals: a producer that gives one of these up sends what is
    behind it all the same.
    """
    return [(_key(n), None) for n in reversed(range(listed.n_lists))]


async def find_listed(effects: Effects, partition: int) -> Listed:
    """Return what the profiles store of a partition has listed; of what is dropped, nothing."""
    first = (await effects.read_rows(PROFILES, partition, [_key(0)]))[0]
    if first is None:
        return Listed()
    n_lists, offset, keys = Removing.decode(first)
    others = await effects.read_rows(PROFILES, partition, [_key(n) for n in range(1, n_lists)])
    lists = [keys, *(Removing.decode(value).keys for value in others if value is not None)]
    return Listed(offset, [key for keys in lists for key in keys], n_lists)


def _key(number: int) -> bytes:
    return REMOVING_KEY + bytes([number])
