"""How the mail stands where a mail program takes something away from it."""

import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Browser

from newsletter.issues.wording import name_period
from newsletter.pictures.model import PictureFile
from newsletter.publication.colour import ENOUGH, contrast, invert
from newsletter.publication.schedule import Period
from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import RenderedIssue
from newsletter.stories.model import Picture
from tests.rendering.sample_issue import BASE_URL, PUBLICATION, WHOLE_NEWSLETTER, whole_issue
from tests.rendering.screens import shown, to_hex, without_styles

# What a reader is told in a picture's place, and on what.
_ALTS = """() => [...document.images].map(image => {
  let ground = image;
  while (getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)')
    ground = ground.parentElement;
  return [image.alt, getComputedStyle(image).color, getComputedStyle(ground).backgroundColor];
})"""

# Colours that are no text: what parts the mail into its parts.
_PARTS = """() => ['bar', 'rule', 'choice'].map(name => {
  const style = getComputedStyle(document.querySelector('.' + name));
  return name === 'bar' ? style.backgroundColor : style.borderTopColor;
})"""


def bare(html: str) -> str:
    """Without style elements and without style attributes: the worst that can happen."""
    return re.sub(r"""\sstyle=("[^"]*"|'[^']*')""", "", without_styles(html))


def plain(text: str) -> str:
    """Without capitals, which styles may set."""
    return text.replace("\xa0", " ").casefold()


def heard(browser: Browser, html: str) -> list[tuple[str, str]]:
    """Role and name of all that a screen reader comes by, in its order."""
    with shown(browser, html, 375) as page:
        session = page.context.new_cdp_session(page)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    by_id: dict[str, Any] = {node["nodeId"]: node for node in nodes}
    found: list[tuple[str, str]] = []

    def visit(node: dict[str, Any]) -> None:
        if not node["ignored"]:
            found.append((node["role"]["value"], node.get("name", {}).get("value", "").strip()))
        for child in node.get("childIds", ()):
            visit(by_id[child])

    visit(nodes[0])
    return found


def test_it_is_heard_in_the_order_in_which_it_is_meant(
    browser: Browser, whole: RenderedIssue
) -> None:
    order = heard(browser, whole.html)
    issue = whole_issue()
    ranked, latest = issue.sections
    by_department = sorted(
        latest.items[1:],
        key=lambda item: [i.department for i in latest.items[1:]].index(item.department),
    )
    departments = {plain(item.department) for item in latest.items}
    headings = [plain(name) for role, name in order if role == "heading"]
    expected = [
        "Top Stories · Week 32 · August 4–10",
        latest.items[0].headline,
        ranked.title,
        *(item.headline for item in ranked.items),
        latest.title,
        *(item.headline for item in by_department),
    ]
    assert [name for name in headings if name not in departments] == list(map(plain, expected))
    # A headline is heard before what is told of its story, and the note before the stories.
    words = [name for role, name in order if role == "StaticText"]
    places = [
        next(at for at, word in enumerate(words) if text in word)
        for text in (
            "A quiet week",
            WHOLE_NEWSLETTER.signature,
            latest.items[0].headline,
            latest.items[0].excerpt[:40],
            ranked.items[0].headline,
            ranked.items[-1].headline,
            by_department[0].excerpt[:30],
            "A question to our readers",
            "End of this issue",
            "Yes, gladly",
            "Pass it on",
            "You get this e-mail because",
            "Pause",
            "Unsubscribe",
            PUBLICATION.postal_address,
        )
    ]
    assert places == sorted(places)


def test_nothing_is_heard_that_is_only_for_the_eye(browser: Browser, whole: RenderedIssue) -> None:
    order = heard(browser, whole.html)
    roles = {role for role, _ in order}
    # Tables are for layout, the marks and the line for the inbox for nobody's ears.
    assert not roles & {"table", "row", "cell", "LayoutTable"}
    assert not any("◆" in name or name == whole_issue().preheader for _, name in order)
    assert ("article", "Top Stories · Week 32") in order
    for role, name in order:
        if role in ("link", "image", "heading"):
            assert name, (role, name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_with_pictures_blocked_their_words_can_be_read(
    browser: Browser, whole: RenderedIssue, scheme: str
) -> None:
    with shown(browser, whole.html, 700, scheme) as page:
        found = page.evaluate(_ALTS)
    assert len(found) == 11
    for words, colour, ground in found:
        pair = to_hex(colour), to_hex(ground)
        assert words
        assert contrast(*pair) >= ENOUGH, words
        if scheme == "light":
            assert contrast(*map(invert, pair)) >= ENOUGH, words


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_the_words_of_a_logo_or_photo_can_be_read_whether_it_shows_what_is_behind_or_not(
    browser: Browser, templates: Templates, scheme: str, suffix: str
) -> None:
    name = f"{'0' * 40}.{suffix}"
    issue = whole_issue()
    shown_at_site = replace(issue, logo=Picture("https://paper.example/logo.svg"))
    issue = replace(issue, logo=Picture("", files=(PictureFile("logo", name, 960, 96),)))
    latest = issue.sections[1]
    items = tuple(
        replace(
            item,
            picture=item.picture
            and replace(
                item.picture,
                files=(PictureFile("lead", name, 1184, 666), PictureFile("card", name, 400, 300)),
            ),
        )
        for item in latest.items
    )
    issue = replace(issue, sections=(issue.sections[0], replace(latest, items=items)))
    for each, logo in ((issue, ".logo"), (shown_at_site, ".logo-free")):
        html = render_issue(
            each, PUBLICATION, WHOLE_NEWSLETTER, base_url=BASE_URL, templates=templates
        ).html
        with shown(browser, html, 700, scheme) as page:
            assert page.locator(logo).count() == 1
            found = page.evaluate(_ALTS)
        assert len(found) == 11
        for words, colour, ground in found:
            assert contrast(to_hex(colour), to_hex(ground)) >= ENOUGH, (logo, words)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_and_frames_are_seen_in_every_scheme(
    browser: Browser, whole: RenderedIssue, scheme: str
) -> None:
    with shown(browser, whole.html, 700, scheme) as page:
        parts = page.evaluate(_PARTS)
        card = to_hex(
            page.evaluate("getComputedStyle(document.querySelector('.sheet')).backgroundColor")
        )
    for colour in map(to_hex, parts):
        assert contrast(colour, card) >= 3
        if scheme == "light":
            assert contrast(invert(colour), invert(card)) >= 3


@pytest.mark.parametrize("width", [320, 375, 700])
def test_without_any_style_nothing_is_wider_than_the_screen(
    browser: Browser, templates: Templates, width: int
) -> None:
    # The shorter the preheader is, the longer is what fills its line up.
    issue = whole_issue(preheader="Short")
    html = render_issue(
        issue, PUBLICATION, WHOLE_NEWSLETTER, base_url=BASE_URL, templates=templates
    ).html
    # A picture has the size that its attributes say.
    with shown(browser, bare(re.sub("<img[^>]*>", "", html)), width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_any_style_it_is_read_all_the_same(browser: Browser, whole: RenderedIssue) -> None:
    html = bare(whole.html)
    assert "style=" not in html
    with shown(browser, html, 700, pictures=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 700
        for item in whole_issue().items:
            link = page.get_by_role("link", name=item.headline, exact=True).last
            assert link.is_visible()
    # The headings, in the same order, whatever becomes of the look.
    same = [
        [plain(name) for role, name in heard(browser, each) if role == "heading"]
        for each in (whole.html, html)
    ]
    assert same[0] == same[1]


@pytest.mark.parametrize("width", [320, 375, 700])
@pytest.mark.parametrize("styles", ["all styles", "no style elements"])
def test_what_is_tapped_is_large_enough(
    browser: Browser, whole: RenderedIssue, width: int, styles: str
) -> None:
    html = whole.html if styles == "all styles" else without_styles(whole.html)
    with shown(browser, html, width) as page:

        def heights(selector: str) -> list[float]:
            boxes = [node.bounding_box() for node in page.locator(selector).all()]
            return [box["height"] for box in boxes if box]

        assert len(heights(".choice a")) == 3
        assert min(heights(".choice a")) >= 44
        assert min(heights(".links a")) >= 24
        answers = [node.bounding_box() for node in page.locator(".answer").all()]
    if width == 700:
        assert len({box["y"] for box in answers if box}) == 1


@pytest.mark.parametrize("width", [320, 375, 700])
def test_a_logo_fits_every_screen(browser: Browser, whole: RenderedIssue, width: int) -> None:
    for html in (whole.html, without_styles(whole.html)):
        with shown(browser, html, width) as page:
            box = page.locator(".logo").bounding_box()
            assert box is not None
            assert box["width"] <= min(480, width - 36)
            assert box["x"] >= 0
            middle = box["x"] + box["width"] / 2
            assert middle == pytest.approx(width / 2, abs=1)


# On how many lines an element's words stand.
_LINES = """element => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return new Set([...range.getClientRects()].map(box => box.top)).size;
}"""


@pytest.mark.parametrize("language", ["en", "hy"])
def test_the_days_of_a_week_stay_on_one_line(
    browser: Browser, templates: Templates, language: str
) -> None:
    # Of one month, and of two.
    for day in (date(2025, 11, 25), date(2025, 10, 1)):
        week = name_period(Period.WEEK, day, language)
        issue = whole_issue(date=day, language=language, title=f"Top Stories · {week}", sections=())
        html = render_issue(
            issue, PUBLICATION, WHOLE_NEWSLETTER, base_url=BASE_URL, templates=templates
        ).html
        with shown(browser, html, 320) as page:
            for width in (320, 360, 375, 414):
                page.set_viewport_size({"width": width, "height": 900})
                days = page.locator("h1 .days")
                assert days.evaluate(_LINES) == 1, (days.inner_text(), width)
                assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [375, 700])
def test_a_logos_plate_leaves_room_around_it(
    browser: Browser, whole: RenderedIssue, width: int
) -> None:
    with shown(browser, whole.html, width, "dark") as page:
        plate = page.locator("td.plate").bounding_box()
        logo = page.locator(".logo").bounding_box()
        date = page.locator("td.date").first.bounding_box()
    assert plate is not None
    assert logo is not None
    assert date is not None
    assert logo["x"] - plate["x"] >= 12
    assert plate["x"] + plate["width"] - logo["x"] - logo["width"] >= 12
    assert logo["y"] - plate["y"] >= 12
    assert date["y"] - plate["y"] - plate["height"] >= 4
