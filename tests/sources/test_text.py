"""Small readings of text and markup."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.text import (
    caption_text,
    decode_once,
    plain_text,
    resolve_references,
    web_address,
)

BASE = "https://paper.example/a/b/"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Armenia &#038; Karabakh", "Armenia & Karabakh"),
        ("A &amp;amp; B", "A &amp; B"),
        ("<em>Bread</em> and\n salt", "Bread and salt"),
        ("3 < 5 and 7 > 6", "3 < 5 and 7 > 6"),
        ("if a<b then", "if a<b then"),
        ('<span class="x">«Հաց»</span>', "«Հաց»"),
    ],
)
def test_a_title_loses_its_markup_and_one_layer_of_entities(markup: str, text: str) -> None:
    assert plain_text(markup) == text


def test_a_caption_may_hold_paragraphs() -> None:
    assert caption_text("<p>One</p>\n<p>two<br />three</p>") == "One two three"


def test_decoding_leaves_what_is_no_entity() -> None:
    assert decode_once("AT&T; R&D &amp; &lt;b&gt;") == "AT&T; R&D & <b>"


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("/x", "https://paper.example/x"),
        ("x?y=1", "https://paper.example/a/b/x?y=1"),
        ("//cdn.example/x.jpg", "https://cdn.example/x.jpg"),
        (" https://other.example/ ", "https://other.example/"),
        ("javascript:alert(1)", None),
        ("mailto:desk@paper.example", None),
        ("http://[", None),
        ("", None),
        (None, None),
    ],
)
def test_references_become_web_addresses(reference: str | None, url: str | None) -> None:
    assert web_address(BASE, reference) == url


def test_relative_references_in_markup_are_made_absolute() -> None:
    markup = '<a href="/x?a=1&amp;b=2">x</a> <img src=\'y.jpg\'> <a href="#top">t</a> a src="no"'
    assert resolve_references(markup, BASE) == (
        '<a href="https://paper.example/x?a=1&amp;b=2">x</a> '
        "<img src='https://paper.example/a/b/y.jpg'> "
        '<a href="#top">t</a> a src="no"'
    )
    untouched = '<a href="https://x.example/">x</a><a href="mailto:a@paper.example">m</a>'
    assert resolve_references(untouched, BASE) == untouched


@given(st.text(max_size=60), st.text(max_size=30))
def test_nothing_raises(markup: str, base: str) -> None:
    resolve_references(markup, base)
    found = web_address(base, markup)
    assert found is None or found.startswith("http")
