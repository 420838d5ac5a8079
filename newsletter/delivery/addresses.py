"""Addresses as envelopes and headers carry them: ASCII, with A-labels (RFC 5890)."""

import re

from email_validator import EmailNotValidError, validate_email

from newsletter.delivery.model import Outcome, OutcomeKind, Reply
from newsletter.errors import AddressError
from newsletter.log import mask_address

MAX_LOCAL_OCTETS = 64  # RFC 5321 section 4.5.3.1.1
_MAX_OCTETS = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def wire_address(address: str) -> str:
    """``address`` as it is written in an envelope or header.

    AddressError for what no envelope can carry: a local part that is not ASCII
    (SMTPUTF8 is not used), quoted or too long, or a domain that is none.
    """
    local, _, domain = address.rpartition("@")
    if not _LOCAL.fullmatch(local) or len(local) > MAX_LOCAL_OCTETS:
        raise _refusal(address, "what stands before its @ can't be put in an envelope")
    if not domain.isascii():
        domain = _to_a_labels(address, domain)
    if not _DOMAIN.fullmatch(domain) or len(local) + 1 + len(domain) > _MAX_OCTETS:
        raise _refusal(address, "what stands after its @ is no domain")
    return f"{local}@{domain}"


def refuse_address(address: str) -> Outcome | None:
    """The refusal of a recipient that must not even be tried, or None."""
    try:
        wire_address(address)
    except AddressError as error:
        local = address.rpartition("@")[0]
        if local and not local.isascii():
            # 5.6.7: the sender can't use internationalized addresses (RFC 6531 section 4.2).
            reply = Reply(code=0, text=str(error), enhanced="5.6.7")
            return Outcome(OutcomeKind.REFUSED, "content", reply)
        return Outcome(
            OutcomeKind.REFUSED, "unknown_user", Reply(code=0, text=str(error), enhanced="5.1.3")
        )
    return None


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
