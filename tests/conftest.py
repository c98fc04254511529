"""Settings of all tests: hypothesis draws the same examples every time, and compiled kernels may take their time."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("stream_rec", deadline=None, derandomize=True)
settings.load_profile("stream_rec")
