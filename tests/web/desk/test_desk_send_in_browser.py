"""Letting an issue go, in a real browser: on each screen, by keyboard, without scripts."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from newsletter.issues.model import IssueState
from tests.browser import open_browser
from tests.web.desk.desk_in_browser import SCREENS, Shop, judge, open_page, open_shop
from tests.web.desk.send_shop import PATH, open_send_shop, stored


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path) as opened:
        open_send_shop(opened.site)
        for number in range(3):
            opened.site.put(f"reader{number}@mail.example")
        opened.serve_anew()
        yield opened


@pytest.mark.parametrize("screen", SCREENS)
def test_from_the_test_to_the_last_minute(browser: Browser, shop: Shop, screen: str) -> None:
    with open_page(browser, shop, screen) as page:
        page.goto(shop.root + PATH)
        page.click(f'form[action="{PATH}/tests"] button')
        expect(page.locator("#sent-tests")).to_contain_text("@paper.example")
        judge(page)
        page.goto(f"{shop.root}{PATH}/rehearsal")
        page.click("#rehearsal button.main")
        expect(page.locator("#takes")).to_be_visible(timeout=60_000)
        judge(page)
        page.goto(f"{shop.root}{PATH}/review")
        button = page.locator(f'form[action="{PATH}/approve"] button.main')
        expect(button).to_be_enabled(timeout=60_000)
        judge(page)
        button.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("done=approved"), timeout=60_000)
        page.click("#now summary")
        page.fill("#count", "3")
        judge(page)
        page.keyboard.press("Enter")
        left = page.locator("[data-left]")
        expect(left).not_to_have_text("60")
        judge(page)
        page.click(f'form[action="{PATH}/take-back"] button')
        expect(left).to_have_count(0)
        assert stored(shop.site).state is IssueState.APPROVED


def test_all_of_it_works_without_scripts(browser: Browser, shop: Shop) -> None:
    with open_page(browser, shop, "phone, dark", script=False) as page:
        page.goto(f"{shop.root}{PATH}/review")
        page.click("#checks-part a.button")
        page.click(f'form[action="{PATH}/approve"] button.main', timeout=60_000)
        page.wait_for_url(re.compile("done=approved"), timeout=60_000)
        page.click("#now summary")
        page.fill("#count", "3")
        page.click(f'form[action="{PATH}/now"] button')
        expect(page.locator(".countdown")).to_contain_text("60")
        shop.site.clock.sleep(25)
        page.click(".soon a.button")
        expect(page.locator(".countdown")).to_contain_text("35")
        page.click(f'form[action="{PATH}/take-back"] button')
        page.fill("#reason", "The lead is wrong")
        page.click(f'form[action="{PATH}/hold"] button')
        expect(page.locator("main")).to_contain_text("The lead is wrong")
    assert stored(shop.site).state is IssueState.HELD
