import quopri
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.quoted_printable import encode_value, encode_with_slots, merge_pieces
from newsletter.errors import RenderError
from newsletter.rendering.model import ReaderSlot
from tests.delivery.samples import PREFERENCES, UNSUBSCRIBE

# What breaks encoders: ends of lines and of space, dots, "From ", "=", marks, long runs.
PIECES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=90),
    st.sampled_from(
        ["\n", "\r\n", "\r", ".", "\n.", "\n.\n", "From ", "\nFrom ", " ", " \n", "\t\n", "=",
         "=20", "a" * 74, "a" * 75, "a" * 76, "ա" * 13, "🗞" * 7, "\0", "\u2028", "\x85", "\x0c",
         UNSUBSCRIBE, PREFERENCES, "XXREADER"]
    ),
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=14).map("".join)
TOKENS = st.from_regex(r"[a-z0-9.]{1,200}", fullmatch=True)


def write(text: str, unsubscribe: str = "a.u", preferences: str = "a.p") -> bytes:
    values = {ReaderSlot.UNSUBSCRIBE: unsubscribe, ReaderSlot.PREFERENCES: preferences}
    return b"".join(
        piece if isinstance(piece, bytes) else encode_value(values[piece])
        for piece in encode_with_slots(text)
    )


def canonical(text: str) -> str:
    return re.sub("\r\n|\r|\n", "\r\n", text)


@given(TEXTS, TOKENS, TOKENS)
def test_decodes_to_the_filled_text_whatever_the_values_length(
    text: str, unsubscribe: str, preferences: str
) -> None:
    written = write(text, unsubscribe, preferences)
    filled = text.replace(UNSUBSCRIBE, unsubscribe).replace(PREFERENCES, preferences)
    assert quopri.decodestring(written).decode() == canonical(filled)


@given(TEXTS, TOKENS, TOKENS)
def test_every_line_is_short_ascii_and_harmless_to_any_hop(
    text: str, unsubscribe: str, preferences: str
) -> None:
    written = write(text, unsubscribe, preferences)
    assert b"\r" not in written.replace(b"\r\n", b"")
    assert b"\n" not in written.replace(b"\r\n", b"")
    for line in written.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
        assert not line.endswith((b" ", b"\t"))
        assert all(octet == 9 or 32 <= octet < 127 for octet in line)
        assert b"=_" not in line


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("From me\nFrom you", b"=46rom me\r\n=46rom you"),
        ("Fromage", b"Fromage"),
        ("a\n.\n..b", b"a\r\n=2E\r\n=2E.b"),
        (f"x{UNSUBSCRIBE}From me", b"x=\r\na.u=\r\n=46rom me"),
        (f"{UNSUBSCRIBE}{PREFERENCES}", b"a.u=\r\na.p"),
        (f"a {UNSUBSCRIBE}\n", b"a =\r\na.u\r\n"),
        ("end \t", b"end=20=09"),
        ("a" * 74 + "From me", b"a" * 74 + b"F=\r\nrom me"),
        ("a" * 75 + "From me", b"a" * 75 + b"=\r\n=46rom me"),
    ],
)
def test_exactly(text: str, written: bytes) -> None:
    assert write(text) == written


def test_a_character_stays_on_one_line() -> None:
    lines = write("ա" * 200).split(b"\r\n")
    assert len(lines) > 1
    # A line that began or ended inside a character would not decode by itself.
    decoded = [quopri.decodestring(line.removesuffix(b"=")).decode() for line in lines]
    assert "".join(decoded) == "ա" * 200


def test_slots_are_cut_out_and_the_rest_stays_in_few_pieces() -> None:
    pieces = merge_pieces(encode_with_slots(f"a {UNSUBSCRIBE} b\n{PREFERENCES}\nc"))
    assert [piece for piece in pieces if not isinstance(piece, bytes)] == [
        ReaderSlot.UNSUBSCRIBE,
        ReaderSlot.PREFERENCES,
    ]
    assert len(pieces) == 5


@pytest.mark.parametrize("value", ["", "a b", "a\r\nb", "a=b", "<a>", "ա"])
def test_a_value_that_could_do_harm_is_refused(value: str) -> None:
    with pytest.raises(RenderError):
        encode_value(value)


def test_half_a_character_is_refused() -> None:
    with pytest.raises(RenderError, match=r"U\+D83D"):
        encode_with_slots("broken \ud83d")
