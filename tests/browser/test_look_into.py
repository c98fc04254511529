"""Look into: any user and any item, by form and by link."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.visiting import listed_titles, look_into, rate


def test_a_user_with_list_history_and_what_each_source_adds(open_page: OpenPage) -> None:
    page = open_page()
    rate(page, "Gravity", 5)
    listed = listed_titles(page)
    page.get_by_role("link", name="How it came about").click()
    entries = page.locator("#found details")
    expect(entries).to_have_count(10)
    names = [
        re.sub(r"^\d+\. | \(\d+\)$", "", text)
        for text in entries.locator("summary strong").all_inner_texts()
    ]
    assert names == listed


def test_sources_say_something_and_the_ranker_weighs_it(open_page: OpenPage) -> None:
    page = open_page(part="#look")
    page.locator("#found .chips").first.get_by_role("link").nth(1).click()
    table = page.locator("#found details[open] table")
    expect(table.get_by_role("rowheader").first).to_be_visible()
    weights = table.locator("td.part").all_inner_texts()
    assert weights
    assert all(re.fullmatch(r"[+−]\d+\.\d\d", text.strip()) for text in weights)
    page.locator("#found summary").nth(1).click()
    expect(page.locator("#found details[open]")).to_have_count(2)
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    expect(page.locator("#found time").first).to_be_visible()


def test_somebody_unknown_gets_what_is_trending(open_page: OpenPage) -> None:
    page = open_page(part="#look")
    look_into(page, "A user’s id", "nobody at all")
    expect(
        page.get_by_role("heading", name="Nothing is known of nobody at all yet")
    ).to_be_visible()
    expect(page.locator("#found details")).to_have_count(10)


def test_an_item_by_title_with_neighbours_followers_and_trend(open_page: OpenPage) -> None:
    page = open_page(part="#look")
    look_into(page, "An item’s id or title", "Gravity")
    expect(page.get_by_role("heading", name="Gravity (2013)")).to_be_visible()
    headings = page.locator("#found h2").all_inner_texts()
    assert headings[1:] == ["Trend", "Taken together with", "What follows"]
    assert page.get_by_role("rowheader").all_inner_texts() == ["2h", "1d", "7d"]
    for heading in headings[2:]:
        expect(page.locator(".panel", has_text=heading).get_by_role("listitem")).to_have_count(10)
    page.locator(".panel", has_text="What follows").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Gravity (2013)")).to_be_hidden()
    page.go_back()
    expect(page.get_by_role("heading", name="Gravity (2013)")).to_be_visible()


def test_an_item_that_nobody_had_is_told_so(open_page: OpenPage) -> None:
    page = open_page(part="#look/item/zzzz")
    expect(page.get_by_role("heading", name="Nobody has had “zzzz” yet")).to_be_visible()
