from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.errors import RenderError
from newsletter.rendering.inline import inline_css
from newsletter.rendering.model import ReaderSlot, RenderedIssue

DATA = Path(__file__).parents[1] / "data" / "rendering"


def test_the_inliner_does_exactly_what_it_did() -> None:
    source = (DATA / "inline.html").read_text(encoding="utf-8")
    expected = (DATA / "inline.inlined.html").read_text(encoding="utf-8")
    assert inline_css(source, name="inline.html") == expected


def _page(head: str = "", body: str = "") -> str:
    return f"<!DOCTYPE html>\n<html><head>{head}</head><body>{body}</body></html>"


@pytest.mark.parametrize(
    "head",
    [
        "<style>@import url(https://evil.example/x.css); p { margin: 0; }</style>",
        '<style data-premailer="ignore">@IMPORT "https://evil.example/x.css";</style>',
        '<link rel="stylesheet" href="https://evil.example/x.css">',
    ],
)
def test_style_sheets_from_elsewhere_are_refused(head: str) -> None:
    with pytest.raises(RenderError, match="style sheets from elsewhere"):
        inline_css(_page(head), name="own.html")


def test_words_about_imports_in_a_story_are_fine() -> None:
    html = inline_css(_page(body="<p>How @import works</p>"), name="own.html")
    assert "@import" in html


@pytest.mark.parametrize("doctype", ["<!doctype html>", "\n<!Doctype  HTML >"])
def test_a_doctype_in_small_letters_is_kept(doctype: str) -> None:
    made = inline_css(f"{doctype}<html><body><p>x</p></body></html>", name="own.html")
    assert made.startswith("<!DOCTYPE html>")


def test_a_lost_mark_is_refused() -> None:
    # A duplicated attribute is dropped by the parser, and the mark with it.
    body = f'<a href="https://x.example/" href="https://x.example/{ReaderSlot.UNSUBSCRIBE}">x</a>'
    with pytest.raises(RenderError, match=f"{ReaderSlot.UNSUBSCRIBE} occurs"):
        inline_css(_page(body=body), name="own.html")


def test_css_beyond_the_inliner_is_refused_in_one_sentence() -> None:
    css = "<style>a[title='x,y'] { color: #111111; }</style>"
    with pytest.raises(RenderError, match=r"own\.html: its CSS could not be inlined"):
        inline_css(_page(css, "<p>x</p>"), name="own.html")


def test_conditional_comments_survive(rendered: RenderedIssue) -> None:
    assert rendered.html.count("<!--[if mso]>") == rendered.html.count("<![endif]-->") > 10
    assert rendered.html.startswith("<!DOCTYPE html>")


def test_what_looks_like_a_comment_in_a_description_is_none() -> None:
    told = "&lt;!--[if mso]&gt;&lt;p&gt;x&lt;![endif]--&gt;"
    page = _page(body=f"<img alt=\"{told}\"><img alt='{told}&quot;'><!--[if mso]><b><![endif]-->")
    result = inline_css(page, name="x.html")
    assert result.count("<!--[if mso]>") == 1
    assert [node.attributes["alt"] for node in LexborHTMLParser(result).css("img")] == [
        "<!--[if mso]><p>x<![endif]-->",
        '<!--[if mso]><p>x<![endif]-->"',
    ]
