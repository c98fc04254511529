"""A worker process that tells its item view: ``python -m tests.stream.viewing_worker``.

At each commit it writes the number of events of every item, over all partitions, to the file named
``view.json`` in its state folder.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from stream_rec.config import load_settings
from stream_rec.model.freezing import FrozenRows
from stream_rec.stream.engine_port import ProfileReader
from stream_rec.stream.worker import run_worker
from tests.stream.fake_engine import FakeEngine


class ViewingEngine(FakeEngine):
    """Counts, and tells what it counts."""

    def __init__(self, path: Path, n_partitions: int, read_profiles: ProfileReader) -> None:
        super().__init__(n_partitions, read_profiles)
        self._path = path

    def freeze_in_parts(self, partition: int, rows_max: int) -> Iterator[FrozenRows]:
        view: Counter[str] = Counter()
        for rows in (*self.items.values(), *self.followed.values()):
            view.update({key.decode(): row.n_events for key, row in rows.items()})
        whole = self._path.with_suffix(".new")
        whole.write_text(json.dumps(view))
        whole.replace(self._path)
        return super().freeze_in_parts(partition, rows_max)


def main() -> int:
    settings = load_settings()
    folder = settings.worker.state_dir
    folder.mkdir(parents=True, exist_ok=True)
    return run_worker(settings, lambda n, read: ViewingEngine(folder / "view.json", n, read))


if __name__ == "__main__":
    sys.exit(main())
