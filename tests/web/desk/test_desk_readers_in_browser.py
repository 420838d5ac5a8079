"""The desk's pages about readers in a real browser, judged by axe on every kind of screen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import open_browser
from tests.web.desk.desk_in_browser import SCREENS, Shop, judge, open_page, open_shop
from tests.web.desk.reader_shop import fill

FIRST, *OTHERS = SCREENS
# One screen each time, all of them in the long loops.
EACH_SCREEN = [FIRST, *(pytest.param(name, marks=pytest.mark.long) for name in OTHERS)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("site")) as opened:
        fill(opened.site)
        yield opened


@pytest.mark.parametrize("screen", EACH_SCREEN)
def test_figures_and_forms(browser: Browser, shop: Shop, screen: str) -> None:
    with open_page(browser, shop, screen) as page:
        page.goto(f"{shop.root}/desk/readers")
        judge(page)
        page.locator("summary").first.click()
        judge(page)
        page.goto(f"{shop.root}/desk/readers/sign-up")
        judge(page)
        element = page.frame_locator("iframe").nth(0)
        expect(element.locator("newsletter-signup input")).to_be_visible()
        expect(
            page.frame_locator("iframe").nth(1).locator("form input[type=email]")
        ).to_be_visible()
        expect(page.frame_locator("iframe").nth(2).locator("button.main")).to_be_visible()
        page.click("[data-copy=code-form]")
        expect(page.locator("[data-copy=code-form] + [role=status]")).not_to_be_empty()
        assert page.evaluate("getSelection().toString() || document.activeElement.value")


def test_a_snippet_is_copied_without_script(browser: Browser, shop: Shop) -> None:
    with open_page(browser, shop, FIRST, script=False) as page:
        page.goto(f"{shop.root}/desk/readers/sign-up")
        expect(page.locator("[data-copy]").first).to_be_hidden()
        assert "<newsletter-signup" in page.locator("#code-element").input_value()
        assert page.locator("#code-element").get_attribute("readonly") is not None
