"""Laws of the topics' plan: what must be compacted, and how each problem is mended."""

import pytest

from stream_rec.cli.topics.plan import FoundTopic, find_problems, plan_topics
from stream_rec.config import Settings, TopicSettings

TOPICS = Settings(
    topics=TopicSettings(partitions=6, replication_factor=3, min_insync_replicas=2)
).topics
PLANS = {plan.name: plan for plan in plan_topics(TOPICS)}


def as_planned(plan, **changes):
    return FoundTopic(plan.partitions, plan.replication_factor, plan.config | changes)


def test_every_topic_is_planned():
    assert tuple(PLANS) == (
        "events",
        "events.dlq",
        "recommendations",
        "stream-rec-items-changelog",
        "stream-rec-profiles-changelog",
    )


@pytest.mark.parametrize("name", PLANS)
def test_lists_and_changelogs_are_compacted_and_events_are_not(name):
    config = PLANS[name].config
    is_compacted = name == "recommendations" or name.endswith("-changelog")
    assert config["cleanup.policy"] == ("compact" if is_compacted else "delete")
    assert config["min.insync.replicas"] == "2"
    assert config.get("min.compaction.lag.ms") == ("60000" if is_compacted else None)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_topic_as_planned_has_no_problem(plan):
    assert find_problems(plan, as_planned(plan)) == []


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_missing_topic_is_to_be_created(plan):
    (problem,) = find_problems(plan, None)
    assert str(problem) == f"{plan.name}: expected the topic to exist, found none"
    assert problem.mend == "stream-rec topics create"


def test_wrong_partitions_are_not_to_be_changed():
    plan = PLANS["events"]
    (problem,) = find_problems(plan, as_planned(plan)._replace(partitions=4))
    assert str(problem) == "events: expected partitions 6, found 4"
    assert "--set topics.partitions=4" in problem.mend


def test_too_few_replicas_are_told_and_more_are_welcome():
    plan = PLANS["events"]
    (problem,) = find_problems(plan, as_planned(plan)._replace(replication_factor=1))
    assert str(problem) == "events: expected replication factor ≥ 3, found 1"
    assert find_problems(plan, as_planned(plan)._replace(replication_factor=4)) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cleanup.policy", "delete"),
        ("cleanup.policy", "compact,delete"),
        ("min.insync.replicas", "1"),
        ("min.compaction.lag.ms", "0"),
    ],
)
def test_wrong_configuration_is_to_be_altered(key, value):
    plan = PLANS["recommendations"]
    (problem,) = find_problems(plan, as_planned(plan, **{key: value}))
    assert str(problem) == f"recommendations: expected {key} {plan.config[key]}, found {value}"
    assert problem.mend == "stream-rec topics create --alter"
