"""Our own words in a mail whose language has none of them."""

import re
from dataclasses import replace

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.issues.model import Block, BlockKind
from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("fr", "ltr")])
def test_our_words_say_that_they_are_english_where_there_are_none_in_the_mails_language(
    language: str, direction: str, templates: Templates
) -> None:
    question = Block(BlockKind.QUESTION, "؟")
    issue = sample_issue(language=language, title="32", block=question)
    story = replace(issue.sections[1].items[0], headline="١", byline="ليلى", language=language)
    read = replace(issue.sections[0].items[0], headline="٢", department="ثقافة", language=language)
    issue = replace(
        issue,
        sections=(
            replace(issue.sections[0], items=(read,)),
            replace(issue.sections[1], items=(story,)),
        ),
    )
    tree = LexborHTMLParser(
        render_issue(issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=templates).html
    )
    assert tree.css_first("html").attributes["dir"] == direction
    for words in (
        *("View in browser", "No. 32", "2 stories", "Your editors", "By ", "min", "reads"),
        *("A question to our readers", "Write to the editors", "End of this issue"),
        *("Was this issue worth", "Yes, gladly", "Pass it on", "You get this e-mail", "Pause"),
        "Subscribe to",
    ):
        (*_, node) = [each for each in tree.css("body *") if words in each.text(deep=False)]
        tags: list[str] = []
        while node is not None and node.tag != "html":
            tags += [tag] if (tag := node.attributes.get("lang")) else []
            node = node.parent
        assert tags[0] == "en", words
    facts = [node.text() for node in tree.css("p.small bdi")]
    assert "By ليلى" in facts
    # A department among words of ours keeps its own direction.
    assert ("ثقافة" in facts) is (direction == "rtl")


def test_no_word_is_marked_where_all_are_in_the_mails_language(templates: Templates) -> None:
    for language in ("en", "hy", "en-GB", "hyw"):
        issue = sample_issue(language=language, sections=())
        html = render_issue(
            issue, PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=templates
        ).html
        assert set(re.findall(r' lang="([^"]+)"', html)) == {language}
        assert "<bdi" not in html
