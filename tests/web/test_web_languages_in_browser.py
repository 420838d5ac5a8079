"""The pages in Armenian and from right to left, in a real browser."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from newsletter.issues.model import IssueState
from newsletter.publication.model import Settings
from newsletter.web.app import create_app
from tests.browser import open_browser
from tests.pseudo_language import pseudo_language
from tests.rendering.sample_issue import sample_issue
from tests.web.serving import serve
from tests.web.site import SETTINGS, Site, make_blank, open_site
from tests.web.test_web_in_browser import judge
from tests.web.test_web_issues import put_issue, rendered_html

LILIT = "lilit@reader.example"
PAGES = (
    "/",
    "/subscribe/weekly",
    "/archive/weekly/",
    "/preferences",
    "/unsubscribe",
    "/nothing",
)
# What is out of sight on purpose: the trap, and the way to the page's content.
_OUTSIDE = """() => [...document.querySelectorAll('body *')]
  .filter(element => !element.closest('.trap, .skip'))
  .filter(element => element.getBoundingClientRect().left < -0.5
                  || element.getBoundingClientRect().right > innerWidth + 0.5)
  .map(element => element.tagName + '.' + element.className)"""
_PLACES = """([selector, mirrored]) => [...document.querySelectorAll(selector)].map(element => {
  const box = element.getBoundingClientRect();
  return Math.round(mirrored ? innerWidth - box.right : box.left);
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str]]:
    """An Armenian paper with an issue in its archive, and where it is served."""
    folder = tmp_path_factory.mktemp("site")
    document = SETTINGS.model_dump(mode="json", by_alias=True)
    document["publication"] |= {"language": "hy", "name": "Արաքսի Լրաբեր", "short_name": "Լրաբեր"}
    for newsletter, name in zip(document["newsletter"], ("Շաբաթաթերթ", "Խոհանոցից"), strict=True):
        newsletter |= {"name": name, "consent": ""}
    settings = Settings.model_validate(document)
    blank = make_blank(folder / "blank.sqlite", settings)
    with open_site(folder, blank, settings=settings) as site:
        put_issue(site, sample_issue(state=IssueState.SENT), html="<!DOCTYPE html>")
        with serve(create_app(replace(site.context, base_url="http://127.0.0.1"))) as root:
            yield site, root


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    context.route("https://paper.example/**", lambda route: route.abort())
    yield context.new_page()
    context.close()


def addresses(site: Site, root: str) -> list[str]:
    reader = site.put(LILIT)
    own = {
        "/preferences": site.preferences_path(reader),
        "/unsubscribe": site.unsubscribe_path(reader),
    }
    return [root + own.get(path, path) for path in PAGES]


@pytest.mark.long
def test_armenian_pages_can_be_read_by_everyone(shop: tuple[Site, str], page: Page) -> None:
    for address in addresses(*shop):
        page.set_viewport_size({"width": 320, "height": 740})
        page.goto(address)
        assert page.get_attribute("html", "lang") == "hy"
        judge(page)
        assert page.evaluate(_OUTSIDE) == []
        for selector in ("h1", ".strap", "footer p:last-child"):
            family = page.locator(selector).evaluate("e => getComputedStyle(e).fontFamily")
            assert family.startswith(("Sylfaen", '"Segoe UI"')), (address, selector)


def test_from_right_to_left_nothing_leaves_the_screen(
    shop: tuple[Site, str], page: Page, tmp_path: Path
) -> None:
    with pseudo_language(tmp_path):
        for address in addresses(*shop):
            for width in (320, 1000):
                page.set_viewport_size({"width": width, "height": 740})
                page.goto(f"{address}?lang=ar")
                assert page.get_attribute("html", "dir") == "rtl"
                assert page.evaluate(_OUTSIDE) == [], (address, width)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            page.evaluate("scrollTo(-5000, 0)")
            assert page.evaluate("scrollX") == 0, address
        judge(page)


@pytest.mark.parametrize("words_of_ours", [True, False])
def test_an_archived_issue_from_right_to_left_does_not_scroll_into_nothing(
    shop: tuple[Site, str], page: Page, tmp_path: Path, words_of_ours: bool
) -> None:
    site, root = shop
    slot = "2025-W33" if words_of_ours else "2025-W34"
    with pseudo_language(tmp_path) if words_of_ours else nullcontext():
        issue = sample_issue(
            state=IssueState.SENT, slot=slot, public_id=f"{slot}sample", language="ar"
        )
        put_issue(site, issue, html=rendered_html(site, issue))
        page.goto(f"{root}/archive/weekly/{slot}?lang=ar")
        assert page.get_attribute("html", "dir") == "rtl"
        ours = "rtl" if words_of_ours else "ltr"
        assert page.get_attribute("header.archive-part", "dir") == ours
        for width in (320, 1000):
            page.set_viewport_size({"width": width, "height": 740})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate("scrollTo(-5000, 0)")
        assert page.evaluate("scrollX") == 0
        # The way past the frame is seen once it is come to by keyboard.
        page.keyboard.press("Tab")
        skip = page.locator(".archive-skip")
        box = skip.bounding_box()
        assert box is not None
        assert box["width"] > 50
        assert 0 <= box["x"] <= 1000 - box["width"]
        assert skip.evaluate("e => document.activeElement === e")


def test_from_right_to_left_the_pages_are_mirrored(
    shop: tuple[Site, str], page: Page, tmp_path: Path
) -> None:
    site, root = shop
    mirrored = {
        site.preferences_path(site.put(LILIT)): [
            "h1",
            'input:not([type="hidden"])',
            ".choice label",
            "button.main",
        ],
        # The button stands at the line's end, and ends there with it.
        "/subscribe/weekly": ["h1", ".kicker", ".rank", ".picks li > div", "#address", ".consent"],
        "/archive/weekly/": ["h1", ".kicker", ".issues .small"],
    }
    with pseudo_language(tmp_path):
        for path, selectors in mirrored.items():
            places = {}
            for lang in ("en", "ar"):
                page.goto(f"{root}{path}?lang={lang}")
                places[lang] = {s: page.evaluate(_PLACES, [s, lang == "ar"]) for s in selectors}
            assert places["ar"] == places["en"], path
