"""Compiling the model's kernels in two processes, where they are not on disk yet.

The second one is ``python -m stream_rec.compiling``. Whatever becomes of it, the first compiles
what it does not find.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from stream_rec.garbage import without_collection
from stream_rec.model.early_kernels import (
    compile_learning,
    compile_questions,
    compile_ranking,
    compile_summing,
    compile_writing,
)
from stream_rec.model.warm_up import is_compiled

COMMAND = (sys.executable, "-P", "-m", "stream_rec.compiling")
PROCESSORS_MIN = 2

logger = logging.getLogger(__name__)


@contextmanager
def shared_compiling() -> Iterator[None]:
    """Have another process compile half of the kernels that are called inside, if need be."""
    if is_compiled():
        yield
        return
    logger.info("compiling the model's kernels, once; this takes half a minute or more")
    helper = _start_helper()
    if helper is None:
        with without_collection():
            yield
        return
    with helper, without_collection():
        try:
            compile_learning()
            assert helper.stdout is not None
            helper.stdout.readline()  # it has compiled the ranking, or has ended
            yield
        finally:
            helper.terminate()


def _start_helper() -> subprocess.Popen[bytes] | None:
    """Start the second process; None where it would not help, or cannot be had."""
    if _n_processors() < PROCESSORS_MIN:
        return None
    try:
        return subprocess.Popen(COMMAND, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    except (OSError, TypeError) as error:  # TypeError: there is no executable
        logger.info("compiling in one process: %s", error)
        return None


def _n_processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main() -> None:
    """Compile this process's half; say so when that is done which the other waits for."""
    with without_collection():
        compile_ranking()
        print("the ranking is compiled", flush=True)
        compile_writing()
        compile_summing()
        compile_questions()


if __name__ == "__main__":
    main()
