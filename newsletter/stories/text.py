"""Plain text out of what a source wrote: one line, entities decoded once, nothing hidden."""

import re
import unicodedata

from selectolax.lexbor import LexborHTMLParser

# Nesting costs the parser the square of its depth (20,000 unclosed tags: 1.5 s),
# and no article has as many tags as this.
MAX_TAGS = 20_000

_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|bdi|big|br|cite|em|font|i|mark|q|s|small|span|strong|sub|sup|u|wbr)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_BLOCK_EDGE = re.compile(
    r"</?(?:blockquote|br|dd|div|dt|figcaption|figure|h[1-6]|hr|li|ol|p|section|t[dhr]|table|ul)\b",
    re.IGNORECASE,
)
# Unseen characters that carry no meaning in a line: soft hyphen, zero-width space
# and joiner of words, byte-order mark, and the controls that turn a line around
# for whatever follows. The joiners of Persian and of emoji stay.
_UNSEEN = frozenset(
    "\u00ad\u200b\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_ARMENIAN = re.compile(r"[\u0531-\u0556\u0561-\u0587]")
_CLEAN_ASCII = re.compile(r"[ -~]*\Z")


def clean_line(text: str) -> str:
    """``text`` on one line: NFC, single spaces, no control or unassigned characters."""
    if not _CLEAN_ASCII.match(text):
        text = unicodedata.normalize("NFC", "".join(map(_visible, text)))
    return " ".join(text.split())


def text_of(html: str) -> str:
    """The text of an HTML fragment on one line, its entities decoded once."""
    if "<" not in html and "&" not in html:
        return clean_line(html)
    # Blocks part words, inline tags do not; the parser itself knows only one way.
    body = parse_html(_BLOCK_EDGE.sub(" \\g<0>", html)).body
    return clean_line(body.text()) if body is not None else ""


def clean_title(title: str) -> str:
    """A headline whose entities are decoded already: inline tags off, on one line."""
    return clean_line(_INLINE_TAG.sub("", title) if "<" in title else title)


def parse_html(html: str) -> LexborHTMLParser:
    """The tree of ``html``, cut after `MAX_TAGS` tags."""
    if html.count("<") > MAX_TAGS:
        html = "<".join(html.split("<", MAX_TAGS)[:MAX_TAGS])
    # The parser takes UTF-8, which has no lone surrogates.
    return LexborHTMLParser(html.encode("utf-8", "ignore"))


def count_words(text: str) -> int:
    """Words, parted by spaces; a lone dash or star is none."""
    return sum(1 for word in text.split() if any(map(str.isalnum, word)))


def guess_language(text: str, told: str | None) -> str | None:
    """The language of ``text``: what the source told, unless the script says otherwise.

    A text mostly in Armenian letters is Armenian whatever its feed's header
    says; one that hardly has any is not. Other scripts serve many languages.
    """
    letters = sum(map(str.isalpha, text))
    armenian = len(_ARMENIAN.findall(text))
    told = (told or "").strip().replace("_", "-") or None
    told_armenian = told is not None and re.match(r"(?i)(hy|hyw|hye|arm)(-|$)", told) is not None
    if letters and armenian * 2 > letters:
        return told if told_armenian else "hy"
    if told_armenian and letters >= 20 and armenian * 20 < letters:
        return None
    return told


def _visible(char: str) -> str:
    kind = unicodedata.category(char)
    if kind in {"Cc", "Zl", "Zp", "Zs"}:
        return " "
    return "" if kind in {"Cs", "Co", "Cn"} or char in _UNSEEN else char
