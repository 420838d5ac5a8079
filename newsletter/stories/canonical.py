"""One address for each story, and one key for each headline.

The address is what readers are linked to and what stories, counters and later
polls are matched by; so it is plain ASCII and free of whatever a share button
or a campaign put on it.
"""

import ipaddress
import re
import unicodedata
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit

_PORTS = {"http": 80, "https": 443}
# Some mail programs cut a link at 2,048 characters.
MAX_ADDRESS = 2_000
_HOST = re.compile(r"^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$")
_TRACKING = re.compile(
    r"^(utm_.+|mc_[ce]id|mc_.+|(fb|g|d|y|tw|tt|ms|igsh|li_fat_)cl?id|igsh(id)?|li_fat_id|gclsrc"
    r"|[gw]braid|mkt_tok|_hs(enc|mi|fp)|_ga|_gl|oly_(anon|enc)_id|vero_id|s_cid|cmpid"
    r"|ref|ref_(src|url)|referr?er|share)$",
    re.IGNORECASE,
)
# RFC 3986, section 2: what may stand unescaped in a path and in a query.
_UNRESERVED = "-._~"
_PATH_SAFE = "/!$&'()*+,;=:@" + _UNRESERVED
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_LONE_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_UNRESERVED_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

# Marks that stand inside a word and carry no meaning for recognising it:
# apostrophes, Armenian stress, question and exclamation marks, the Arabic tatweel.
_INSIDE_WORDS = frozenset("'’‘ʼ՚՛՜՞`´′ـ")

# The same for headlines in plain ASCII, which are most, at a tenth of the time.
_ASCII_INSIDE = re.compile(r"['`]")
_ASCII_BETWEEN = re.compile(r"[^a-z0-9$+#]+")


def canonical_url(url: str) -> str:
    """The address by which a story is known; "" where ``url`` is no web address, or endless.

    Scheme and host are lower-case, the host in its ASCII form, a default port,
    user name, fragment and tracking parameters are dropped. Other parameters
    keep their order, and the path its trailing slash. Escapes are normalised as
    in RFC 3986, sections 6.2.2.1 and 6.2.2.2, since one paper writes the same
    Armenian address as ``%d5%a1`` here and as letters there.
    """
    text = url.strip()
    if text.startswith("//"):
        text = "https:" + text
    taken = _take_apart(text)
    if taken is None:
        return ""
    parts, root = taken
    kept = [pair for pair in parts.query.split("&") if pair and not _is_tracking(pair)]
    query = _normalise_escapes("&".join(kept), safe=_PATH_SAFE + "?")
    address = root + (f"?{query}" if query else "")
    return address if len(address) <= MAX_ADDRESS else ""


def web_address(url: str) -> str:
    """``url`` as a redirect may lead to it; "" where it is no http or https address.

    As `canonical_url`, but nothing is left out of path, query and fragment: tags
    are meant. Plain ASCII without white space or control characters, so that it
    can stand in a header.
    """
    taken = _take_apart(url.strip())
    if taken is None:
        return ""
    parts, root = taken
    query = _normalise_escapes(parts.query, safe=_PATH_SAFE + "?")
    fragment = _normalise_escapes(parts.fragment, safe=_PATH_SAFE + "?")
    return root + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")


def _take_apart(text: str) -> tuple[SplitResult, str] | None:
    """The parts of a web address, and what stands before its query, written alike."""
    try:
        parts = urlsplit(text)
        authority = _authority(parts)
    except ValueError:
        return None
    if not authority or _has_control_character(text):
        return None
    path = _normalise_escapes(parts.path, safe=_PATH_SAFE) or "/"
    return parts, f"{parts.scheme.lower()}://{authority}{path}"


def title_key(title: str) -> str:
    """The headline as it is compared: NFKC, case-folded, words parted by single spaces.

    Two headlines that differ only in case, quotes, dashes, punctuation or
    spacing have the same key. It is empty only where the headline holds nothing
    but space.
    """
    if title.isascii():
        text = title.lower()
        return " ".join(_ASCII_BETWEEN.sub(" ", _ASCII_INSIDE.sub("", text)).split()) or (
            " ".join(text.split())
        )
    text = unicodedata.normalize("NFKC", title).casefold()
    # Folding can leave a sequence that composes, hence the second round.
    text = unicodedata.normalize("NFKC", text).casefold()
    key = " ".join("".join(map(_key_character, text)).split())
    return unicodedata.normalize("NFC", key) or " ".join(text.split())


def _key_character(char: str) -> str:
    if char in _INSIDE_WORDS:
        return ""
    kind = unicodedata.category(char)
    if kind[0] in "LMN" or kind == "Sc" or char in "+#":
        return char
    return "" if kind in {"Cf", "Cs"} else " "


def _authority(parts: SplitResult) -> str:
    scheme = parts.scheme.lower()
    # A backslash is a slash to a browser and a letter to the URL parser.
    if scheme not in _PORTS or not parts.hostname or "\\" in parts.netloc:
        return ""
    host = _ascii_host(parts.hostname)
    port = parts.port
    if not host or port is None or port == _PORTS[scheme]:
        return host
    return f"{host}:{port}"


def _ascii_host(host: str) -> str:
    if ":" in host:
        return f"[{ipaddress.IPv6Address(host)}]"
    # UnicodeError is a ValueError: the caller answers both alike.
    ascii_host = host.rstrip(".").encode("idna").decode().lower()
    return ascii_host if _HOST.match(ascii_host) else ""


def _is_tracking(pair: str) -> bool:
    return _TRACKING.match(pair.partition("=")[0]) is not None


def _has_control_character(text: str) -> bool:
    return not text.isprintable() and any(
        unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text
    )


def _normalise_escapes(text: str, *, safe: str) -> str:
    text = _LONE_PERCENT.sub("%25", text)
    return quote(_ESCAPE.sub(_normal_escape, text), safe=safe + "%")


def _normal_escape(match: re.Match[str]) -> str:
    byte = unquote_to_bytes(match[0])
    return byte.decode("ascii") if byte[0] in _UNRESERVED_BYTES else match[0].upper()
