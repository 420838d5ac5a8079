import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from newsletter.rendering.addresses import find_addresses, split_addresses
from newsletter.rendering.environment import Templates
from newsletter.rendering.issue import render_issue
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue

AMONG_ADDRESSES = st.lists(
    st.one_of(st.text(max_size=20), st.sampled_from(("https://a.example/b", "http://", ").", "[")))
).map("".join)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://a.example", ("https://a.example",)),
        ("See https://a.example/b?c=1&d=2#e.", ("https://a.example/b?c=1&d=2#e",)),
        ("(HTTP://A.example/x_(y))", ("HTTP://A.example/x_(y)",)),
        ("“https://a.example/”, https://b.example/…", ("https://a.example/", "https://b.example/")),
        ("https://օրինակ.հայ/էջ։", ("https://օրինակ.հայ/էջ",)),
        ("https:// and http://. and javascript:alert(1) and www.a.example", ()),
    ],
)
def test_addresses_end_where_the_sentence_does(text: str, found: tuple[str, ...]) -> None:
    assert find_addresses(text) == found
    assert find_addresses("https://a.example/Inc.", ["https://a.example/Inc."]) == (
        "https://a.example/Inc.",
    )


@given(AMONG_ADDRESSES)
def test_the_pieces_are_the_whole_text(text: str) -> None:
    pieces = list(split_addresses(text))
    assert "".join(piece for piece, _ in pieces) == text
    assert tuple(piece for piece, is_address in pieces if is_address) == find_addresses(text)


def test_an_address_in_the_note_is_a_link(templates: Templates) -> None:
    note = 'Read <https://a.example/?b=1&c="2"> & https://x.example/y.'
    html = render_issue(
        sample_issue(note=note), PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=templates
    ).html
    paragraph = LexborHTMLParser(html).css_first("p.note")
    assert paragraph is not None
    assert paragraph.text() == note
    links = [(link.attributes["href"], link.text()) for link in paragraph.css("a")]
    assert links == [(each, each) for each in ("https://a.example/?b=1&c=", "https://x.example/y")]
