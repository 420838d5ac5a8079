"""The mail in Armenian and from right to left, in a real browser."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from newsletter.issues.model import Issue
from newsletter.issues.wording import name_period
from newsletter.publication.schedule import Period
from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import RenderedIssue, RenderedMail
from newsletter.rendering.system_mail import Quote, render_confirmation, render_notice
from newsletter.rendering.view import Link
from tests.marking import first_soon
from tests.pseudo_language import pseudo, pseudo_language
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue
from tests.rendering.test_rendering_browser import (
    _OVERFLOW,
    ALLOWED,
    AXE_TAGS,
    shown,
    without_styles,
)

PAPER = PUBLICATION.model_copy(update={"language": "hy", "name": "Արաքսի Լրաբեր"})
WEEKLY = NEWSLETTER.model_copy(update={"language": "hy", "name": "Լրաբերի շաբաթաթերթ"})
# Where boxes stand, from the window's near edge: the left one, or the right one.
_PLACES = """([selector, mirrored]) => [...document.querySelectorAll(selector)].map(element => {
  const box = element.getBoundingClientRect();
  return Math.round(mirrored ? innerWidth - box.right : box.left);
})"""
_LEFT_OUT = """() => [...document.querySelectorAll('body *')]
  .filter(element => element.getBoundingClientRect().left < -0.5)
  .map(element => element.tagName + '.' + element.className)"""
_CAPITALS = """() => [...document.querySelectorAll('body *')]
  .filter(element => /[\\u0531-\\u058f]/.test(element.innerText || ''))
  .filter(element => getComputedStyle(element).textTransform !== 'none')
  .map(element => element.innerText)"""


def told_in(issue: Issue, language: str, words: str, *, few: int = 99) -> Issue:
    """``issue`` with every story's words replaced, ``few`` stories a section."""
    sections = tuple(
        replace(
            section,
            title=words[:24],
            items=tuple(
                replace(
                    item,
                    headline=f"{words[: 40 + item.position]} {item.position}",
                    excerpt=words if item.excerpt else "",
                    byline=words[:14],
                    department=words[:9],
                    language=language,
                )
                for item in section.items[:few]
            ),
        )
        for section in issue.sections
    )
    title = f"{words[:18]} · {name_period(Period.WEEK, issue.date, language)}"
    return replace(issue, language=language, title=title, note=words, sections=sections)


ARMENIAN = "Սևանի ափին վերաբացվեց փոքրիկ թատրոնը, և առաջին ներկայացումը նայեցին նաև ձկնորսները"
TURNED = pseudo("Forty drivers waited through the night with tea and playing cards until dawn came")


@pytest.fixture(scope="module")
def armenian(templates: Templates) -> RenderedIssue:
    issue = told_in(sample_issue(subject=ARMENIAN), "hy", ARMENIAN, few=4)
    return render_issue(issue, PAPER, WEEKLY, base_url=BASE_URL, templates=templates)


@pytest.fixture(scope="module")
def turned(
    templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RenderedIssue]:
    """The sample issue in a language from right to left."""
    with pseudo_language(tmp_path_factory.mktemp("locale")):
        issue = told_in(sample_issue(), "ar", TURNED)
        weekly = NEWSLETTER.model_copy(update={"language": "ar"})
        yield render_issue(issue, PUBLICATION, weekly, base_url=BASE_URL, templates=templates)


def broken_rules(page: Page) -> dict[str, str]:
    options = {"runOnly": {"type": "tag", "values": AXE_TAGS}}
    found = Axe().run(page, options=options).response["violations"]
    return {v["id"]: v["nodes"][0]["html"] for v in found if v["id"] not in ALLOWED}


def test_an_armenian_issue_speaks_armenian_only(armenian: RenderedIssue) -> None:
    english = "Can’t|View in|No\\. |stories|minute|Photo|Your editors|End of|Unsubscribe|Change"
    for word in english.replace("\\", "").split("|"):
        assert word not in armenian.html.partition("<body")[2], word
        assert word not in armenian.text, word
    assert "Շաբաթ 32" in armenian.text
    assert "2025 թ. օգոստոսի 5" in armenian.text
    assert "Բացել դիտարկիչում՝\nhttps://" in armenian.text


@pytest.mark.parametrize(("width", "scheme"), first_soon([(375, "dark"), (700, "light")]))
def test_an_armenian_issue_can_be_read_by_everyone(
    browser: Browser, armenian: RenderedIssue, width: int, scheme: str
) -> None:
    with shown(browser, armenian.html, width, scheme, pictures=True) as page:
        assert broken_rules(page) == {}
        assert page.evaluate(_OVERFLOW) == []
        # Capitals would turn the ligature into the classical spelling.
        assert page.evaluate(_CAPITALS) == []
        for selector in ("h1", "h2", "h3", ".small", ".kicker", ".excerpt"):
            family = page.locator(selector).first.evaluate("e => getComputedStyle(e).fontFamily")
            assert family.startswith(("Sylfaen", '"Segoe UI"')), (selector, family)


def test_an_armenian_confirmation_and_notice(browser: Browser, templates: Templates) -> None:
    confirmation = render_confirmation(
        PAPER,
        WEEKLY,
        address="lilit@reader.example",
        token="a.k3v9x2m7q4d8w1tz",
        base_url=BASE_URL,
        templates=templates,
    )
    notice = render_notice(
        PAPER,
        subject="Կասեցված է",
        sentences=["Թողարկումը կասեցված է՝", Quote("The send was 13 hours late.")],
        link=Link("Տեսնել թողարկումը", BASE_URL),
        templates=templates,
    )
    assert '<html lang="hy" dir="ltr"' in notice.html
    assert 'lang="en" dir="ltr"' in notice.html.partition("<body")[2]
    assert "Տեսնել թողարկումը՝\nhttps://" in notice.text
    for mail, width, scheme in ((confirmation, 320, "light"), (notice, 375, "dark")):
        with shown(browser, mail.html, width, scheme) as page:
            assert broken_rules(page) == {}
            assert page.evaluate(_OVERFLOW) == []


def test_a_confirmation_in_the_readers_language(templates: Templates) -> None:
    def confirm(language: str | None) -> RenderedMail:
        return render_confirmation(
            PUBLICATION,
            NEWSLETTER,
            address="lilit@reader.example",
            token="a.k3",
            base_url=BASE_URL,
            templates=templates,
            language=language,
        )

    assert confirm("hy-AM").language == "hy"
    assert confirm(None).language == "en"
    # A letter of our words alone says that it is in English where they are.
    assert '<html lang="en" dir="ltr"' in confirm("fr").html


def test_words_that_are_not_ours_are_marked_where_they_differ(
    templates: Templates, rendered: RenderedIssue
) -> None:
    html = rendered.html.partition("<body")[2]
    assert html.count('lang="hy"') == 2  # the two Armenian stories of the sample
    assert "Արամ Գրիգորյան" in html


@pytest.mark.parametrize("width", [320, 700])
@pytest.mark.parametrize("styles", ["all styles", "no style elements"])
def test_from_right_to_left_nothing_leaves_the_screen(
    browser: Browser, turned: RenderedIssue, width: int, styles: str
) -> None:
    html = turned.html if styles == "all styles" else without_styles(turned.html)
    with shown(browser, html, width, pictures=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(_OVERFLOW) == []
        assert page.evaluate(_LEFT_OUT) == []


def test_from_right_to_left_the_layout_is_mirrored(
    browser: Browser, templates: Templates, turned: RenderedIssue
) -> None:
    assert turned.html.count('dir="rtl"') > 20
    issue = told_in(sample_issue(), "en", "Forty drivers waited through the night with tea")
    straight = render_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=templates)
    for width in (700, 375):
        with (
            shown(browser, straight.html, width, pictures=True) as page,
        ):
            selectors = ["td.figure", "td.ranked", "td.story img", "td.story .column", ".kicker"]
            if width == 700:  # on a phone the dates are centred, as long as they are
                selectors.append("td.date")
            places = {s: page.evaluate(_PLACES, [s, False]) for s in selectors}
        with shown(browser, turned.html, width, pictures=True) as page:
            for selector, left in places.items():
                assert len(left) > 2
                assert page.evaluate(_PLACES, [selector, True]) == pytest.approx(left, abs=1)


def test_from_right_to_left_letters_stay_joined(browser: Browser, turned: RenderedIssue) -> None:
    spaced = """() => [...document.querySelectorAll('h1, h2, h3, .name')]
      .map(element => getComputedStyle(element).letterSpacing)"""
    with shown(browser, turned.html, 700) as page:
        assert set(page.evaluate(spaced)) <= {"normal", "0px"}
        slants = page.locator(".note").evaluate_all(
            "e => e.map(p => getComputedStyle(p).fontStyle)"
        )
    assert set(slants) == {"normal"}


def test_a_story_from_right_to_left_in_an_issue_from_left_to_right(
    browser: Browser, templates: Templates
) -> None:
    issue = sample_issue()
    latest = issue.sections[1]
    items = tuple(
        replace(item, headline=TURNED, excerpt=TURNED, language="ar") for item in latest.items[:2]
    )
    issue = replace(issue, sections=(replace(latest, items=items),))
    html = render_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=templates).html
    with shown(browser, html, 700, pictures=True) as page:
        for headline in ("h2.largest", "h3.headline"):
            place = page.locator(headline).first
            assert place.evaluate("e => getComputedStyle(e).direction") == "rtl"
            assert place.evaluate("e => e.closest('[lang]').lang") == "ar"
