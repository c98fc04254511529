"""``stream-rec evaluate``: the command's place; what it does and takes is in cli/evaluation/.

The options that say how to read a log need the producers' modules, which `--help` of the whole
command line must not import.
"""

from __future__ import annotations

import click

from stream_rec.cli.programs import PASS_THROUGH


@click.command(context_settings=PASS_THROUGH)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def evaluate(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Evaluate the recommender on a recorded event log (see: evaluate --help)."""
    from stream_rec.cli.evaluation.command import evaluate as command

    name = ctx.info_name or "evaluate"
    with command.make_context(name, list(arguments), parent=ctx.parent) as own:
        command.invoke(own)
