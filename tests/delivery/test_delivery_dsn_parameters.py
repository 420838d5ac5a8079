import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.dsn_parameters import envelope_id, original_recipient, write_xtext


def read_xtext(value: str) -> str:
    return re.sub(r"\+([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), value)


def read_utf8_xtext(value: str) -> str:
    return re.sub(r"\\x\{([0-9A-F]+)\}", lambda found: chr(int(found[1], 16)), value)


@given(st.text(st.characters(max_codepoint=126), max_size=80))
def test_xtext_comes_back_and_holds_neither_space_nor_sign(text: str) -> None:
    written = write_xtext(text)
    assert re.fullmatch(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*", written)
    assert read_xtext(written) == text


def test_an_envelope_id_is_at_most_100_characters_or_left_out() -> None:
    assert envelope_id("a.m.r.mac") == "a.m.r.mac"
    assert envelope_id("a" * 100) == "a" * 100
    assert envelope_id("a" * 101) == ""


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("lilit@reader.example", "rfc822;lilit@reader.example"),
        ("lilit+news=x@reader.example", "rfc822;lilit+2Bnews+3Dx@reader.example"),
        ("\u00fa+a@reader.example", r"utf-8;\x{FA}\x{2B}a@reader.example"),
        ("լ@xn--bcher-kva.example", r"utf-8;\x{56C}@xn--bcher-kva.example"),
        ("\U0001f5de@reader.example", r"utf-8;\x{1F5DE}@reader.example"),
    ],
)
def test_the_original_recipient_is_written_so(address: str, value: str) -> None:
    assert original_recipient(address) == value


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30))
def test_the_original_recipient_is_one_word_of_ascii_that_comes_back(local: str) -> None:
    address = f"{local}@reader.example"
    kind, _, written = original_recipient(address).partition(";")
    assert written.isascii()
    assert not set(written) & set(" +=") or kind == "rfc822"
    assert (read_xtext if kind == "rfc822" else read_utf8_xtext)(written) == address


def test_one_that_is_too_long_is_left_out() -> None:
    assert original_recipient("\U0001f5de" * 63 + "@reader.example") == ""
