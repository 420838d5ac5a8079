"""Typing that outlives its session, in a real browser with and without scripts."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from newsletter.publication.editors import Editor, Role
from newsletter.workflows.sign_in import sign_out
from tests.marking import first_soon
from tests.web.desk.desk_in_browser import SCREENS, Shop, bring_in, judge
from tests.web.desk.people import put_editor
from tests.web.desk.send_shop import PATH, stored

NOTE = "The paragraph that took an hour."


def come_in(context: BrowserContext, shop: Shop, editor: Editor) -> Page:
    page = context.new_page()
    bring_in(context, shop.site, shop.root, editor)
    return page


def end_session(context: BrowserContext, shop: Shop) -> None:
    secret = next(one["value"] for one in context.cookies() if one["name"] == "desk")
    sign_out(shop.site.database, secret)


@pytest.mark.long
def test_autosave_waits_for_who_signs_in_in_another_tab(browser: Browser, shop: Shop) -> None:
    with browser.new_context() as context:
        editor = put_editor(shop.site, Role.EDITOR, "nare@paper.example", language="en")
        page = come_in(context, shop, editor)
        page.goto(shop.root + PATH)
        end_session(context, shop)
        page.fill("#note", NOTE)
        expect(page.locator("#signed-out")).to_be_visible()
        expect(page.locator("#note")).to_have_value(NOTE)
        judge(page)
        come_in(context, shop, editor)
        # What a browser tells a page that is looked at again.
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator("#signed-out")).to_be_hidden()
        expect(page.locator("#note")).to_have_value(NOTE)
        page.reload()
        expect(page.locator("#note")).to_have_value(NOTE)
        assert stored(shop.site).note == NOTE


@pytest.mark.parametrize("screen", first_soon(SCREENS))
def test_a_page_keeps_it_without_scripts(browser: Browser, shop: Shop, screen: str) -> None:
    width, height, scheme, language = SCREENS[screen]
    with browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        java_script_enabled=False,
    ) as context:
        editor = put_editor(shop.site, Role.EDITOR, "nare@paper.example", language=language)
        page = come_in(context, shop, editor)
        page.goto(shop.root + PATH)
        end_session(context, shop)
        page.fill("#note", NOTE)
        page.click("button[value=lines]")
        expect(page.locator("#kept textarea").last).to_have_value(NOTE)
        come_in(context, shop, editor)
        page.click("#kept button")
        expect(page.locator("#kept textarea").last).to_have_value(NOTE)
        page.click("#kept button.main")
        expect(page.locator("#note")).to_have_value(NOTE)
        assert stored(shop.site).note == NOTE
