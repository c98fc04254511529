"""``stream-rec tail``: follow the refreshed lists as they come."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from confluent_kafka import Message

POLL_TIMEOUT_S = 0.5


@click.command(
    epilog=examples(
        "stream-rec tail",
        "stream-rec tail --user 42 --from-beginning",
        "stream-rec tail --json --limit 1 | jq .items",
    )
)
@click.option("--user", metavar="ID", help="Only the lists of this user.")
@click.option("--json", "as_json", is_flag=True, help="The messages as they are, one per line.")
@click.option("--from-beginning", is_flag=True, help="All lists that Kafka still has, then new.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="End after N lists.")
@common_options
@click.pass_obj
def tail(
    options: CommonOptions, user: str | None, as_json: bool, from_beginning: bool, limit: int | None
) -> None:
    """Follow the recommendations topic until Ctrl-C."""
    settings = options.load_settings()
    from stream_rec.cli.reader import open_reader

    n_shown = 0
    topics = [settings.topics.recommendations]
    with open_reader(settings.kafka, topics, from_beginning=from_beginning) as reader:
        while limit is None or n_shown < limit:
            for record in reader.read(POLL_TIMEOUT_S):
                if not _is_of(record, user):
                    continue
                click.echo(record.value() if as_json else describe(record))
                n_shown += 1
                if n_shown == limit:
                    break


def describe(record: Message) -> str:
    """Describe a published list for a person, a line for the user and a line per item."""
    import msgspec

    value = record.value()
    user = (record.key() or b"?").decode("utf-8", "replace")
    if value is None:
        return f"user {user}: forgotten"
    message = msgspec.json.decode(value)
    published_at = datetime.fromtimestamp(record.timestamp()[1] / 1000).strftime("%H:%M:%S.%f")[:-3]
    source = message.get("source") or {}
    lines = [
        f"{published_at}  user {click.style(user, bold=True)}"
        f"  after {source.get('topic')}[{source.get('partition')}]@{source.get('offset')}"
    ]
    for place, item in enumerate(message["items"], 1):
        reasons = ", ".join(_describe_reason(reason) for reason in item.get("reasons", ()))
        lines.append(f"  {place:>2}. {item['item']}  {item['score']:.3f}  {reasons}".rstrip())
    return "\n".join(lines)


def _describe_reason(reason: dict[str, Any]) -> str:
    because = reason.get("because")
    return reason["source"] if because is None else f"{reason['source']} because of {because}"


def _is_of(record: Message, user: str | None) -> bool:
    return user is None or record.key() == user.encode()
