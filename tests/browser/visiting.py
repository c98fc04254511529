"""What a visitor does on the live page, and what the page says."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

TOOK = re.compile(r"^[\d,]+ ms from your click to this list$")


def wait_until_live(page: Page) -> None:
    expect(page.locator("#link")).to_have_text("live")


def film(page: Page, title: str) -> Locator:
    """Return the card of a title, searching for it."""
    page.get_by_label("Find a title").fill(title)
    card = page.locator("#films > li").filter(has=page.get_by_text(title, exact=True))
    expect(card).to_have_count(1)
    return card


def rate(page: Page, title: str, stars: int) -> None:
    """Rate a title and wait for the list that knows of it."""
    film(page, title).get_by_role("button", name=f"{stars} of 5 stars").click()
    wait_for_new_list(page)


def wait_for_new_list(page: Page) -> None:
    expect(page.locator("#took")).to_have_text(TOOK)
    expect(page.locator("#list > li").first).to_be_visible()


def listed_titles(page: Page) -> list[str]:
    return page.locator("#list .name strong").all_inner_texts()


def look_into(page: Page, label: str, words: str) -> None:
    """Look a user or an item up, and wait for the answer."""
    page.get_by_label(label).fill(words)
    page.get_by_label(label).press("Enter")
    expect(page.locator("#found")).to_have_class("user" if "user" in label else "item")
