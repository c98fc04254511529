"""Run the demo: broker, worker and producer as processes, and what they do on the screen.

1. start the embedded broker, with all topics
2. start the worker; wait until it owns its partitions and its kernels are compiled
3. start the HTTP service with the live page, where its packages are installed
4. follow events and recommendations from their beginning
5. start the producer; count until the last event has its list
6. with --web, leave everything running until Ctrl-C
7. end everything, in the opposite order, whatever happened; a worker that does not end well
   is a failure too
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from stream_rec.cli.demo.feed import Feed
from stream_rec.cli.demo.processes import ChildProcess
from stream_rec.cli.demo.recorder import Recorder
from stream_rec.cli.demo.snapshot import Phase, Snapshot
from stream_rec.cli.demo.views import LIVE_INTERVAL_S, Show
from stream_rec.cli.options import CommonOptions
from stream_rec.data import N_SAMPLE_EVENTS, SAMPLE_EVENTS, SAMPLE_ITEMS
from stream_rec.errors import StreamRecError
from stream_rec.stream.embedded import EmbeddedBroker

ARRIVAL_WAIT_S = 0.05
SILENCE_S_MAX = 15.0
N_PARTITIONS = 4
WORKER_READY = re.compile(r"\bready: partitions (?!none)")
"""What a worker says when it serves its partitions; before that it may own none."""


SERVING_AT = re.compile(r"\bserving at (\S+)")
SERVICE_PACKAGES = ("fastapi", "fastapi_offline", "httptools", "uvicorn")


class DemoFailedError(StreamRecError):
    """The demo did not show what it should."""


@dataclass(frozen=True)
class DemoPlan:
    """What to replay, and how long to wait.

    Parameters
    ----------
    n_events : int
        Events of the sample.
    rate_per_s : float
        Events a second.
    time_limit_s : float
        Give up after so many seconds.
    keeps_running : bool
        Whether the live page stays until Ctrl-C.
    """

    n_events: int = N_SAMPLE_EVENTS
    rate_per_s: float = 1000.0
    time_limit_s: float = 180.0
    keeps_running: bool = False


class DemoResult(NamedTuple):
    """A run that went well: its end, a moment of its middle, and how long the replay took.

    Parameters
    ----------
    last, during_replay : Snapshot
        The last snapshot, and the last while events were still being replayed.
    replay_s : float
        Seconds from the first event to the last list.
    """

    last: Snapshot
    during_replay: Snapshot
    replay_s: float


class Demo:
    """One run of the demo.

    Parameters
    ----------
    options : CommonOptions
        Configuration that the user gave; broker, partitions and state folder are the demo's own.
    plan : DemoPlan
        What to replay.
    show : callable
        Shows a snapshot.
    """

    def __init__(self, options: CommonOptions, plan: DemoPlan, show: Show) -> None:
        self._options = options
        self._plan = plan
        self._show = show
        self._shown_s = -LIVE_INTERVAL_S
        self._recorder = Recorder(plan.n_events, N_PARTITIONS, time.monotonic)
        self._during_replay = self._recorder.snapshot()

    def run(self) -> DemoResult:
        """Run to the end.

        Raises
        ------
        DemoFailedError, ProcessDiedError
            Something went wrong; every process has ended all the same.
        """
        with tempfile.TemporaryDirectory(prefix="stream-rec-demo-") as folder:
            self._enter(Phase.BROKER)
            with EmbeddedBroker(self._topics()) as broker:
                options = self._with_broker(broker.address, Path(folder))
                with self._worker(options, Path(folder)) as worker:
                    self._wait_until_ready(worker)
                    with self._service(options, Path(folder)) as service:
                        with Feed(options.load_settings()) as feed:
                            self._replay(options, Path(folder), worker, feed, service)
                        if self._plan.keeps_running:
                            self._keep_running(service)
                    self._enter(Phase.STOPPING)
                    worker.finish()
        self._require_success()
        self._recorder.finish()
        self._enter(Phase.DONE)
        span_s = self._recorder.statistics.span_s
        return DemoResult(self._recorder.snapshot(), self._during_replay, span_s)

    def _topics(self) -> dict[str, int]:
        names = self._options.load_settings().topics.names
        return dict.fromkeys(names, N_PARTITIONS)

    def _with_broker(self, address: str, folder: Path) -> CommonOptions:
        return self._options.with_overrides(
            {
                "kafka.broker": address,
                "kafka.embedded": "true",
                "topics.partitions": str(N_PARTITIONS),
                "worker.state_dir": str(folder / "state"),
                "worker.web_enabled": "false",
                "worker.log_level": "info",
            }
        )

    def _worker(self, options: CommonOptions, folder: Path) -> ChildProcess:
        command = ["-m", "stream_rec", *options.as_arguments(), "worker", "--end-with-input"]
        return ChildProcess("worker", command, folder / "worker.log")

    @contextlib.contextmanager
    def _service(self, options: CommonOptions, folder: Path) -> Iterator[ChildProcess | None]:
        """Run the HTTP service; None where its packages are missing."""
        if any(find_spec(package) is None for package in SERVICE_PACKAGES):
            yield None
            return
        given = {"serve.port": "0", "serve.titles_file": str(SAMPLE_ITEMS)} | options.overrides
        arguments = options.with_overrides(given).as_arguments()
        command = ["-m", "stream_rec", *arguments, "serve", "--end-with-input"]
        with ChildProcess("HTTP service", command, folder / "serve.log") as service:
            yield service

    def _keep_running(self, service: ChildProcess | None) -> None:
        if service is None:
            raise DemoFailedError(
                "expected the packages of the HTTP service for --web, came none; install them "
                "with: pip install 'stream-rec[serve]'"
            )
        self._enter(Phase.SERVING)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                service.require_running()
                self._look_for_page(service)
                self._refresh()
                time.sleep(LIVE_INTERVAL_S)

    def _look_for_page(self, service: ChildProcess | None) -> None:
        if service is not None and self._recorder.web_url is None:
            found = SERVING_AT.search(service.log())
            self._recorder.web_url = None if found is None else found[1]

    def _producer(self, options: CommonOptions, folder: Path) -> ChildProcess:
        command = ["-m", "producers.replay", str(SAMPLE_EVENTS), *options.as_arguments()]
        command += ["--limit", str(self._plan.n_events), "--rate", f"{self._plan.rate_per_s:g}"]
        return ChildProcess("producer", command, folder / "producer.log")

    def _wait_until_ready(self, worker: ChildProcess) -> None:
        self._enter(Phase.WORKER)
        self._recorder.worker_pid = worker.pid
        while WORKER_READY.search(worker.log()) is None:
            worker.require_running()
            self._require_time()
            self._refresh()
            time.sleep(ARRIVAL_WAIT_S)

    def _replay(
        self,
        options: CommonOptions,
        folder: Path,
        worker: ChildProcess,
        feed: Feed,
        service: ChildProcess | None,
    ) -> None:
        statistics = self._recorder.statistics
        last_arrival_s = time.monotonic()
        with self._producer(options, folder) as producer:
            self._enter(Phase.REPLAY)
            while statistics.n_answered < self._plan.n_events or not producer.has_finished():
                arrivals = feed.take(ARRIVAL_WAIT_S)
                self._recorder.add(arrivals)
                worker.require_running()
                now_s = time.monotonic()
                if arrivals or not producer.has_finished():
                    last_arrival_s = now_s
                elif now_s - last_arrival_s > SILENCE_S_MAX:
                    raise DemoFailedError(self._missing_lists())
                if producer.has_finished():
                    self._recorder.phase = Phase.LAST_LISTS
                self._require_time()
                self._look_for_page(service)
                self._refresh()

    def _enter(self, phase: Phase) -> None:
        self._recorder.phase = phase
        self._show(self._recorder.snapshot())

    def _refresh(self) -> None:
        now_s = time.monotonic()
        if now_s - self._shown_s >= LIVE_INTERVAL_S:
            self._shown_s = now_s
            snapshot = self._recorder.snapshot()
            if snapshot.phase is Phase.REPLAY:
                self._during_replay = snapshot
            self._show(snapshot)

    def _require_time(self) -> None:
        if self._recorder.elapsed_s > self._plan.time_limit_s:
            raise DemoFailedError(
                f"expected to be done in {self._plan.time_limit_s:g} s, came to: "
                f"{self._recorder.phase}, {self._missing_lists()}; give it more with --time-limit"
            )

    def _missing_lists(self) -> str:
        statistics = self._recorder.statistics
        return (
            f"expected a list for each of {self._plan.n_events:,} events, came "
            f"{statistics.n_events:,} events and {statistics.n_answered:,} lists"
        )

    def _require_success(self) -> None:
        statistics = self._recorder.statistics
        if statistics.n_answered < self._plan.n_events:
            raise DemoFailedError(self._missing_lists())
        if statistics.n_empty_lists:
            raise DemoFailedError(
                f"expected items in every list, came {statistics.n_empty_lists} empty lists"
            )
