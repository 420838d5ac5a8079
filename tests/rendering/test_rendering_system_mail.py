from datetime import UTC, datetime

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.rendering.environment import Templates
from newsletter.rendering.model import ReaderSlot, RenderedMail
from newsletter.rendering.system_mail import render_confirmation, render_notice
from newsletter.rendering.view import Link
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION

TOKEN = "a.k3v9x2m7q4d8w1tz.weekly.1754438400.7qk2"


@pytest.fixture(scope="module")
def confirmation(templates: Templates) -> RenderedMail:
    return render_confirmation(
        PUBLICATION,
        NEWSLETTER,
        address="lilit@reader.example",
        token=TOKEN,
        base_url=BASE_URL,
        templates=templates,
        expires_at=datetime(2025, 8, 12, tzinfo=UTC),
    )


def test_the_confirmation_says_who_asked_and_has_one_link(confirmation: RenderedMail) -> None:
    assert confirmation.subject == "Please confirm: The Courier Weekly"
    tree = LexborHTMLParser(confirmation.html)
    links = [node.attributes["href"] for node in tree.css(".message a")]
    assert links == [f"{BASE_URL}/confirm/{TOKEN}"]
    for text in (tree.css_first("body").text(), confirmation.text):
        words = " ".join(text.split())
        assert "lilit@reader.example" in words
        assert "paper.example" in words
        assert "If that was not you, do nothing" in words
        # Midnight of the twelfth in UTC is the evening of the eleventh in Glendale.
        assert "August 11, 2025" in words
    assert f"\n{BASE_URL}/confirm/{TOKEN}\n" in confirmation.text


def test_nothing_is_left_to_fill(confirmation: RenderedMail) -> None:
    for part in (confirmation.html, confirmation.text):
        assert not any(slot in part for slot in ReaderSlot)
        assert "{" not in LexborHTMLParser(part).css_first("body").text()


def test_a_confirmation_in_armenian(templates: Templates) -> None:
    mail = render_confirmation(
        PUBLICATION,
        NEWSLETTER.model_copy(update={"language": "hy"}),
        address="lilit@reader.example",
        token=TOKEN,
        base_url=BASE_URL,
        templates=templates,
    )
    assert "Խնդրում ենք հաստատել" in mail.subject
    assert '<html lang="hy"' in mail.html


def test_a_notice_prints_its_sentences_and_its_link(templates: Templates) -> None:
    mail = render_notice(
        PUBLICATION,
        subject="The draft of week 32 waits",
        sentences=["It goes out on Friday.", "One story has <no> picture."],
        link=Link("Open the draft", f"{BASE_URL}/desk/"),
        templates=templates,
    )
    assert "One story has &lt;no&gt; picture." in mail.html
    assert "One story has <no> picture." in mail.text
    assert f"Open the draft:\n{BASE_URL}/desk/\n" in mail.text


def test_a_notice_may_do_without_a_link(templates: Templates) -> None:
    mail = render_notice(
        PUBLICATION, subject="Held", sentences=["The send was late."], templates=templates
    )
    assert not LexborHTMLParser(mail.html).css(".message a")
    assert "https://" not in mail.text


def test_a_notice_about_a_hostile_headline_has_nothing_to_fill(templates: Templates) -> None:
    words = f"Waits for your approval: {ReaderSlot.UNSUBSCRIBE}"
    mail = render_notice(PUBLICATION, subject=words, sentences=[words], templates=templates)
    assert not any(slot in part for slot in ReaderSlot for part in (mail.html, mail.text))
