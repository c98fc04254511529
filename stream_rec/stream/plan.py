"""Where a worker begins: at its watermark, with a rebuild of the model, or by switching to one.

A model is rebuilt under a new application id, beside the application that serves: the same fold
over the event log, which publishes nothing and marks its watermarks as those of a rebuild. When it
has caught up, the old application is stopped, and the new one begins to publish: at the offset
that the old one has committed, so every event has its list from one of the two. Events between
there and the rebuild's own watermark are replayed, which changes no row and publishes their lists.
The mark goes with the first commit behind them; a crash before that begins the switch anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from stream_rec.errors import StateError
from stream_rec.stream.changelog import Watermark

REBUILD = (
    "`stream-rec topics create --set app_id=NAME`, `stream-rec worker --set app_id=NAME "
    "--rebuild-from earliest`, and when that has caught up --switch-from OLD_APP_ID "
    '(docs/operations.md, "Rebuilding the model")'
)
"""How a model is built anew, for messages."""


class Plan(NamedTuple):
    """How a worker begins.

    Attributes
    ----------
    rebuilds : bool
        Whether it rebuilds the model, and publishes nothing.
    switches_from : str
        The application whose place it takes, if any.
    offsets : Mapping[int, int]
        By partition: where a rebuild begins, or what the application before has committed.
    """

    rebuilds: bool = False
    switches_from: str = ""
    offsets: Mapping[int, int] = {}

    def check(self, partition: int, watermark: Watermark) -> None:
        """See that a partition's state fits the plan; nothing was written yet.

        Raises
        ------
        StateError
        """
        if self.rebuilds and watermark.offset >= 0 and not watermark.is_rebuilding:
            raise StateError(
                f"expected no model yet in partition {partition}, or one that is being rebuilt, "
                "came one that serves; rebuild under another name: `stream-rec topics create --set "
                "app_id=NAME`, then `stream-rec worker --rebuild-from … --set app_id=NAME`"
            )
        if watermark.is_rebuilding and not (self.rebuilds or self.switches_from):
            raise StateError(
                f"expected a model that serves in partition {partition}, came one that was rebuilt "
                "and not switched to; stop the workers of the application before, then `stream-rec "
                "worker --switch-from OLD_APP_ID`, or go on with --rebuild-from"
            )

    def begin(self, partition: int, watermark: Watermark, first: int) -> Watermark:
        """Return the watermark to begin with; ``first`` is the first event that there is."""
        if not self.rebuilds:
            return watermark
        if watermark.offset < 0:
            watermark = watermark._replace(offset=max(self.offsets.get(partition, 0), first) - 1)
        return watermark._replace(is_rebuilding=True)

    def start_offset(self, partition: int, watermark: Watermark) -> int:
        """Return the offset of the first event to process."""
        next_offset = watermark.offset + 1
        if self.switches_from and watermark.is_rebuilding:
            return min(next_offset, self.offsets.get(partition, 0))
        return next_offset


ORDINARY = Plan()
