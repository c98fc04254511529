"""When Python looks for garbage in cycles, so that it does not while events wait."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


def keep_for_good() -> None:
    """Exempt all that a process has built for as long as it runs; call it once, after its start.

    Imports and compiled kernels leave some 200,000 objects, and a full collection looks at each of
    them: 20 ms and more in which no event is processed, every time.
    """
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Look for no cycles meanwhile.

    Ten thousand records at once set that off ten times; none of them are in cycles, and the search
    took as long as everything else in a restore. A compiler keeps what it makes: a tenth of its
    time, for 200 MB more while it runs.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
