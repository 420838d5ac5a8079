import email
import email.policy
import re
from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import Delivery, Mailing, MailingKind
from newsletter.errors import AddressError, ConfigError, RenderError
from newsletter.tokens import Key, Keyring, Purpose
from tests.delivery.samples import (
    ISSUE,
    KEYRING,
    MAILING_ID,
    NOW,
    PREFERENCES,
    READER,
    READER_ID,
    SYSTEM,
    UNSUBSCRIBE,
    issue,
)

TOKEN = KEYRING.sign(Purpose.UNSUBSCRIBE, READER_ID, "newsletter000001")
BREAKERS = ["\r\n", "\n", "\0", "\x85", "\u2028"]


def build(mailing: Mailing = ISSUE) -> bytes:
    return MessageTemplate.of(mailing, KEYRING).build(READER._replace(mailing_id=mailing.public_id))


def sender_of(template: MessageTemplate, reader: Delivery) -> str:
    [envelope] = template.envelopes([reader.recipient_id])
    return envelope.sender


def parse(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)


def bodies(message: EmailMessage) -> list[str]:
    return [part.get_payload(decode=True).decode("utf-8") for part in message.iter_parts()]


def test_the_head_of_an_issue_is_exactly_this() -> None:
    head, _, _ = build().partition(b"\r\n\r\n")
    assert head.decode("ascii").split("\r\n") == [
        "From: Paper Weekly <weekly@paper.example>",
        "To: lilit@reader.example",
        "Subject: =?utf-8?b?VG9wIFN0b3JpZXMgwrcgV2VlayAzMg==?=",
        "Date: Fri, 08 Aug 2025 07:00:00 +0000",
        f"Message-ID: <{MAILING_ID}.{READER_ID}@paper.example>",
        "List-Id: Paper Weekly <weekly.paper.example>",
        f"List-Unsubscribe: <https://paper.example/unsubscribe/{TOKEN}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Help: <mailto:weekly@paper.example?subject=help>",
        "List-Archive: <https://paper.example/archive/weekly/>",
        "List-Post: NO",
        "Precedence: bulk",
        f"Feedback-ID: {MAILING_ID}:weekly:5sibbhrak4c4rtx",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "MIME-Version: 1.0",
        "Content-Language: en",
        "Content-Type: multipart/alternative;",
        f' boundary="=_{MAILING_ID}"',
    ]


def test_both_parts_come_back_with_the_readers_links_and_no_mark() -> None:
    raw = build()
    message = parse(raw)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    preferences = KEYRING.sign(Purpose.PREFERENCES, READER_ID)
    for body, source in zip(bodies(message), (ISSUE.text, ISSUE.html), strict=True):
        filled = source.replace(UNSUBSCRIBE, TOKEN).replace(PREFERENCES, preferences)
        assert body.replace("\r\n", "\n") == filled
    assert b"XXREADER" not in raw
    assert not message.defects
    for part in message.iter_parts():
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
        assert part.get_content_charset() == "utf-8"
        assert not part.defects


def test_a_link_that_is_counted_by_reader_names_mailing_and_recipient() -> None:
    address = "https://paper.example/l/abcdefghijkl/"
    links = f'<a href="{address}XXREADERCLICKXX">One</a> <a href="{address}XXREADERCLICKXX">Two</a>'
    raw = build(issue(html=ISSUE.html + links))
    token = KEYRING.sign(Purpose.CLICK, MAILING_ID, READER_ID, short=True)
    assert bodies(parse(raw))[1].count(f'href="{address}{token}"') == 2
    assert KEYRING.verify(Purpose.CLICK, token, short=True) == (MAILING_ID, READER_ID)
    assert len(token) == 52
    body = raw.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76


def test_the_bytes_are_ascii_short_lines_and_crlf_only() -> None:
    raw = build(issue(html="<p>" + "բառ " * 3000 + "</p>\n.\nFrom here\n"))
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
    long = [line for line in raw.split(b"\r\n") if len(line) > 78]
    assert [line.partition(b":")[0] for line in long] == [b"List-Unsubscribe"]
    assert not any(line.startswith((b".", b"From ")) for line in raw.split(b"\r\n"))


def test_a_system_mail_says_that_a_program_sent_it_and_is_no_list() -> None:
    message = parse(build(SYSTEM))
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Precedence"] is None
    assert not [name for name in message if name.startswith("List-")]


def test_reply_to_is_written_where_there_is_one_and_helps() -> None:
    assert parse(build())["Reply-To"] is None
    raw = build(issue(reply_to="d%sk@paper.example"))
    assert b"\r\nReply-To: d%sk@paper.example\r\n" in raw
    assert b"\r\nList-Help: <mailto:d%25sk@paper.example?subject=help>\r\n" in raw


FEEDBACK_ID = re.compile(rb"^Feedback-ID: (?:[a-z0-9-]+:){1,3}([a-z2-7]{5,15})\r$", re.MULTILINE)


def test_complaints_are_counted_by_issue_newsletter_and_one_steady_sender() -> None:
    template = MessageTemplate.of(ISSUE, KEYRING)
    other = READER._replace(id=2, recipient_id="reader0000000002", address="ani@reader.example")
    found = [FEEDBACK_ID.search(template.build(reader)) for reader in (READER, other)]
    assert all(found)
    assert found[0][0] == found[1][0]
    longest = issue(public_id="m" * 16, list_id="w" * 40 + ".paper.example")
    next_issue = FEEDBACK_ID.search(build(longest))
    assert next_issue[1] == found[0][1]
    assert next_issue[0] != found[0][0]
    assert len(next_issue[0]) <= 78


def test_a_system_mail_is_counted_with_its_kind_and_without_its_recipient() -> None:
    raw = build(SYSTEM)
    assert FEEDBACK_ID.search(raw)[0].startswith(b"Feedback-ID: system:")
    assert SYSTEM.public_id.encode() not in FEEDBACK_ID.search(raw)[0]


def test_the_same_delivery_gives_the_same_bytes_and_no_other_the_same_message_id() -> None:
    template = MessageTemplate.of(ISSUE, KEYRING)
    other = READER._replace(id=2, recipient_id="reader0000000002", address="ani@reader.example")
    later = READER._replace(id=9, attempts=3, first_tried_at=NOW)
    assert template.build(READER) == MessageTemplate.of(ISSUE, KEYRING).build(later)
    assert parse(template.build(READER))["Message-ID"] != parse(template.build(other))["Message-ID"]


def test_a_new_token_key_changes_no_message_of_a_mailing_that_was_begun_before() -> None:
    old, new = Key("a", b"k" * 32), Key("b", b"n" * 32)
    mailing = issue(token_key=KEYRING.signing_key)
    first = MessageTemplate.of(mailing, KEYRING)
    rotated = MessageTemplate.of(mailing, Keyring([new, old], b"h" * 32))
    assert rotated.build(READER) == first.build(READER)
    assert rotated.envelopes([READER_ID]) == first.envelopes([READER_ID])
    with pytest.raises(ConfigError, match='"a"'):
        MessageTemplate.of(mailing, Keyring([new], b"h" * 32))


def test_a_local_part_of_another_script_goes_out_in_utf_8_to_servers_that_take_it() -> None:
    template = MessageTemplate.of(ISSUE, KEYRING)
    reader = READER._replace(address="լիլիթ@bücher.example")
    with pytest.raises(AddressError):
        template.build(reader)
    raw = template.build(reader, utf8=True)
    to, _, _ = raw.partition(b"Subject:")
    assert to.endswith("\r\nTo: լիլիթ@xn--bcher-kva.example\r\n".encode())
    assert raw.replace("լիլիթ".encode(), b"").isascii()
    assert template.build(READER, utf8=True) == template.build(READER)


def test_a_domain_of_another_script_goes_out_as_a_labels() -> None:
    mailing = issue(
        from_address="weekly@bücher.example", return_path=None, list_id="weekly.bücher.example"
    )
    template = MessageTemplate.of(mailing, KEYRING)
    reader = READER._replace(address="lilit@հայ.example")
    message = parse(template.build(reader))
    assert message["From"].addresses[0].addr_spec == "weekly@xn--bcher-kva.example"
    assert message["To"].addresses[0].domain.startswith("xn--")
    assert b"<weekly.xn--bcher-kva.example>" in template.build(reader)
    assert sender_of(template, reader).endswith("@xn--bcher-kva.example")
    assert message["Message-ID"].endswith("@xn--bcher-kva.example>")


def test_the_return_path_names_mailing_and_recipient_and_fits() -> None:
    sender = sender_of(MessageTemplate.of(ISSUE, KEYRING), READER)
    local, _, domain = sender.partition("@")
    base, _, token = local.partition("+")
    assert (base, domain) == ("bounces", "paper.example")
    assert len(local) <= 64
    assert KEYRING.verify(Purpose.BOUNCE, token, short=True) == (MAILING_ID, READER_ID)


def test_the_envelope_id_names_the_same_two_also_where_the_return_path_has_no_room() -> None:
    for return_path in ("bounces@paper.example", "returned-newsletters@paper.example"):
        template = MessageTemplate.of(issue(return_path=return_path), KEYRING)
        [(_, envelope_id)] = template.envelopes([READER_ID])
        assert len(envelope_id) <= 100
        assert KEYRING.verify(Purpose.BOUNCE, envelope_id, short=True) == (MAILING_ID, READER_ID)


def test_without_a_return_path_the_senders_address_takes_the_token() -> None:
    sender = sender_of(MessageTemplate.of(issue(return_path=None), KEYRING), READER)
    assert sender.startswith("weekly+a.")


def test_a_return_path_without_room_for_the_token_stays_plain_and_is_told_once() -> None:
    mailing = issue(return_path="returned-newsletters@paper.example")
    with capture_logs() as logs:
        template = MessageTemplate.of(mailing, KEYRING)
        for _ in range(2):
            assert sender_of(template, READER) == "returned-newsletters@paper.example"
    assert [entry["event"] for entry in logs] == ["return_path_too_long_for_token"]


@pytest.mark.parametrize("breaker", BREAKERS)
@pytest.mark.parametrize(
    "field",
    ["subject", "from_name", "from_address", "reply_to", "list_name", "list_id", "base_url",
     "archive_url", "language", "return_path"],
)  # fmt: skip
def test_no_value_of_the_mailing_can_inject_a_header(field: str, breaker: str) -> None:
    start = getattr(ISSUE, field) or "desk@paper.example"
    changes: Mapping[str, Any] = {field: f"{start}{breaker}Bcc: victim@reader.example"}
    with pytest.raises(RenderError):
        MessageTemplate.of(issue(**changes), KEYRING)


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "paper.example"},
        {"base_url": "javascript:alert(1)"},
        {"base_url": "https://paper.example/>,<mailto:x@paper.example"},
        {"from_address": "weekly"},
        {"from_address": "վեբ@paper.example"},
        {"newsletter_id": None},
        {"created_at": datetime(2025, 8, 8)},  # noqa: DTZ001
        {"public_id": 'a"b'},
    ],
)
def test_a_mailing_that_cannot_be_sent_is_refused_with_a_sentence(changes: dict[str, Any]) -> None:
    with pytest.raises(RenderError) as caught:
        MessageTemplate.of(issue(**changes), KEYRING)
    assert len(str(caught.value)) > 20


def test_a_recipient_id_that_could_break_a_header_is_refused() -> None:
    template = MessageTemplate.of(ISSUE, KEYRING)
    with pytest.raises(RenderError):
        template.build(READER._replace(recipient_id="a>\r\nBcc: b"))


def test_leaving_by_mail_comes_second_and_its_token_fits_an_address() -> None:
    template = MessageTemplate.of(issue(leave_address="abc.def-leave@paper.example"), KEYRING)
    raw = template.build(READER)
    # One line: what is folded, some programs do not read.
    (line,) = re.findall(rb"\r\nList-Unsubscribe: ([^\r]*)\r\n", raw)
    token = KEYRING.sign(Purpose.LEAVE, READER_ID, "newsletter000001", short=True)
    assert re.findall(r"<([^<>]*)>", line.decode()) == [
        f"https://paper.example/unsubscribe/{TOKEN}",
        f"mailto:abc.def-leave+{token}@paper.example?subject=unsubscribe",
    ]
    assert len(f"elevenchars+{token}") <= 64
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


@given(st.text("ab", min_size=1, max_size=120), st.integers(1, 20))
def test_one_click_survives_any_token_length(part: str, key_size: int) -> None:
    keyring = Keyring([Key("k", b"k" * key_size)], b"h" * 32)
    reader = READER._replace(recipient_id=part)
    raw = MessageTemplate.of(ISSUE, keyring).build(reader)
    token = keyring.sign(Purpose.UNSUBSCRIBE, part, "newsletter000001")
    line = f"\r\nList-Unsubscribe: <https://paper.example/unsubscribe/{token}>\r\n"
    assert raw.count(line.encode()) == 1
    assert raw.count(b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n") == 1
    assert bodies(parse(raw))[0].count(token) == 1


BOUNDARY_LINE = f"\n--=_{MAILING_ID}\n"
SOURCES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        st.sampled_from([UNSUBSCRIBE, PREFERENCES, "\n", "\n.\n", "From ", " \n", BOUNDARY_LINE]),
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(SOURCES, SOURCES, st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_the_bytes_are_ready_for_the_wire(text: str, html: str, subject: str) -> None:
    raw = build(issue(text=text, html=html, subject=f".{subject}\u00e9. . "))
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
    lines = raw.split(b"\r\n")
    assert not any(line.startswith(b".") for line in lines)
    assert max(map(len, lines)) <= 998


@given(SOURCES, SOURCES, st.sampled_from(MailingKind))
def test_any_text_and_html_come_back_filled(text: str, html: str, kind: MailingKind) -> None:
    raw = build(issue(text=text, html=html, kind=kind))
    message = parse(raw)
    preferences = KEYRING.sign(Purpose.PREFERENCES, READER_ID)
    for body, source in zip(bodies(message), (text, html), strict=True):
        filled = source.replace(UNSUBSCRIBE, TOKEN).replace(PREFERENCES, preferences)
        lines = filled.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
        assert body == lines
    for field in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"):
        assert len(message.get_all(field)) == 1
