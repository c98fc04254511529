"""The command line, ``stream-rec``: one file per command, heavy imports inside the commands."""

from __future__ import annotations

import click

from stream_rec.cli.bench.command import bench
from stream_rec.cli.compile import compile as compile_kernels
from stream_rec.cli.completion import completion
from stream_rec.cli.config import config
from stream_rec.cli.demo.command import demo
from stream_rec.cli.errors import ErrorReportingGroup
from stream_rec.cli.evaluate import evaluate
from stream_rec.cli.forget import forget
from stream_rec.cli.options import common_options
from stream_rec.cli.replay import replay
from stream_rec.cli.serve import keys, serve
from stream_rec.cli.simulate import simulate
from stream_rec.cli.state.command import state
from stream_rec.cli.status.command import status
from stream_rec.cli.tail import tail
from stream_rec.cli.topics.command import topics
from stream_rec.cli.worker import worker

HELP = """Recommendations that learn from every event, over Kafka.

Events on a topic in, each user's refreshed list on another topic out, milliseconds later.

\b
Examples:
  stream-rec demo                              watch it learn, nothing to install
  stream-rec topics create                     create the topics on your Kafka
  stream-rec --config my.toml worker           run a worker
  stream-rec serve                             lists over HTTP, and the live page
  stream-rec replay ratings.csv --speed max    replay a recorded log into it
  stream-rec tail --user 42                    follow the lists of a user
  stream-rec status                            group, lag, rates, on one screen

\b
Settings come from --set, then the environment (STREAM_REC_KAFKA__BROKER), then
the file of --config, then the defaults: `stream-rec config show`.

\b
Exit status: 0 all went well, 1 failed, 2 wrong command line or configuration,
130 interrupted (Ctrl-C).
"""


def print_version(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Print the version and end."""
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"stream-rec {version('stream-rec')}")
    except PackageNotFoundError:
        click.echo("stream-rec, run from its source tree without being installed")
    ctx.exit()


@click.group(
    cls=ErrorReportingGroup, help=HELP, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=print_version,
    help="Show the version and exit.",
)
@common_options
def cli() -> None:
    """Hold the commands together."""


for command in (
    demo,
    worker,
    serve,
    keys,
    replay,
    simulate,
    tail,
    topics,
    status,
    state,
    forget,
    evaluate,
    bench,
    config,
    compile_kernels,
    completion,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line of this process."""
    cli.main(prog_name="stream-rec")
