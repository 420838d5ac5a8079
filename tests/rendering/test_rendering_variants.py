"""A variant in another language: what stays in the issue's own says so, and pages are in its."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.issues.model import Block, BlockKind, Variant
from newsletter.issues.variants import vary_issue
from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import RenderedIssue
from tests.rendering.sample_issue import BASE_URL, PUBLICATION, WHOLE_NEWSLETTER, sample_issue

NEWSLETTER = WHOLE_NEWSLETTER.model_copy(
    update={"languages": ("en", "hy"), "title": "The Week", "reply_to": "desk@paper.example"}
)
ISSUE = sample_issue(
    title="The Week", block=Block(BlockKind.QUOTE, "It signs nothing.", "A reader of winds")
)


def render(language: str) -> RenderedIssue:
    return render_issue(
        vary_issue(ISSUE, Variant(language), NEWSLETTER, PUBLICATION),
        PUBLICATION,
        NEWSLETTER,
        base_url=BASE_URL,
        templates=Templates(),
        archived_in=ISSUE.language,
    )


def in_english(rendered: RenderedIssue) -> dict[str, str]:
    """What is marked as English, by its class, else by its element."""
    marked = LexborHTMLParser(rendered.html).css(
        "p[lang=en], span[lang=en], h2[lang=en], h3[lang=en]"
    )
    return {
        (node.attributes.get("class") or node.tag or ""): node.text().strip() for node in marked
    }


def test_what_editors_wrote_is_marked_in_a_mail_in_another_language() -> None:
    marked = in_english(render("hy"))
    assert marked.pop("note slanted").startswith("A quiet week in the capital")
    assert marked.pop("small signature").startswith("Lilit Hakobyan")
    assert marked.pop("caps") == "The Week"
    assert marked.pop("quote") == "“It signs nothing.”"
    assert marked.pop("small said") == "A reader of winds"
    assert marked.pop("section-title caps")
    assert marked.pop("group")
    assert marked == {}
    assert in_english(render("en")) == {}


@pytest.mark.parametrize("language", ["hy", "ar"])
@pytest.mark.parametrize("title", ["Top Stories · Week 32", "The Week"])
def test_a_title_without_a_translation_leaves_the_days_as_their_language_wants(
    language: str, title: str
) -> None:
    issue = sample_issue(language=language, title=title, title_language="en", editors_language="en")
    rendered = render_issue(
        issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=Templates()
    )
    week = {"hy": "Շաբաթ 32", "ar": "الأسبوع 32"}[language]
    h1 = LexborHTMLParser(rendered.html).css_first("h1")
    in_capitals = [node for node in h1.css("*") if "uppercase" in (node.attributes["style"] or "")]
    assert [node.text() for node in in_capitals] == [title]
    assert in_capitals[0].attributes["lang"] == "en"
    assert "uppercase" not in (h1.attributes["style"] or "")
    # The week is named once, in whichever language.
    for words in (h1.text(), rendered.text[:200]):
        assert ("Week 32" in words) + (week in words) == 1, words


def test_pages_for_everybody_are_asked_for_in_the_variants_language() -> None:
    archive = f"{BASE_URL}/archive/{NEWSLETTER.slug}/{ISSUE.slot}"
    subscribe = f"{BASE_URL}/subscribe/{NEWSLETTER.slug}"
    for language, query in (("hy", "?lang=hy"), ("en", "")):
        rendered = render(language)
        links = [node.attributes["href"] for node in LexborHTMLParser(rendered.html).css("a")]
        for page in (archive, subscribe):
            assert [link for link in links if link and link.startswith(page)] == [page + query]
            assert f"\n{page}{query}\n" in rendered.text


def test_the_text_part_is_in_the_variants_language() -> None:
    text = render("hy").text
    assert "Գրել խմբագիրներին՝\ndesk@paper.example\n" in text
    # A quotation has the marks of the language it is in.
    assert "“It signs nothing.”" in text
    lines = [line for line in text.splitlines() if not line.startswith(("https://", "mailto:"))]
    assert max(map(len, lines)) <= 78
