"""Tag lists as DKIM and DMARC records have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.tags import parse_lenient_tags, parse_tags

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=";"))


def test_tags_keep_their_order_and_lose_the_space_around_them() -> None:
    text = " v = DKIM1 ;k=rsa;\tp= MIIB\r\n IjAN ; n="
    assert parse_tags(text) == {"v": "DKIM1", "k": "rsa", "p": "MIIB\r\n IjAN", "n": ""}
    assert list(parse_tags(text) or {}) == ["v", "k", "p", "n"]


@pytest.mark.parametrize(
    "text", ["v=DKIM1; p", "p=a; p=b", "=a", "1p=a", "p=a;; k=rsa", "p=ключ", 'p="a"; -=x', "a b=c"]
)
def test_what_keeps_no_form_is_no_list(text: str) -> None:
    assert parse_tags(text) is None


def test_faults_are_left_out_where_they_are_forgiven() -> None:
    assert parse_lenient_tags("v=DMARC1; p; p=none; =x; p=reject;; rua=mailto:a@b;") == {
        "v": "DMARC1",
        "p": "none",
        "rua": "mailto:a@b",
    }


@given(st.dictionaries(NAMES, VALUES))
def test_any_list_is_read_as_it_was_written(tags: dict[str, str]) -> None:
    text = "; ".join(f"{name}={value}" for name, value in tags.items())
    assert parse_tags(text) == tags
    assert parse_tags(f"{text};") == tags or not tags
    assert parse_lenient_tags(text) == tags


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    strict = parse_tags(text)
    assert strict is None or strict == parse_lenient_tags(text)
