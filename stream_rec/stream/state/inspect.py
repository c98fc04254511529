"""What a state folder knows of one user or one item, ready for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stream_rec.errors import StateError
from stream_rec.model.ids import hash_id
from stream_rec.model.item_codec import decode_id
from stream_rec.model.readable import describe_item, describe_profile
from stream_rec.model.rows import ITEM, ITEM_ID, PROFILE, row_key
from stream_rec.stream.changelog import ITEMS, PROFILES
from stream_rec.stream.state.snapshot import Snapshots

LINKS_SHOWN = 10


def inspect_user(folder: Path, user: str) -> dict[str, Any]:
    """Return the profile of a user.

    Raises
    ------
    StateError
        No store here has one.
    """
    key = row_key(PROFILE, hash_id(user))
    with Snapshots(folder) as snapshots:
        found = snapshots.find(PROFILES, key)
        if not found:
            raise _nothing_known("user", user, folder)
        partition, row = min(found.items())
        profile = describe_profile(key, row, _Names(snapshots).name_of)
        return {"user": user, "partition": partition, **profile}


def inspect_item(folder: Path, item: str, half_lives_s: Sequence[float]) -> dict[str, Any]:
    """Return what each partition here knows of an item, and how often all of them saw it taken.

    Raises
    ------
    StateError
        No store here has a row of it.
    """
    key = row_key(ITEM, hash_id(item))
    with Snapshots(folder) as snapshots:
        found = snapshots.find(ITEMS, key)
        if not found:
            raise _nothing_known("item", item, folder)
        names = _Names(snapshots)
        parts = [
            {
                "partition": partition,
                **describe_item(key, row, half_lives_s, LINKS_SHOWN, names.name_of),
            }
            for partition, row in sorted(found.items())
        ]
        return {"item": item, "taken": sum(part["taken"] for part in parts), "partitions": parts}


class _Names:
    """Looks ids of items up, once each."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._known: dict[int, str] = {}

    def name_of(self, item_hash: int) -> str:
        if item_hash not in self._known:
            key = row_key(ITEM_ID, item_hash)
            found = list(self._snapshots.find(ITEMS, key).values())
            self._known[item_hash] = decode_id(key, found[0]) if found else f"#{item_hash:016x}"
        return self._known[item_hash]


def _nothing_known(kind: str, name: str, folder: Path) -> StateError:
    return StateError(
        f"expected the {kind} {name!r} in {folder}, came nothing: it is unknown or forgotten, its "
        "last events wait for the next commit, or another worker owns its partition"
    )
