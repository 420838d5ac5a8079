"""A template's tags before its style is inlined: what is not closed, not said, or not read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.template_markup import lint_attributes, lint_elements, lint_tags

TABLE = '<table role="presentation" border="0" cellpadding="0" cellspacing="0">'
ANY_HTML = st.text(st.sampled_from(list("<>/![]-\"'= apbtdr")), max_size=60)
PIECES = st.lists(
    st.sampled_from(
        (
            *("<div>", "</div>", "<td>", "</td>", "<p>", "<br>", "words", "<!-- <td> -->"),
            *("<!--[if mso]>", "<![endif]-->", "<!--[if !mso]><!-->", "<!--<![endif]-->"),
        )
    ),
    max_size=12,
).map("".join)


def said(body: str) -> list[str]:
    faults = list(lint_tags(f"<html><body>{body}</body></html>"))
    assert all(fault.sentence.endswith(".") and fault.mend.endswith(".") for fault in faults)
    assert all(fault.near for fault in faults)
    return [fault.sentence for fault in faults]


@given(ANY_HTML | PIECES)
def test_whatever_a_template_writes_it_is_read(html: str) -> None:
    list(lint_tags(html))
    list(lint_attributes(html))
    lint_elements(html, ".a { margin: 0 }")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f"{TABLE}<tr><td>One<td>Two</td></tr></table>", "“<td>” has no counterpart"),
        (f"{TABLE}<tr><td>One</td></td></tr></table>", "“</td>” has no counterpart"),
        ("<div><p>One</div></div>", "“</div>” has no counterpart"),
        ("<div><span>One</div></span>", "“<span>” has no counterpart"),
        ('<div class="a"/>', '“<div class="a"/>” has no counterpart'),
        # Each of two readers sees what the other does not.
        (f"<!--[if mso]>{TABLE}<tr><td><![endif]-->One", "for Outlook for Windows"),
        ("<div><!--[if mso]></div><![endif]-->", "for mail programs"),
        ("<!--[if !mso]><!--><div><!--<![endif]-->", "for mail programs"),
        ("<!--[if mso]>One", "“<!--[if mso]>” is a condition"),
        ("One<![endif]-->", "“<![endif]-->” is a condition"),
        ("<!--[if mso]>One<!--[if mso]>Two<![endif]-->", "“<!--[if mso]>” is a condition"),
        ("<![if !mso]>One<![endif]>", "“<![if !mso]>” is a condition"),
        ("<!--[if gte mso 9]>One<![endif]-->", "“<!--[if gte mso 9]>” is a condition"),
        ("<table><tr><td>One</td></tr></table>", "table of figures"),
        ('<table role="presentation"><tr><td>One</td></tr></table>', "gaps or lines"),
        ("<!--[if mso]><table><tr><td></td></tr></table><![endif]-->", "table of figures"),
        ('<img src="a.png">', "says nothing"),
    ],
)
def test_what_is_wrong_with_tags_is_told(body: str, words: str) -> None:
    assert any(words in one for one in said(body)), said(body)


@pytest.mark.parametrize(
    "body",
    [
        f"{TABLE}<tr><td>One<br>Two</td></tr></table>",
        f"<!--[if mso]>{TABLE}<tr><td><![endif]-->One<!--[if mso]></td></tr></table><![endif]-->",
        "<!--[if !mso]><!--><div>One</div><!--<![endif]-->",
        "<ul><li>One<li>Two</ul><p>Three",
        "<table><caption>Goals</caption><tr><td>3</td></tr></table>",
        '<img src="a.png" alt="">',
        "<!-- a comment may hold <td> whatever it likes -->",
    ],
)
def test_what_is_right_passes(body: str) -> None:
    assert said(body) == []


def test_a_style_attribute_beside_a_rule() -> None:
    html = '<body><p class="a" style="margin-left: 30px">One</p></body>'
    (fault,) = lint_elements(html, ".a { margin: 0; }")
    assert "“.a” sets margin and the style attribute margin-left" in fault.sentence
    assert lint_elements(html, ".a { padding: 0; }") == ()
