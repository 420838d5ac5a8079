"""The browser for tests: Debian's headless Chromium, driven by playwright.

Use it from a module fixture of the tests that need it (playwright allows one at
a time in a process, so a fixture that lives longer would lock out other files)::

    @pytest.fixture(scope="module")
    def browser() -> Iterator[Browser]:
        with open_browser() as browser:
            yield browser
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

# What tests saw, for a person to look at afterwards; git leaves it out.
SCREENS = Path(__file__).parents[1] / ".screens"
_PROGRAMS = ("chromium-headless-shell", "chromium")
# On a machine that does much else a page may take its time.
PATIENCE_MS = 30_000
_ARGUMENTS = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_browser() -> str:
    """The browser's path; AssertionError names the Debian package that brings it."""
    path = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    assert path, (
        "no Chromium was found; apt-get install -y --no-install-recommends chromium-headless-shell"
    )
    return path


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A running browser, closed at the end. One such block at a time."""
    path = find_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, headless=True, chromium_sandbox=False, args=_ARGUMENTS
        )
        expect.set_options(timeout=PATIENCE_MS)
        try:
            yield browser
        finally:
            browser.close()


def keep_screen(page: Page, name: str) -> None:
    """Keep a picture of the whole page in `.screens`, over that of an earlier run."""
    SCREENS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png", full_page=True)
