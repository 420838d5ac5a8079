import email
import email.policy
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.headers import write_phrase, write_plain, write_text
from newsletter.errors import RenderError

CLEAN = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=200)
BREAKERS = ["\r", "\n", "\r\n", "\0", "\x0b", "\x0c", "\x1f", "\x7f", "\x85", "\x9f",
            "\u2028", "\u2029", "\ud800"]  # fmt: skip


def parse(written: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(written + b"\r\nbody", policy=email.policy.default)


@given(CLEAN)
def test_a_subject_comes_back_as_it_was(value: str) -> None:
    written = write_text("Subject", value)
    assert all(len(line) <= 76 for line in written.split(b"\r\n"))
    # A reader's parser drops white space around an unstructured value.
    assert str(parse(written)["Subject"]).strip() == value.strip()


@given(CLEAN)
def test_a_display_name_comes_back_as_it_was(name: str) -> None:
    written = write_phrase("From", name, "weekly@paper.example")
    assert all(len(line) <= 78 for line in written.split(b"\r\n"))
    (found,) = parse(written)["From"].addresses
    assert found.addr_spec == "weekly@paper.example"
    # Python's address parser sets spaces between encoded words, against RFC 2047
    # section 6.2; its older decoder does not.
    phrase, _, _ = written.decode().removeprefix("From: ").rpartition("<")
    shown = str(make_header(decode_header(phrase.replace("\r\n", "")))) if "=?" in phrase else ""
    assert (shown or found.display_name).split() == name.split()


@pytest.mark.parametrize("breaker", BREAKERS)
def test_no_value_can_start_a_line_of_its_own(breaker: str) -> None:
    value = f"Weekly{breaker}Bcc: victim@reader.example"
    for write in (
        lambda: write_text("Subject", value),
        lambda: write_phrase("From", value, "weekly@paper.example"),
        lambda: write_phrase("List-Id", "Weekly", value),
        lambda: write_plain("List-Archive", value),
    ):
        with pytest.raises(RenderError, match="control character"):
            write()


def test_text_that_looks_encoded_is_not_decoded_by_the_reader() -> None:
    assert str(parse(write_text("Subject", "=?utf-8?q?x?="))["Subject"]) == "=?utf-8?q?x?="


def test_a_uri_is_never_folded() -> None:
    uri = f"<https://paper.example/{'a' * 400}>"
    assert write_plain("List-Archive", uri) == f"List-Archive: {uri}\r\n".encode()
    with pytest.raises(RenderError, match="998"):
        write_plain("List-Archive", "a" * 1000)
