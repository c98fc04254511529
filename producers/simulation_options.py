"""The options that say what to simulate."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from producers.malformed import CODES, SMALL_CODES
from producers.pacing import RATE
from producers.simulation import START_MS, SimulationSettings
from producers.world import WorldSettings
from stream_rec.logs import parse_timestamp_ms

DEFAULTS = SimulationSettings()
COUNT = click.IntRange(min=1)
PART = click.FloatRange(min=0, max=1)

SIMULATION_OPTIONS: tuple[tuple[str, str, click.ParamType, str], ...] = (
    ("--events", "n_events", COUNT, "Records to make, of all kinds together."),
    ("--seed", "seed", click.IntRange(min=0), "Source of chance."),
    ("--malformed", "malformed_rate", PART, "Part that is malformed."),
    ("--duplicates", "duplicate_rate", PART, "Part that repeats an event, with its event_id."),
    ("--late", "late_rate", PART, "Part that is from a minute to a day late."),
    ("--bots", "bot_rate", PART, "Part that bots send."),
    ("--n-bots", "n_bots", COUNT, "Bots that share it."),
)
WORLD_OPTIONS: tuple[tuple[str, str, click.ParamType, str], ...] = (
    ("--users", "n_users", COUNT, "Users."),
    ("--items", "n_items", COUNT, "Items alive at a time."),
    ("--clusters", "n_clusters", COUNT, "Groups of items; each user prefers one at a time."),
    ("--loyalty", "loyalty", PART, "Part of a user's events in the preferred group."),
    ("--drift", "drift_rate", PART, "Users who change their preference, per event."),
    ("--turnover", "turnover_rate", PART, "Items that die and are replaced, per event."),
    ("--bursts", "burst_rate", PART, "Part of the time that is a burst around one item."),
    ("--event-rate", "events_per_s", RATE, "Events for each second of their own time."),
)
"""Name, setting, type and help of the options; defaults are those of the settings."""


def simulation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets them together as ``settings``."""

    @wraps(command)
    def with_settings(start: str | None, codes: tuple[str, ...], **others: Any) -> Any:
        world = {name: others.pop(name) for _, name, _, _ in WORLD_OPTIONS}
        simulation = {name: others.pop(name) for _, name, _, _ in SIMULATION_OPTIONS}
        settings = SimulationSettings(
            **simulation,
            start_ms=_start_ms(start),
            malformed_codes=codes or SMALL_CODES,
            world=WorldSettings(**world),
        )
        return command(settings=settings, **others)

    with_settings = click.option(
        "--start", metavar="TIME|now", help="Event time of the beginning.  [default: 2025-01-01]"
    )(with_settings)
    with_settings = click.option(
        "--malformed-code", "codes", multiple=True, type=click.Choice(CODES), metavar="CODE",
        help="Kind of malformed event, by the code of its refusal; may be repeated.  "
        "[default: all but too_large]",
    )(with_settings)  # fmt: skip
    for options, defaults in ((WORLD_OPTIONS, DEFAULTS.world), (SIMULATION_OPTIONS, DEFAULTS)):
        for flag, name, kind, text in reversed(options):
            with_settings = click.option(
                flag, name, type=kind, default=getattr(defaults, name), show_default=True, help=text
            )(with_settings)
    return with_settings


def _start_ms(start: str | None) -> int:
    if start is None:
        return START_MS
    if start == "now":
        return time.time_ns() // 1_000_000
    try:
        return parse_timestamp_ms(start)
    except ValueError as error:
        raise click.UsageError(f"--start: {error}, or now") from None
