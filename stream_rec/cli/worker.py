"""``stream-rec worker``: run one worker until it is told to stop."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from stream_rec.config import Settings


@click.command(
    epilog=examples(
        "stream-rec worker --set kafka.broker=kafka:9092",
        "stream-rec --config my.toml worker",
        "stream-rec --config config/embedded.toml worker",
        "stream-rec worker --set app_id=green --rebuild-from earliest",
        "stream-rec worker --set app_id=green --switch-from stream-rec",
    )
)
@click.option("--end-with-input", is_flag=True, hidden=True, help="Stop when standard input ends.")
@click.option(
    "--rebuild-from",
    metavar="earliest|TIME",
    help="Rebuild the model from the event log under a new app_id, publishing nothing.",
)
@click.option(
    "--switch-from",
    metavar="APP_ID",
    help="Begin to publish with a rebuilt model where this application, now stopped, has ended.",
)
@common_options
@click.pass_context
def worker(
    ctx: click.Context, end_with_input: bool, rebuild_from: str | None, switch_from: str | None
) -> None:
    """Run one worker until Ctrl-C or SIGTERM: it commits, leaves its group and exits with 0.

    Start as many as there are partitions, on any machines; Kafka shares the partitions out. With
    kafka.broker = "embedded" it starts a broker in memory too and prints its address.
    """
    assert isinstance(ctx.obj, CommonOptions)
    if end_with_input:
        watch_input()
    begin = {"worker.rebuild_from": rebuild_from, "worker.switch_from": switch_from}
    given = {key: text for key, text in begin.items() if text is not None}
    options = ctx.obj.with_overrides(given)
    from stream_rec.stream.rebuild import time_to_rebuild_from

    time_to_rebuild_from(options.load_settings().worker.rebuild_from)  # before Kafka is asked
    with reachable_broker(options) as settings:
        from stream_rec.stream.worker import run_worker

        status = run_worker(settings)
    ctx.exit(status)


@contextmanager
def reachable_broker(options: CommonOptions) -> Iterator[Settings]:
    """Load settings whose broker has an address: start the embedded one if it is asked for."""
    from stream_rec.config import EMBEDDED

    settings = options.load_settings()
    if settings.kafka.broker != EMBEDDED:
        yield settings
        return
    from stream_rec.stream.embedded import EmbeddedBroker

    with EmbeddedBroker(dict.fromkeys(settings.topics.names, settings.topics.partitions)) as broker:
        here = f"--set kafka.broker={broker.address} --set kafka.embedded=true"
        click.echo(f"embedded broker at {broker.address}; other commands reach it with {here}")
        sys.stdout.flush()
        yield options.with_overrides(
            {"kafka.broker": broker.address, "kafka.embedded": "true"}
        ).load_settings()


def watch_input() -> None:
    """Stop this process, as by SIGTERM, when its standard input ends."""
    threading.Thread(target=_stop_when_input_ends, name="input-watch", daemon=True).start()


def _stop_when_input_ends() -> None:
    # os.read instead of sys.stdin: a thread inside a buffered read would abort Python's exit.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
