"""What is typed at the desk in a real browser: saved by itself, and never under another's hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from newsletter.issues.model import Issue
from newsletter.publication.editors import Role
from tests.marking import first_soon
from tests.waiting import wait_until
from tests.web.desk.desk_in_browser import Shop, judge, open_page
from tests.web.desk.people import Person, put_editor, sign_in
from tests.web.desk.test_desk_issue import PATH, stored, told_after
from tests.web.desk.test_desk_two_editors import LINES, item_of, look, save

SCREEN = "desktop, light"
# The answers to what is saved wait behind a gate, as on a slow line.
_GATE = """() => {
  const real = window.fetch;
  window.gate = new Promise((open) => { window.openGate = open; });
  window.fetch = async (...call) => {
    const answer = await real(...call);
    if (call[1]?.method !== "POST") return answer;
    document.documentElement.dataset.asked = "";
    await window.gate;
    return answer;
  };
}"""


@pytest.fixture
def page(browser: Browser, shop: Shop) -> Iterator[Page]:
    with open_page(browser, shop, SCREEN) as opened:
        opened.goto(shop.root + PATH)
        yield opened


@pytest.fixture
def berta(shop: Shop) -> Person:
    return sign_in(
        shop.site, put_editor(shop.site, Role.EDITOR, "berta@paper.example", name="Berta")
    )


def now(shop: Shop) -> Issue:
    return stored(shop.site)


def type_at_the_end(page: Page, field: str, text: str) -> None:
    page.focus(field)
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


@pytest.mark.long
def test_what_is_typed_during_a_slow_save_stays_and_so_does_the_focus(
    page: Page, shop: Shop
) -> None:
    before = now(shop)
    page.evaluate(_GATE)
    page.fill("#subject", "A new subject")
    expect(page.locator("html")).to_have_attribute("data-asked", "")
    type_at_the_end(page, "#note", " One sentence more.")
    page.evaluate("window.openGate()")
    expect(page.locator("#told")).to_contain_text("wrote the subject")
    expect(page.locator("#note")).to_be_focused()
    page.keyboard.type(" And another.")
    written = f"{before.note} One sentence more. And another."
    expect(page.locator("#note")).to_have_value(written)
    expect(page.locator("#told")).to_contain_text("wrote the note")
    expect(page.locator("#note")).to_have_value(written)
    # On a slow machine the two sentences are saved one after the other.
    assert wait_until(lambda: now(shop).note == written, 10)
    assert now(shop).subject == "A new subject"


def test_a_text_that_waits_goes_over_nobody_elses(page: Page, shop: Shop, berta: Person) -> None:
    before = now(shop)
    told_after(berta, save(berta, "lines", look(berta), preheader="Of Berta"))
    type_at_the_end(page, "#subject", " more")
    # Pressed while the text waits to be saved: the text goes first.
    page.click("#story-read2 button[value=up]")
    expect(page.locator("#story-read2")).to_have_attribute("data-position", "1")
    assert (now(shop).subject, now(shop).preheader) == (f"{before.subject} more", "Of Berta")
    expect(page.locator("#preheader")).to_have_value("Of Berta")


@pytest.mark.long
def test_a_line_that_another_changed_under_ones_hand_is_a_clash(
    page: Page, shop: Shop, berta: Person
) -> None:
    before = now(shop)
    page.evaluate(_GATE)
    page.fill("#subject", "A new subject")
    expect(page.locator("html")).to_have_attribute("data-asked", "")
    type_at_the_end(page, "#note", " Of Lilit.")
    told_after(berta, save(berta, "lines", look(berta), note="Of Berta"))
    page.evaluate("window.openGate()")
    expect(page.locator("#problem")).to_contain_text("Berta changed the note")
    expect(page.locator("#note")).to_have_value(f"{before.note} Of Lilit.")
    assert now(shop).note == "Of Berta"
    # It is said, and nothing is saved behind it until the button is pressed.
    expect(page.locator("#lines-form .not-saved")).to_be_visible()
    judge(page)
    type_at_the_end(page, "#note", " All of it.")
    page.click("#story-read2 button[value=up]")
    expect(page.locator("#story-read2")).to_have_attribute("data-position", "1")
    expect(page.locator("#lines-form .not-saved")).to_be_visible()
    assert now(shop).note == "Of Berta"
    page.click("#lines-form button[value=lines]")
    expect(page.locator("#lines-form .not-saved")).to_be_hidden()
    assert now(shop).note == f"{before.note} Of Lilit. All of it."


@pytest.mark.parametrize(
    ("press", "told", "focus"),
    first_soon(
        [
            ("#lines-form button[value=lines]", "wrote the subject", "#lines-form [value=lines]"),
            ("#told button[value=undo]", "took back", "#told"),
            ("#story-read2 button[value=remove]", "out", "#story-read3"),
            ("#block-form button[value=block]", "set the block", "#block-form [value=block]"),
        ]
    ),
)
def test_what_was_done_is_said_and_the_focus_has_a_place(
    page: Page, shop: Shop, press: str, told: str, focus: str
) -> None:
    page.fill("#block-text", "38")
    page.fill("#subject", "By the button")
    if "undo" in press:
        page.click("#lines-form button[value=lines]")
        expect(page.locator("#told")).to_contain_text("wrote the subject")
    page.focus(press)
    page.keyboard.press("Enter")
    expect(page.locator(".said")).to_contain_text(told)
    expect(page.locator(".said")).not_to_contain_text("does not answer")
    expect(page.locator(focus)).to_be_focused()


@pytest.mark.long
def test_after_a_refusal_what_is_typed_is_still_saved(page: Page, shop: Shop) -> None:
    page.click("#story-read2 summary")
    page.fill("#at-read2", "99")
    page.click("#story-read2 button[value=move]")
    expect(page.locator("#problem")).to_contain_text("no place")
    page.fill("#subject", "Typed after it")
    expect(page.locator("#told")).to_contain_text("wrote the subject")
    assert now(shop).subject == "Typed after it"


def test_leaving_at_once_takes_the_last_words_along(page: Page, shop: Shop) -> None:
    page.evaluate(_GATE)
    page.fill("#subject", "Typed")
    expect(page.locator("html")).to_have_attribute("data-asked", "")
    page.fill("#subject", "Typed and left")
    page.goto(shop.root + "/desk/me")
    # The page that it came from is gone, and the service may be a moment behind.
    for _ in range(100):
        if now(shop).subject != "Typed":
            break
        page.wait_for_timeout(100)
    assert now(shop).subject == "Typed and left"


@pytest.mark.long
def test_the_words_of_a_story_save_themselves(page: Page, shop: Shop, berta: Person) -> None:
    page.goto(f"{shop.root}{PATH}/stories/read2")
    page.fill("#headline", "Said anew")
    expect(page.locator("#reset-form")).to_contain_text("headline")
    expect(page.locator("#headline")).to_be_focused()
    assert item_of(now(shop)).headline == "Said anew"
    type_at_the_end(page, "#excerpt", " And on.")
    page.click("#story-form a.button")
    page.wait_for_url(f"**{PATH}#story-read2")
    assert item_of(now(shop)).excerpt.endswith("And on.")
    page.goto(f"{shop.root}{PATH}/stories/read2")
    type_at_the_end(page, "#excerpt", " Of Lilit.")
    form = look(berta, "#story-form", f"{PATH}/stories/read2")
    told_after(berta, save(berta, "story", form, excerpt="Of Berta"))
    expect(page.locator("#problem")).to_contain_text("Berta changed the excerpt")
    expect(page.locator("#excerpt")).to_have_value("And on. Of Lilit.")
    expect(page.locator("#story-form .not-saved")).to_be_visible()
    judge(page)
    page.click("button[value=story]")
    page.wait_for_url(f"**{PATH}?told**")
    assert item_of(now(shop)).excerpt.endswith("Of Lilit.")


def test_words_for_a_story_that_another_took_out_stay_and_put_it_back(
    page: Page, shop: Shop, berta: Person
) -> None:
    page.goto(f"{shop.root}{PATH}/stories/read2")
    told_after(berta, berta.post(PATH, {"act": "remove", "story": "read2"}))
    page.evaluate(_GATE)
    page.fill("#headline", "Said anew")
    expect(page.locator("html")).to_have_attribute("data-asked", "")
    type_at_the_end(page, "#headline", " and on")
    page.evaluate("window.openGate()")
    expect(page.locator("#problem")).to_contain_text("is not in issue")
    expect(page.locator("#headline")).to_have_value("Said anew and on")
    expect(page.locator("#headline")).to_be_focused()
    judge(page)
    # Whoever leaves is asked; whoever presses the button is not.
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.click("button[value=back]")
    page.wait_for_url(f"**{PATH}?told**")
    assert item_of(now(shop)).headline == "Said anew and on"
    assert asked == []


def test_somebody_types_on_in_a_form_that_comes_anew(page: Page, shop: Shop) -> None:
    page.fill("#block-text", "38 letters")
    page.click("#story-read2 button[value=up]")
    expect(page.locator("#story-read2")).to_have_attribute("data-position", "1")
    expect(page.locator("#block-text")).to_have_value("38 letters")
    expect(page.locator(LINES)).to_be_visible()


@pytest.mark.parametrize("screen", first_soon(["phone, dark", "desktop, light"]))
@pytest.mark.parametrize("script", [True, False])
def test_what_takes_an_act_back_is_in_sight(
    browser: Browser, shop: Shop, screen: str, *, script: bool
) -> None:
    with open_page(browser, shop, screen, script=script) as page:
        page.goto(shop.root + PATH)
        last = page.locator(".story").last
        last.scroll_into_view_if_needed()
        last.locator("button[value=remove]").click()
        undo = page.locator("#told button[value=undo]")
        expect(undo).to_be_in_viewport(ratio=1)
        if script:
            judge(page)
        undo.click()
        expect(page.locator("#told button[value=redo]")).to_be_in_viewport(ratio=1)


def test_the_scripts_of_the_desk_stay_small() -> None:
    scripts = Path("newsletter/web/static/desk").glob("*.js")
    assert sum(script.stat().st_size for script in scripts) < 20 * 1024
