"""What asks a server for delivery reports: ENVID and ORCPT (RFC 3461, RFC 6533)."""

import re

from newsletter.delivery.addresses import needs_utf8

MAX_ENVELOPE_ID = 100  # characters, RFC 3461 section 4.4
MAX_ORIGINAL_RECIPIENT = 500  # characters, RFC 3461 section 4.2

# Section 4 of RFC 3461: "!" to "~" but "+" and "=" stand for themselves.
_NOT_XCHAR = re.compile(r"[^!-*,-<>-~]")
# Section 3 of RFC 6533: the backslash starts an escape there as well.
_NOT_QCHAR = re.compile(r"[^!-*,-<>-\[\]-~]")


def write_xtext(text: str) -> str:
    """``text``, which must be ASCII, as an SMTP parameter's value (RFC 3461 section 4)."""
    return _NOT_XCHAR.sub(lambda found: f"+{ord(found[0]):02X}", text)


def envelope_id(token: str) -> str:
    """The value of ENVID, from a token that names mailing and recipient.

    Empty where it would be longer than a server has to take: then leave the
    parameter out, the return path names the same two.
    """
    # Of its letters, digits and dots none is escaped: it is its own xtext.
    return token if len(token) <= MAX_ENVELOPE_ID else ""


def original_recipient(address: str) -> str:
    """The value of ORCPT for an address as `wire_address` gives it; empty if it is too long.

    An address whose local part is not ASCII is written in the form that servers
    without SMTPUTF8 can pass on (utf-8-addr-xtext, RFC 6533 section 3).
    """
    if needs_utf8(address):
        written = _NOT_QCHAR.sub(lambda found: f"\\x{{{ord(found[0]):02X}}}", address)
        value = f"utf-8;{written}"
    else:
        value = f"rfc822;{write_xtext(address)}"
    return value if len(value) <= MAX_ORIGINAL_RECIPIENT else ""
