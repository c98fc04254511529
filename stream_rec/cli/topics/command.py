"""``stream-rec topics``: create the topics that a worker needs, or check those that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stream_rec.cli.errors import STATUS_FAILED
from stream_rec.cli.examples import examples
from stream_rec.cli.options import CommonOptions, common_options

if TYPE_CHECKING:
    from stream_rec.config import Settings


@click.group()
def topics() -> None:
    """Create or check the topics: partitions, compaction, replication."""


@topics.command(
    epilog=examples(
        "stream-rec topics create",
        "stream-rec topics create --set topics.partitions=16 --set topics.replication_factor=3",
        "stream-rec topics create --alter",
    )
)
@click.option("--alter", is_flag=True, help="Also set the configuration of existing topics.")
@common_options
@click.pass_obj
def create(options: CommonOptions, alter: bool) -> None:
    """Create what is missing of the five topics."""
    settings = options.load_settings()
    from stream_rec.cli.topics.admin import TopicAdmin
    from stream_rec.cli.topics.plan import find_problems, plan_topics

    admin = TopicAdmin(settings.kafka)
    plans = plan_topics(settings.topics)
    found = admin.find([plan.name for plan in plans])
    for plan in plans:
        if plan.name not in found:
            admin.create(plan)
            policy = plan.config["cleanup.policy"]
            click.echo(f"created {plan.name}: {plan.partitions} partitions, {policy}")
        elif not find_problems(plan, found[plan.name]):
            click.echo(f"{plan.name} is there already")
        elif alter:
            admin.alter_config(plan)
            click.echo(f"configured {plan.name}")
        else:
            click.echo(f"{plan.name} is there already, but not as it should be")
    admin.wait_until_found([plan.name for plan in plans])
    _report(settings)


@topics.command(
    epilog=examples(
        "stream-rec --config my.toml topics check && stream-rec --config my.toml worker",
    )
)
@common_options
@click.pass_obj
def check(options: CommonOptions) -> None:
    """Check the five topics; exit status 1 if one is not as it should be."""
    _report(options.load_settings())


def _report(settings: Settings) -> None:
    from stream_rec.cli.topics.admin import TopicAdmin
    from stream_rec.cli.topics.plan import find_problems, plan_topics

    found = TopicAdmin(settings.kafka).find(settings.topics.names)
    plans = plan_topics(settings.topics)
    problems = [p for plan in plans for p in find_problems(plan, found.get(plan.name))]
    for problem in problems:
        click.echo(f"{problem}\n  to mend it: {problem.mend}", err=True)
    if problems:
        click.get_current_context().exit(STATUS_FAILED)
    click.echo(f"all {len(plans)} topics are as they should be")
