"""The live page of a running demo, in Debian's Chromium without a window.

A page fails its test if the browser's console says an error or a warning, or if it asks anybody but
the service that it came from. Where Chromium is missing the tests skip and say why; they fail
instead where ``STREAM_REC_REQUIRE_CHROMIUM=1`` is set. ``STREAM_REC_TEST_SCREENSHOTS=FOLDER``
keeps what the tests saw.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.requirements import do_without

N_EVENTS = 2_500
START_S = 280
"""Long enough for a first start, which compiles the model, on a busy machine."""
WAIT_MS = 20_000
SERVING_AT = re.compile(r"live page at (\S+)")
REPLAYED = f"{N_EVENTS:,} events in, {N_EVENTS:,} lists out"
CHROMIUM_OPTIONS = ["--no-sandbox"]
"""As root, in containers, Chromium has no sandbox; it sees our own page only."""


class View(NamedTuple):
    """A device that the page is looked at with, and its size in pixels."""

    device: str
    width: int
    height: int


PHONE, DESKTOP = View("phone", 390, 844), View("desktop", 1280, 900)
NARROW = View("narrow phone", 320, 844)
OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in a browser, and give the first one time to start the demo."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(START_S + 60))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        do_without("chromium", "no program chromium here (Debian's package of that name)")
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def address(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the demo's live page is, when all its events have their lists."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "stream_rec", "demo", "--web", "--plain"]
    command += ["--events", str(N_EVENTS), "--rate", "1500", "--time-limit", str(START_S)]
    demo = subprocess.Popen(
        command, env=os.environ | {"TMPDIR": str(folder)}, stdout=subprocess.PIPE, text=True
    )
    try:
        yield _address_of(demo)
    finally:
        demo.terminate()
        demo.communicate(timeout=60)


def _address_of(demo: subprocess.Popen[str]) -> str:
    assert demo.stdout is not None
    said: list[str] = []
    for line in demo.stdout:
        said.append(line)
        found = SERVING_AT.search("".join(said))
        if found is not None and REPLAYED in "".join(said):
            return found[1]
    pytest.fail(f"expected the demo to serve its page, came its end: {''.join(said)}")


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[OpenPage]:
    """Return a function that opens the page, or a part of it, for a visitor of its own."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))

    def open_it(
        view: View = DESKTOP,
        part: str = "",
        before: Callable[[Page], None] | None = None,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": view.width, "height": view.height},
            reduced_motion="reduce",
            has_touch=view is not DESKTOP,
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(f"{origin}/") else complaints.append(request.url)
            ),
        )
        if before is not None:
            before(page)
        page.goto(address + part)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def keep_picture(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Return a function that keeps what a page looks like, where that is asked for."""
    folder = os.environ.get("STREAM_REC_TEST_SCREENSHOTS")

    def keep(page: Page, name: str) -> None:
        if folder:
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return keep
