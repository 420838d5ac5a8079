"""One page of a site as a source item, by its metadata: JSON-LD, OpenGraph, what HTML has.

https://schema.org/NewsArticle, https://ogp.me/#type_article. A page that does not
call itself an article is none: front pages, topics and imprints are in sitemaps too.
"""

import html
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from newsletter.sources.dates import parse_date
from newsletter.sources.feed_profile import language_tag
from newsletter.sources.json_feed import plain_paragraphs
from newsletter.sources.model import SourceItem, SourcePicture
from newsletter.sources.page import PageProfile, read_page
from newsletter.sources.pictures import Candidate, choose_picture, pixels
from newsletter.sources.rest import mapping, string
from newsletter.sources.text import collapse_space, decode_once, plain_text, unique, web_address

# Sites put a whole organisation into the author's field, or their own address.
_NO_AUTHOR = ("http://", "https://", "@")
_AUTHORS = ("author", "article:author", "parsely-author", "dc.creator", "byl")
_PUBLISHED = (
    *("article:published_time", "og:published_time", "datepublished", "pubdate", "publish-date"),
    *("parsely-pub-date", "dc.date.issued", "dcterms.created", "date"),
)
_MODIFIED = ("article:modified_time", "og:updated_time")


def read_article(body: bytes, url: str, content_type: str = "") -> SourceItem | str:
    """The story that a page is, or why it cannot be one. ``url`` is where it was fetched from."""
    page = read_page(body, url, content_type)
    told, meta = page.article, page.metadata
    is_article = meta.get("og:type", "").lower() == "article" or "article:published_time" in meta
    if not told and not is_article:
        return "it does not call itself an article"
    title = _title(page)
    if not title:
        return "it has no headline"
    published_at = _first_date(string(told.get("datePublished")), meta, _PUBLISHED)
    return SourceItem(
        title=title,
        url=_address(page),
        html=plain_paragraphs(_decoded_lines(string(told.get("articleBody")))),
        excerpt_html=html.escape(_description(page), quote=False),
        author=", ".join(unique(_authors(page))),
        categories=unique(_sections(page)),
        tags=unique((*_keywords(told.get("keywords")), *page.topics)),
        published_at=published_at,
        modified_at=_first_date(string(told.get("dateModified")), meta, _MODIFIED),
        picture=_picture(page),
        language=language_tag(string(told.get("inLanguage"))) or language_tag(page.language),
    )


def _decoded_lines(text: str) -> str:
    """Text with its entities decoded once and its line breaks kept."""
    return "\n".join(decode_once(line) for line in text.splitlines())


def _title(page: PageProfile) -> str:
    told = string(page.article.get("headline")) or string(page.article.get("name"))
    # OpenGraph's title often carries the paper's name; the headline does not.
    return plain_text(told) or decode_once(page.metadata.get("og:title", "")) or page.title


def _address(page: PageProfile) -> str:
    """The canonical address where it is one of this site's pages, else that of the page.

    Broken themes name the front page as canonical on every page.
    """
    for address in (page.canonical, web_address(page.url, page.metadata.get("og:url"))):
        if address and _same_site(address, page.url) and len(urlsplit(address).path) > 1:
            return address
    return page.url


def _same_site(one: str, other: str) -> bool:
    first, second = (
        (urlsplit(url).hostname or "").removeprefix("www.").removeprefix("m.")
        for url in (one, other)
    )
    return first == second


def _description(page: PageProfile) -> str:
    told = string(page.article.get("description"))
    for text in (told, page.metadata.get("og:description"), page.metadata.get("description")):
        if text and text.strip():
            return plain_text(text)
    return ""


def _authors(page: PageProfile) -> Iterator[str]:
    found = list(filter(_is_author, _names(page.article.get("author"))))
    if not found:
        told = (page.metadata.get(name, "") for name in _AUTHORS)
        found = list(filter(_is_author, told))[:1]
    yield from map(plain_text, found)


def _is_author(text: str) -> bool:
    return 0 < len(text) <= 120 and not any(sign in text for sign in _NO_AUTHOR)


def _names(value: Any) -> Iterator[str]:
    """The names of a JSON-LD person, list of persons, or plain text."""
    if isinstance(value, list):
        for entry in value[:20]:
            if not isinstance(entry, list):
                yield from _names(entry)
    elif isinstance(value, dict):
        name = value.get("name")
        yield from (string(each) for each in (name if isinstance(name, list) else [name]))
    else:
        yield string(value)


def _sections(page: PageProfile) -> Iterator[str]:
    told = list(filter(None, _names(page.article.get("articleSection"))))
    for section in told or [page.metadata.get("article:section", "")]:
        yield plain_text(section)


def _keywords(value: Any) -> Iterator[str]:
    """The words of a list, or of a text with commas between them."""
    for entry in (value if isinstance(value, list) else [value])[:50]:
        yield from (plain_text(word) for word in string(entry).split(",")[:50])


def _first_date(told: str, meta: Mapping[str, str], names: tuple[str, ...]) -> datetime | None:
    for text in (told, *(meta.get(name) for name in names)):
        if found := parse_date(text):
            return found
    return None


def _picture(page: PageProfile) -> SourcePicture | None:
    meta = page.metadata
    found = list(_images(page.article.get("image")))
    shared = meta.get("og:image:secure_url") or meta.get("og:image") or meta.get("og:image:url")
    for address, rank in ((shared, 1), (meta.get("twitter:image"), 2)):
        if address:
            found.append(
                Candidate(
                    address,
                    rank=rank,
                    media_type="image",
                    width=pixels(meta.get("og:image:width")) if rank == 1 else None,
                    height=pixels(meta.get("og:image:height")) if rank == 1 else None,
                )
            )
    picture = choose_picture(found, page.url)
    if picture is None:
        return None
    is_shared = picture.url == web_address(page.url, shared)
    alt = collapse_space(meta.get("og:image:alt", "")) if is_shared else ""
    return SourcePicture(
        picture.url, picture.width, picture.height, alt, picture.caption, picture.credit
    )


def _images(value: Any) -> Iterator[Candidate]:
    """JSON-LD's image: an address, an ImageObject, or a list of either, the first being meant."""
    entries = value if isinstance(value, list) else [value]
    for entry in entries[:10]:
        if isinstance(entry, str) and entry:
            yield Candidate(entry, rank=0, media_type="image")
        image = mapping(entry)
        address = string(image.get("url")) or string(image.get("contentUrl"))
        if address:
            yield Candidate(
                address,
                rank=0,
                media_type="image",
                width=pixels(_number(image.get("width"))),
                height=pixels(_number(image.get("height"))),
                caption=string(image.get("caption")),
                credit=string(image.get("creditText")),
            )


def _number(value: Any) -> Any:
    """A size: a number, its text, or a QuantitativeValue."""
    value = value.get("value") if isinstance(value, dict) else value
    return int(value) if isinstance(value, float) and value == value and abs(value) < 1e6 else value
