"""Try it: the list follows every click, says how long it took, and why each film is there."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, OpenPage
from tests.browser.visiting import film, listed_titles, rate, wait_for_new_list, wait_until_live


def test_a_rating_gives_a_new_list_with_its_milliseconds_and_reasons(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator("#list > li")).to_have_count(10)
    before = listed_titles(page)
    rate(page, "Gravity", 5)
    assert listed_titles(page) != before
    assert "Gravity" not in listed_titles(page)
    why = page.locator("#list .why").all_inner_texts()
    assert all(why)
    led = [text for text in why if text.startswith("because you rated Gravity 10")]
    assert led
    assert any(re.search(r"; [\d,]+ others? had both$", text) for text in led)
    expect(page.locator("#list .move.new").first).to_be_visible()
    expect(page.locator("#had > li")).to_have_text(["Gravity ★ 10"])


def test_a_click_on_a_poster_counts_as_had(open_page: OpenPage) -> None:
    page = open_page()
    poster = film(page, "Elysium").locator(".poster")
    poster.click()
    wait_for_new_list(page)
    expect(poster).to_have_attribute("aria-pressed", "true")
    assert "Elysium" not in listed_titles(page)
    expect(
        page.locator("#list .why").filter(has_text="because you picked Elysium").first
    ).to_be_visible()


def test_a_film_of_the_list_can_be_rated_there(open_page: OpenPage) -> None:
    page = open_page()
    rate(page, "Gravity", 5)
    first = listed_titles(page)[0]
    page.locator("#list > li").first.get_by_role("button", name="4 of 5 stars").click()
    expect(page.locator("#had > li").first).to_have_text(f"{first} ★ 8")
    expect(
        page.locator("#list .name strong").filter(has_text=re.compile(f"^{re.escape(first)}$"))
    ).to_have_count(0)


def test_ratings_outlast_a_reload_and_end_with_starting_anew(open_page: OpenPage) -> None:
    page = open_page()
    rate(page, "Gravity", 3)
    page.reload()
    expect(page.locator("#had > li")).to_have_text(["Gravity ★ 6"])
    page.get_by_role("button", name="Start anew").click()
    expect(page.locator("#had-part")).to_be_hidden()
    expect(
        page.get_by_role("toolbar", name="Rate Gravity").locator("[aria-pressed=true]")
    ).to_have_count(0)


def test_a_search_without_a_result_says_so(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_label("Find a title").fill("zzzz")
    expect(page.locator("#shelf-says")).to_have_text("No title has these words")
    expect(page.locator("#films > li")).to_have_count(0)


def test_a_visitor_joins_the_recorded_log_in_its_own_time(open_page: OpenPage) -> None:
    """Dated today, one rating would let the popularity of all recorded films decay to nothing."""
    page = open_page()
    wait_until_live(page)
    with page.expect_request("**/events") as asked:
        rate(page, "Gravity", 5)
    assert asked.value.post_data_json["ts"] < 1_500_000_000


def test_on_a_phone_the_list_is_in_sight_while_rating(open_page: OpenPage) -> None:
    page = open_page(PHONE)
    rate(page, "Gravity", 5)
    expect(page.locator("#list > li").first).to_be_in_viewport(ratio=1)
