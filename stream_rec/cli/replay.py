"""``stream-rec replay``: the program producers/replay.py as a command."""

from __future__ import annotations

import click

from stream_rec.cli.options import CommonOptions
from stream_rec.cli.programs import PASS_THROUGH, run_program


@click.command(context_settings=PASS_THROUGH)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def replay(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Replay a recorded event log to Kafka (see: replay --help)."""
    from producers.replay import replay as program

    assert isinstance(ctx.obj, CommonOptions)
    ctx.exit(run_program(program, ctx.obj, arguments))
