"""A pair counts the users who had both."""

from stream_rec.config import EventSettings, ModelSettings
from stream_rec.model.engine import Engine
from stream_rec.model.events import Event
from stream_rec.model.runs import Run
from stream_rec.model.together import had_both
from tests.model.logs import records_of


def engine_after(*taken: tuple[str, str]) -> Engine:
    engine = Engine(ModelSettings(), EventSettings(), source_topic="events", n_partitions=1)
    engine.open_partition(0)
    events = [
        Event(user=user, item=item, type="click", ts=1_700_000_000.0 + at)
        for at, (user, item) in enumerate(taken)
    ]
    engine.process([Run(0, records_of(events))], 7)
    return engine


def test_a_pair_counts_the_users_who_had_both_in_any_order() -> None:
    engine = engine_after(
        ("ann", "alien"),
        ("bob", "heat"),
        ("ann", "gravity"),
        ("ann", "heat"),
        ("bob", "alien"),
        ("cleo", "alien"),
    )
    assert had_both(engine, "alien", "heat") == had_both(engine, "heat", "alien") == 2
    assert had_both(engine, "alien", "gravity") == 1


def test_items_that_nobody_had_together_count_nothing() -> None:
    engine = engine_after(("ann", "alien"), ("bob", "heat"))
    assert had_both(engine, "alien", "heat") == 0
    assert had_both(engine, "alien", "unknown") == 0
