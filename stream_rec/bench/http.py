"""The HTTP service beside a bare FastAPI endpoint: requests/s, latency at a given rate, freshness.

    requests/s      wrk, lists of many users; in turn with the bare endpoint, nothing else going on
    latency         request due → answered, lists and anonymous sessions in turn, while events flow
    post → list     event due → posted → list that reflects it read, while events flow

One worker, one service, one bare endpoint, each a process of its own on this machine, as are the
senders. Rates are the medians of the rounds. Latencies are those of an open loop
(stream_rec/bench/http_load.py), in an HdrHistogram.
"""

from __future__ import annotations

import contextlib
import statistics
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import msgspec
import numpy as np
from hdrh.histogram import HdrHistogram

from stream_rec.bench.broker import Bench, open_broker
from stream_rec.bench.events import Population, draw_events, encode_events
from stream_rec.bench.histogram import histogram_of, percentile_ms
from stream_rec.bench.http_connections import get, post
from stream_rec.bench.http_load import Act, Target, Took, is_answered, is_readable, run_http_load
from stream_rec.bench.latency import catch_up
from stream_rec.bench.load import SteadySender
from stream_rec.bench.peers import bare_http
from stream_rec.bench.processes import SPAWN, Contestant
from stream_rec.bench.result import Report, Result
from stream_rec.bench.topic_ends import TopicEnds, send_all
from stream_rec.bench.wrk import requests_per_s, require_wrk
from stream_rec.serving.server import run_service
from stream_rec.settings import Settings

HOST = "127.0.0.1"
ROUNDS = 3
PATHS_MAX = 1_000
SESSION_LENGTH_MAX = 10
POSTS_PER_S = 20.0
WARM_UP_S = 1.0
SETTLE_S = 0.5
ASK_TIMEOUT_S = 5.0
DRAIN_S = 60.0
"""How long answers are waited for beyond the schedule."""
PERCENTILES = (50.0, 90.0, 99.0, 99.9, 100.0)


class HttpPlan(NamedTuple):
    """What to measure.

    Attributes
    ----------
    population : Population
    n_history : int
        Events that the worker has learned before.
    rate, events_rate : float
        Requests and events per second.
    seconds : float
        Of each measurement: of all rounds of wrk together, of each open loop.
    """

    population: Population
    n_history: int
    rate: float
    events_rate: float
    seconds: float


class Latencies(NamedTuple):
    """Of one open loop: histogram in µs, how many failed, how late its sender was at most."""

    histogram: HdrHistogram
    n_failed: int
    late_ms_max: float

    def ms(self, percentile: float) -> float:
        """Return a percentile in ms."""
        return percentile_ms(self.histogram, percentile)


class HttpFigures(NamedTuple):
    """What came out.

    Attributes
    ----------
    lists_per_s, bare_per_s : list of float
        Of each round.
    mixed, post_to_list : Latencies
    events_per_s : float
        Events that were answered with lists meanwhile.
    """

    lists_per_s: list[float]
    bare_per_s: list[float]
    mixed: Latencies
    post_to_list: Latencies
    events_per_s: float

    @property
    def ratio_bare(self) -> float:
        """Requests/s of the service over those of the bare endpoint: the median round's."""
        pairs = zip(self.lists_per_s, self.bare_per_s, strict=True)
        return statistics.median(lists / bare for lists, bare in pairs)


class _Health(msgspec.Struct):
    ready: bool
    lag: int
    items: int


def measure_http(settings: Settings, plan: HttpPlan, report: Report) -> HttpFigures:
    """Measure the service.

    Parameters
    ----------
    settings : Settings
        ``kafka.broker`` says on which broker.
    plan : HttpPlan
    report : Report
        Told what is being done.

    Raises
    ------
    ConfigError
        wrk is not installed.
    StreamRecError
    """
    from stream_rec.compiling import shared_compiling
    from stream_rec.model.warm_up import warm_up_questions
    from stream_rec.stream.worker import run_worker

    require_wrk()
    report("compiling (only after a change)")
    with shared_compiling():
        warm_up_questions(settings.model, settings.events)
    with contextlib.ExitStack() as stack:
        bench = stack.enter_context(open_broker(settings))
        topics = bench.settings.topics
        worker = Contestant("worker", bench.folder, run_worker, bench.settings)
        stack.enter_context(worker)
        service, target = _start(stack, bench, "service", _run_service, _local(bench))
        _, bare = _start(stack, bench, "bare endpoint", bare_http.run)
        lists = TopicEnds(bench.settings.kafka, topics.recommendations, topics.partitions)
        stack.callback(lists.close)
        report(f"the worker learns {plan.n_history:,} events")
        send_all(
            bench.settings.kafka, topics.events, encode_events(plan.population, plan.n_history)
        )
        catch_up(worker, lists, plan.n_history)
        n_items = len(np.unique(draw_events(plan.population, plan.n_history)[1]))
        service.wait_until(lambda: _is_caught_up(target, n_items))
        rounds = [_race(bench, plan, target, bare, number, report) for number in range(ROUNDS)]
        lists_per_s, bare_per_s = map(list, zip(*rounds, strict=True))
        report(f"{plan.rate:,.0f} requests/s while {plan.events_rate:,.0f} events/s flow")
        stack.enter_context(SteadySender(bench.settings, plan.population, plan.events_rate))
        began_s, n_before = time.monotonic(), lists.count()
        mixed = _keep_rate(bench, target, is_answered, _mixed_requests(plan), plan.rate)
        report("post → list")
        post_to_list = _keep_rate(bench, target, is_readable, _posted_events(plan), POSTS_PER_S)
        events_per_s = (lists.count() - n_before) / (time.monotonic() - began_s)
        worker.require_running()
        service.require_running()
        return HttpFigures(lists_per_s, bare_per_s, mixed, post_to_list, events_per_s)


def _local(bench: Bench) -> Settings:
    """Return the settings of the service: a free port of this machine, a folder of the run's."""
    found = {"host": HOST, "port": 0, "state_dir": bench.folder / "serve", "ready_lag_max": 0}
    serve = bench.settings.serve.model_copy(update=found)
    return bench.settings.model_copy(update={"serve": serve})


def _run_service(settings: Settings, pipe: Connection) -> int:
    return run_service(settings, lambda url: pipe.send(int(url.rstrip("/").rsplit(":", 1)[1])))


def _start(
    stack: contextlib.ExitStack, bench: Bench, name: str, target: Any, *arguments: Any
) -> tuple[Contestant, Target]:
    """Start a server that tells its port through a pipe, the last of its arguments."""
    here, there = SPAWN.Pipe()
    server = stack.enter_context(Contestant(name, bench.folder, target, *arguments, there))
    return server, Target(HOST, server.receive(here))


def _is_caught_up(target: Target, n_items: int) -> bool:
    """Whether the service has the lists and the rows of all items so far."""
    url = f"http://{target.host}:{target.port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=ASK_TIMEOUT_S) as answer:
            health = msgspec.json.decode(answer.read(), type=_Health)
    except urllib.error.HTTPError as not_yet:
        not_yet.close()
        return False
    return health.ready and health.lag == 0 and health.items >= n_items


def _race(
    bench: Bench, plan: HttpPlan, target: Target, bare: Target, number: int, report: Report
) -> tuple[float, float]:
    """Return requests/s of lists and of the bare endpoint, one after the other."""
    report(f"wrk, round {number + 1} of {ROUNDS}")
    seconds = plan.seconds / ROUNDS
    users = draw_events(plan.population, PATHS_MAX)[0].tolist()
    paths = [f"/users/u{user}/recommendations" for user in users]
    return (
        requests_per_s(f"http://{HOST}:{target.port}", paths, seconds, bench.folder),
        requests_per_s(f"http://{HOST}:{bare.port}", [bare_http.PATH], seconds, bench.folder),
    )


def _keep_rate(
    bench: Bench, target: Target, act: Act, load: Sequence[bytes], rate: float
) -> Latencies:
    """Keep a rate, its first second as warm-up."""
    here, there = SPAWN.Pipe()
    sender = Contestant("sender", bench.folder, run_http_load, target, act, load, rate, there)
    with sender:
        sender.receive(here)
        here.send(time.monotonic() + SETTLE_S)
        took: Took = sender.receive(here, len(load) / rate + SETTLE_S + DRAIN_S)
    measured = took.took_s[round(WARM_UP_S * rate) :]
    return Latencies(histogram_of(measured), took.n_failed, took.late_s_max * 1000)


def _mixed_requests(plan: HttpPlan) -> list[bytes]:
    """Return requests for lists, every other one for an anonymous session of 1 to 10 items."""
    n_requests = round((WARM_UP_S + plan.seconds) * plan.rate)
    users, items = draw_events(plan.population, n_requests + SESSION_LENGTH_MAX)
    requests = []
    for number in range(n_requests):
        if number % 2 == 0:
            requests.append(get(f"/users/u{users[number]}/recommendations"))
            continue
        recent = items[number : number + 1 + number // 2 % SESSION_LENGTH_MAX].tolist()
        body = msgspec.json.encode({"items": [f"i{item}" for item in recent]})
        requests.append(post("/sessions/recommendations", body))
    return requests


def _posted_events(plan: HttpPlan) -> list[bytes]:
    n_events = round((WARM_UP_S + plan.seconds) * POSTS_PER_S)
    events = encode_events(plan.population, plan.n_history + n_events, plan.n_history)
    return [event.value for event in events]


def result_of(figures: HttpFigures) -> Result:
    """Return the table and the figures of a run."""
    lists, bare = map(statistics.median, (figures.lists_per_s, figures.bare_per_s))
    loops = (("lists and sessions", figures.mixed), ("post → list", figures.post_to_list))
    return Result(
        title=(
            f"A list of 10 over HTTP: {lists:,.0f} requests/s, {figures.ratio_bare:.2f} × those of "
            f"a bare FastAPI endpoint ({bare:,.0f}); latencies (ms) while "
            f"{figures.events_per_s:,.0f} events/s flow"
        ),
        columns=("", *(f"p{p:g}" for p in PERCENTILES[:-1]), "max", "sender late"),
        rows=[
            (name, *(f"{ms:,.1f}" for ms in (*map(one.ms, PERCENTILES), one.late_ms_max)))
            for name, one in loops
        ],
        figures={
            "requests_per_s": round(lists),
            "bare_requests_per_s": round(bare),
            "ratio_bare": round(figures.ratio_bare, 3),
            "p50_ms": round(figures.mixed.ms(50), 2),
            "p90_ms": round(figures.mixed.ms(90), 2),
            "p99_ms": round(figures.mixed.ms(99), 2),
            "post_to_list_p50_ms": round(figures.post_to_list.ms(50), 2),
            "post_to_list_p99_ms": round(figures.post_to_list.ms(99), 2),
            "failed": figures.mixed.n_failed + figures.post_to_list.n_failed,
            "events_per_s": round(figures.events_per_s),
        },
    )
