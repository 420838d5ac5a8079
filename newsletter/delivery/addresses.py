"""Addresses as envelopes and headers carry them: domains in A-labels (RFC 5890)."""

import re

from email_validator import EmailNotValidError, validate_email

from newsletter.delivery.model import Outcome, OutcomeKind, Reply
from newsletter.errors import AddressError
from newsletter.log import mask_address

MAX_LOCAL_OCTETS = 64  # RFC 5321 section 4.5.3.1.1
_MAX_OCTETS = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
# RFC 6531 section 3.3 adds every character beyond ASCII to those of an atom.
_WIDE_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_WIDE_LOCAL = re.compile(rf"{_WIDE_ATOM}(?:\.{_WIDE_ATOM})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# What nearly all readers have, decided in one step.
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")


def wire_address(address: str, *, utf8: bool = False) -> str:
    """``address`` as it is written in an envelope or header.

    ``utf8``: the server takes SMTPUTF8 (RFC 6531), so that the local part need
    not be ASCII. AddressError for what no envelope can carry: a local part that
    is not allowed, quoted or too long, or a domain that is none.
    """
    at = address.find("@")
    if at <= MAX_LOCAL_OCTETS and len(address) <= _MAX_OCTETS and _PLAIN.fullmatch(address):
        return address
    local, _, domain = address.rpartition("@")
    if not _is_local_part(local, utf8=utf8):
        raise _refusal(address, "what stands before its @ can't be put in an envelope")
    if not domain.isascii():
        domain = _to_a_labels(address, domain)
    if not _DOMAIN.fullmatch(domain) or len(local.encode()) + 1 + len(domain) > _MAX_OCTETS:
        raise _refusal(address, "what stands after its @ is no domain")
    return f"{local}@{domain}"


def needs_utf8(address: str) -> bool:
    """Whether ``address`` can be reached only by a server that takes SMTPUTF8."""
    return not (address.isascii() or address.rpartition("@")[0].isascii())


def refuse_address(address: str, *, utf8: bool = False) -> Outcome | None:
    """The refusal of a recipient that must not even be tried, or None.

    ``utf8``: the server takes SMTPUTF8.
    """
    try:
        wire_address(address, utf8=utf8)
    except AddressError as error:
        return refusal_for(error, address, utf8=utf8)
    return None


def refusal_for(error: AddressError, address: str, *, utf8: bool) -> Outcome:
    """What is recorded of a recipient whose address `wire_address` did not take."""
    if not utf8 and needs_utf8(address):
        # 5.6.7: the sender can't use internationalized addresses (RFC 6531 section 4.2).
        reply = Reply(code=0, text=str(error), enhanced="5.6.7")
        return Outcome(OutcomeKind.REFUSED, "non_ascii_address", reply)
    reply = Reply(code=0, text=str(error), enhanced="5.1.3")
    return Outcome(OutcomeKind.REFUSED, "unknown_user", reply)


def _is_local_part(local: str, *, utf8: bool) -> bool:
    if utf8 and not local.isascii():
        # What does not print (controls, separators, half characters) could change the
        # command or the header that the address stands in.
        return (
            local.isprintable()
            and _WIDE_LOCAL.fullmatch(local) is not None
            and len(local.encode()) <= MAX_LOCAL_OCTETS
        )
    return _LOCAL.fullmatch(local) is not None and len(local) <= MAX_LOCAL_OCTETS


def _to_a_labels(address: str, domain: str) -> str:
    try:
        found = validate_email(
            f"postmaster@{domain}", check_deliverability=False, test_environment=True
        )
    except EmailNotValidError as error:
        raise _refusal(address, "what stands after its @ is no domain") from error
    return found.ascii_domain


def _refusal(address: str, reason: str) -> AddressError:
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in address)
    return AddressError(f"{mask_address(shown)} can't be mailed: {reason}", subject="address")
