"""Peers written the slow, obvious way: dictionaries and sorting, one event at a time."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import defaultdict

import numpy as np

from stream_rec.evaluation.columns import LogColumns

Scores = dict[int, float]


class SlowPeer(ABC):
    """Keeps everything that has happened; a subclass scores from it and learns beside it."""

    def __init__(self, **parameters: float) -> None:
        self.parameters = parameters
        self.past: list[tuple[int, int, float, bool]] = []
        self.user_items: dict[int, list[int]] = defaultdict(list)
        self.n_events: dict[int, int] = defaultdict(int)

    @abstractmethod
    def scores(self, user: int, now_s: float) -> Scores: ...

    def learn(  # noqa: B027
        self, user: int, item: int, time_s: float, is_scored: bool
    ) -> None:
        """Learn a positive event; `user_items` are the user's latest items before it."""

    def rank(self, user: int, item: int, now_s: float) -> int:
        known = dict.fromkeys(i for _, i, _, _ in self.past)
        if item not in known:
            return -1
        taken = {i for u, i, _, _ in self.past if u == user}
        scores = self.scores(user, now_s)
        order = sorted(
            (i for i in known if i not in taken),
            key=lambda i: (-scores.get(i, self.nothing), -self.n_events[i], i),
        )
        return order.index(item)

    nothing = 0.0

    def run(self, log: LogColumns) -> list[int]:
        ranks = []
        columns = (log.user, log.item, log.time_s, log.weight > 0, log.is_scored)
        for user, item, time_s, positive, is_scored in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            if is_scored:
                ranks.append(self.rank(user, item, time_s))
            if positive:
                self.learn(user, item, time_s, is_scored)
                self.n_events[item] += 1
                items = self.user_items[user]
                if item in items:
                    items.remove(item)
                items.insert(0, item)
            self.past.append((user, item, time_s, positive))
        return ranks

    def latest(self, user: int, n: int) -> list[int]:
        return self.user_items[user][:n]


class SlowPopularity(SlowPeer):
    nothing = -math.inf

    def scores(self, user: int, now_s: float) -> Scores:
        scores: Scores = defaultdict(float)
        for _, item, time_s, positive in self.past:
            if positive:
                scores[item] += 2.0 ** (-(now_s - time_s) / self.parameters["half_life_s"])
        return scores


class SlowItemKnn(SlowPeer):
    def __init__(self, **parameters: float) -> None:
        super().__init__(**parameters)
        self.together: dict[tuple[int, int], int] = defaultdict(int)
        self.takers: dict[int, int] = defaultdict(int)

    def learn(self, user: int, item: int, time_s: float, is_scored: bool) -> None:
        if is_scored:
            self.takers[item] += 1
            for j in self.latest(user, int(self.parameters["window"])):
                self.together[item, j] += 1
                self.together[j, item] += 1

    def scores(self, user: int, now_s: float) -> Scores:
        scores: Scores = defaultdict(float)
        for r, j in enumerate(self.latest(user, int(self.parameters["window"]))):
            for (a, i), n in self.together.items():
                if a == j:
                    norm = max(self.takers[i], 1) * max(self.takers[j], 1)
                    scores[i] += (
                        self.parameters["decay"] ** r * n / norm ** self.parameters["power"]
                    )
        return scores


class SlowSequentialRules(SlowPeer):
    def __init__(self, **parameters: float) -> None:
        super().__init__(**parameters)
        self.rules: dict[tuple[int, int], float] = defaultdict(float)

    def learn(self, user: int, item: int, time_s: float, is_scored: bool) -> None:
        for r, j in enumerate(self.latest(user, int(self.parameters["window"]))):
            if j != item:
                self.rules[j, item] += 1 / (r + 1)
                self.rules[item, j] += self.parameters["backwards"] / (r + 1)

    def scores(self, user: int, now_s: float) -> Scores:
        scores: Scores = defaultdict(float)
        for r, j in enumerate(self.latest(user, int(self.parameters["window"]))):
            for (a, i), weight in self.rules.items():
                if a == j:
                    scores[i] += weight / (r + 1) / self.n_events[i] ** self.parameters["power"]
        return scores


class SlowNeighbours(SlowPeer):
    """The formula of `neighbours` over sessions as lists of (item, positive)."""

    def __init__(self, **parameters: float) -> None:
        super().__init__(**parameters)
        self.sessions: list[list[tuple[int, bool]]] = []
        self.last_s: list[float] = []
        self.current: dict[int, int] = {}
        self.user_last_s: dict[int, float] = {}
        self.recent: dict[int, list[int]] = defaultdict(list)

    def session_of(self, user: int, now_s: float) -> int | None:
        if user in self.current and (now_s - self.user_last_s[user] <= self.parameters["gap_s"]):
            return self.current[user]
        return None

    def run(self, log: LogColumns) -> list[int]:
        ranks = []
        columns = (log.user, log.item, log.time_s, log.weight > 0, log.is_scored)
        for user, item, time_s, positive, is_scored in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            if is_scored:
                ranks.append(self.rank(user, item, time_s))
            session = self.session_of(user, time_s)
            if session is None:
                session = self.current[user] = len(self.sessions)
                self.sessions.append([])
                self.last_s.append(time_s)
            if positive:
                self.n_events[item] += 1
                self.last_s[session] = time_s
                if (item, True) not in self.sessions[session]:
                    self.recent[item].append(session)
            self.sessions[session].append((item, positive))
            self.user_last_s[user] = time_s
            self.past.append((user, item, time_s, positive))
        return ranks

    def scores(self, user: int, now_s: float) -> Scores:
        p = self.parameters
        session = self.session_of(user, now_s)
        own = [] if session is None else [i for i, positive in self.sessions[session] if positive]
        latest = list(dict.fromkeys(reversed(own)))[: int(p["n_latest"])]
        similarity: dict[int, float] = defaultdict(float)
        newest: dict[int, int] = {}
        slope = p["slope"] or len(latest)
        for r, j in enumerate(latest):
            weight = p["decay"] ** r * max(1 - r / slope, 0)
            for x in self.recent[j][-int(p["m"]) :]:
                if x != session and weight > 0:
                    similarity[x] += weight
                    newest.setdefault(x, r)
        for x in similarity:
            age_s = now_s - self.last_s[x]
            similarity[x] *= len(self.sessions[x]) ** -p["norm"] * 2 ** (-age_s / p["half_life_s"])
        ordered = sorted(similarity.values(), reverse=True)
        least = ordered[int(p["k"]) - 1] if len(ordered) > p["k"] else 0.0
        scores: Scores = defaultdict(float)
        for x, similar in similarity.items():
            if similar >= least:
                self.add_session(scores, x, similar, newest[x], latest[newest[x]])
        for i in scores:
            idf = math.log(max(self.n_started() / max(len(self.recent[i]), 1), 1))
            scores[i] *= idf ** p["idf_power"] if p["idf_power"] else 1.0
        return scores

    def n_started(self) -> int:
        """Return the number of the latest session with a positive event."""
        return max(x + 1 for x, s in enumerate(self.sessions) if any(ok for _, ok in s))

    def add_session(self, scores: Scores, x: int, similar: float, r: int, shared: int) -> None:
        p, items = self.parameters, self.sessions[x]
        similar *= [1, max(1 - 0.1 * (r + 1), 0), 1 / (r + 1)][int(p["fades"])]
        matched = max(place for place, (i, _) in enumerate(items) if i == shared)
        done = set()
        for place, (i, positive) in enumerate(items):
            if positive and i not in done:
                done.add(i)
                scores[i] += similar * math.exp(-abs(place - matched) / p["reach"])


class SlowIsgd(SlowPeer):
    def run(self, log: LogColumns) -> list[int]:
        random = np.random.default_rng(0)
        n_factors = int(self.parameters["n_factors"])
        self.users = random.normal(0.0, 0.1, (len(log.users), n_factors))
        self.items = random.normal(0.0, 0.1, (len(log.items), n_factors))
        return super().run(log)

    def learn(self, user: int, item: int, time_s: float, is_scored: bool) -> None:
        p, q = self.users[user], self.items[item]
        error = 1 - p @ q
        p += self.parameters["learning_rate"] * (error * q - self.parameters["reg"] * p)
        q += self.parameters["learning_rate"] * (error * p - self.parameters["reg"] * q)

    def scores(self, user: int, now_s: float) -> Scores:
        return dict(enumerate((self.items @ self.users[user]).tolist()))
