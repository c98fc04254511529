"""The records of a simulated world, each with a label that says what it is.

Beside ordinary events there is what real streams have: duplicates, late and malformed events, and
bots. The labels tell a test what must come out and what must be refused.

The same settings give the same bytes: the seed is the only source of chance, and event time starts
where the settings say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, count, islice
from typing import Literal, NamedTuple, get_args

import numpy as np

from producers.actions import ACTIONS, Draft, draw_actions
from producers.malformed import CODES, MAKERS, SMALL_CODES
from producers.world import Integers, World, WorldSettings
from stream_rec.errors import ConfigError

Label = Literal["malformed", "duplicate", "late", "bot", "ok"]
LABELS: tuple[Label, ...] = get_args(Label)
USABLE_LABELS: frozenset[Label] = frozenset({"ok", "late", "bot"})
"""Records that must be learned from: one list is published for each."""

START_MS = 1_735_689_600_000
"""2025-01-01T00:00:00Z."""

BLOCK_EVENTS = 1000
DUPLICATE_WINDOW = 16
"""A duplicate repeats one of so many usable records before it: no more than a worker remembers."""

LATE_S_MIN, LATE_S_MAX = 60.0, 86_400.0


@dataclass(frozen=True)
class SimulationSettings:
    """What to simulate.

    Parameters
    ----------
    n_events : int
        Records, of all labels together.
    seed : int
        Source of chance.
    start_ms : int
        Event time of the beginning, epoch milliseconds.
    malformed_rate, duplicate_rate, late_rate, bot_rate : float
        Probability that a record is of that kind; together at most 1.
    n_bots : int
        Users who are bots: they flood with events on random items.
    malformed_codes : tuple of str
        Refusal codes that malformed records are made for, all equally often.
    world : WorldSettings
        The world behind the events.
    """

    n_events: int = 10_000
    seed: int = 0
    start_ms: int = START_MS
    malformed_rate: float = 0.0
    duplicate_rate: float = 0.0
    late_rate: float = 0.0
    bot_rate: float = 0.0
    n_bots: int = 2
    malformed_codes: tuple[str, ...] = SMALL_CODES
    world: WorldSettings = field(default_factory=WorldSettings)

    def __post_init__(self) -> None:
        rates = (self.malformed_rate, self.duplicate_rate, self.late_rate, self.bot_rate)
        if min(rates) < 0 or sum(rates) > 1:
            raise ConfigError(
                "expected rates of malformed, duplicate, late and bot events that add up to at "
                f"most 1, got {', '.join(map(str, rates))}"
            )
        unknown = set(self.malformed_codes) - set(CODES)
        if unknown or not self.malformed_codes:
            raise ConfigError(
                f"expected refusal codes among {', '.join(CODES)}, "
                f"got {', '.join(sorted(unknown)) or 'none'}"
            )
        if self.n_bots < 1:
            raise ConfigError(f"expected at least one bot, got {self.n_bots}")


class SimulatedRecord(NamedTuple):
    """One record for the events topic.

    Parameters
    ----------
    key, value : bytes
        As Kafka gets them; the value of some malformed records is None.
    label : {"malformed", "duplicate", "late", "bot", "ok"}
        What it is.
    code : str
        Why it must be refused; empty unless malformed.
    event_id : str
        The event's id, also where the value does not show it.
    ts_ms : int
        When it is sent, in event time: never backwards, other than the time a late event carries.
    """

    key: bytes
    value: bytes | None
    label: Label
    code: str
    event_id: str
    ts_ms: int


class Simulation:
    """A simulated stream; iterate over it once.

    Attributes
    ----------
    world : World
        As it is after the records so far, give or take a block.
    """

    def __init__(self, settings: SimulationSettings) -> None:
        self._settings = settings
        self._random = np.random.default_rng(settings.seed)
        self._recent: deque[SimulatedRecord] = deque(maxlen=DUPLICATE_WINDOW)
        self._n_records = 0
        self._now_ms = float(settings.start_ms)
        self._label_bounds = np.cumsum(
            (
                settings.malformed_rate,
                settings.duplicate_rate,
                settings.late_rate,
                settings.bot_rate,
            )
        )
        self.world = World(settings.world, self._random)

    def __iter__(self) -> Iterator[SimulatedRecord]:
        # Whole blocks whatever the number of events, so that a shorter run is a prefix of a longer.
        blocks = (self._block() for _ in count())
        return islice(chain.from_iterable(blocks), self._settings.n_events)

    def _block(self) -> Iterator[SimulatedRecord]:
        """Draw a block at once and make its records one by one."""
        random = self._random
        block = self.world.draw(BLOCK_EVENTS)
        labels = np.searchsorted(self._label_bounds, random.random(BLOCK_EVENTS), side="right")
        types, ratings = draw_actions(random, block.preferred)
        living = self.world.living_items
        choices = random.random(BLOCK_EVENTS)
        columns = (labels, block.users, block.items, types, ratings, block.gaps_s, choices)
        for label, user, item, action, rating, gap_s, choice in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            self._now_ms += gap_s * 1000
            draft = Draft(f"u{user}", f"i{item}", ACTIONS[action], rating, int(self._now_ms))
            record = self._record(LABELS[label], draft, choice, living)
            if record.label in USABLE_LABELS:
                self._recent.append(record)
            self._n_records += 1
            yield record

    def _record(
        self, label: Label, draft: Draft, choice: float, living: Integers
    ) -> SimulatedRecord:
        """Make a record of a kind; ``choice`` in [0, 1) takes whatever decisions that needs."""
        number = self._n_records
        event_id = f"{self._settings.seed}-{number}"
        if label == "malformed":
            codes = self._settings.malformed_codes
            code = codes[int(choice * len(codes))]
            spoiled = MAKERS[code](draft.as_event(event_id), number)
            return SimulatedRecord(*spoiled, label, code, event_id, draft.ts_ms)
        if label == "duplicate" and self._recent:
            original = self._recent[int(choice * len(self._recent))]
            return original._replace(label=label, ts_ms=draft.ts_ms)
        sent_ms = draft.ts_ms
        if label == "late":
            late_s = LATE_S_MIN + choice * (LATE_S_MAX - LATE_S_MIN)
            draft = draft._replace(ts_ms=max(sent_ms - int(late_s * 1000), 0))
        elif label == "bot":
            bot = f"bot{number % self._settings.n_bots}"
            draft = draft._replace(user=bot, item=f"i{living[int(choice * len(living))]}")
        else:
            label = "ok"
        return SimulatedRecord(
            draft.user.encode(), draft.encode(event_id), label, "", event_id, sent_ms
        )


def simulate(settings: SimulationSettings) -> Iterator[SimulatedRecord]:
    """Iterate over the records of a simulated stream.

    Examples
    --------
    >>> first = next(simulate(SimulationSettings(seed=7)))
    >>> first.label, first.event_id, first.key == first.value[9 : 9 + len(first.key)]
    ('ok', '7-0', True)
    """
    return iter(Simulation(settings))
