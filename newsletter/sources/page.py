"""What one HTML page tells of itself and its site: head, metadata, scripts, social accounts.

JSON-LD by https://schema.org/Organization and WebSite, OpenGraph by https://ogp.me.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from newsletter.sources.charset import decode_text
from newsletter.sources.counters import PRINTED
from newsletter.sources.text import collapse_space, unique, web_address

MAX_PAGE_BYTES = 5_000_000

_JSON_FEED = "application/feed+json"
_FEED_TYPES = frozenset(
    ("application/rss+xml", "application/atom+xml", "application/rdf+xml", _JSON_FEED)
)
_SOCIAL = {
    "facebook.com": "facebook",
    "twitter.com": "x",
    "x.com": "x",
    "instagram.com": "instagram",
    "youtube.com": "youtube",
    "t.me": "telegram",
    "telegram.me": "telegram",
    "linkedin.com": "linkedin",
    "bsky.app": "bluesky",
    "mastodon.social": "mastodon",
    "mastodon.online": "mastodon",
    "mstdn.social": "mastodon",
}
# Buttons that share the page, and single posts, lead to the same hosts as the paper's own account.
_NOT_AN_ACCOUNT = re.compile(
    r"^/(?:sharer?|share-offsite|sharearticle|intent|dialog|plugins|embed|watch|p|login|hashtag|home"
    r"|groups|tr)(?:[/.]|$)|/(?:status|posts|videos|photos|reel|statuses)/",
    re.IGNORECASE,
)
_ORGANISATIONS = frozenset(("Organization", "NewsMediaOrganization", "Corporation", "NGO"))
_SITES = frozenset(("WebSite", "Newspaper", "Periodical"))
_ARTICLES = frozenset(
    (
        *("NewsArticle", "ReportageNewsArticle", "AnalysisNewsArticle", "OpinionNewsArticle"),
        *("BackgroundNewsArticle", "ReviewNewsArticle", "Article", "BlogPosting"),
        "LiveBlogPosting",
    )
)
_SCRIPT_CHARACTERS = 2_000
_GHOST_KEY = re.compile(r"[0-9a-f]{22,40}")


@dataclass(frozen=True)
class PageLink:
    """A ``<link>`` of the page's head, its address absolute."""

    rel: frozenset[str]
    url: str
    media_type: str
    title: str
    sizes: str


@dataclass(frozen=True)
class PageProfile:
    """What a page tells; empty where it tells nothing.

    ``metadata`` holds the first content of each ``<meta>``, by its name or
    property in lower case. ``organisation``, ``site`` and ``article`` are
    JSON-LD objects. ``scripts`` are the addresses of its scripts and what
    stands in them, shortened; ``ghost_key`` opens the site's Ghost Content API.
    ``printed_counter`` selects where it prints how often something was read.
    """

    url: str
    title: str
    language: str
    links: tuple[PageLink, ...]
    metadata: Mapping[str, str]
    organisation: Mapping[str, Any]
    site: Mapping[str, Any]
    article: Mapping[str, Any]
    topics: tuple[str, ...]
    social: tuple[str, ...]
    scripts: tuple[str, ...]
    ghost_key: str
    is_wordpress: bool
    printed_counter: str

    def links_of(self, rel: str) -> list[PageLink]:
        return [link for link in self.links if rel in link.rel]

    @property
    def canonical(self) -> str | None:
        """The address that the page gives itself by ``rel=canonical``."""
        return next((link.url for link in self.links_of("canonical")), None)

    @property
    def feeds(self) -> list[PageLink]:
        """The site's own feeds: not those of comments, nor of one story, author or topic.

        JSON Feed comes first, for it says most plainly what is what.
        """
        found = [link for link in self.links_of("alternate") if link.media_type in _FEED_TYPES]
        site_level = [link for link in found if not _is_side_feed(link)]
        return sorted(
            site_level,
            key=lambda link: (len(urlsplit(link.url).path) > 40, link.media_type != _JSON_FEED),
        )


def read_page(body: bytes, url: str, content_type: str = "") -> PageProfile:
    """Read a page; ``url`` is where it was fetched from. Broken HTML is read as browsers do."""
    tree = LexborHTMLParser(decode_text(body, content_type))
    base = url
    if (element := tree.css_first("base[href]")) is not None:
        base = web_address(url, element.attributes.get("href")) or url
    root = tree.css_first("html")
    title = tree.css_first("title")
    documents = list(_json_ld(tree))
    markup = tree.html or ""
    return PageProfile(
        url=url,
        title=collapse_space(title.text()) if title is not None else "",
        language=(root.attributes.get("lang") or "") if root is not None else "",
        links=tuple(_links(tree, base)),
        metadata=_metadata(tree),
        organisation=_first_of(documents, _ORGANISATIONS),
        site=_first_of(documents, _SITES),
        article=_first_of(documents, _ARTICLES),
        topics=_topics(tree),
        social=_social(tree, base),
        scripts=tuple(_scripts(tree)),
        ghost_key=_ghost_key(tree),
        is_wordpress="/wp-content/" in markup or "/wp-includes/" in markup,
        printed_counter=_printed_counter(tree),
    )


def _is_side_feed(link: PageLink) -> bool:
    parts = urlsplit(link.url)
    path = parts.path.lower()
    if "comment" in path or "comment" in link.title.lower() or "feed=comments" in parts.query:
        return True
    return any(word in path for word in ("/category/", "/tag/", "/author/", "/topic/"))


def _links(tree: LexborHTMLParser, base: str) -> Iterator[PageLink]:
    for element in tree.css("link[rel][href]"):
        url = web_address(base, element.attributes.get("href"))
        if url is None:
            continue
        yield PageLink(
            rel=frozenset((element.attributes.get("rel") or "").lower().split()),
            url=url,
            media_type=(element.attributes.get("type") or "").partition(";")[0].strip().lower(),
            title=collapse_space(element.attributes.get("title") or ""),
            sizes=(element.attributes.get("sizes") or "").lower(),
        )


def _metadata(tree: LexborHTMLParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in tree.css("meta[content]"):
        name = element.attributes.get("property") or element.attributes.get("name") or ""
        content = collapse_space(element.attributes.get("content") or "")
        if name and content:
            found.setdefault(name.strip().lower(), content)
    return found


def _topics(tree: LexborHTMLParser) -> tuple[str, ...]:
    """The page's article:tag entries, of which there is one for each tag."""
    found = tree.css('meta[property="article:tag"][content]')
    return unique(collapse_space(each.attributes.get("content") or "") for each in found)


def _scripts(tree: LexborHTMLParser) -> Iterator[str]:
    for element in tree.css("script"):
        kind = element.attributes.get("type") or ""
        if "json" not in kind:
            yield (element.attributes.get("src") or element.text())[:_SCRIPT_CHARACTERS]


def _printed_counter(tree: LexborHTMLParser) -> str:
    for selector in PRINTED:
        if any(map(str.isdecimal, "".join(node.text() for node in tree.css(selector)))):
            return selector
    return ""


def _ghost_key(tree: LexborHTMLParser) -> str:
    """The public key that Ghost writes into its search and member scripts."""
    for element in tree.css("script[data-key]"):
        if match := _GHOST_KEY.fullmatch(element.attributes.get("data-key") or ""):
            return match[0]
    return ""


def _json_ld(tree: LexborHTMLParser) -> Iterator[Mapping[str, Any]]:
    """Every JSON-LD object of the page; what is not JSON is passed over, as search engines do."""
    for element in tree.css('script[type="application/ld+json"]'):
        try:
            document = json.loads(element.text())
        except (ValueError, RecursionError):
            continue
        yield from _flatten(document, depth=0)


def _flatten(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > 6:
        return
    if isinstance(value, list):
        for entry in value:
            yield from _flatten(entry, depth + 1)
    elif isinstance(value, dict):
        yield value
        for key in ("@graph", "publisher", "isPartOf", "mainEntityOfPage", "about"):
            yield from _flatten(value.get(key), depth + 1)


def _first_of(documents: list[Mapping[str, Any]], types: frozenset[str]) -> Mapping[str, Any]:
    for document in documents:
        told = document.get("@type")
        names = told if isinstance(told, list) else [told]
        if any(isinstance(name, str) and name in types for name in names):
            return document
    return {}


def _social(tree: LexborHTMLParser, base: str) -> tuple[str, ...]:
    """The paper's accounts: the first address of each network that is not a share button."""
    found: dict[str, str] = {}
    for element in tree.css("a[href]"):
        url = web_address(base, element.attributes.get("href"))
        if url is None:
            continue
        rel = (element.attributes.get("rel") or "").lower().split()
        network = _network_of(url, is_me="me" in rel)
        if network:
            found.setdefault(network, url)
    return unique(found.values())


def _network_of(url: str, *, is_me: bool) -> str | None:
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    path = parts.path.rstrip("/")
    if len(path) < 2 or _NOT_AN_ACCOUNT.search(parts.path):
        return None
    # Mastodon lives on any host; the page says that an account is its own by rel="me".
    return _SOCIAL.get(host) or ("mastodon" if is_me and path.startswith("/@") else None)
