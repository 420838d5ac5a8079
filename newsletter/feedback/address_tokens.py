"""A mail to `leave+TOKEN@…` or `bounces+TOKEN@…`: the tokens of whom it was written to."""

import re
from collections.abc import Sequence

# What the mail server says comes before what the sender wrote.
_FIELDS = ("x-original-to", "delivered-to", "envelope-to", "to")
_HEAD_BYTES = 64 * 1024
_MOST_TOKENS = 20
# Read without an address parser: those of others recurse at nested comments.
_TAGGED = re.compile(r"\+([a-z0-9.]{20,60})@", re.ASCII)
_FOLD = re.compile(r"\r?\n[ \t]+")


def address_tokens(message: bytes, recipients: Sequence[str] = ()) -> list[str]:
    """What stands between the + and the @ of the addresses a message is to, each once.

    ``recipients`` are the envelope's: with them the message is not looked at. Of a
    message only the first 64 KiB of its head are read; of tokens there are at most 20.
    """
    written = recipients or _addressees(message)
    found = (token for text in written for token in _TAGGED.findall(text.lower()))
    return list(dict.fromkeys(found))[:_MOST_TOKENS]


def _addressees(message: bytes) -> list[str]:
    head = re.split(rb"\r?\n\r?\n", message[:_HEAD_BYTES], maxsplit=1)[0]
    fields = [
        line.partition(":") for line in _FOLD.sub(" ", head.decode("ascii", "replace")).splitlines()
    ]
    return [
        value for wanted in _FIELDS for name, _, value in fields if name.strip().lower() == wanted
    ]
