"""JSON Feed, versions 1 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

import html
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from newsletter.errors import ParseError
from newsletter.sources.charset import decode_text
from newsletter.sources.dates import parse_date
from newsletter.sources.feed_profile import FeedProfile, language_tag
from newsletter.sources.feed_text import MAX_ENTRIES
from newsletter.sources.model import Batch, SourceItem, SourcePicture
from newsletter.sources.pictures import Candidate, choose_picture, find_picture
from newsletter.sources.rest import mapping, objects, string
from newsletter.sources.text import (
    cap_problems,
    collapse_space,
    resolve_references,
    unique,
    web_address,
)

_VERSION = "jsonfeed.org/version/"
# Some write the number alone; then a key that only feeds have must stand near the beginning.
_NUMBERS = frozenset(("1", "1.0", "1.1"))
_SIGNS = (b"jsonfeed.org", b'"home_page_url"', b'"feed_url"')


def looks_like_json_feed(body: bytes) -> bool:
    """Whether a body begins as JSON does and soon calls itself a JSON Feed."""
    head = body[:8192].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"{") and any(sign in head for sign in _SIGNS)


@dataclass(frozen=True)
class JsonFeedPage:
    """One page of a JSON Feed. ``next_url`` is where older items are, on the same host."""

    profile: FeedProfile
    batch: Batch
    next_url: str | None = None


def parse_json_feed(body: bytes, url: str, content_type: str = "") -> JsonFeedPage:
    """What a JSON Feed tells of its site, and its items; ParseError if it is none."""
    document = _load(body, url, content_type)
    items, problems = [], []
    entries = objects(document.get("items"))
    if not entries:
        problems.append(f"{url} holds no entries")
    if len(entries) > MAX_ENTRIES:
        problems.append(f"{url} holds {len(entries)} entries; the first {MAX_ENTRIES} were kept")
    if document.get("expired") is True:
        problems.append(f"{url} says that it has ended and nothing will come; look for another")
    for number, entry in enumerate(entries[:MAX_ENTRIES], start=1):
        item = _item(entry, document, url)
        if isinstance(item, str):
            problems.append(f"entry {number} of {url} was left out: {item}")
        else:
            items.append(item)
    profile = FeedProfile(
        name=collapse_space(string(document.get("title"))),
        description=collapse_space(string(document.get("description"))),
        link=web_address(url, string(document.get("home_page_url"))),
        language=language_tag(string(document.get("language"))),
        logo=web_address(url, string(document.get("icon"))),
    )
    batch = Batch(tuple(items), problems=cap_problems(problems, f"entries of {url}"))
    return JsonFeedPage(profile, batch, _next_url(document, url))


def _next_url(document: Mapping[str, Any], url: str) -> str | None:
    following = web_address(url, string(document.get("next_url")))
    # Nobody else's items are this feed's.
    same_host = following and urlsplit(following).netloc == urlsplit(url).netloc
    return following if same_host else None


def _load(body: bytes, url: str, content_type: str) -> Mapping[str, Any]:
    try:
        document = json.loads(decode_text(body, content_type))
    except (ValueError, RecursionError) as error:
        raise ParseError(
            f"{url} begins as JSON and is broken ({type(error).__name__}); it will be tried again",
            subject=url,
        ) from error
    version = string(document.get("version")) if isinstance(document, dict) else ""
    if not isinstance(document, dict) or (_VERSION not in version and version not in _NUMBERS):
        raise ParseError(
            f"{url} is JSON and not a feed; RSS, Atom and JSON Feed can be read", subject=url
        )
    return document


def _item(entry: Mapping[str, Any], document: Mapping[str, Any], url: str) -> SourceItem | str:
    """The entry as a source item, or why it cannot be one."""
    guid = _id(entry.get("id"))
    title = collapse_space(string(entry.get("title")))
    link = (
        web_address(url, string(entry.get("url")))
        or web_address(url, string(entry.get("external_url")))
        or web_address("", guid)
    )
    if not title:
        return f"it has no title (its link is {link or 'missing too'})"
    if link is None:
        return f'"{title[:80]}" has no link to a page'
    markup = _content(entry, url)
    return SourceItem(
        title=title,
        url=link,
        guid=guid or None,
        html=markup,
        excerpt_html=html.escape(string(entry.get("summary")), quote=False),
        author=", ".join(unique(_authors(entry)) or unique(_authors(document))),
        categories=unique(collapse_space(string(tag)) for tag in _list(entry.get("tags"))),
        published_at=parse_date(string(entry.get("date_published")))
        or parse_date(string(entry.get("date_modified"))),
        modified_at=parse_date(string(entry.get("date_modified"))),
        picture=_picture(entry, link) or find_picture(markup, link),
        language=language_tag(string(entry.get("language")))
        or language_tag(string(document.get("language"))),
    )


def _id(value: Any) -> str:
    """An id as text: publishers also write numbers, which readers are told to take."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return string(value).strip()


def _content(entry: Mapping[str, Any], url: str) -> str:
    markup = string(entry.get("content_html"))
    if markup:
        return resolve_references(markup, url)
    return plain_paragraphs(string(entry.get("content_text")))


def plain_paragraphs(text: str) -> str:
    """Plain text as HTML: a paragraph for each stretch between empty lines."""
    parts = [part.strip() for part in text.replace("\r\n", "\n").split("\n\n")]
    return "".join(f"<p>{html.escape(part, quote=False)}</p>" for part in parts if part)


def _authors(record: Mapping[str, Any]) -> Iterator[str]:
    """Names of version 1.1's list, and of the one author of version 1."""
    for author in (*objects(record.get("authors")), mapping(record.get("author"))):
        yield collapse_space(string(author.get("name")))


def _picture(entry: Mapping[str, Any], link: str) -> SourcePicture | None:
    candidates = [
        Candidate(string(entry.get("image")), rank=0, media_type="image"),
        Candidate(string(entry.get("banner_image")), rank=1, media_type="image"),
    ]
    candidates += [
        Candidate(
            string(each.get("url")), rank=2, media_type=string(each.get("mime_type")) or "unknown"
        )
        for each in objects(entry.get("attachments"))
    ]
    return choose_picture((each for each in candidates if each.url), link)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
