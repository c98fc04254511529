"""Replay a recorded event log to Kafka.

    python -m producers.replay ratings.csv --broker localhost:9092 --topic events --speed 10x

An example to copy: read events, make each a JSON message with the user's id as its key, send it,
and know at the end that Kafka has all of them. The key matters: it brings all events of one user
to one partition, in order.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

import click
import msgspec

from producers.command_line import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    KafkaOptions,
    kafka_options,
    report_errors,
    run,
)
from producers.delivery import Delivery, open_producer
from producers.log_options import log_options
from producers.pacing import RATE, SLEEP_S_MIN, Pacer, SpeedType
from producers.progress import EventProgress
from producers.recorded import (
    BadRows,
    RecordedEvent,
    ReplayPlan,
    recorded_events,
    require_readable,
)
from stream_rec.errors import StreamRecError
from stream_rec.logs import LogOptions, LogRow
from stream_rec.logs.timestamps import MILLISECONDS_FROM

HELP = """Replay a recorded event LOG to Kafka; - is standard input.

CSV, JSON Lines or Parquet, plain or packed (.gz .bz2 .xz .zst). The layouts of MovieLens,
RetailRocket and yoochoose and the usual column names are recognised.

\b
Examples:
  replay ratings.csv --speed original
  replay u.data --rate 500 --limit 10000
  replay sales.csv.gz --user-column customer --item-column sku --type purchase
  replay events.jsonl --from-offset 120000
"""


def encode_event(row: LogRow) -> bytes:
    """Return the message of an event.

    Examples
    --------
    >>> encode_event(LogRow("12", "0068646", "rating", 9.0, ts_ms=1380563390000))
    b'{"user":"12","item":"0068646","type":"rating","value":9.0,"ts":1380563390000}'
    """
    fields = row._asdict()
    fields["ts"] = _message_ts(fields.pop("ts_ms"))
    return msgspec.json.encode({name: came for name, came in fields.items() if came is not None})


def _message_ts(ts_ms: int | None) -> float | None:
    """Return milliseconds, or seconds where so small a number would be read as seconds."""
    return ts_ms if ts_ms is None or ts_ms >= MILLISECONDS_FROM else ts_ms / 1000


class Replay:
    """One replay under way.

    Attributes
    ----------
    n_sent : int
        Events given to the producer so far.
    position_next : int
        Position in the log of the event after those.
    """

    def __init__(self, position_next: int) -> None:
        self.n_sent = 0
        self.position_next = position_next

    def send_all(
        self,
        events: Iterator[RecordedEvent],
        delivery: Delivery,
        pacer: Pacer,
        progress: EventProgress,
    ) -> None:
        """Send events when they are due, and wait until Kafka has them."""
        started_s = time.monotonic()
        for position, row, fraction in events:
            wait_s = started_s + pacer.due_s(self.n_sent, row.ts_ms) - time.monotonic()
            if wait_s > SLEEP_S_MIN:
                time.sleep(wait_s)
            # The event's time goes into the message and not into Kafka's timestamp: a broker
            # deletes old segments by that one, and would drop last year's log at once.
            delivery.send(position, row.user.encode(), encode_event(row))
            self.n_sent += 1
            self.position_next = position + 1
            progress.update(self.n_sent, fraction)
        delivery.drain()


def deliver(
    replay: Replay,
    events: Iterator[RecordedEvent],
    delivery: Delivery,
    pacer: Pacer,
) -> int:
    """Send the events, say what came of it and where to resume, and return the exit status."""
    status = 0
    started_s = time.monotonic()
    try:
        with EventProgress("replaying") as progress:
            replay.send_all(events, delivery, pacer, progress)
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    except StreamRecError as error:
        click.echo(f"Error: {error}", err=True)
        status = EXIT_FAILED
        if not replay.n_sent:
            return status
    delivery.drain()
    if delivery.n_failed:
        click.echo(f"last failure: {delivery.last_error}", err=True)
        status = status or EXIT_FAILED
    click.echo(delivery.summary("replayed", time.monotonic() - started_s))
    if status:
        failed = delivery.first_failed_position
        resume_at = replay.position_next if failed is None else failed
        click.echo(f"resume with --from-offset {resume_at}", err=True)
    return status


@click.command(help=HELP)
@report_errors
@click.argument("log")
@click.option(
    "--speed",
    type=SpeedType(),
    default="max",
    show_default=True,
    help="The log's own pace, a multiple of it, or as fast as Kafka takes it.",
)
@click.option(
    "--rate",
    "rate_per_s",
    type=RATE,
    metavar="EVENTS_PER_S",
    help="At most so many events a second.",
)
@click.option("--loop", is_flag=True, help="Start again at the end, with times moved on.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many events.")
@click.option(
    "--from-offset",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Events to pass over at the start: where an earlier replay stopped.",
)
@click.option("--skip-bad-rows", is_flag=True, help="Pass over rows that cannot be read.")
@log_options
@kafka_options
def replay(
    log: str,
    kafka: KafkaOptions,
    how_to_read: LogOptions,
    speed: float | None,
    rate_per_s: float | None,
    loop: bool,
    limit: int | None,
    from_offset: int,
    skip_bad_rows: bool,
) -> int:
    """Replay a log and return the exit status."""
    settings = kafka.load_settings()
    bad_rows = BadRows() if skip_bad_rows else None
    plan = ReplayPlan(log, how_to_read, from_offset, limit, loop, bad_rows)
    require_readable(plan)
    with closing(recorded_events(plan)) as events, open_producer(settings.kafka) as producer:
        delivery = Delivery(producer, settings.topics.events)
        status = deliver(Replay(from_offset), events, delivery, Pacer(speed, rate_per_s))
    if bad_rows is not None:
        click.echo(f"{bad_rows.n_passed_over:,} bad rows passed over", err=True)
    return status


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run(replay, argv, "replay")


if __name__ == "__main__":
    sys.exit(main())
