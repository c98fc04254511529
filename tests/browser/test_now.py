"""Now: figures that move, and 15 minutes of history with drift marks and dead letters."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.visiting import rate, wait_until_live

NAMES = ["Hit rate of the lists", "Events in", "Lists out", "From event to list", "Consumer lag"]
LAST_S = 1_700_000_900.0


def prepared_point(second: int) -> dict[str, object]:
    """Return what the service would say in one second of a busy quarter of an hour."""
    return {
        "at_s": LAST_S - 899 + second,
        "log_s": 1_380_000_000.0 + second,
        "events": 1_000_000 + 900 * second,
        "lists": 1_000_000 + 890 * second,
        "events_per_s": 900 + second % 50,
        "lists_per_s": 890 + second % 50,
        "p50_ms": 4.2 if second % 100 else None,
        "p99_ms": 11.5 if second % 100 else None,
        "lag": 1_200 + second % 9,
        "hit_rate": 0.141 + second / 90_000,
        "popular_hit_rate": 0.102,
        "scored": 5_000,
        "dead": {"outside_scale": 7, "not_json": 1_234},
        "drifts": [LAST_S - 2_000, LAST_S - 600, LAST_S - 100],
    }


def stand_in(page: Page) -> None:
    """Let the page hear a prepared stream, which stays silent once it has told its history."""
    history = json.dumps([prepared_point(second) for second in range(900)])
    about = json.dumps({"app_id": "shop", "log_s": 0})
    text = f"event: about\ndata: {about}\n\nevent: history\ndata: {history}\n\n"
    page.add_init_script(
        "const ask = window.fetch;"
        "window.fetch = (path, options) => path !== '/live/stream' ? ask(path, options) :"
        " Promise.resolve(new Response(new ReadableStream({ start(controller) {"
        f" controller.enqueue(new TextEncoder().encode({json.dumps(text)})); }} }})));"
    )


def test_the_figures_are_those_of_the_stream(open_page: OpenPage) -> None:
    page = open_page()
    rate(page, "Gravity", 5)
    page.get_by_role("link", name="Now").click()
    wait_until_live(page)
    expect(page.locator(".tile h2")).to_have_text(NAMES)
    events = page.locator(".tile").filter(has_text="Events in").locator(".detail")
    before = events.inner_text()
    page.get_by_role("link", name="Try it").click()
    rate(page, "Elysium", 5)
    page.get_by_role("link", name="Now").click()
    expect(events).not_to_have_text(before)
    expect(page.locator(".tile svg")).to_have_count(len(NAMES))
    expect(page.locator("#dead-none")).to_be_visible()


def test_history_drift_and_dead_letters_are_shown(open_page: OpenPage) -> None:
    page = open_page(part="#now", before=stand_in)
    expect(page.locator("#app")).to_have_text("shop")
    figures = page.locator(".tile .figure").all_inner_texts()
    assert figures == ["15.1 %", "949/s", "939/s", "4.2 ms", "1,208"]
    expect(page.locator(".tile").first).to_contain_text("plain popularity 10.2 %")
    expect(page.locator(".tile").first.locator("svg .mark")).to_have_count(2)
    expect(
        page.get_by_role("img", name="Events in, the last 15 min: between 900/s and 949/s")
    ).to_be_visible()
    assert page.locator(".tile").nth(3).locator(".line:not(.second)").count() == 9
    assert page.locator("#dead div").all_inner_texts() == ["not_json\n1,234", "outside_scale\n7"]
    expect(page.locator("#dead-total")).to_have_text("1,241")
    expect(page.locator("#drift > li")).to_have_count(3)
