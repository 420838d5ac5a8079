"""An issue as one subscriber gets it, in a real browser: on each screen, and without scripts."""

import pytest
from playwright.sync_api import Browser, expect

from tests.marking import first_soon
from tests.web.desk.desk_in_browser import SCREENS, Shop, judge, open_page
from tests.web.desk.send_shop import PATH


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.site.put("ani@reader.example")
    return shop


@pytest.mark.parametrize("screen", first_soon(SCREENS))
@pytest.mark.parametrize("script", [True, False])
def test_from_the_issue_to_a_reader_s_mail(
    browser: Browser, shop: Shop, screen: str, script: bool
) -> None:
    with open_page(browser, shop, screen, script=script) as page:
        page.goto(shop.root + PATH)
        page.fill("#reader-address", "ani@reader.example")
        page.keyboard.press("Enter")
        expect(page.locator("#reader")).to_contain_text("ani@reader.example")
        if script:
            judge(page)
        page.locator("nav.tabs a").last.click()
        source = page.locator("#mail-frame").get_attribute("src")
        assert source is not None
        page.goto(shop.root + source)
        expect(page.locator("body")).to_contain_text("Unsubscribe")
