"""One form for every e-mail address, so that one mailbox is one subscriber."""

import re

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from newsletter.errors import AddressError

MAX_CHARACTERS = 254  # RFC 5321 section 4.5.3.1.3: a path of 256 octets, less its brackets
_SHOWN_CHARACTERS = 60
_SPACES = " \t\r\n\u00a0"
# Addresses as nearly all are, of which the validator would only say the same after 90 µs:
# a dot-atom (RFC 5322 section 3.2.3) at labels of letters, digits and single hyphens.
_ATOM = r"[a-z0-9_!#$%&'*+\-/=?^`{|}~]+"
_LABEL = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+([a-z]+)")
_MAX_LOCAL = 64
_MAX_LABEL = 63
_SPECIAL_ENDS = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)


def normalise_address(text: str) -> str:
    """The address in the form it is stored, compared and mailed in.

    White space around it is dropped and the domain becomes A-labels (RFC 5890),
    the one form that envelopes and headers can carry. An ASCII local part is
    lower-cased: RFC 5321 lets a server tell ``Lilit`` from ``lilit``, but none
    is known to, and readers type both. Other local parts stay as written.
    Nothing is looked up. AddressError says in one sentence what is wrong.
    """
    written = text.strip(_SPACES)
    if not written:
        raise AddressError("an e-mail address is missing", subject="address")
    if len(written) > MAX_CHARACTERS:
        raise _refusal(written, f"it has more than {MAX_CHARACTERS} characters")
    return _normalise_plain(written) or _normalise(written)


def domain_of(address: str) -> str:
    """What stands after the last @ of a normalised address."""
    return address.rpartition("@")[2]


def _normalise_plain(written: str) -> str | None:
    """What `_normalise` would give, where that is sure; None for it to decide."""
    if not written.isascii():
        return None
    address = written.lower()
    found = _PLAIN.fullmatch(address)
    if found is None or found[1] in _SPECIAL_ENDS:
        return None
    at = address.index("@")
    if at > _MAX_LOCAL:
        return None
    # Only a long domain can have a label that is too long.
    if len(address) - at > _MAX_LABEL and max(map(len, address[at + 1 :].split("."))) > _MAX_LABEL:
        return None
    return address


def _normalise(written: str) -> str:
    try:
        found = validate_email(written, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise _refusal(written, _reason(str(error))) from error
    local = found.local_part
    address = f"{local.lower() if local.isascii() else local}@{found.ascii_domain.lower()}"
    if len(address.encode()) > MAX_CHARACTERS:
        raise _refusal(written, f"it is longer than {MAX_CHARACTERS} bytes")
    return address


def limit_address(address: str) -> str:
    """What a normalised address is counted by where mails to one person are limited.

    Many servers ignore what follows a "+", and some all dots: their variants are
    one mailbox. Only limits go by it; an address is stored and mailed as it is.
    """
    local, _, domain = address.rpartition("@")
    plain = local.partition("+")[0].replace(".", "") or local
    return f"{plain}@{'gmail.com' if domain == 'googlemail.com' else domain}"


# Mailboxes of a function, by RFC 2142 and by custom.
_ROLES = frozenset(
    (
        *("abuse", "admin", "administrator", "billing", "contact", "ftp", "help", "hostmaster"),
        *("info", "it", "jobs", "list", "mail", "mailer-daemon", "marketing", "news", "noc"),
        *("no-reply", "noreply", "office", "postmaster", "root", "sales", "security", "spam"),
        *("subscribe", "support", "sysadmin", "unsubscribe", "usenet", "uucp", "webmaster", "www"),
    )
)


def is_role_account(address: str) -> bool:
    """Whether a normalised address is that of a function rather than of a person."""
    return address.rpartition("@")[0].partition("+")[0] in _ROLES


def _reason(told: str) -> str:
    """The validator's sentences as the end of one of ours."""
    sentences = told.rstrip(".").split(". ")
    return "; ".join(sentence[:1].lower() + sentence[1:] for sentence in sentences)


def show_address(written: str) -> str:
    """What was typed, fit for pages and terminals: no control characters, no flood."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in written)
    if len(shown) > _SHOWN_CHARACTERS:
        shown = shown[:_SHOWN_CHARACTERS] + "…"
    return shown


def _refusal(written: str, reason: str) -> AddressError:
    return AddressError(
        f'"{show_address(written)}" is no e-mail address: {reason}', subject="address"
    )
