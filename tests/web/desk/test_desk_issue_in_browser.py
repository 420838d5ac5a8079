"""An editor's week in a real browser: by mouse, by keyboard alone, on a phone, without scripts."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.issues.model import Issue
from newsletter.publication.editors import Role
from tests.marking import first_soon
from tests.waiting import wait_until
from tests.web.desk.desk_in_browser import Shop, bring_in
from tests.web.desk.hands import wait_without_scripts
from tests.web.desk.people import put_editor
from tests.web.desk.test_desk_issue import bare_issue
from tests.web.site import Site
from tests.web.test_web_in_browser import SCREENS, judge

PATH = f"/desk/issues/{bare_issue().public_id}"
STORY = "#story-read2"


@pytest.fixture
def desk(shop: Shop) -> tuple[Site, str]:
    return shop.site, shop.root


def come_in(
    browser: Browser,
    desk: tuple[Site, str],
    screen: str,
    *,
    name: str = "Nare",
    scripts: bool = True,
) -> Page:
    """A page on the issue, of an editor who has just signed in; what it complains of fails."""
    site, root = desk
    width, height, scheme = SCREENS[screen]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        java_script_enabled=scripts,
    )
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    editor = put_editor(site, Role.EDITOR, f"{name.lower()}@paper.example", name=name)
    bring_in(context, site, root, editor)
    page.goto(root + PATH)
    return page


def stored(desk: tuple[Site, str]) -> Issue:
    with desk[0].database.read() as tx:
        issue = tx.issues.by_id(bare_issue().public_id)
    assert issue is not None
    return issue


def order(page: Page) -> list[str | None]:
    found = page.locator("#section-most-read .story")
    return [found.nth(n).get_attribute("data-story") for n in range(found.count())]


WIDE, NARROW = SCREENS


@pytest.mark.parametrize("screen", first_soon(SCREENS))
def test_the_mouse_does_it_all(browser: Browser, desk: tuple[Site, str], screen: str) -> None:
    page = come_in(browser, desk, screen)
    judge(page)
    page.click(f"{STORY} button[value=up]")
    expect(page.locator(STORY)).to_have_attribute("data-position", "1")
    expect(page.locator(".said")).to_contain_text("Place 1 of")
    page.click("#told button[value=undo]")
    expect(page.locator(STORY)).to_have_attribute("data-position", "2")
    page.click(f"{STORY} button[value=lead]")
    expect(page.locator(f"{STORY} button[value=lead]")).to_have_attribute("aria-pressed", "true")
    page.click(f"{STORY} summary")
    judge(page)
    # What leads is pinned already.
    page.click(f"{STORY} button[value=unpin]")
    expect(page.locator(f"{STORY} button[value=pin]")).to_be_visible()
    page.click(f"{STORY} .more a")
    judge(page)
    page.fill("#headline", "Said otherwise in the mail")
    page.click("button[value=story]")
    expect(page.locator(f"{STORY} h3")).to_have_text("Said otherwise in the mail")
    expect(page.locator(f"{STORY} .kicker")).to_contain_text("changed for the mail")
    page.click(f"{STORY} button[value=remove]")
    expect(page.locator(STORY)).to_have_count(0)
    judge(page)
    page.click("#section-latest >> text=Add another story")
    judge(page)
    page.go_back()
    for view in ("dark", "text", "read-out", "desktop"):
        page.click(f"[data-view={view}]")
        expect(page.locator("#mail-frame")).to_have_attribute("src", re.compile(f"view={view}"))
    expect(page.locator("#checks-panel .checks")).to_be_visible(timeout=60_000)


def test_a_story_is_dragged_to_its_place(browser: Browser, desk: tuple[Site, str]) -> None:
    page = come_in(browser, desk, WIDE)
    first, third = order(page)[0], order(page)[2]
    page.drag_and_drop(f"#story-{third} .thumb", f"#story-{first} h3")
    expect(page.locator(f"#story-{third}")).to_have_attribute("data-position", "1")


def test_the_keyboard_alone_does_it(browser: Browser, desk: tuple[Site, str]) -> None:
    page = come_in(browser, desk, WIDE)
    page.focus(f"{STORY} button[value=down]")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(STORY)).to_have_attribute("data-position", "1")
    # The focus stays with the story that moved, so that it goes on.
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(STORY)).to_have_attribute("data-position", "2")
    page.keyboard.press("Control+z")
    expect(page.locator(STORY)).to_have_attribute("data-position", "1")
    page.keyboard.press("Control+Shift+Z")
    expect(page.locator(STORY)).to_have_attribute("data-position", "2")
    page.keyboard.press("Alt+?")
    expect(page.locator("#keys")).to_be_visible()
    judge(page)
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.focus("[data-view=phone]")
    page.keyboard.press("6")
    expect(page.locator("[data-view=text]")).to_be_focused()
    expect(page.locator("#mail-frame")).to_have_attribute("src", re.compile("view=text"))


def test_lines_save_themselves(browser: Browser, desk: tuple[Site, str]) -> None:
    page = come_in(browser, desk, WIDE)
    page.fill("#subject", "What everybody talks of")
    expect(page.locator("#subject-count")).to_have_text("23 of 60")
    expect(page.locator("[data-mirror=subject]")).to_have_text("What everybody talks of")
    expect(page.locator("#told")).to_contain_text("wrote the subject")
    assert stored(desk).subject == "What everybody talks of"
    expect(page.locator("#subject")).to_be_focused()
    page.keyboard.type("!")
    expect(page.locator("#subject")).to_have_value("What everybody talks of!")


@pytest.mark.long
def test_what_was_just_typed_is_saved_by_leaving(browser: Browser, desk: tuple[Site, str]) -> None:
    page = come_in(browser, desk, WIDE)
    page.fill("#subject", "Typed and gone")
    page.click(f'a[href="{PATH}/versions"]')
    page.wait_for_url("**/versions")
    assert stored(desk).subject == "Typed and gone"
    page.goto(desk[1] + PATH)
    page.fill("#subject", "Typed and tested")
    page.click(f'form[action="{PATH}/tests"] button')
    page.wait_for_url("**/tests**")
    assert stored(desk).subject == "Typed and tested"
    page.goto(desk[1] + PATH)
    page.fill("#subject", "Typed and away")
    page.goto(desk[1] + "/desk/me")
    # What is sent as a page goes away may come in after the next one.
    assert wait_until(lambda: stored(desk).subject == "Typed and away", 10)
    page.goto(desk[1] + PATH)
    expect(page.locator("#subject")).to_have_value("Typed and away")


@pytest.mark.long
def test_two_editors_see_what_the_other_wrote(browser: Browser, desk: tuple[Site, str]) -> None:
    nare = come_in(browser, desk, WIDE)
    anna = come_in(browser, desk, NARROW, name="Anna")
    anna.fill("#subject", "Of Anna")
    expect(anna.locator("#told")).to_contain_text("wrote the subject")
    nare.fill("#subject", "Of Nare")
    problem = nare.locator("#problem")
    expect(problem).to_contain_text("Anna changed the subject")
    judge(nare)
    expect(nare.locator("#subject")).to_have_value("Of Nare")
    assert stored(desk).subject == "Of Anna"
    nare.click("button[value=lines]")
    expect(nare.locator("#told")).to_contain_text("wrote the subject")
    assert stored(desk).subject == "Of Nare"


def test_without_scripts_it_is_the_same(browser: Browser, desk: tuple[Site, str]) -> None:
    page = come_in(browser, desk, NARROW, scripts=False)
    page.click(f"{STORY} button[value=up]")
    assert page.locator(STORY).get_attribute("data-position") == "1"
    page.click("#told button[value=undo]")
    assert page.locator(STORY).get_attribute("data-position") == "2"
    page.fill("#subject", "By hand")
    page.click("button[value=lines]")
    assert page.locator("#subject").input_value() == "By hand"
    page.click("[data-view=text]")
    assert "view=text" in page.url
    wait_without_scripts(page, "text=Look the issue over")
    assert page.locator(".checks li").count()


@pytest.mark.parametrize("screen", first_soon(list(SCREENS)))
def test_the_desktop_view_is_as_wide_as_a_desktop_shows_it(
    browser: Browser, desk: tuple[Site, str], screen: str
) -> None:
    page = come_in(browser, desk, screen)
    page.goto(f"{desk[1]}{PATH}?view=desktop")
    frame = page.locator("#mail-frame")
    # The mail's rules for phones hold up to 639 pixels.
    assert frame.evaluate("frame => frame.clientWidth") > 639
    shown, box = frame.bounding_box(), page.locator(".mail-box").bounding_box()
    assert shown
    assert box
    assert (shown["width"], shown["height"]) == pytest.approx((box["width"], 640), abs=1)
    assert page.locator(f'a[href="{PATH}/mail?view=desktop"]').count() == 1
