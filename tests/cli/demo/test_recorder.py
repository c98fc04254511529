"""What the recorder shows of a run: the best users of its end, however short it was."""

from stream_rec.cli.demo.messages import Event, ListedItem, Reason, RefreshedList
from stream_rec.cli.demo.recorder import Recorder
from tests.cli.demo.conftest import answer, event


def arrivals(offset: int, *items: ListedItem) -> tuple[Event, RefreshedList]:
    """Return an event and the list that answers it, of a user of its own."""
    user = f"u{offset}"
    return event(offset, user, f"i{offset}"), answer(offset, user)._replace(items=items)


def test_end_of_a_short_run_shows_who_came_after_the_first_were_shown():
    recorder = Recorder(n_expected=2, n_partitions=1, clock_s=lambda: 0.0)
    plain, reasoned = ListedItem("a"), ListedItem("b", (Reason("near", "i1"),))
    recorder.add(arrivals(0, plain))
    assert [moment.user for moment in recorder.snapshot().moments] == ["u0"]
    recorder.add(arrivals(1, reasoned))
    assert [moment.user for moment in recorder.snapshot().moments] == ["u0"]
    recorder.finish()
    assert [moment.user for moment in recorder.snapshot().moments] == ["u1", "u0"]


def test_end_still_shows_users_when_none_came_since():
    recorder = Recorder(n_expected=1, n_partitions=1, clock_s=lambda: 0.0)
    recorder.add(arrivals(0, ListedItem("a")))
    shown = recorder.snapshot().moments
    recorder.finish()
    assert recorder.snapshot().moments == shown != ()
