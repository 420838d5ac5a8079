"""From one site address to what a paper's settings need: every fact with its origin."""

import html
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit
from zoneinfo import available_timezones

from newsletter.errors import FetchError, SourceError
from newsletter.net.fetcher import Fetcher
from newsletter.net.response import Response, TlsFailure, Unreachable
from newsletter.net.robots import Robots
from newsletter.publication.sources import Source
from newsletter.sources.counters import counters_by_namespace, counters_by_script
from newsletter.sources.feed_profile import FeedProfile, language_tag
from newsletter.sources.feeds import FEED_TYPES, MAX_FEED_BYTES, is_feed, read_feed_profile
from newsletter.sources.ghost import read_ghost_settings
from newsletter.sources.koko import NAMESPACE as KOKO
from newsletter.sources.logo_colour import MAX_LOGO_BYTES, dominant_colour
from newsletter.sources.model import Finding, FoundSource, PrintedCounter, SiteProfile
from newsletter.sources.page import MAX_PAGE_BYTES, PageProfile, read_page
from newsletter.sources.popular_posts import NAMESPACE as POPULAR_POSTS
from newsletter.sources.rest import get_json, mapping, rest_url, string
from newsletter.sources.sitemap import list_pages
from newsletter.sources.text import collapse_space, plain_text, unique, web_address

FEED_GUESSES = ("/feed/", "/rss/", "/feed.xml", "/index.xml", "/atom.xml")
_FEEDS_TRIED = 3
_ROOT_FIELDS = (
    "name,description,home,url,timezone_string,gmt_offset,namespaces,site_icon_url,site_logo"
)
_REST_LINK = re.compile(r"<([^<>]+)>\s*;[^<]*rel=\"?https://api\.w\.org/\"?")
# WordPress and Ghost tell of changes and deletions, a feed of its newest entries
# with their text, a sitemap of addresses only.
_PREFERENCE = ("wordpress", "ghost", "feed", "sitemap")
_COLOUR = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_SITEMAPS_TRIED = 3
# Mail programs show no SVG, and Windows' Outlook shows no WebP or AVIF.
_NO_MAIL_PICTURE = (".svg", ".ico", ".webp", ".avif")


def discover_site(fetcher: Fetcher, url: str, *, allow_private: bool = False) -> SiteProfile:
    """Learn what a site tells of itself, from its address or its feed's.

    ``url`` may lack its scheme. FetchError if the address itself cannot be
    read; what fails behind it becomes a warning, and the rest is kept. Asked
    for are, in this order: the page, a WordPress REST root with one post and the
    logo, the feeds that the page names until one can be read, a Ghost Content
    API, robots.txt and the sitemaps it names, the usual places of feeds; and
    the logo itself where nothing else tells a colour.
    """
    visit = _Visit(fetcher, allow_private)
    response = _open(visit, url)
    if is_feed(response):
        return _profile_of_feed(visit, response)
    _look_at_page(visit, response)
    return visit.profile(response.url)


@dataclass
class _Visit:
    """What has been found so far; the first finding of a thing is the one proposed."""

    fetcher: Fetcher
    allow_private: bool
    findings: list[Finding] = field(default_factory=list)
    sources: list[FoundSource] = field(default_factory=list)
    reads: list[FoundSource] = field(default_factory=list)
    counters: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def note(self, what: str, value: str | None, origin: str) -> None:
        text = collapse_space(value or "")
        if text:
            self.findings.append(Finding(what, text, origin))

    def told(self, what: str) -> str:
        return next((finding.value for finding in self.findings if finding.what == what), "")

    def fetch(self, url: str, *, max_bytes: int, accept: str) -> Response:
        return self.fetcher.get(
            url, max_bytes=max_bytes, accept=accept, allow_private=self.allow_private
        )

    def profile(self, url: str) -> SiteProfile:
        if not self.sources:
            self.warnings.append(
                f"no feed, no open WordPress REST, no Ghost and no sitemap was found at {url}; "
                "give the address of a feed instead"
            )
        # Found in the order of looking; proposed in the order of what each can tell.
        self.sources.sort(key=lambda source: _PREFERENCE.index(source.kind))
        if not self.told("timezone"):
            self.warnings.append(
                "the site does not tell its time zone; set it, as in America/New_York"
            )
        return SiteProfile(
            url=self.told("home") or url,
            name=self.told("name"),
            short_name=self.told("short name"),
            description=self.told("description"),
            timezone=self.told("timezone") or None,
            language=self.told("language") or None,
            logo=self.told("logo") or self.told("icon") or None,
            colour=self.told("colour") or None,
            social=tuple(f.value for f in self.findings if f.what == "social"),
            sources=tuple(dict.fromkeys(self.sources)),
            reads=tuple(dict.fromkeys(self.reads)),
            counters=unique(self.counters),
            findings=tuple(self.findings),
            warnings=unique(self.warnings),
        )


def _open(visit: _Visit, url: str) -> Response:
    """The page at ``url``; without a scheme https first, http where nothing answers there."""
    accept = f"text/html, {FEED_TYPES}"
    url = url.strip()
    if "://" in url:
        return visit.fetch(url, max_bytes=MAX_FEED_BYTES, accept=accept)
    try:
        return visit.fetch(f"https://{url}", max_bytes=MAX_FEED_BYTES, accept=accept)
    except (Unreachable, TlsFailure) as error:
        # A bad certificate is no reason to go on in the clear, save at home.
        if isinstance(error, TlsFailure) and not visit.allow_private:
            raise
        try:
            return visit.fetch(f"http://{url}", max_bytes=MAX_FEED_BYTES, accept=accept)
        except Unreachable:
            raise error from None


def _profile_of_feed(visit: _Visit, response: Response) -> SiteProfile:
    """The address was a feed: it is the first source, its site is asked for the rest."""
    feed = _note_feed(visit, response, "the feed")
    visit.sources.append(FoundSource("feed", response.url))
    home = feed.link or urljoin(response.url, "/")
    visit.note("home", home, "the feed")
    try:
        page = visit.fetch(home, max_bytes=MAX_PAGE_BYTES, accept="text/html, */*;q=0.1")
    except FetchError as error:
        visit.warnings.append(f"the feed's site could not be looked at: {error}")
    else:
        _look_at_page(visit, page)
    return visit.profile(home)


def _note_feed(visit: _Visit, response: Response, origin: str) -> FeedProfile:
    content_type = response.headers.get("content-type", "")
    feed = read_feed_profile(response.body, response.url, content_type)
    visit.note("name", feed.name, origin)
    visit.note("description", feed.description, origin)
    visit.note("language", feed.language, origin)
    visit.note("icon", _mail_picture(visit, feed.logo), origin)
    return feed


def _look_at_page(visit: _Visit, response: Response) -> None:
    page = read_page(response.body, response.url, response.headers.get("content-type", ""))
    root = _rest_root(page, response)
    if root is not None:
        _look_at_rest(visit, root)
    _note_page(visit, page)
    _look_for_named_feed(visit, page)
    if page.ghost_key or "ghost" in page.metadata.get("generator", "").lower():
        _look_at_ghost(visit, page)
    _look_for_sitemaps(visit, page)
    if not any(source.kind in ("wordpress", "ghost", "feed") for source in visit.sources):
        _guess_feed(visit, page)
    visit.note("name", page.title, "the page's title")
    _look_for_csv(visit, page)
    _note_counters(visit, counters_by_script(page.scripts), "a script on the page")
    if page.printed_counter:
        visit.reads.append(PrintedCounter("page", page.url, page.printed_counter))
        visit.note("reads", page.printed_counter, "a number printed on the page")
    _note_colour(visit, page)


def _rest_root(page: PageProfile, response: Response) -> str | None:
    """The WordPress REST root, as the site announces it, or where it mostly is."""
    announced = _REST_LINK.search(response.headers.get("link", ""))
    if announced:
        return web_address(response.url, announced[1])
    for link in page.links_of("https://api.w.org/"):
        return link.url
    return urljoin(response.url, "/wp-json/") if page.is_wordpress else None


def _look_at_rest(visit: _Visit, root: str) -> None:
    origin = "WordPress REST"
    try:
        told, _ = get_json(
            visit.fetcher,
            rest_url(root, "", {"_fields": _ROOT_FIELDS}),
            allow_private=visit.allow_private,
        )
        posts, _ = get_json(
            visit.fetcher,
            rest_url(root, "wp/v2/posts", {"per_page": "1", "_fields": "id"}),
            allow_private=visit.allow_private,
        )
    except SourceError as error:
        visit.warnings.append(f"WordPress REST can't be used here: {error}")
        return
    facts = mapping(told)
    if isinstance(posts, list):
        visit.sources.append(FoundSource("wordpress", root))
        visit.note("source", root, origin)
    visit.note("name", plain_text(string(facts.get("name"))), origin)
    visit.note("description", plain_text(string(facts.get("description"))), origin)
    visit.note("home", web_address(root, string(facts.get("home"))), origin)
    _note_zone(visit, facts, origin)
    visit.note("logo", _uploaded_logo(visit, root, facts.get("site_logo")), f"{origin}, site logo")
    icon = _mail_picture(visit, web_address(root, string(facts.get("site_icon_url"))))
    visit.note("icon", icon, f"{origin}, icon")
    told_namespaces = facts.get("namespaces")
    namespaces = list(map(str, told_namespaces)) if isinstance(told_namespaces, list) else []
    _note_counters(visit, counters_by_namespace(namespaces), f"{origin}, its namespaces")
    if POPULAR_POSTS in namespaces:
        visit.reads.append(FoundSource("wordpress-popular-posts", root))
        visit.note("reads", root, f"{origin}, the plugin WordPress Popular Posts")
    if KOKO in namespaces:
        visit.reads.append(FoundSource("koko-analytics", root))
        visit.note("reads", root, f"{origin}, the plugin Koko Analytics")


def _note_zone(visit: _Visit, facts: Any, origin: str) -> None:
    zone = string(facts.get("timezone_string"))
    offset = facts.get("gmt_offset")
    if zone in available_timezones():
        visit.note("timezone", zone, origin)
    elif isinstance(offset, int | float | str) and str(offset).strip():
        visit.note("offset", f"UTC{_signed(str(offset))}", origin)
        visit.warnings.append(
            f"the site tells only that it is at UTC{_signed(str(offset))}, without the rule of its "
            "clock changes; set timezone to a name such as America/New_York"
        )


def _signed(offset: str) -> str:
    offset = offset.strip()
    return offset if offset.startswith(("-", "+")) else f"+{offset}"


def _uploaded_logo(visit: _Visit, root: str, number: Any) -> str | None:
    """The address of the logo, of which the REST root tells the id only."""
    if isinstance(number, bool) or not isinstance(number, int) or number <= 0:
        return None
    url = rest_url(root, f"wp/v2/media/{number}", {"_fields": "source_url"})
    try:
        media, _ = get_json(visit.fetcher, url, allow_private=visit.allow_private)
    except SourceError as error:
        visit.warnings.append(f"the site's logo could not be looked up: {error}")
        return None
    return _mail_picture(visit, web_address(root, string(mapping(media).get("source_url"))))


def _mail_picture(visit: _Visit, url: str | None) -> str | None:
    """The address, if mail programs can show such a file."""
    if url and urlsplit(url).path.lower().endswith(_NO_MAIL_PICTURE):
        visit.warnings.append(f"mail programs can't show the logo {url}; give it as PNG or JPEG")
        return None
    return url


def _note_page(visit: _Visit, page: PageProfile) -> None:
    for what, value, origin in _page_facts(page):
        visit.note(what, value, origin)
    for what, value, origin in _logos(page):
        if url := _mail_picture(visit, web_address(page.url, value)):
            visit.note(what, url, origin)
    for url in page.social:
        visit.note("social", url, "a link on the page")


def _page_facts(page: PageProfile) -> Iterator[tuple[str, str, str]]:
    for document, origin in (
        (page.organisation, "JSON-LD organisation"),
        (page.site, "JSON-LD site"),
    ):
        yield "name", html.unescape(string(document.get("name"))), origin
        yield "short name", html.unescape(string(document.get("alternateName"))), origin
    yield "name", page.metadata.get("og:site_name", ""), "og:site_name"
    for name in ("apple-mobile-web-app-title", "application-name"):
        yield "short name", page.metadata.get(name, ""), name
    for name in ("description", "og:description"):
        yield "description", page.metadata.get(name, ""), name
    yield "language", language_tag(page.language) or "", "the page's lang"
    locale = page.metadata.get("og:locale", "")
    yield "language", language_tag(locale) or "", "og:locale"


def _logos(page: PageProfile) -> Iterator[tuple[str, str, str]]:
    logo = page.organisation.get("logo")
    if isinstance(logo, dict):
        logo = logo.get("url") or logo.get("contentUrl")
    yield "logo", string(logo), "JSON-LD logo"
    yield "logo", page.metadata.get("og:logo", ""), "og:logo"
    for link in sorted(page.links_of("apple-touch-icon"), key=_icon_size, reverse=True):
        yield "icon", link.url, "apple-touch-icon"
        break


def _icon_size(link: Any) -> int:
    width = str(link.sizes).partition("x")[0]
    return int(width[:5]) if width.isdecimal() else 0


def _look_for_named_feed(visit: _Visit, page: PageProfile) -> None:
    """Add the first feed that can be read of those that the page names."""
    for link in page.feeds[:_FEEDS_TRIED]:
        try:
            _add_feed(visit, link.url, "a feed link on the page")
        except SourceError as error:
            visit.warnings.append(f"a feed that the page names can't be used: {error}")
            continue
        return


def _guess_feed(visit: _Visit, page: PageProfile) -> None:
    """Add the first feed that lies where feeds mostly do."""
    for guess in FEED_GUESSES:
        with suppress(SourceError):  # it was only a guess
            _add_feed(visit, urljoin(page.url, guess), "a usual place")
            return


def _add_feed(visit: _Visit, url: str, origin: str) -> None:
    if any(source.kind == "feed" for source in visit.sources):
        return
    response = visit.fetch(url, max_bytes=MAX_FEED_BYTES, accept=FEED_TYPES)
    _note_feed(visit, response, "the feed")
    visit.sources.append(FoundSource("feed", response.url))
    visit.note("source", response.url, origin)


def _look_at_ghost(visit: _Visit, page: PageProfile) -> None:
    """Ghost writes a public key into its pages, with which its Content API may be read."""
    if not page.ghost_key:
        visit.warnings.append("the site is made with Ghost, but shows no key of its Content API")
        return
    url = urljoin(page.url, f"/ghost/api/content/?key={page.ghost_key}")
    origin = "Ghost's Content API"
    try:
        told = read_ghost_settings(visit.fetcher, url, allow_private=visit.allow_private)
    except SourceError as error:
        visit.warnings.append(f"Ghost's Content API can't be used here: {error}")
        return
    visit.sources.append(FoundSource("ghost", url))
    visit.note("source", url, origin)
    visit.note("name", told.name, origin)
    visit.note("description", told.description, origin)
    if told.timezone in available_timezones():
        visit.note("timezone", told.timezone, origin)
    visit.note("language", language_tag(told.language), origin)
    visit.note("logo", _mail_picture(visit, told.logo), origin)
    visit.note("icon", _mail_picture(visit, told.icon), origin)
    visit.note("colour", _colour(told.colour), f"{origin}, accent colour")
    for account in told.social:
        if account not in [f.value for f in visit.findings if f.what == "social"]:
            visit.note("social", account, origin)


def _look_for_sitemaps(visit: _Visit, page: PageProfile) -> None:
    """Note what robots.txt names; the best is proposed where nothing better was found."""
    rules = Robots(visit.fetcher).rules_for(page.url, allow_private=visit.allow_private)
    named = unique(filter(None, (web_address(page.url, url) for url in rules.sitemaps)))
    # A news sitemap first: it names stories only, with their times.
    ordered = sorted(named, key=lambda url: "news" not in urlsplit(url).path.lower())
    for url in ordered[:_SITEMAPS_TRIED]:
        visit.note("sitemap", url, "robots.txt")
        if visit.sources:
            continue
        try:
            offered = list_pages(
                visit.fetcher,
                Source(slug="site", url=url, kind="sitemap", allow_private=visit.allow_private),
            )
        except SourceError as error:
            visit.warnings.append(f"a sitemap that robots.txt names can't be used: {error}")
            continue
        # A news sitemap may be empty: it holds the last two days only.
        if offered.entries or "news" in urlsplit(url).path.lower():
            visit.sources.append(FoundSource("sitemap", url))
            visit.note("source", url, "robots.txt")


def _note_counters(visit: _Visit, names: Iterable[str], origin: str) -> None:
    for name in names:
        if name not in visit.counters:
            visit.counters.append(name)
            visit.note("counter", name, origin)


def _note_colour(visit: _Visit, page: PageProfile) -> None:
    visit.note("colour", _colour(page.metadata.get("theme-color", "")), "theme-color")
    logo = visit.told("logo") or visit.told("icon")
    if visit.told("colour") or not logo:
        return
    try:
        response = visit.fetch(logo, max_bytes=MAX_LOGO_BYTES, accept="image/*")
    except FetchError as error:
        visit.warnings.append(f"the site's logo could not be looked at: {error}")
        return
    visit.note("colour", dominant_colour(response.body), "the logo's pixels")


def _colour(text: str) -> str | None:
    """A colour as ``#rrggbb``, from that or its short form."""
    match = _COLOUR.fullmatch(text.strip())
    if match is None:
        return None
    digits = match[1].lower()
    return "#" + ("".join(2 * digit for digit in digits) if len(digits) == 3 else digits)


def _look_for_csv(visit: _Visit, page: PageProfile) -> None:
    """Reads that the page offers: ``<link rel="alternate" type="text/csv" title="reads">``."""
    for link in page.links_of("alternate"):
        if link.media_type == "text/csv" and link.title.lower() == "reads":
            visit.reads.append(FoundSource("csv", link.url))
            visit.note("reads", link.url, "a CSV link on the page")
