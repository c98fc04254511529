"""Compiled loops over arrays; this package imports numpy and numba only.

Numba keeps compiled kernels on disk and recompiles one when its own file changes, but not when a
kernel that it calls from another file does. So the cache folder is keyed by a hash of all sources
that hold kernels: any change starts a new folder.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numba

_KERNEL_PACKAGES = ("kernels", "model")


def _source_hash() -> str:
    package = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for name in _KERNEL_PACKAGES:
        for file in sorted((package / name).glob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _cache_base() -> Path:
    """Return where compiled kernels are kept: NUMBA_CACHE_DIR, or the user's cache folder."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        return Path(given)
    user_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(user_cache) / "stream_rec"


CACHE = _cache_base() / _source_hash()
"""Folder of the compiled kernels; numba makes it when it compiles the first."""
numba.config.CACHE_DIR = str(CACHE)  # type: ignore[attr-defined]
