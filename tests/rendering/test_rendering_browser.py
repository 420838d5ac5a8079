"""The issue as a real browser lays it out. Pictures are drawn here or blocked: no network."""

from dataclasses import replace
from itertools import cycle

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from newsletter.issues.model import Block, BlockKind, Issue
from newsletter.publication.colour import ENOUGH, contrast, invert
from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue, write_html
from newsletter.rendering.model import RenderedIssue
from newsletter.rendering.system_mail import render_confirmation
from newsletter.rendering.view import view_issue
from newsletter.stories.model import Picture
from tests.marking import first_soon
from tests.rendering.sample_issue import (
    BASE_URL,
    NEWSLETTER,
    PUBLICATION,
    WHOLE_NEWSLETTER,
    sample_issue,
    whole_issue,
)
from tests.rendering.screens import ALLOWED, AXE_TAGS, shown, to_hex, without_styles

SCREENS = [(320, "light"), (700, "light"), (375, "dark")]

# A number for all computed properties of each element below body.
_COMPUTED = """() => [...document.querySelectorAll('body *')].map(element => {
  const computed = getComputedStyle(element);
  const style = [...computed].map(name => computed.getPropertyValue(name)).join(';');
  let hash = 0;
  for (let at = 0; at < style.length; at++) hash = (Math.imul(hash, 31) + style.charCodeAt(at)) | 0;
  return [element.tagName + '.' + element.className, style.length, hash];
})"""

# The sharpest question to a layout: does anything reach beyond the window?
_OVERFLOW = """() => [...document.querySelectorAll('body *')]
  .filter(element => element.getBoundingClientRect().right > innerWidth + 0.5)
  .map(element => element.tagName + '.' + element.className)"""

# Words that stand on more than one line; those with a hyphen may.
_BROKEN_WORDS = """() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    for (const word of node.data.matchAll(/[\\p{L}\\p{N}\\p{M}]+/gu)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(box => box.top)).size > 1) found.push(word[0]);
    }
  }
  return found;
}"""

_COLOURS = """() => {
  const seen = (element, name) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at)[name];
      if (colour !== 'rgba(0, 0, 0, 0)') return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (!node.data.trim() || node.parentElement.closest('.preheader')) continue;
    found.push([getComputedStyle(node.parentElement).color,
                seen(node.parentElement, 'backgroundColor'), node.data.trim()]);
  }
  return found;
}"""


@pytest.mark.parametrize(
    ("width", "scheme"), first_soon([(375, "dark"), (700, "light"), (700, "dark"), (375, "light")])
)
def test_inlining_changes_no_computed_style(
    browser: Browser, templates: Templates, whole: RenderedIssue, width: int, scheme: str
) -> None:
    issue = whole_issue()
    view = view_issue(issue, PUBLICATION, WHOLE_NEWSLETTER, base_url=BASE_URL)
    source = write_html(view, issue, PUBLICATION, WHOLE_NEWSLETTER, templates=templates)
    with shown(browser, source, width, scheme) as page:
        before = page.evaluate(_COMPUTED)
    with shown(browser, whole.html, width, scheme) as page:
        after = page.evaluate(_COMPUTED)
    assert len(before) == len(after) > 300
    assert min(length for _, length, _ in before) > 1_000
    assert [old[0] for old, new in zip(before, after, strict=True) if old != new] == []


@pytest.mark.parametrize("width", [320, pytest.param(375, marks=pytest.mark.long), 700])
@pytest.mark.parametrize("styles", ["all styles", "no style elements"])
@pytest.mark.parametrize("pictures", [True, False])
def test_nothing_is_wider_than_the_screen(
    browser: Browser, whole: RenderedIssue, width: int, styles: str, pictures: bool
) -> None:
    html = whole.html if styles == "all styles" else without_styles(whole.html)
    with shown(browser, html, width, pictures=pictures) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(_OVERFLOW) == []


@pytest.mark.parametrize("language", ["en", "hy", "ar"])
def test_long_words_do_not_break_the_layout(
    browser: Browser, templates: Templates, language: str
) -> None:
    issue = sample_issue(language=language, title="Գլխավոր նյութեր · 32-րդ շաբաթ")
    publication = PUBLICATION.model_copy(update={"name": "Արաքսի Շաբաթաթերթ և Մատենադարան"})
    rendered = render_issue(issue, publication, NEWSLETTER, base_url=BASE_URL, templates=templates)
    for width in (320, 700):
        with shown(browser, rendered.html, width, pictures=True) as page:
            assert page.evaluate(_OVERFLOW) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width


# What one line of a phone can't hold, alone or in its size.
LONG_WORDS = {
    "en": (
        "Counterrevolutionaries",
        "Bundesverfassungsgerichtsentscheidung",
        "Достопримечательностями",
        "https://paper.example/2025/08/04/" + "a-very-long-address-" * 3 + "of-a-story",
        "antidisestablishmentarianism" * 3,
        "State-of-the-art-public-transportation-infrastructure/redevelopment",
    ),
    "hy": (
        "Հակահեղափոխականություն",
        "Միջկառավարականությունների",
        "Հակահեղափոխականություն-միջկառավարականությունների",
    ),
}


def _long_worded(language: str, kind: BlockKind, logo: Picture | None) -> Issue:
    """An issue of long words, each of them once as lead or card and in every other place."""
    words = cycle(LONG_WORDS[language])
    note = "\n\n".join(LONG_WORDS[language])
    issue = whole_issue(language=language, note=f"{note}\n\n{note}", title=next(words))
    return replace(
        issue,
        logo=logo,
        block=Block(kind, next(words), next(words)),
        sections=tuple(
            replace(
                section,
                title=next(words),
                items=tuple(
                    replace(
                        item,
                        headline=(word := next(words)),
                        excerpt=f"{word} {word}",
                        byline=word,
                        department=word,
                        language=language,
                        picture=item.picture and replace(item.picture, caption=word, credit=word),
                    )
                    for item in section.items
                ),
            )
            for section in issue.sections
        ),
    )


@pytest.mark.parametrize(
    ("language", "kind"),
    first_soon([("hy", BlockKind.QUESTION), ("en", BlockKind.QUOTE), ("en", BlockKind.NUMBER)]),
)
def test_one_long_word_makes_nothing_wider_than_the_screen(
    browser: Browser, templates: Templates, language: str, kind: BlockKind
) -> None:
    word = max(LONG_WORDS[language], key=len)
    logo = whole_issue().logo if kind is BlockKind.NUMBER else None
    html = render_issue(
        _long_worded(language, kind, logo),
        PUBLICATION.model_copy(update={"name": word, "postal_address": word}),
        WHOLE_NEWSLETTER.model_copy(update={"name": word, "signature": word}),
        base_url=BASE_URL,
        templates=templates,
    ).html
    yahoo = html.replace("word-break:break-word", "")
    assert yahoo != html
    for shape in (html, without_styles(html), yahoo):
        for width in (320, 375, 414, 700):
            with shown(browser, shape, width, pictures=True) as page:
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                assert page.evaluate(_OVERFLOW) == []


@pytest.mark.parametrize("language", first_soon(["hy", "en"]))
def test_a_word_that_fits_its_line_stays_whole(
    browser: Browser, templates: Templates, language: str
) -> None:
    rendered = render_issue(
        whole_issue(language=language),
        PUBLICATION,
        WHOLE_NEWSLETTER,
        base_url=BASE_URL,
        templates=templates,
    )
    for html in (rendered.html, without_styles(rendered.html)):
        for width in (320, 700):
            with shown(browser, html, width, pictures=True) as page:
                assert page.evaluate(_BROKEN_WORDS) == []


def test_axe_finds_nothing(browser: Browser, templates: Templates, whole: RenderedIssue) -> None:
    confirmation = render_confirmation(
        PUBLICATION,
        NEWSLETTER,
        address="lilit@reader.example",
        token="a.k3v9x2m7q4d8w1tz",
        base_url=BASE_URL,
        templates=templates,
    )
    options = {"runOnly": {"type": "tag", "values": AXE_TAGS}}
    pages = [*((whole.html, *screen) for screen in SCREENS), (confirmation.html, 375, "dark")]
    for html, width, scheme in pages:
        with shown(browser, html, width, scheme, pictures=True) as page:
            found = Axe().run(page, options=options).response["violations"]
        wrong = {v["id"]: v["nodes"][0]["html"] for v in found if v["id"] not in ALLOWED}
        assert wrong == {}, (width, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_can_be_read(browser: Browser, whole: RenderedIssue, scheme: str) -> None:
    with shown(browser, whole.html, 700, scheme) as page:
        found = page.evaluate(_COLOURS)
    assert len(found) > 80
    for colour, ground, words in found:
        pair = to_hex(colour), to_hex(ground)
        assert contrast(*pair) >= ENOUGH, words
        # Gmail's apps know nothing of our dark colours and turn the light ones over.
        if scheme == "light":
            assert contrast(*map(invert, pair)) >= ENOUGH, words


def test_pictures_stand_beside_the_words_or_above_them(
    browser: Browser, rendered: RenderedIssue
) -> None:
    def boxes(page: Page) -> tuple[dict[str, float], dict[str, float]]:
        card = page.locator("td.story:has(img)").first
        picture, headline = card.locator("img").bounding_box(), card.locator("h3").bounding_box()
        assert picture is not None
        assert headline is not None
        return dict(picture), dict(headline)

    with shown(browser, rendered.html, 700, pictures=True) as page:
        picture, headline = boxes(page)
        assert picture["x"] >= headline["x"] + headline["width"]
        assert picture["width"] == 200
    with shown(browser, rendered.html, 375, pictures=True) as page:
        picture, headline = boxes(page)
        assert picture["y"] + picture["height"] <= headline["y"]
        assert picture["width"] == 339


def test_without_pictures_every_card_still_says_what_it_is(
    browser: Browser, rendered: RenderedIssue
) -> None:
    with shown(browser, rendered.html, 375) as page:
        for item in sample_issue().sections[1].items:
            link = page.get_by_role("link", name=item.headline, exact=True).last
            assert link.is_visible()
            if item.byline:
                assert page.get_by_text(item.byline).first.is_visible()


def test_the_preheader_is_hidden_but_there(browser: Browser, rendered: RenderedIssue) -> None:
    with shown(browser, rendered.html, 375) as page:
        preheader = page.locator(".preheader")
        assert not preheader.is_visible()
        text = preheader.text_content() or ""
    assert text.startswith(sample_issue().preheader)
    assert 130 <= len(text) <= 250


def test_a_lead_of_any_shape_fits(browser: Browser, templates: Templates) -> None:
    issue = sample_issue()
    lead = issue.sections[1].items[0]
    for width, height in ((150, 90), (900, 2400), (4000, 300)):
        url = f"https://paper.example/p.png?size={width}x{height}"
        item = replace(lead, picture=replace(lead.picture, url=url, width=width, height=height))
        changed = replace(issue, sections=(replace(issue.sections[1], items=(item,)),))
        html = render_issue(
            changed, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=templates
        ).html
        with shown(browser, html, 375, pictures=True) as page:
            box = page.locator("td.lead img").bounding_box()
            assert box is not None
            assert box["width"] <= 339
            assert box["width"] / box["height"] == pytest.approx(width / height, rel=0.05)
