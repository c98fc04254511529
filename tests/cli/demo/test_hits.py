"""Laws of the hit rates: what is scored, against which list."""

from stream_rec.cli.demo.hits import HitRates
from tests.cli.demo.conftest import event, listed


def test_first_event_of_a_user_is_not_scored():
    hits = HitRates()
    assert hits.add(event(0, "ann", "alien"), listed("heat")) is None
    assert hits.n_scored == 0
    assert hits.hit_rate == hits.popularity_hit_rate == 0.0


def test_event_is_scored_against_the_list_before_it():
    hits = HitRates()
    hits.add(event(0, "ann", "alien"), listed("up", "heat"))
    assert hits.add(event(1, "ann", "heat"), listed("brazil")) == 2
    assert hits.add(event(2, "ann", "up"), listed("up")) is None
    assert (hits.n_scored, hits.n_hits) == (2, 1)


def test_lists_of_other_users_do_not_count():
    hits = HitRates()
    hits.add(event(0, "ann", "alien"), listed("heat"))
    hits.add(event(1, "bob", "alien"), listed("up"))
    assert hits.add(event(2, "bob", "heat"), listed()) is None
    assert hits.n_hits == 0


def test_item_that_the_user_had_is_not_scored():
    hits = HitRates()
    hits.add(event(0, "ann", "alien"), listed("alien"))
    hits.add(event(1, "ann", "alien"), listed("alien"))
    assert hits.n_scored == 0


def test_empty_list_is_no_list():
    hits = HitRates()
    hits.add(event(0, "ann", "alien"), listed())
    hits.add(event(1, "ann", "heat"), listed("up"))
    assert hits.n_scored == 0


def test_only_the_first_items_of_a_list_count():
    hits = HitRates(list_length=1)
    hits.add(event(0, "ann", "alien"), listed("up", "heat"))
    hits.add(event(1, "ann", "heat"), listed())
    assert (hits.n_scored, hits.n_hits) == (1, 0)


def test_popularity_is_served_at_the_same_moment_as_the_list():
    hits = HitRates(list_length=1)
    hits.add(event(0, "bob", "heat"), listed("x"))
    hits.add(event(1, "ann", "alien"), listed("x"))  # popular for ann now: heat
    for offset, user in enumerate(("cem", "dora", "eve"), 2):
        hits.add(event(offset, user, "up"), listed("x"))
    hits.add(event(5, "ann", "heat"), listed("x"))
    assert (hits.n_scored, hits.n_popularity_hits) == (1, 1)


def test_popularity_leaves_out_what_the_user_had():
    hits = HitRates(list_length=1)
    hits.add(event(0, "bob", "heat"), listed("x"))
    for offset in (1, 2):
        hits.add(event(offset, "ann", "alien"), listed("x"))
    assert hits.users["ann"].popular == ("heat",)


def test_last_rating_of_an_item_is_kept_at_the_end():
    hits = HitRates()
    hits.add(event(0, "ann", "alien", value=3.0), listed())
    hits.add(event(1, "ann", "heat"), listed())
    hits.add(event(2, "ann", "alien", value=9.0), listed())
    assert list(hits.users["ann"].ratings.items()) == [("heat", 8.0), ("alien", 9.0)]
