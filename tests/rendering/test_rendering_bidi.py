"""Names and addresses that run against the lines around them."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape
from playwright.sync_api import Browser
from selectolax.lexbor import LexborHTMLParser

from newsletter.publication.brand import Publication
from newsletter.publication.editors import Editor, Role
from newsletter.rendering.bidi import drop_isolates, isolate, mark_isolates
from newsletter.rendering.editor_mail import render_sign_in
from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import RenderedMail
from newsletter.rendering.system_mail import render_confirmation, render_welcome
from tests.pseudo_language import pseudo_language
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue
from tests.rendering.screens import shown

ARABIC = PUBLICATION.model_copy(
    update={
        "name": "بريد آراكس!",
        "short_name": "البريد",
        "postal_address": "شارع الجسر ١٢, القاهرة",
    }
)
ADDED = datetime(2025, 8, 5, tzinfo=UTC)
# Where the first and the last character of an element's words stand.
_ENDS = """element => {
  const walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const text = walk.nextNode();
  return [0, text.length - 1].map(at => {
    const range = document.createRange();
    range.setStart(text, at);
    range.setEnd(text, at + 1);
    return range.getBoundingClientRect().left;
  });
}"""


@pytest.mark.parametrize(
    ("text", "language", "isolated"),
    [
        ("12 Bridge Street, Glendale", "ar", True),
        ("12 Bridge Street, Glendale", "hy", False),
        ("شارع ١٢", "en", True),
        ("شارع ١٢", "he", False),
        ("12 - 34", "ar", False),
        ("", "ar", False),
    ],
)
def test_what_runs_against_its_line_is_isolated(text: str, language: str, isolated: bool) -> None:
    html = str(mark_isolates(isolate(text, language)))
    assert html == (f"<bdi>{text}</bdi>" if isolated else text)
    assert drop_isolates(isolate(text, language)) == text


@given(st.text(st.sampled_from("ab <&\u2068\u2069ش"), max_size=30))
def test_no_mark_leaves_an_element_open(text: str) -> None:
    for given_text in (text, isolate(text, "ar"), f"{isolate(text, 'ar')} {isolate(text, 'en')}"):
        html = str(mark_isolates(given_text))
        assert html.count("<bdi>") == html.count("</bdi>")
        bare = re.sub(r"</?bdi>", "", html)
        assert drop_isolates(bare) == drop_isolates(str(escape(given_text)))


@pytest.fixture(scope="module")
def turned_words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pseudo_language(tmp_path_factory.mktemp("locale")):
        yield


def isolated(html: str) -> list[str]:
    return [node.text() for node in LexborHTMLParser(html).css("bdi")]


@pytest.mark.parametrize("language", ["ar", "he"])
def test_an_issue_from_right_to_left_keeps_names_and_the_address_as_they_are(
    browser: Browser, templates: Templates, turned_words: None, language: str
) -> None:
    # There are words of ours in one of the languages alone.
    issue = sample_issue(language=language)
    html = render_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=templates).html
    with shown(browser, html, 700) as page:
        pieces = page.locator(".footer bdi, .name bdi")
        found = {piece.inner_text(): piece.evaluate(_ENDS) for piece in pieces.all()}
        # What looks the same in a wrong place: the number behind the words.
        for piece in pieces.all():
            assert piece.evaluate("e => getComputedStyle(e).direction") == "ltr"
    assert {PUBLICATION.name, PUBLICATION.postal_address} <= found.keys()
    assert (NEWSLETTER.name in found) is (language == "ar")
    for words, (first, last) in found.items():
        assert first < last, words


def test_an_arabic_papers_issue_in_english_keeps_its_names(templates: Templates) -> None:
    weekly = NEWSLETTER.model_copy(update={"name": "أسبوعية!"})
    html = render_issue(
        sample_issue(sections=()), ARABIC, weekly, base_url=BASE_URL, templates=templates
    ).html
    assert isolated(html) == [
        *(ARABIC.name, ARABIC.name, weekly.name, weekly.name, ARABIC.name),
        ARABIC.postal_address,
    ]


def letters(publication: Publication, templates: Templates) -> list[RenderedMail]:
    weekly = NEWSLETTER.model_copy(update={"language": publication.language})
    return [
        render_confirmation(
            publication,
            weekly,
            address="lilit@reader.example",
            token="a.k3",
            base_url=BASE_URL,
            templates=templates,
        ),
        render_welcome(
            publication,
            weekly,
            also=["From the Kitchen"],
            next_issue=date(2025, 8, 8),
            latest=True,
            follows=True,
            preferences_token="a.k3",
            unsubscribe_token="a.k4",
            base_url=BASE_URL,
            templates=templates,
        ),
        render_sign_in(
            publication,
            Editor("k3v9x2m7q4d8w1tz", "lilit@paper.example", "Lilit", Role.EDITOR, ADDED),
            address=f"{BASE_URL}/desk/sign-in/x",
            minutes=5,
            templates=templates,
        ),
    ]


def test_letters_from_right_to_left_keep_names_and_addresses_as_they_are(
    templates: Templates, turned_words: None
) -> None:
    confirmation, welcome, sign_in = letters(
        PUBLICATION.model_copy(update={"language": "ar"}), templates
    )
    assert set(isolated(confirmation.html)) == {
        *(PUBLICATION.name, PUBLICATION.postal_address, NEWSLETTER.name),
        *("paper.example", "lilit@reader.example", f"{BASE_URL}/confirm/a.k3"),
    }
    assert {"From the Kitchen", NEWSLETTER.sender.address} < set(isolated(welcome.html))
    assert {PUBLICATION.name, PUBLICATION.nickname} < set(isolated(sign_in.html))
    for mail in (confirmation, welcome, sign_in):
        # Mail programs set the directions of a text's lines, and an inbox its subjects, themselves.
        assert not {"\u2068", "\u2069"} & {*mail.subject, *mail.text, *mail.html}


def test_letters_in_english_of_an_arabic_paper(templates: Templates) -> None:
    for mail in letters(ARABIC, templates):
        assert ARABIC.name in isolated(mail.html)
    assert isolated(mail.html).count(ARABIC.nickname) == 1


def test_letters_of_a_paper_in_its_own_language_have_nothing_to_isolate(
    templates: Templates,
) -> None:
    for mail in letters(PUBLICATION, templates):
        assert "<bdi" not in mail.html
