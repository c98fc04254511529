"""Laws of the spotlight: different users, the most telling ones."""

from dataclasses import replace

from stream_rec.cli.demo.spotlight import Spotlight, interest


def test_hit_history_and_reasons_are_interesting(moment):
    dull = replace(moment, place=None, items=moment.items[1:])
    history = {str(n): 8.0 for n in range(10)}
    assert interest(dull) == 0
    assert interest(replace(dull, place=3)) > interest(dull)
    assert interest(replace(dull, ratings=history)) > interest(dull)
    assert interest(replace(dull, items=moment.items)) > interest(dull)


def test_each_user_is_shown_once_with_the_latest_of_the_best(moment):
    spotlight = Spotlight(2)
    dull = replace(moment, place=None)
    latest = replace(moment, item="2")
    for offered in (dull, moment, latest, dull):
        spotlight.offer(offered)
    assert spotlight.take() == [latest]


def test_best_users_stay_and_come_first(moment):
    spotlight = Spotlight(2)
    moments = [replace(moment, user=str(n), place=None) for n in range(5)]
    moments[3] = replace(moments[3], place=1)
    for offered in moments:
        spotlight.offer(offered)
    taken = spotlight.take()
    assert len(taken) == 2
    assert taken[0] == moments[3]


def test_taking_starts_anew(moment):
    spotlight = Spotlight(2)
    spotlight.offer(moment)
    assert spotlight.take() == [moment]
    assert spotlight.take() == []
