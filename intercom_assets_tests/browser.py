"""The browser of tests that look at pages: a Chromium of this machine, by Playwright or by itself.

`$CHROME_PATH` goes first. Without any, such a test is skipped, and fails where REQUIRE_BROWSER is
set. Nothing is downloaded.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
)
WAIT_TIMEOUT_S = 120_000.0
"""Milliseconds that a page may take on a machine that is busy with other things."""


def browser() -> str:
    """The path of a Chromium."""
    given = os.environ.get("CHROME_PATH")
    found = given or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        missing = "no Chromium: install it (apt install chromium), or set CHROME_PATH"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@contextmanager
def open_page() -> Iterator["Page"]:
    """A page of a browser of its own; the language is set, or Dagster's UI may stay blank."""
    path = browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, headless=True, args=[*FLAGS])
        context = chromium.new_context(viewport={"width": 1500, "height": 950}, locale="en-US")
        context.set_default_timeout(WAIT_TIMEOUT_S)
        context.set_default_navigation_timeout(WAIT_TIMEOUT_S)
        yield context.new_page()
        chromium.close()
