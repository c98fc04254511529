"""A worker process with the counting engine: ``python -m tests.stream.fake_worker``."""

from __future__ import annotations

import sys

from stream_rec.config import load_settings
from stream_rec.stream.worker import run_worker
from tests.stream.fake_engine import FakeEngine

if __name__ == "__main__":
    sys.exit(run_worker(load_settings(), FakeEngine))
