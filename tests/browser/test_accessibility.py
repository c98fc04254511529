"""Every part meets WCAG 2.2 AA as far as axe-core can tell, fits its screen, works by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, NARROW, PHONE, OpenPage, View
from tests.browser.test_now import stand_in
from tests.browser.visiting import TOOK, look_into, rate, wait_until_live

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TAB_STOPS_MAX = 150
FOCUS = """() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  return { name: at === document.body ? "" : at.outerHTML.slice(0, 160),
    seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
}"""
STOPS = """() => [...document.querySelectorAll("a[href], button, input, summary")]
  .filter((each) => each.checkVisibility() && each.tabIndex >= 0)
  .map((each) => each.outerHTML.slice(0, 160))"""


def tried(page: Page) -> None:
    rate(page, "Gravity", 5)
    page.get_by_label("Find a title").fill("")
    expect(page.locator("#shelf-says")).to_have_text("Popular now")


def found_user(page: Page) -> None:
    page.locator("#found .chips").first.get_by_role("link").nth(1).click()
    expect(page.locator("#found details[open] table")).to_be_visible()


def found_item(page: Page) -> None:
    look_into(page, "An item’s id or title", "Gravity")
    expect(page.get_by_role("heading", name="Gravity (2013)")).to_be_visible()


def suggested(page: Page) -> None:
    expect(page.locator("#found .chips")).to_have_count(2)


PARTS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "try": ("", tried),
    "now": ("#now", wait_until_live),
    "look": ("#look", suggested),
    "user": ("#look", found_user),
    "item": ("#look", found_item),
}


def violations(page: Page, kind: str, names: list[str]) -> list[tuple[str, str]]:
    found = Axe().run(
        page, options={"resultTypes": ["violations"], "runOnly": {"type": kind, "values": names}}
    )
    return [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]]


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("view", [PHONE, DESKTOP], ids=lambda view: view.device)
@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_accessible_and_fits(
    open_page: OpenPage, keep_picture: Callable[[Page, str], None], view: View, part: str
) -> None:
    begin, visit = PARTS[part]
    page = open_page(view, begin, before=stand_in if part == "now" else None)
    visit(page)
    assert_fits(page)
    assert violations(page, "tag", RULES) == []
    keep_picture(page, f"{part}-{view.device}-light")
    page.emulate_media(color_scheme="dark")
    assert violations(page, "rule", ["color-contrast"]) == []
    keep_picture(page, f"{part}-{view.device}-dark")


@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_cut_off_at_four_times_the_size(open_page: OpenPage, part: str) -> None:
    """WCAG 1.4.10: 320 pixels, which is 1280 at 400 %, without scrolling sideways."""
    begin, visit = PARTS[part]
    page = open_page(NARROW, begin)
    visit(page)
    assert_fits(page)


@pytest.mark.parametrize("part", PARTS)
def test_the_tab_key_reaches_everything_and_is_seen(open_page: OpenPage, part: str) -> None:
    begin, visit = PARTS[part]
    page = open_page(DESKTOP, begin)
    visit(page)
    page.locator("body > .skip").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expected = set(page.evaluate(STOPS))
    reached: list[str] = []
    while (focus := page.evaluate(FOCUS))["name"] not in ("", *reached[:1]):
        assert focus["seen"], focus["name"]
        assert len(reached) < TAB_STOPS_MAX
        reached.append(focus["name"])
        page.keyboard.press("Tab")
    assert expected - set(reached) == set()


def test_a_film_is_found_and_rated_by_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_label("Find a title").focus()
    page.keyboard.type("gravity")
    expect(page.locator("#films > li").first).to_contain_text("Gravity")
    page.keyboard.press("Enter")
    expect(page.locator("#films .poster").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#took")).to_have_text(TOOK)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#had > li").first).to_have_text("Gravity ★ 6")
    expect(
        page.get_by_role("toolbar", name="Rate Gravity").get_by_role("button", name="3 of 5 stars")
    ).to_be_focused()


def test_the_parts_open_by_keyboard(open_page: OpenPage) -> None:
    page = open_page()
    for name in ("Now", "Look into", "Try it"):
        link = page.get_by_role("link", name=name, exact=True)
        link.focus()
        page.keyboard.press("Enter")
        expect(link).to_have_attribute("aria-current", "page")
        expect(
            page.get_by_role(
                "region", name="Rate a film." if name == "Try it" else name, exact=False
            ).first
        ).to_be_visible()


def test_a_skip_link_stays_in_its_part(open_page: OpenPage) -> None:
    page = open_page(part="#now")
    wait_until_live(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    expect(page.locator("#now-title")).to_be_visible()
