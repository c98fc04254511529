"""Compiled loops over arrays; this package imports numpy and numba only.

Numba keeps compiled kernels on disk and recompiles one when its own file changes, but not when a
kernel that it calls from another file does. So the cache folder is keyed by sources: by all of
kernels/ and model/ for what is compiled there, where any change starts a new folder; for a kernel
of another part, by these and by the files that its own file imports, directly or not. A change in
one file of evaluation/ thus compiles anew what can be reached from it, and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache

if sys.platform != "win32":
    import fcntl

_KERNEL_PACKAGES = ("kernels", "model")
_PACKAGE = Path(__file__).parent.parent
LOCK_NAME = "lock"
_IMPORT = re.compile(rf"^\s*(?:from|import) {_PACKAGE.name}\.([\w.]+)", re.MULTILINE)


def _hash_of(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _source_hash() -> str:
    return _hash_of(
        [f for name in _KERNEL_PACKAGES for f in sorted((_PACKAGE / name).glob("*.py"))]
    )


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


def cache_folder(file: Path) -> Path:
    """Return where the kernels of a source file are kept.

    Parameters
    ----------
    file : Path
    """
    package = _PACKAGE.resolve()
    file = file.resolve()
    if not file.is_relative_to(package) or file.relative_to(package).parts[0] in _KERNEL_PACKAGES:
        return CACHE
    return CACHE / f"{file.stem}-{_hash_of(_with_imported(file))}"


class SharedCache(FunctionCache):
    """Keeps what is compiled of a kernel on disk, where several processes may do so at once.

    Numba's own cache lists the signatures of a kernel in one file. Of two processes that add to it
    at the same moment, one would lose its entry, or get the other's machine code under it.

    Parameters
    ----------
    function : Callable
        In a file whose folder it is kept in.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        folder = cache_folder(Path(function.__code__.co_filename))
        numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
        try:
            super().__init__(function)  # type: ignore[no-untyped-call]
        finally:
            numba.config.CACHE_DIR = str(CACHE)  # type: ignore[attr-defined]

    def save_overload(self, sig: Any, data: Any) -> None:
        """Add what was compiled for a signature; others wait."""
        with _locked(Path(self.cache_path) / LOCK_NAME):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]

    def signatures(self, machine: object) -> set[Any]:
        """Return the types that a kernel is kept for, compiled for a machine as numba names it."""
        kept = self._cache_file._load_index()  # type: ignore[no-untyped-call]
        return {types for types, for_machine, *_ in kept if for_machine == machine}


def kept_signatures(kernel: Any) -> set[Any]:
    """Return the types for which a kernel is on disk, for this processor and this numba."""
    kept: set[Any] = kernel._cache.signatures(kernel.targetctx.codegen().magic_tuple())
    return kept


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock; where there can be none (Windows, some network disks), hold nothing."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            opened = stack.enter_context(file.open("a"))
            if sys.platform != "win32":
                fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def _with_imported(file: Path) -> list[Path]:
    """Return a file and what it imports of this package, directly or not, in a fixed order."""
    found, left = {file}, [file]
    while left:
        new = _imported(left.pop()) - found
        found |= new
        left += new
    return sorted(found)


@cache
def _imported(file: Path) -> frozenset[Path]:
    """Return the files that a file names in its imports, without those of the base folder."""
    package = _PACKAGE.resolve()
    files = set()
    for module in _IMPORT.findall(file.read_text(encoding="utf-8")):
        parts = module.split(".")
        if parts[0] in _KERNEL_PACKAGES:
            continue
        path = package.joinpath(*parts)
        files.add(
            path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        )
    return frozenset(each for each in files if each.exists())
