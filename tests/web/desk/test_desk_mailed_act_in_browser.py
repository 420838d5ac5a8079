"""The pages of the preview mail's buttons in a real browser, opened by who is signed in nowhere."""

import pytest
from playwright.sync_api import Browser, expect

from newsletter.issues.acts import EditLine, Line
from newsletter.publication.editors import Role
from newsletter.workflows.edit_issue import edit_issue
from tests.web.desk.desk_in_browser import Shop, judge
from tests.web.desk.hands import wait_without_scripts
from tests.web.desk.send_shop import ISSUE
from tests.web.desk.test_desk_mailed_act import path_of

SCREENS = ({"width": 360, "height": 740}, {"width": 1280, "height": 900})


@pytest.mark.parametrize("script", [True, False])
def test_an_approval_shows_what_speaks_against_it_and_is_pressed_once(
    browser: Browser, shop: Shop, script: bool
) -> None:
    path = path_of(shop.site, Role.PUBLISHER, "approve")
    for size, scheme in zip(SCREENS, ("dark", "light"), strict=True):
        context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=script,
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(shop.root + path)
        if not script:
            wait_without_scripts(page, "#checks-part a")
        expect(page.locator("#checks-part li").first).to_be_visible(timeout=60_000)
        if script:
            judge(page)
        if size == SCREENS[-1]:
            if script:
                page.click("button.main")
            else:
                wait_without_scripts(page, "button.main")
            page.get_by_role("heading", name="It is approved").wait_for()
        context.close()


def test_it_is_shut_by_what_must_be_mended(browser: Browser, shop: Shop) -> None:
    assert shop.site.context.installation is not None
    broken = EditLine(Line.SUBJECT, "Dear {{ name }}")
    edit_issue(shop.site.context.installation, ISSUE, broken, actor="nare")
    page = browser.new_page(viewport=SCREENS[0])  # type: ignore[arg-type]
    page.goto(shop.root + path_of(shop.site, Role.PUBLISHER, "approve"))
    page.click("button.main")
    expect(page.locator("#checks-part .problem")).to_be_visible(timeout=60_000)
    expect(page.locator("button.main")).to_have_count(0)
    judge(page)
    page.close()
