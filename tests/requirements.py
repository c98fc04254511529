"""What a test may have to do without: a tool or a server that is not on this machine."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def do_without(tool: str, reason: str) -> NoReturn:
    """Skip the test that needs a tool, or fail it where ``STREAM_REC_REQUIRE_<TOOL>=1`` is set."""
    if os.environ.get(f"STREAM_REC_REQUIRE_{tool.upper()}") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
