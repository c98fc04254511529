"""``stream-rec serve`` and ``stream-rec keys new``: the HTTP service, and keys for it."""

from __future__ import annotations

import click

from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options
from stream_rec.cli.worker import watch_input


@click.command(
    epilog=examples(
        "stream-rec serve --set kafka.broker=kafka:9092",
        "stream-rec serve --set serve.port=8080",
        "stream-rec --config my.toml serve",
    )
)
@click.option("--end-with-input", is_flag=True, hidden=True, help="Stop when standard input ends.")
@common_options
@click.pass_context
def serve(ctx: click.Context, end_with_input: bool) -> None:
    """Serve lists over HTTP until Ctrl-C or SIGTERM; the API is at /docs, the live page at /.

    It reads the lists and the item statistics that workers write to Kafka, and writes events there.
    Start as many as you like, each with its own serve.state_dir. Without keys it listens on this
    machine only.
    """
    assert isinstance(ctx.obj, CommonOptions)
    if end_with_input:
        watch_input()
    settings = ctx.obj.load_settings()
    try:
        from stream_rec.serving.server import run_service
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the HTTP service needs {error.name}; install it with: pip install 'stream-rec[serve]'"
        ) from error
    from stream_rec.log_output import set_up_logging

    set_up_logging(settings.worker.log_level, settings.worker.log_format)
    ctx.exit(run_service(settings, lambda url: click.echo(f"serving at {url}")))


@click.group()
@common_options
def keys() -> None:
    """Make API keys for `stream-rec serve`."""


@keys.command(epilog=examples("stream-rec keys new shop --scope read --scope write"))
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["read", "write", "admin"]),
    default=("read", "write"),
    show_default=True,
    help="What the key may be used for; may be given several times.",
)
@common_options
def new(name: str, scopes: tuple[str, ...]) -> None:
    """Make a key: print the entry for serve.keys or the keys file, and the key itself, once."""
    from stream_rec.serving.keys import new_key

    if ":" in name or not name:
        raise click.BadParameter("expected a name without colons")
    entry, key = new_key(name, scopes)
    click.echo(f"for serve.keys: {entry}\nfor {name}: {key}")
