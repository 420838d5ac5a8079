"""The private Postfix does what the tests built on it rely on."""

import smtplib
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from tests.real.postfix import BUSY_DOMAIN, REFUSED_DOMAIN, Postfix

pytest_plugins = ["tests.real.fixtures"]

COUNT = 20


def write_message(number: int, recipient: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = "The Araks Courier <weekly@paper.example>"
    message["To"] = recipient
    message["Subject"] = f"Շաբաթվա լուրերը, {number}"
    message["Date"] = "Tue, 05 Aug 2025 10:00:00 +0000"
    message["Message-ID"] = f"<issue.{number}@paper.example>"
    message.set_content(f".a line that begins with a dot\nFrom here on: {number}\n\n", cte="8bit")
    message.add_alternative(f"<p>Ողջույն {number}</p>\n" + "<p>filler</p>\n" * 800, subtype="html")
    return message.as_bytes()


def test_twenty_messages_pass_through_unchanged(postfix: Postfix) -> None:
    sent = {
        f"reader{number}@reader.example": write_message(number, f"reader{number}@reader.example")
        for number in range(COUNT)
    }
    before = len(postfix.messages())

    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as connection:
        for number, (recipient, content) in enumerate(sent.items()):
            refused = connection.sendmail(
                f"b+{number}@paper.example", [recipient], content, mail_options=["BODY=8BITMIME"]
            )
            assert refused == {}

    arrived = {
        message.recipients: message
        for message in postfix.wait_for(before + COUNT)
        if message.recipients[0] in sent
    }
    assert len(arrived) == COUNT
    for number, (recipient, content) in enumerate(sent.items()):
        message = arrived[(recipient,)]
        assert message.sender == f"b+{number}@paper.example"
        assert message.submitted == content
        assert message.content.startswith(b"Received: ")


@pytest.mark.parametrize(
    ("domain", "code", "enhanced"), [(REFUSED_DOMAIN, 550, b"5.1.1"), (BUSY_DOMAIN, 450, b"4.2.1")]
)
def test_some_domains_are_refused(
    postfix: Postfix, domain: str, code: int, enhanced: bytes
) -> None:
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as connection:
        connection.ehlo()
        connection.mail("b@paper.example")
        assert connection.rcpt("lilit@reader.example")[0] == 250
        answer, words = connection.rcpt(f"lilit@{domain}")
        assert (answer, words[: len(enhanced)]) == (code, enhanced)
        connection.rset()


def test_the_wait_for_too_many_messages_ends(postfix: Postfix) -> None:
    with pytest.raises(TimeoutError, match="messages arrived"):
        postfix.wait_for(len(postfix.messages()) + 1, timeout=0.2)
