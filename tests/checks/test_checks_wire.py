"""The bytes of a message, built as delivery builds them and then spoilt."""

from collections.abc import Callable
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.checks.model import Finding
from newsletter.checks.wire import check_wire, read_message
from newsletter.delivery.dkim_keys import Signer
from newsletter.delivery.message import MessageTemplate
from tests.delivery.samples import KEYRING, READER, UNSUBSCRIBE, issue
from tests.delivery.signing_keys import ED25519, RSA, make_keys

HTML = f"<p>Ֆիլմ – <a href='https://paper.example/unsubscribe/{UNSUBSCRIBE}'>x</a></p>"


def a_message(signer: Signer | None = None, **changes: Any) -> bytes:
    selectors = signer.selectors if signer else ()
    mailing = issue(**{"html": HTML, "dkim_selectors": selectors, **changes})
    return MessageTemplate.of(mailing, KEYRING, signer).build(READER)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    folder = tmp_path_factory.mktemp("dkim")
    make_keys(folder)
    return Signer(folder, [RSA, ED25519])


def told(message: bytes, **more: str) -> list[tuple[str, str]]:
    findings = check_wire(message, **more)
    assert all(isinstance(one, Finding) and one.mend and one.item for one in findings)
    return [(one.level.value, one.key) for one in findings]


def test_a_message_as_it_should_be(signer: Signer) -> None:
    assert told(a_message()) == []
    assert told(a_message(signer)) == []


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_parts_are_read_as_a_mail_program_reads_them(words: str) -> None:
    message = a_message(html=f"<p>{words}</p>\n", text=f"{words}\n", subject="Headline 1")
    read = read_message(message)
    parsed = message_from_bytes(message, policy=policy.SMTP)
    for kind in ("html", "plain"):
        body = parsed.get_body((kind,))
        assert body is not None
        assert read.part(kind).content == body.get_content().replace("\r\n", "\n")
        assert read.part(kind).encoded in message
    assert read.field("Subject") == ["Headline 1"]
    assert read.octets == len(message)


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        ("x" * 80_000, []),
        ("x" * 95_000, [("warn", "size")]),
        ("x" * 110_000, [("stop", "size")]),
        # Of Armenian each letter is two octets, and six once it is encoded.
        ("ա" * 16_000, [("warn", "size")]),
        ("ա" * 18_000, [("stop", "size")]),
    ],
)
def test_the_size_is_that_of_the_wire(words: str, finding: list[tuple[str, str]]) -> None:
    assert told(a_message(html=f"{HTML}<p>{words}</p>")) == finding


@pytest.mark.parametrize("part", ["html", "text"])
def test_a_place_left_open_is_seen_in_what_a_reader_gets(part: str) -> None:
    message = a_message(**{part: f"{HTML} XXREADERNAMEXX"})
    assert told(message) == [("stop", "marks")]
    assert told(a_message(**{part: f"{HTML} {{{{ x"})) == [("stop", "marks")]
    assert told(a_message(**{part: f"{HTML} {{{{ x"}), told="of {{ and }}") == []


@pytest.mark.parametrize("mark", ["*|LIST|*", "{{ paper }}", "XXNAMEXX", "%%last_name%%"])
def test_a_place_left_open_is_seen_in_the_head(mark: str) -> None:
    for words in (f"The {mark} Courier", f"Ֆիլմ {mark}"):
        (finding,) = check_wire(a_message(from_name=words))
        assert (finding.level.value, finding.key, finding.item) == ("stop", "marks", "From")
    assert told(a_message(subject=f"Of {mark}"), told=f"Of {mark}") == []


def test_gmail_cuts_off_at_a_hundred_kilobytes() -> None:
    def sized(letters: int) -> tuple[int, bytes]:
        message = a_message(html=f"{HTML}<p>{'x' * letters}</p>")
        return len(read_message(message).part("html").encoded), message

    # A letter more, or one and a soft break.
    letters = next(count for count in range(98_000, 99_000) if sized(count)[0] > 102_400)
    (below, fits), (above, is_cut) = sized(letters - 1), sized(letters)
    assert 102_396 < below <= 102_400 < above < 102_405
    assert (told(fits), told(is_cut)) == ([("warn", "size")], [("stop", "size")])


def edit(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(message: bytes) -> bytes:
        assert old in message, old
        return message.replace(old, new)

    return change


FIELD = b"List-Unsubscribe: <https://paper.example/unsubscribe/"


@pytest.mark.parametrize(
    "spoil",
    [
        edit(b"List-Unsubscribe: ", b"X-Unsubscribe: "),
        edit(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""),
        edit(b"=One-Click", b"=One-click"),
        edit(FIELD, FIELD.replace(b"<", b"")),
        edit(FIELD, FIELD + b"a b"),
        edit(FIELD, FIELD.replace(b"https", b"ftp")),
        edit(FIELD, FIELD[:-6] + b"\r\n " + FIELD[-6:]),
        edit(FIELD, FIELD + b"x" * 1000),
        edit(FIELD, FIELD + b">, <mailto:nobody"),
    ],
)
def test_the_fields_to_leave_by_are_read_to_the_letter(spoil: Callable[[bytes], bytes]) -> None:
    assert set(told(spoil(a_message()))) == {("stop", "list_unsubscribe")}


def test_a_mailto_beside_the_address_is_fine() -> None:
    message = a_message()
    line = next(one for one in message.split(b"\r\n") if one.startswith(b"List-Unsubscribe: "))
    assert told(message.replace(line, line + b", <mailto:leave@paper.example>")) == []


def test_plain_http_is_told_of_unless_it_is_this_machine() -> None:
    assert told(a_message(base_url="http://news.paper.example")) == [("warn", "list_unsubscribe")]
    assert told(a_message(base_url="http://127.0.0.1:8000")) == []


def test_a_signature_covers_the_fields_to_leave_by(signer: Signer) -> None:
    message = a_message(signer)
    assert message.count(b"list-unsubscribe-post") == 2
    spoilt = message.replace(b"list-unsubscribe-post", b"list-post")
    assert told(spoilt) == [("stop", "list_unsubscribe")]
