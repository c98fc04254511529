"""A log in memory, and what a person is told about it: size, time, what was cleaned and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from stream_rec.evaluation.cleaning import FLOOD_EVENTS, Cleaning
from stream_rec.evaluation.columns import LogColumns

TYPE_CHARACTERS_SHOWN = 64


@dataclass
class LoadedLog:
    """A log in memory.

    Attributes
    ----------
    path : str
    layout : str
        What it was recognised as.
    columns : LogColumns
    cleaning : Cleaning
    n_bad_rows : int
        Rows that could not be read.
    first_bad_rows : list of str
        The errors of the first of them.
    n_without_value : int
        Rows without a value in a log of ratings, taken as views.
    notes : tuple of str
        What was guessed about the log and a reader had better know.
    """

    path: str
    layout: str
    columns: LogColumns
    cleaning: Cleaning
    n_bad_rows: int = 0
    first_bad_rows: list[str] = field(default_factory=list)
    n_without_value: int = 0
    notes: tuple[str, ...] = ()


def log_summary(loaded: LoadedLog) -> str:
    """Return one line on the size and time of the log."""
    log = loaded.columns
    first, last = (_day(seconds) for seconds in (log.time_s[0], log.time_s[-1]))
    times = f"{first} to {last}" if loaded.cleaning.has_times else "without times"
    return (
        f"{len(log.user):,} events, {len(log.users):,} users, {len(log.items):,} items, "
        f"{times}, read as {loaded.layout}"
    )


def cleaning_lines(loaded: LoadedLog) -> list[str]:
    """Return what was found wrong with the log, and what was done about it."""
    found = loaded.cleaning
    lines = list(loaded.notes)
    if loaded.n_bad_rows:
        lines.append(f"{loaded.n_bad_rows:,} rows that cannot be read, left out")
        lines += [f"  {error}" for error in loaded.first_bad_rows]
    for code, n in found.refused.items():
        lines.append(f"{n:,} events refused ({code}), left out: {refusal(found, code)}")
    if found.n_ignored:
        lines.append(f"{found.n_ignored:,} events of unknown types, ignored as configured")
    if found.n_forgets:
        lines.append(f"{found.n_forgets:,} requests to be forgotten, not followed here")
    if loaded.n_without_value:
        lines.append(f"{loaded.n_without_value:,} events without a rating, taken as views")
    if not found.has_times:
        lines.append(
            "no time was found: all events count as simultaneous, in the order of the file; name "
            "the column of times with --ts-column"
        )
    elif found.n_without_time:
        lines.append(
            f"{found.n_without_time:,} events without a time, taken at that of the one before"
        )
    if found.n_out_of_order:
        lines.append(f"{found.n_out_of_order:,} events earlier than the one before, sorted by time")
    if found.far_times.n_events:
        n, *others = found.far_times
        first, last = (_day(seconds) for seconds in others)
        lines.append(
            f"{n:,} events at times far from all others, which are from {first} to {last}; kept"
        )
    if found.n_known_ids:
        line = f"{found.n_known_ids:,} events with an event id that their user had shortly before"
        lines.append(f"{line}, left out as the pipeline drops them")
        if found.has_poor_ids:
            lines.append(
                "  event ids are hardly unique: are they ids of something else? "
                "--set events.duplicate_window=0 takes no notice of them"
            )
    if found.n_repeated:
        done = "left out" if found.drops_repeated else "kept"
        lines.append(f"{found.n_repeated:,} events exactly like an earlier one, {done}")
    if found.n_bots:
        done = "left out" if found.drops_bots else "kept"
        lines.append(
            f"{found.n_bots:,} users with {FLOOD_EVENTS} events or more within a minute (bots, "
            f"imports), {found.n_bot_events:,} events in all, {done}"
        )
    return lines


def refusal(found: Cleaning, code: str) -> str:
    """Return why the first event of a code was refused, and what to do about it."""
    advice = ""
    kind = found.first_refused_type[code][:TYPE_CHARACTERS_SHOWN]
    if code == "unknown_type":
        advice = f"; rename types with --map-type, e.g. --map-type {kind}=view"
    elif code == "outside_scale":
        advice = f"; say the scale with --set 'events.types.{kind}.scale=[LOWEST, HIGHEST]'"
    return f"{found.first_refusal[code]}{advice}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
