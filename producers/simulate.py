"""Simulate users and send their events to Kafka, or write them to a file.

    python -m producers.simulate --broker localhost:9092 --events 100000 --rate 500 --malformed 0.01

What is simulated is in world.py and simulation.py, without Kafka. Every record says in its headers
(``sim-label``, ``sim-code``, ``sim-event-id``) what it is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from producers.command_line import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    KafkaOptions,
    kafka_options,
    report_errors,
    run,
)
from producers.delivery import Delivery, open_producer
from producers.pacing import RATE, SLEEP_S_MIN, Pacer
from producers.progress import EventProgress
from producers.simulation import SimulationSettings
from producers.simulation import simulate as simulated_records
from producers.simulation_options import simulation_options
from producers.sinks import FileSink, KafkaSink, Sink, open_output, with_labels
from stream_rec.errors import DeliveryError

HELP = """Simulate users with known tastes and send their events to Kafka.

The same seed gives the same events. Rates are parts of all records: --malformed 0.01 spoils one in
a hundred. Each record says in its Kafka headers (sim-label, sim-code, sim-event-id) what it is.

\b
Examples:
  simulate --events 100000 --rate 500
  simulate --malformed 0.02 --duplicates 0.02 --late 0.05 --bots 0.1
  simulate --users 50000 --items 20000 --clusters 40 --seed 7
  simulate --out events.jsonl --labels labels.csv
"""


class Output:
    """Where the records go, and what can be said about it afterwards.

    Parameters
    ----------
    sink : Sink
        Takes the records.
    delivery : Delivery, optional
        Knows what Kafka acknowledged, when they go to Kafka.
    """

    def __init__(self, sink: Sink, delivery: Delivery | None = None) -> None:
        self.sink = sink
        self.delivery = delivery
        self.n_written = 0

    def write_all(
        self, settings: SimulationSettings, pacer: Pacer, progress: EventProgress
    ) -> None:
        """Write every record when it is due."""
        started_s = time.monotonic()
        for position, record in enumerate(simulated_records(settings)):
            wait_s = started_s + pacer.due_s(position, record.ts_ms) - time.monotonic()
            if wait_s > SLEEP_S_MIN:
                time.sleep(wait_s)
            self.sink.write(position, record)
            self.n_written = position + 1
            progress.update(self.n_written, self.n_written / settings.n_events)

    def finish(self, elapsed_s: float) -> int:
        """Wait for what is under way, say what came of it, and return the number of failures."""
        if self.delivery is None:
            rate_per_s = self.n_written / max(elapsed_s, 1e-9)
            click.echo(
                f"wrote {self.n_written:,} events in {elapsed_s:.1f} s ({rate_per_s:,.0f} "
                "events/s), 0 errors",
                err=True,
            )
            return 0
        self.delivery.drain()
        if self.delivery.n_failed:
            click.echo(f"last failure: {self.delivery.last_error}", err=True)
        click.echo(self.delivery.summary("sent", elapsed_s))
        return self.delivery.n_failed


@contextmanager
def open_kafka_or_file(kafka: KafkaOptions, path: str | None) -> Iterator[Output]:
    """Open what the records are written to: the file if one is named, else Kafka."""
    if path is not None:
        with open_output(path) as stream:
            yield Output(FileSink(stream))
        return
    settings = kafka.load_settings()
    with open_producer(settings.kafka) as producer:
        delivery = Delivery(producer, settings.topics.events)
        yield Output(KafkaSink(delivery), delivery)


@click.command(help=HELP)
@report_errors
@simulation_options
@click.option(
    "--rate",
    "rate_per_s",
    type=RATE,
    metavar="EVENTS_PER_S",
    help="At most so many events a second.  [default: as fast as possible]",
)
@click.option(
    "--out", metavar="FILE", help="Write JSON Lines here (- for standard output), not to Kafka."
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write here, as CSV, what each record is.",
)
@kafka_options
def simulate(
    settings: SimulationSettings,
    kafka: KafkaOptions,
    rate_per_s: float | None,
    out: str | None,
    labels: Path | None,
) -> int:
    """Simulate and return the exit status."""
    with open_kafka_or_file(kafka, out) as output, with_labels(output.sink, labels) as sink:
        output.sink = sink
        return write(output, settings, Pacer(rate_per_s=rate_per_s))


def write(output: Output, settings: SimulationSettings, pacer: Pacer) -> int:
    """Write the records, say what came of it, and return the exit status."""
    status = 0
    started_s = time.monotonic()
    try:
        with EventProgress("simulating") as progress:
            output.write_all(settings, pacer, progress)
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    except DeliveryError as error:
        click.echo(f"Error: {error}", err=True)
        status = EXIT_FAILED
    n_failed = output.finish(time.monotonic() - started_s)
    return status or (EXIT_FAILED if n_failed else 0)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run(simulate, argv, "simulate")


if __name__ == "__main__":
    sys.exit(main())
