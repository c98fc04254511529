"""``stream-rec state``: look into a worker's state, check it, take it away and bring it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stream_rec.cli.errors import STATUS_FAILED
from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from stream_rec.config import Settings

as_json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
export_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group()
def state() -> None:
    """Look into the state on this machine, check it, export and import it.

    The state is in worker.state_dir, in a folder named as app_id. All but `import` may be used
    while a worker is running on it: they see what is durable, which is up to commit_interval_s old.
    """


@state.command(epilog=examples("stream-rec state verify", "stream-rec state verify --json | jq"))
@click.option("--offline", is_flag=True, help="Do not compare with Kafka.")
@as_json_option
@common_options
@click.pass_context
def verify(ctx: click.Context, offline: bool, as_json: bool) -> None:
    """Check every row, checksum and offset; exit status 1 if something is wrong."""
    settings = _settings(ctx)
    from stream_rec.cli.state.text import describe_report
    from stream_rec.stream.state.offsets import KafkaOffsets
    from stream_rec.stream.state.verify import verify as verify_folder

    offsets = None if offline else KafkaOffsets(settings)
    try:
        reports = verify_folder(state_folder(settings), settings.model, offsets)
    finally:
        if offsets is not None:
            offsets.close()
    for report in reports:
        click.echo(json.dumps(report.as_json()) if as_json else describe_report(report))
    n_problems = sum(len(report.problems) for report in reports)
    if not as_json:
        click.echo(f"{len(reports)} stores, {n_problems or 'no'} problems")
    if n_problems:
        ctx.exit(STATUS_FAILED)


@state.command(
    epilog=examples("stream-rec state inspect --user 42", "stream-rec state inspect --item mug")
)
@click.option("--user", metavar="ID", help="Show the profile of this user.")
@click.option("--item", metavar="ID", help="Show what is known of this item.")
@as_json_option
@common_options
@click.pass_context
def inspect(ctx: click.Context, user: str | None, item: str | None, as_json: bool) -> None:
    """Show what is known of a user or of an item."""
    if (user is None) == (item is None):
        raise click.UsageError("expected one of --user and --item")
    settings = _settings(ctx)
    from stream_rec.cli.state.text import describe_item, describe_user
    from stream_rec.stream.state.inspect import inspect_item, inspect_user

    folder = state_folder(settings)
    found: dict[str, Any]
    if user is not None:
        found = inspect_user(folder, user)
        text = describe_user(found)
    else:
        found = inspect_item(folder, str(item), settings.model.half_lives_s)
        text = describe_item(found)
    click.echo(json.dumps(found) if as_json else text)


@state.command(epilog=examples("stream-rec state export /backup/state.zst"))
@export_file
@common_options
@click.pass_context
def export(ctx: click.Context, file: Path) -> None:
    """Write all stores of this machine into FILE, as of one commit; FILE never is half a file."""
    settings = _settings(ctx)
    from stream_rec.stream.state.transfer import export_state

    n_rows = export_state(state_folder(settings), file)
    click.echo(f"{n_rows:,} rows in {file} ({file.stat().st_size:,} bytes)")


@state.command("import", epilog=examples("stream-rec state import /backup/state.zst"))
@export_file
@common_options
@click.pass_context
def import_(ctx: click.Context, file: Path) -> None:
    """Fill an empty state folder from FILE; the worker then reads only what changed since."""
    settings = _settings(ctx)
    from stream_rec.stream.identity import read_identity
    from stream_rec.stream.state.transfer import import_state

    folder = state_folder(settings)
    n_rows = import_state(file, folder, read_identity(settings), settings.worker)
    click.echo(f"{n_rows:,} rows in {folder}")


def state_folder(settings: Settings) -> Path:
    """Return where a worker with these settings keeps its state."""
    return settings.worker.state_dir / settings.app_id


def _settings(ctx: click.Context) -> Settings:
    assert isinstance(ctx.obj, CommonOptions)
    return ctx.obj.load_settings()
