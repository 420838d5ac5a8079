"""Letters of rows that are written together."""

from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import Delivery, Mailing
from newsletter.delivery.writing import LetterWriter
from tests.delivery.samples import ISSUE, KEYRING, SYSTEM

MAILINGS = {mailing.public_id: mailing for mailing in (ISSUE, SYSTEM)}


def writer() -> LetterWriter:
    def prepare(mailing: Mailing) -> MessageTemplate:
        return MessageTemplate.of(mailing, KEYRING)

    return LetterWriter(MAILINGS.__getitem__, prepare, str.lower)


def row(number: int, mailing: Mailing = ISSUE, **changes: str) -> Delivery:
    address = f"reader{number}@reader.example"
    delivery = Delivery(number, mailing.public_id, f"r{number}", address, domain="Reader.example")
    return delivery._replace(**changes)


def test_rows_written_together_become_the_letters_that_each_alone_becomes() -> None:
    rows = [row(1), row(2), row(3, SYSTEM), row(4, address="լիլիթ@հայ.example"), row(5, SYSTEM)]
    together = writer().write(rows)
    assert together == [letter for one in rows for letter in writer().write([one])]
    assert [letter.delivery for letter in together] == rows
    for letter in together:
        whole = MessageTemplate.of(MAILINGS[letter.delivery.mailing_id], KEYRING).build(
            letter.delivery, utf8=letter.utf8
        )
        assert b"".join(letter.message.pieces) == whole
        assert letter.message.octets == len(whole)
        assert letter.group == "reader.example"


def test_an_address_stands_in_its_letter_as_the_envelope_has_it() -> None:
    addresses = ["reader@հայ.example", "լիլիթ@հայ.example"]
    letters = writer().write([row(n, address=address) for n, address in enumerate(addresses)])
    assert [(letter.address, letter.utf8) for letter in letters] == [
        ("reader@xn--y9a3aq.example", False),
        ("լիլիթ@xn--y9a3aq.example", True),
    ]


def test_a_row_that_cannot_be_written_keeps_none_of_the_others_back() -> None:
    writes = writer()
    rows = [row(1), row(2, address="two@@at"), row(3, recipient_id="a>\r\nBcc: b"), row(4)]
    assert [letter.delivery.id for letter in writes.write(rows)] == [1, 4]
    refused = {one.delivery_id: one.outcome for one in writes.refused()}
    assert {number: outcome.reason for number, outcome in refused.items()} == {
        2: "unknown_user",
        3: "content",
    }
    assert writes.refused() == []
