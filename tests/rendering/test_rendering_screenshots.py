"""The copies of a mail that screenshots are taken of: they run nothing and fetch nothing."""

import re

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.rendering.model import RenderedIssue
from newsletter.rendering.screenshots import LOOKS, Look, dress, picture_addresses

MAIL = (
    "<!DOCTYPE html><html><head><title>T</title><style>p{color:red}</style></head><body>"
    '<!--[if mso]><style>td{color:blue}</style><![endif]--><p style="margin:0">style="kept"</p>'
    """<img style='font-family:"Noto Serif"' src="https://x.example/a.jpg?b=1&amp;c=2" alt='">'>"""
    '<img alt="" src=\'https://x.example/"b".png\'></body></html>'
)
DATA = "data:image/png;base64,AAAA"


def test_pictures_are_found_however_they_are_quoted() -> None:
    assert picture_addresses(MAIL + MAIL) == (
        "https://x.example/a.jpg?b=1&c=2",
        'https://x.example/"b".png',
    )


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_a_copy_holds_what_its_look_lets_it(look: Look, rendered: RenderedIssue) -> None:
    addresses = picture_addresses(rendered.html)
    assert len(addresses) > 5
    copy = dress(rendered.html, look, dict.fromkeys(addresses[1:], DATA))
    tree = LexborHTMLParser(copy)
    policy = tree.css_first("meta").attributes
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert str(policy["content"]).startswith("default-src 'none'")
    assert str(policy["content"]).endswith("data:" if look.pictures else "img-src 'none'")
    sources = [node.attributes["src"] for node in tree.css("img")]
    assert sources.count(DATA) == (len(sources) - sources.count(addresses[0])) * look.pictures
    assert bool(tree.css("style, [style]")) is look.styles


def test_without_styles_the_words_stay() -> None:
    copy = dress(MAIL, Look("x", styles=False), {"https://x.example/a.jpg?b=1&c=2": DATA})
    body = LexborHTMLParser(copy).css_first("body")
    assert body.text() == 'style="kept"'
    assert [node.attributes for node in body.css("img")] == [
        {"src": DATA, "alt": '">'},
        {"alt": "", "src": 'https://x.example/"b".png'},
    ]
    assert re.search("noto|margin|red|blue", copy, re.IGNORECASE) is None
