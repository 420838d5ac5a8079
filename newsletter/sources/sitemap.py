"""Sitemaps, news sitemaps and their indices: which pages a site has, and since when.

https://www.sitemaps.org/protocol.html; the news extension, sitemap-news/0.9, names
stories of the last two days with their time and headline.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from lxml import etree

from newsletter.errors import FetchError, ParseError
from newsletter.net.fetcher import Fetcher
from newsletter.publication.sources import Source
from newsletter.sources.charset import decode_text
from newsletter.sources.dates import parse_date
from newsletter.sources.text import collapse_space, web_address

MAX_SITEMAP_BYTES = 20_000_000
# The protocol's own limit for one file.
MAX_ENTRIES = 50_000
MAX_CHILDREN = 5
SITEMAP_TYPES = "application/xml, text/xml;q=0.9, application/gzip;q=0.8, */*;q=0.1"

_GZIP = b"\x1f\x8b"
_NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
# Files of an index that list no stories.
_SIDE = re.compile(r"categor|taxonom|tag|author|user|page-sitemap|posts-page|image|video", re.I)
_STORIES = re.compile(r"news|post|article|stor(?:y|ies)", re.I)
_DOCUMENT_TYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_OLDEST = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SitemapEntry:
    """A page that a sitemap names. ``lastmod`` is as written, ``dated`` what that means.

    ``published_at`` and ``title`` are told by news sitemaps only.
    """

    url: str
    lastmod: str = ""
    published_at: datetime | None = None
    title: str = ""

    @property
    def dated(self) -> datetime | None:
        return self.published_at or parse_date(self.lastmod)


@dataclass(frozen=True)
class Sitemap:
    """One file: pages, or the further files that an index names."""

    entries: tuple[SitemapEntry, ...] = ()
    children: tuple[SitemapEntry, ...] = ()


@dataclass(frozen=True)
class Listing:
    """The pages that a site's sitemaps name. ``problems`` are sentences about what was left out."""

    entries: tuple[SitemapEntry, ...] = ()
    problems: tuple[str, ...] = ()


def list_pages(fetcher: Fetcher, source: Source) -> Listing:
    """The pages of a sitemap, or of the files of an index that most likely hold stories.

    Pages of other sites are left out: a sitemap speaks for its own. FetchError
    or ParseError if the sitemap cannot be used.
    """
    top = _fetch(fetcher, source.url, allow_private=source.allow_private)
    entries = list(top.entries)
    problems = []
    for child in choose_children(top.children):
        try:
            entries += _fetch(fetcher, child.url, allow_private=source.allow_private).entries
        except (FetchError, ParseError) as error:
            problems.append(f"a part of {source.url} was left out: {error}")
    own = [entry for entry in entries if _site(entry.url) == _site(source.url)]
    if len(own) < len(entries):
        problems.append(
            f"{source.url} names {len(entries) - len(own)} pages of other sites; they were left out"
        )
    # A story stands in the news sitemap and in the other: the first one tells more.
    return Listing(
        tuple({entry.url: entry for entry in reversed(own)}.values())[::-1], tuple(problems)
    )


def choose_children(children: tuple[SitemapEntry, ...]) -> list[SitemapEntry]:
    """The files of an index to read: those of stories first, then the latest changed."""
    stories = [child for child in children if not _SIDE.search(urlsplit(child.url).path)]
    # Where nothing is dated the last file is mostly the newest.
    numbered = list(enumerate(stories))
    numbered.sort(
        key=lambda pair: (
            bool(_STORIES.search(urlsplit(pair[1].url).path)),
            pair[1].dated or _OLDEST,
            pair[0],
        ),
        reverse=True,
    )
    return [child for _, child in numbered[:MAX_CHILDREN]]


def _fetch(fetcher: Fetcher, url: str, *, allow_private: bool) -> Sitemap:
    response = fetcher.get(
        url, max_bytes=MAX_SITEMAP_BYTES, accept=SITEMAP_TYPES, allow_private=allow_private
    )
    return parse_sitemap(response.body, response.url, response.headers.get("content-type", ""))


def parse_sitemap(body: bytes, url: str, content_type: str = "") -> Sitemap:
    """Read a sitemap or an index, gzipped or not; ParseError if it is neither."""
    text = decode_text(_unpacked(body, url), content_type).strip()
    if _DOCUMENT_TYPE.search(text):
        raise ParseError(
            f"{url} has a document type, which is refused for safety; have it written without",
            subject=url,
        )
    root = _parse(text, url)
    name = _name(root).lower()
    if name == "sitemapindex":
        return Sitemap(children=tuple(_entries(root, "sitemap", url)))
    if name == "urlset":
        return Sitemap(entries=tuple(_entries(root, "url", url)))
    raise ParseError(
        f"{url} is no sitemap ({name[:40]}); robots.txt mostly tells where it is", subject=url
    )


def _unpacked(body: bytes, url: str) -> bytes:
    """The bytes of a file that is itself gzipped (sitemap.xml.gz), within the limit."""
    if not body.startswith(_GZIP):
        return body
    unpacking = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacking.decompress(body, MAX_SITEMAP_BYTES)
    except zlib.error as error:
        raise ParseError(
            f"{url} is a broken gzip file; it will be tried again", subject=url
        ) from error
    if unpacking.unconsumed_tail:
        raise ParseError(
            f"{url} unpacks to more than {MAX_SITEMAP_BYTES // 1_000_000} MB; have it split into "
            "an index of smaller files",
            subject=url,
        )
    return unpacked


def _parse(text: str, url: str) -> etree._Element:
    # Recovering keeps what stands before a break; the declaration's charset no longer holds.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        root = None
        cause: Exception | None = error
    else:
        cause = None
    if root is None:
        raise ParseError(
            f"{url} is no sitemap; robots.txt mostly tells where it is", subject=url
        ) from cause
    return root


def _entries(root: etree._Element, name: str, url: str) -> Iterator[SitemapEntry]:
    count = 0
    for element in root:
        if _name(element) != name:
            continue
        address = web_address(url, _text(element, "loc"))
        if address is None:
            continue
        count += 1
        if count > MAX_ENTRIES:
            return
        news = element.find(f"{_NEWS}news")
        yield SitemapEntry(
            url=address,
            lastmod=_text(element, "lastmod")[:80],
            published_at=parse_date(_news_text(news, "publication_date")),
            title=collapse_space(_news_text(news, "title")),
        )


def _text(element: etree._Element, name: str) -> str:
    for child in element:
        if _name(child) == name:
            return (child.text or "").strip()
    return ""


def _name(element: etree._Element) -> str:
    """A tag without its namespace: some write that with https, or none at all."""
    return str(element.tag).rpartition("}")[2]


def _news_text(news: etree._Element | None, name: str) -> str:
    return (news.findtext(f"{_NEWS}{name}") or "").strip() if news is not None else ""


def _site(url: str) -> tuple[str, int | None]:
    """The host and its port; with and without "www." and TLS a site is one."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:  # no number: such an address is nobody's
        return "", -1
    usual = port in (None, 80, 443)
    return (parts.hostname or "").removeprefix("www."), None if usual else port
