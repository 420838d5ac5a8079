"""Small readings of text and markup that every source needs."""

import html
import re
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

# Elements that may stand inside a title. Only these are removed, so that
# "prices < 5 and > 3" keeps its signs.
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|bdo|br|cite|code|del|em|font|i|ins|mark|p|q|s|small|span|strong|sub|sup|u|wbr)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_BLOCK = re.compile(
    r"</?(?:blockquote|br|div|figcaption|figure|h[1-6]|hr|li|ol|p|section|ul)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# What WordPress prints where the text of a post with a password would stand.
_PASSWORD_FORM = re.compile(
    r"""<form\b[^<>]*\bclass\s*=\s*["'][^"'<>]*\bpost-password-form\b""", re.IGNORECASE
)
_PROBLEMS_NAMED = 20


def plain_text(markup: str) -> str:
    """A line of text from a line of HTML: tags removed, entities decoded once."""
    return collapse_space(html.unescape(_INLINE.sub("", markup)))


def caption_text(markup: str) -> str:
    """As `plain_text`, of markup that may hold paragraphs."""
    return plain_text(_BLOCK.sub(" ", markup))


def decode_once(text: str) -> str:
    """Text in which a writer left HTML entities (``&amp;``), decoded once; no tags are touched."""
    return collapse_space(_ENTITY.sub(lambda match: html.unescape(match[0]), text))


def asks_for_password(markup: str) -> bool:
    """Whether WordPress asks for a post's password here, in a page or a feed's entry."""
    return _PASSWORD_FORM.search(markup) is not None


def collapse_space(text: str) -> str:
    """Runs of white space, line breaks too, as one space; none at the ends."""
    return " ".join(text.split())


def web_address(base: str, reference: str | None) -> str | None:
    """``reference`` as an absolute http(s) address, or None if it is none."""
    if not reference or not reference.strip():
        return None
    try:
        url = urljoin(base, reference.strip())
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in url):
        return None
    return url


_TAG = re.compile(r"<[A-Za-z][^<>]*>")
_REFERENCE = re.compile(
    r"""(?P<head>\s(?:src|href|poster|data-src|data-lazy-src)\s*=\s*(?P<quote>["']))"""
    r"""(?P<url>(?!https?:|data:|mailto:|tel:|\#)[^"'<>]*)(?P=quote)""",
    re.IGNORECASE,
)


def resolve_references(markup: str, base: str) -> str:
    """HTML whose relative pictures and links are made absolute; all else is left as it is."""

    def resolve(match: re.Match[str]) -> str:
        url = web_address(base, html.unescape(match["url"]))
        if url is None:
            return match[0]
        return f"{match['head']}{html.escape(url, quote=True)}{match['quote']}"

    return _TAG.sub(lambda tag: _REFERENCE.sub(resolve, tag[0]), markup)


def unique(values: Iterable[str]) -> tuple[str, ...]:
    """The values that are not empty, each once, in their order."""
    return tuple(dict.fromkeys(value for value in values if value))


def cap_problems(problems: list[str], what: str) -> tuple[str, ...]:
    """The first problems, and how many more there are of them."""
    if len(problems) <= _PROBLEMS_NAMED:
        return tuple(problems)
    more = len(problems) - _PROBLEMS_NAMED
    return (*problems[:_PROBLEMS_NAMED], f"{more} more {what} had to be left out")
