"""Slips of the finger in the domains that most readers have, offered for correction."""

import itertools
from functools import lru_cache

# Where most readers of newspapers have their mail. A slip is only looked for in these.
_COMMON = (
    *("gmail.com", "googlemail.com", "yahoo.com", "ymail.com", "rocketmail.com", "aol.com"),
    *("hotmail.com", "outlook.com", "live.com", "msn.com", "icloud.com", "mac.com"),
    *("comcast.net", "verizon.net", "sbcglobal.net", "bellsouth.net", "charter.net", "cox.net"),
    *("earthlink.net", "optonline.net", "att.net", "protonmail.com", "proton.me", "fastmail.com"),
    *("mail.ru", "yandex.ru", "rambler.ru", "list.ru", "inbox.ru", "yandex.com", "mail.com"),
    *("gmx.de", "gmx.net", "web.de", "t-online.de", "freenet.de", "hotmail.de", "yahoo.de"),
    *("orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "hotmail.fr", "yahoo.fr", "sfr.fr"),
    *("hotmail.co.uk", "yahoo.co.uk", "btinternet.com", "hotmail.it", "libero.it", "yahoo.it"),
    *("yahoo.ca", "hotmail.ca", "rogers.com", "shaw.ca", "bigpond.com", "yahoo.com.au"),
    *("yahoo.com.ar", "hotmail.com.ar", "hotmail.es", "yahoo.es", "uol.com.br", "terra.com.br"),
)
# Others that lie one slip from a common one and take mail of their own.
_TRUE = frozenset(
    (
        *_COMMON,
        *("email.com", "mail.de", "mail.fr", "mail.am", "mail.bg", "mail.kz", "mail.ua"),
        *("gmx.com", "gmx.at", "gmx.ch", "gmx.fr", "gmx.us", "aim.com", "aon.at", "bol.com.br"),
        *("live.ca", "live.fr", "live.it", "live.nl", "live.de", "live.co.uk", "live.com.au"),
        *("outlook.fr", "outlook.de", "outlook.es", "outlook.it", "outlook.co.uk", "inbox.com"),
        *("hotmail.nl", "hotmail.be", "hotmail.se", "yahoo.se", "yahoo.in", "yahoo.co", "yahoo.gr"),
        *("yahoo.co.in", "yahoo.co.jp", "yahoo.no", "yandex.by", "yandex.kz", "yandex.ua"),
        *("me.com", "pm.me", "fmail.com", "hmail.com", "gmail.ru", "cox.com", "att.com", "box.net"),
    )
)
# In a short name one slip makes another name: "aol.com" and "aim.com".
_SHORTEST_NAME = 4


def likely_address(address: str) -> str | None:
    """What the writer of a normalised address may have meant; None where nothing is likely."""
    local, _, domain = address.rpartition("@")
    meant = _likely_domain(domain)
    return f"{local}@{meant}" if meant else None


@lru_cache(maxsize=4096)
def _likely_domain(domain: str) -> str | None:
    if domain in _TRUE:
        return None
    for common in _COMMON:
        if _may_slip(domain, common) and is_one_slip(domain, common):
            return common
    return None


def _may_slip(domain: str, common: str) -> bool:
    name, _, ending = common.partition(".")
    if len(name) >= _SHORTEST_NAME:
        return True
    return domain.startswith(f"{name}.") and "." not in ending


def is_one_slip(written: str, meant: str) -> bool:
    """Whether one letter was left out, doubled or put in, taken for another, or two changed places.

    That is a distance of one as Damerau counts it (1964).
    """
    if abs(len(written) - len(meant)) > 1 or written == meant:
        return False
    pairs = zip(written, meant, strict=False)  # one may be longer
    start = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    ours, theirs = written[start:], meant[start:]
    return (
        ours[1:] == theirs
        or ours == theirs[1:]
        or ours[1:] == theirs[1:]
        or (ours[:2] == theirs[1::-1] and ours[2:] == theirs[2:])
    )
