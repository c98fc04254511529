"""``python -m tests.simulation --seeds 10000``: run schedules on all cores; shrink what fails.

With ``--exhaustive`` every history of small worlds instead.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time

from tests.simulation.check import run_and_check
from tests.simulation.exhaustive import LARGE, Histories
from tests.simulation.run import silenced
from tests.simulation.schedule import draw_schedule
from tests.simulation.shrink import shrink

SEEDS_PER_TASK = 25
SHOWN_MAX = 20
SHRUNK_MAX = 3


def check_seed(seed: int) -> tuple[int, list[str]]:
    """Run the schedule of a seed; return what is wrong, an exception included."""
    try:
        return seed, run_and_check(draw_schedule(seed))
    except Exception as error:
        return seed, [f"{type(error).__name__}: {error}"]


def enumerate_world(size: tuple[str, int, int, int]) -> tuple[str, list[str]]:
    """Run every history of a small world; return how many there are, and what is wrong."""
    histories = Histories(*size)
    with silenced():
        histories.run()
    log, n_events, n_crashes, n_zombies = size
    limits = f"{log}: {n_events} events, up to {n_crashes} crashes, {n_zombies} zombies"
    return f"{limits}: {histories.n_ended} histories", histories.wrong


def enumerate_all(n_jobs: int) -> int:
    """Run every history of all larger small worlds; return the exit code."""
    n_wrong = 0
    with multiprocessing.get_context("fork").Pool(n_jobs) as pool:
        for counted, wrong in pool.imap_unordered(enumerate_world, LARGE[::-1]):
            print(f"{counted}, {len(wrong)} failed", *wrong[:SHRUNK_MAX], sep="\n", flush=True)
            n_wrong += len(wrong)
    return 1 if n_wrong else 0


def main() -> int:
    """Run the schedules that the arguments ask for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many schedules")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--exhaustive", action="store_true", help="enumerate small worlds instead")
    arguments = parser.parse_args()
    if arguments.exhaustive:
        return enumerate_all(arguments.jobs)
    run_and_check(draw_schedule(arguments.first))  # compiles the kernels, once for all processes
    started_at_s = time.monotonic()
    failed = []
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    with multiprocessing.get_context("fork").Pool(arguments.jobs) as pool:
        for seed, wrong in pool.imap_unordered(check_seed, seeds, SEEDS_PER_TASK):
            if wrong:
                failed.append(seed)
                if len(failed) <= SHOWN_MAX:
                    print(f"seed {seed}: {wrong[0]}", flush=True)
    took_s = time.monotonic() - started_at_s
    print(
        f"{arguments.seeds} schedules in {took_s:.0f} s on {arguments.jobs} cores "
        f"({arguments.seeds / took_s:.0f} a second), {len(failed)} failed"
    )
    for seed in sorted(failed)[:SHRUNK_MAX]:
        print(f"seed {seed}, shrunk:\n{explain(seed)}", flush=True)
    return 1 if failed else 0


def explain(seed: int) -> str:
    """Return the shrunk schedule of a failing seed, and what is wrong with it."""
    small = shrink(draw_schedule(seed), run_and_check)
    return "\n".join([small.describe(), *run_and_check(small)])


if __name__ == "__main__":
    sys.exit(main())
