"""``stream-rec compile``: have the model compiled ahead of its first start."""

from __future__ import annotations

import time

import click

from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options


@click.command(
    epilog=examples(
        "stream-rec compile",
        "RUN stream-rec compile                 in a Dockerfile, behind the installation",
    )
)
@common_options
@click.pass_obj
def compile(options: CommonOptions) -> None:
    """Compile the model's kernels now; otherwise the first worker or service does when it starts.

    Takes a minute on two processors, and is kept on disk (in NUMBA_CACHE_DIR, or in the user's
    cache folder) until the program changes.
    """
    settings = options.load_settings()
    started_s = time.monotonic()
    from stream_rec.compiling import shared_compiling
    from stream_rec.model.warm_up import warm_up, warm_up_questions

    with shared_compiling():
        warm_up(settings.model, settings.events)
        warm_up_questions(settings.model, settings.events)
    click.echo(f"the model's kernels are compiled ({time.monotonic() - started_s:.1f} s)")
