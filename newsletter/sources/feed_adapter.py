"""The one place that knows feedparser.

feedparser is not typed, maps names onto others with warnings, and opens files
and addresses when given a string; here it gets bytes and gives our dataclasses.
Its sanitiser is off: the stories room cleans all HTML by its own list.
"""

import calendar
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any

import feedparser

from newsletter.errors import ParseError
from newsletter.sources.dates import parse_date
from newsletter.sources.pictures import Candidate, pixels

_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
_ADDRESS_THEN_NAME = re.compile(r"\S+@\S+\s*\(")


@dataclass(frozen=True)
class RawText:
    """A text of a feed and whether it is HTML; ``base`` is what its references are relative to."""

    value: str = ""
    is_html: bool = False
    base: str = ""


@dataclass(frozen=True)
class RawEntry:
    """An entry as feedparser read it; empty where it tells nothing."""

    title: RawText
    link: str
    guid: str
    content: RawText
    summary: RawText
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    published: datetime | None
    updated: datetime | None
    pictures: tuple[Candidate, ...]
    comments: str


@dataclass(frozen=True)
class RawFeed:
    """A feed as feedparser read it. ``is_atom`` tells how its author and dates are meant.

    ``interval`` is how long it wants to be left alone between two polls.
    """

    is_atom: bool
    title: RawText
    description: RawText
    link: str
    language: str
    author: str
    entries: tuple[RawEntry, ...]
    logo: str = ""
    interval: timedelta | None = None


def read_feed(xml: bytes, url: str) -> RawFeed:
    """Parse a prepared feed (UTF-8, no DTD); ParseError if feedparser cannot make sense of it."""
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}
    try:
        parsed = feedparser.parse(
            io.BytesIO(xml),
            response_headers=headers,
            sanitize_html=False,
            resolve_relative_uris=False,
        )
        return _feed(parsed)
    except Exception as error:  # feedparser's loose parser fails in many ways
        raise ParseError(
            f"{url} could not be read as a feed ({type(error).__name__}: {error}); "
            "check it with a feed validator",
            subject=url,
        ) from error


def _feed(parsed: Mapping[str, Any]) -> RawFeed:
    feed = parsed["feed"]
    return RawFeed(
        is_atom=str(parsed.get("version", "")).startswith("atom"),
        title=_text(feed, "title"),
        description=_text(feed, "subtitle"),
        link=_string(feed, "link"),
        language=_string(feed, "language"),
        author=_string(feed, "author"),
        entries=tuple(_entry(entry) for entry in parsed["entries"]),
        logo=_logo(feed),
        interval=_interval(feed),
    )


def _logo(feed: Mapping[str, Any]) -> str:
    """RSS's channel image, or Atom's logo."""
    image = _own(feed, "image")
    return (_string(image, "href") if isinstance(image, dict) else "") or _string(feed, "logo")


def _interval(feed: Mapping[str, Any]) -> timedelta | None:
    """The longer of RSS's ttl (minutes) and the syndication module's period over frequency.

    https://web.resource.org/rss/1.0/modules/syndication/
    """
    told = []
    minutes = _count(_string(feed, "ttl"))
    if minutes:
        told.append(timedelta(minutes=minutes))
    period = _PERIODS.get(_string(feed, "sy_updateperiod").lower())
    if period:
        told.append(period / (_count(_string(feed, "sy_updatefrequency")) or 1))
    return max(told, default=None)


def _count(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0


def _entry(entry: Mapping[str, Any]) -> RawEntry:
    content, summary = _content(entry), _text(entry, "summary")
    if summary.value == content.value:
        summary = RawText()  # feedparser's own copy, where the entry has no summary
    return RawEntry(
        title=_text(entry, "title"),
        link=_string(entry, "feedburner_origlink") or _string(entry, "link"),
        guid=_string(entry, "id"),
        content=content,
        summary=summary,
        authors=_authors(entry),
        categories=tuple(
            str(tag.get("label") or tag.get("term") or "") for tag in entry.get("tags", ())
        ),
        published=_instant(entry, "published"),
        updated=_instant(entry, "updated"),
        pictures=tuple(_pictures(entry)),
        comments=_string(entry, "slash_comments") or _string(entry, "thr_total"),
    )


def _own(record: Mapping[str, Any], key: str) -> Any:
    """A value under exactly this key: feedparser's own lookup maps keys, with a warning."""
    return dict.get(record, key) if isinstance(record, dict) else None


def _string(record: Mapping[str, Any], key: str) -> str:
    value = _own(record, key)
    return value.strip() if isinstance(value, str) else ""


def _text(record: Mapping[str, Any], key: str) -> RawText:
    detail = _own(record, f"{key}_detail")
    if not isinstance(detail, dict):
        return RawText(_string(record, key))
    return _detail(detail)


def _detail(detail: Mapping[str, Any]) -> RawText:
    kind = str(detail.get("type") or "text/html")
    return RawText(
        value=str(detail.get("value") or "").strip(),
        is_html=kind in ("text/html", "application/xhtml+xml"),
        base=str(detail.get("base") or ""),
    )


def _content(entry: Mapping[str, Any]) -> RawText:
    """The longest of an entry's contents: some feeds give a plain and an HTML one."""
    details = [_detail(content) for content in _own(entry, "content") or ()]
    texts = [detail for detail in details if detail.value]
    return max(texts, key=lambda text: (text.is_html, len(text.value)), default=RawText())


def _authors(entry: Mapping[str, Any]) -> tuple[str, ...]:
    told = _string(entry, "author")
    details = _own(entry, "authors") or ()
    names = [str(detail.get("name") or "") for detail in details if isinstance(detail, dict)]
    if _ADDRESS_THEN_NAME.match(told):
        # RSS writes "address (name)"; feedparser cuts it wrong behind top-level
        # domains of more than four letters.
        names = [*names[:-1], parseaddr(told)[0]]
    elif not any(names) and "@" not in told:
        names = [told]
    return tuple(name for name in names if name and "@" not in name)


def _instant(entry: Mapping[str, Any], key: str) -> datetime | None:
    found = parse_date(_string(entry, key))
    if found is not None:
        return found
    parsed = _own(entry, f"{key}_parsed")  # Korean, Greek, Hungarian and other spellings
    if parsed is None:
        return None
    try:
        found = datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None
    return parse_date(found.isoformat())


def _pictures(entry: Mapping[str, Any]) -> list[Candidate]:
    found = [_candidate(media, "url", 0) for media in _own(entry, "media_content") or ()]
    links = [link for link in _own(entry, "links") or () if isinstance(link, dict)]
    found += [_candidate(link, "href", 1) for link in links if link.get("rel") == "enclosure"]
    found += [_candidate(media, "url", 2) for media in _own(entry, "media_thumbnail") or ()]
    return [candidate for candidate in found if candidate.url]


def _candidate(media: Mapping[str, Any], key: str, rank: int) -> Candidate:
    return Candidate(
        url=str(media.get(key) or ""),
        rank=rank,
        media_type=str(media.get("medium") or media.get("type") or ""),
        width=pixels(media.get("width")),
        height=pixels(media.get("height")),
    )
