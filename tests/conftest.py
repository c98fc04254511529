"""Settings of all tests: hypothesis draws the same examples, and compiling may take its time."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("stream_rec", deadline=None, derandomize=True)
settings.load_profile("stream_rec")
