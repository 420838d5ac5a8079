"""Leaving by mail, through a real Postfix whose pipe hands the mail on."""

import smtplib
import time

import pytest

from newsletter.feedback.address_tokens import address_tokens
from newsletter.tokens import Key, Keyring, Purpose
from tests.real.postfix import PIPED_DOMAIN, Postfix

pytest_plugins = ["tests.real.fixtures"]

KEYRING = Keyring([Key("a", b"k" * 32)], b"h" * 32)


@pytest.mark.parametrize("written_to", ["itself", "somebody else"])
def test_the_token_comes_through_a_pipe(postfix: Postfix, written_to: str) -> None:
    reader = "r" * 15 + written_to[0]
    token = KEYRING.sign(Purpose.LEAVE, reader, "n" * 16, short=True)
    address = f"leave+{token}@{PIPED_DOMAIN}"
    head = address if written_to == "itself" else "undisclosed-recipients:;"
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as connection:
        connection.sendmail(
            "lilit@reader.example", [address], f"To: {head}\r\nSubject: unsubscribe\r\n\r\nbye\r\n"
        )
    end = time.monotonic() + 60
    while not (found := [one for one in postfix.piped() if token in one[0]]):
        assert time.monotonic() < end, postfix.read_log()[-1000:]
        time.sleep(0.05)
    ((recipient, message),) = found
    # By the argument of the pipe, and by what it writes into the head.
    for tokens in (address_tokens(message, [recipient]), address_tokens(message)):
        assert tokens == [token]
    assert KEYRING.verify(Purpose.LEAVE, token, short=True) == (reader, "n" * 16)
