"""Letting an issue go, in a real browser: on each screen, by keyboard, without scripts."""

import re

import pytest
from playwright.sync_api import Browser, expect

from newsletter.issues.model import IssueState
from tests.marking import first_soon
from tests.web.desk.desk_in_browser import SCREENS, Shop, judge, open_page
from tests.web.desk.hands import wait_without_scripts
from tests.web.desk.send_shop import (
    ACCEPTED,
    ISSUE,
    PATH,
    REFUSED,
    answer,
    begin,
    stored,
)


@pytest.fixture
def shop(shop: Shop) -> Shop:
    for number in range(3):
        shop.site.put(f"reader{number}@mail.example")
    return shop


@pytest.mark.parametrize("screen", first_soon(SCREENS))
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
        wait_without_scripts(page, "#checks-part a.button")
        page.click(f'form[action="{PATH}/approve"] button.main', timeout=60_000)
        page.wait_for_url(re.compile("done=approved"), timeout=60_000)
        wait_without_scripts(page, "#checks-part a.button")
        page.click("#now summary", timeout=60_000)
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


@pytest.mark.parametrize("screen", first_soon(SCREENS))
def test_the_live_page_keeps_itself_up_to_date(browser: Browser, shop: Shop, screen: str) -> None:
    begin(shop.site)
    with open_page(browser, shop, screen) as page:
        page.goto(f"{shop.root}{PATH}/sending")
        part = page.locator("#progress")
        expect(part).to_have_attribute("value", "0")
        judge(page)
        # Folds stay open and the focus stays where it is, whatever comes.
        page.click("#recall summary")
        page.focus("#pause")
        answer(shop.site, ACCEPTED, REFUSED)
        expect(part).to_have_attribute("value", "2")
        expect(page.locator("#recall")).to_have_attribute("open", "")
        expect(page.locator("#pause")).to_be_focused()
        judge(page)
        page.keyboard.press("Enter")
        expect(page.locator("#resume")).to_be_visible()
        page.click(f'a[href="{PATH}/correct"]')
        page.click("details.fold summary >> nth=0")
        judge(page)


@pytest.mark.long
def test_it_goes_on_when_the_service_is_back(browser: Browser, shop: Shop) -> None:
    begin(shop.site)
    with open_page(browser, shop, "desktop, light") as page:
        page.goto(f"{shop.root}{PATH}/sending")
        # As a proxy answers for it.
        page.route("**/sending", lambda route: route.fulfill(status=200, body="away"))
        expect(page.locator(".said")).to_contain_text("does not answer", timeout=20_000)
        page.unroute("**/sending")
        answer(shop.site, ACCEPTED)
        expect(page.locator("#progress")).to_have_attribute("value", "1", timeout=20_000)
        with shop.site.database.write() as tx:
            sent = IssueState.SENT
            assert tx.issues.move(ISSUE, frozenset(IssueState), sent, "test", shop.site.clock.now())
        # What is over is told of by another page, to which this one leads.
        page.wait_for_url(re.compile("/report"), timeout=20_000)


@pytest.mark.parametrize("screen", first_soon(SCREENS))
def test_the_report_is_read_on_each_screen(browser: Browser, shop: Shop, screen: str) -> None:
    begin(shop.site)
    answer(shop.site, ACCEPTED, ACCEPTED, REFUSED)
    with shop.site.database.write() as tx:
        sent = IssueState.SENT
        assert tx.issues.move(ISSUE, frozenset(IssueState), sent, "test", shop.site.clock.now())
    with open_page(browser, shop, screen) as page:
        page.goto(f"{shop.root}{PATH}/report")
        expect(page.locator("#buried .meta")).to_be_visible()
        page.click("#by-domain summary")
        judge(page)
        with page.expect_download() as download:
            page.click(f'a[href="{PATH}/report/readers.csv"]')
        assert download.value.suggested_filename == "weekly-2025-W32-readers.csv"
