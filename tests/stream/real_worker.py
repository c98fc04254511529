"""A worker process with the recommender's engine: ``python -m tests.stream.real_worker``."""

from __future__ import annotations

import sys

from stream_rec.config import load_settings
from stream_rec.stream.worker import run_worker

if __name__ == "__main__":
    sys.exit(run_worker(load_settings()))
