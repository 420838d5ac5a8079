"""The snippet on a page of the paper, in a real browser."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.publication.model import Settings
from newsletter.web.app import create_app
from newsletter.workflows.beacon import beacon_snippet
from tests.browser import open_browser
from tests.contracts.nouns import a_story
from tests.sources.test_access_log import FIREFOX
from tests.web.serving import serve
from tests.web.site import Site, make_blank, open_site
from tests.web.test_web_beacon import TAG, WITH_BEACON, reads
from tests.web_pages import Site as PaperSite
from tests.web_pages import site

__all__ = ["site"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


class Served:
    """The app on the loopback, and the statuses with which it answered beacons."""

    def __init__(self, site: Site, app: ASGIApp) -> None:
        self.site = site
        self.answers: list[int] = []
        self.story = ""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def note(message: Message) -> None:
            if scope.get("path") == "/b" and "status" in message:
                self.answers.append(message["status"])
            await send(message)

        await self._app(scope, receive, note)

    def wait_for_answers(self, count: int) -> None:
        end = time.monotonic() + 20
        while len(self.answers) < count:
            assert time.monotonic() < end, f"{len(self.answers)} of {count} beacons came"
            time.sleep(0.02)


@pytest.fixture
def paper(tmp_path: Path, site: PaperSite) -> Iterator[Served]:
    """The beacon's app, and a page of the paper at another port: another origin."""
    document = WITH_BEACON.model_dump(mode="json", by_alias=True)
    source = {"slug": "site", "url": site.url("/feed/")}
    settings = Settings.model_validate(document | {"source": [source]})
    blank = make_blank(tmp_path / "blank.sqlite", settings)
    with open_site(tmp_path, blank, settings=settings) as opened:
        with opened.database.write() as tx:
            tx.stories.save([a_story(1, url=site.url("/1"))])
        served = Served(opened, create_app(replace(opened.context, base_url="http://127.0.0.1")))
        with serve(served) as root:
            page = f"<!doctype html><title>Bread</title><p>Text.{beacon_snippet(root)}"
            site.page("/1", page.encode(), Content_Type="text/html")
            served.story = site.url("/1")
            yield served


def visit(browser: Browser, address: str, *, driven: bool = False) -> BrowserContext:
    """Open a page of the paper, as a reader's browser or one that a program drives."""
    context = browser.new_context(user_agent=FIREFOX)
    if not driven:
        context.add_init_script("Object.defineProperty(navigator, 'webdriver', {get: () => false})")
    context.new_page().goto(address)
    return context


def test_an_opened_page_counts_once_without_a_cookie(browser: Browser, paper: Served) -> None:
    for number, address in enumerate((paper.story + TAG, paper.story + "#comments"), 1):
        context = visit(browser, address)
        paper.wait_for_answers(number)
        assert context.cookies() == []
        context.close()
    assert paper.answers == [204, 204]
    # One visit, that came from our mail; the second opening repeats it.
    assert reads(paper.site) == {"story1": 1}
    assert reads(paper.site, less_own=True) == {"story1": 0}


def test_a_driven_browser_does_not_tell(browser: Browser, paper: Served) -> None:
    driven = visit(browser, paper.story, driven=True)
    # A reader's beacon that comes after it proves that there was time for one.
    reader = visit(browser, paper.story + TAG)
    paper.wait_for_answers(1)
    driven.close()
    reader.close()
    assert reads(paper.site, less_own=True) == {"story1": 0}
    assert paper.answers == [204]
