"""Addresses that would lead us home, through every door by which a site names one.

The whole way from the settings to the socket is real, but for what stands in
for DNS and for the last step of a connection.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from newsletter.config import load_config
from newsletter.errors import FetchError, SourceError
from newsletter.issues.model import Issue
from newsletter.net.fetcher import Fetcher
from newsletter.net.guard import PUBLIC_PORTS, resolve_host
from newsletter.sources.discovery import discover_site
from newsletter.stories.model import Picture
from newsletter.workflows.fetch import fetch_stories
from newsletter.workflows.illustrate import illustrate_issue
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.reads import sync_reads
from tests.acceptance.moving_clock import MovingClock
from tests.contracts.nouns import an_issue
from tests.web_pages import site

__all__ = ["site"]

NOW = datetime(2025, 8, 5, 12, tzinfo=UTC)
PAPER, BOTH = "93.184.215.14", "93.184.215.15"
HOSTS = [
    # Loopback, private and carriers' networks, in each way in which resolvers read numbers.
    *("127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1"),
    *("017700000001", "127.000.000.001", "10.0.0.1", "167772161", "0xa.0.0.1", "012.0.0.1"),
    *("172.16.0.1", "192.168.0.1", "3232235521", "100.64.0.1", "localhost", "localhost."),
    # Link-local (a cloud's credentials), nobody's, everybody's, and networks for tests.
    *("169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0.0.0.0", "0"),
    *("255.255.255.255", "224.0.0.1", "240.0.0.1", "198.18.0.1", "192.0.2.1", "192.0.0.8"),
    # The same in the next version of the protocol, plain and wrapped.
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]"),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]"),
    *("[64:ff9b::127.0.0.1]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2001:0:1::1]"),
    *("[fec0::1]", "[ff02::1]", "[::ffff:0:127.0.0.1]"),
    # Letters and dots that become digits and dots, and what stands before an @.
    *("①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1", "paper.example@127.0.0.1"),
    *("127.0.0.1\\@paper.example", "paper.example:80@10.0.0.1"),
    # Names that somebody's DNS answers with such numbers.
    *("inside.example", "mapped.example", "metadata.example", "turning.example"),
]  # fmt: skip
TARGETS = [
    *(f"http://{host}/hurt" for host in HOSTS),
    *("http://both.example/hurt", "http://paper.example:6379/hurt", "http://paper.example:22/"),
    *("file:///etc/passwd", "gopher://127.0.0.1:70/_hurt", "ftp://10.0.0.1/hurt", "//127.0.0.1/x"),
    *("dict://127.0.0.1:11211/stat", "http:127.0.0.1/hurt", "http:///127.0.0.1/hurt"),
]
NAMES = {
    "paper.example": [PAPER],
    "both.example": ["10.0.0.7", BOTH, "127.0.0.1", "::1"],
    "inside.example": ["10.0.0.7"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
}


@dataclass
class World:
    """The web as we see it: two public hosts, both ``site``; ``opened`` is what we connected to."""

    site: Any
    opened: list[tuple[str, int]] = field(default_factory=list)
    turns: int = 0

    def resolve(self, host: str, port: int) -> list[str]:
        if host == "turning.example":  # public when it is looked at, private afterwards
            self.turns += 1
            return [BOTH] if self.turns % 2 else ["127.0.0.1"]
        if host.rstrip(".").endswith(".example"):
            return NAMES.get(host, [])
        return resolve_host(host, port)

    def connect(self, address: str, port: int, seconds: float) -> httpcore2.NetworkStream:
        self.opened.append((address, port))
        return httpcore2.SyncBackend().connect_tcp(
            "127.0.0.1", self.site.port, timeout=seconds, socket_options=()
        )

    @contextmanager
    def fetcher(self) -> Iterator[Fetcher]:
        with Fetcher(
            "newsletter/0", seconds_between=0, resolve=self.resolve, connect=self.connect
        ) as fetcher:
            yield fetcher

    def redirect(self, path: str, target: str) -> None:
        self.site.page(path, b"", status=302, Location=target)


ENTRY = (
    "<item><title>T{n}</title><link>https://paper.example/{n}</link><guid>{n}</guid>"
    '<enclosure type="image/jpeg" url="{target}"/><media:content medium="image" url="{target}"/>'
    "<description>&lt;img src='{target}'&gt;</description></item>"
)
FEED = (
    '<rss xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom">'
    '<channel><title>P</title><link>{target}</link><atom:link rel="next" href="{target}"/>'
    "<image><url>{target}</url></image>{entry}</channel></rss>"
)
PAGE = (
    '<html><head><title>P</title><link rel="https://api.w.org/" href="{target}"><link '
    'rel="alternate" type="application/rss+xml" href="{target}"><link rel="alternate" '
    'type="application/atom+xml" href="/away"><link rel="apple-touch-icon" href="{target}">'
    '<link rel="canonical" href="{target}"><base href="{target}"><script data-key='
    '"22444f78447824223cefc48062"></script></head></html>'
)
SITEMAP = "<urlset><url><loc>{target}</loc></url><url><loc>/away</loc></url></urlset>"
INDEX = (
    "<sitemapindex><sitemap><loc>{target}</loc></sitemap><sitemap><loc>/away</loc></sitemap>"
    "</sitemapindex>"
)


def lead_by_redirect(world: World, target: str) -> None:
    for path in ("/feed", "/wp-json/wp/v2/posts", "/ghost/api/content/posts/", "/sitemap.xml"):
        world.redirect(path, target)


def lead_by_feed(world: World, target: str) -> None:
    """Its pictures, enclosures and site."""
    entry = ENTRY.format(n=1, target=target)
    world.site.page("/feed", FEED.format(target=target, entry=entry).encode())


def lead_by_json_feed(world: World, target: str) -> None:
    """The same, and its next page."""
    item = {"id": "1", "title": "T", "url": "https://paper.example/j", "image": target}
    feed = {"version": "https://jsonfeed.org/version/1.1", "next_url": target, "items": [item]}
    world.site.page("/feed", json.dumps({**feed, "home_page_url": target}).encode())


def lead_by_sitemap(world: World, target: str) -> None:
    world.site.page("/sitemap.xml", SITEMAP.format(target=target).encode())
    world.redirect("/away", target)


def lead_by_index(world: World, target: str) -> None:
    world.site.page("/sitemap.xml", INDEX.format(target=target).encode())
    world.redirect("/away", target)


def lead_by_robots(world: World, target: str) -> None:
    lead_by_sitemap(world, target)
    world.redirect("/robots.txt", target)


WAYS: dict[str, Callable[[World, str], None]] = {
    "redirect": lead_by_redirect,
    "feed": lead_by_feed,
    "json": lead_by_json_feed,
    "sitemap": lead_by_sitemap,
    "index": lead_by_index,
    "robots": lead_by_robots,
}
CONFIG = """\
data_dir = "data"
[publication]
name = "P"
url = "http://paper.example"
"""
SOURCES = {
    "feed": "http://paper.example/feed",
    "wordpress": "http://paper.example/wp-json/",
    "ghost": "http://paper.example/ghost/api/content/?key=22444f78447824223cefc48062",
    "sitemap": "http://paper.example/sitemap.xml",
}


@pytest.fixture
def world(site: Any) -> World:
    return World(site)


@contextmanager
def opened(folder: Path, world: World, text: str) -> Iterator[Installation]:
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG + text, encoding="utf-8")
    config = load_config(folder / "config.toml", {})
    with (
        open_installation(config, MovingClock(NOW)) as installation,
        world.fetcher() as fetcher,
    ):
        yield replace(installation, fetcher=fetcher)


def assert_only_public(world: World) -> None:
    assert world.opened  # it did ask
    assert {address for address, _ in world.opened} <= {PAPER, BOTH}
    assert {port for _, port in world.opened} <= PUBLIC_PORTS


@pytest.mark.parametrize("way", WAYS)
def test_sources_lead_nowhere_but_to_the_web(way: str, world: World, tmp_path: Path) -> None:
    sources = "".join(
        f'[[source]]\nslug = "{kind}"\nkind = "{kind}"\nurl = "{url}"\n'
        for kind, url in SOURCES.items()
    )
    with opened(tmp_path / "house", world, sources) as installation:
        for target in TARGETS:
            WAYS[way](world, target)
            for report in fetch_stories(installation):
                assert "Traceback" not in report.error
    assert_only_public(world)


def test_a_source_at_home_is_refused_with_the_mend(world: World, tmp_path: Path) -> None:
    targets = [target for target in TARGETS if target.startswith("http://")]
    sources = "".join(
        f'[[source]]\nslug = "s{number}"\nkind = "feed"\nurl = \'{target}\'\n'
        for number, target in enumerate(targets)
    )
    with opened(tmp_path / "house", world, sources) as installation:
        reports = fetch_stories(installation)
        assert len(reports) == len(targets)
        assert [report.source for report in reports if not report.error] == []
    assert {address for address, _ in world.opened} <= {PAPER, BOTH}


@pytest.mark.parametrize("kind", ["csv", "wordpress-popular-posts", "koko-analytics"])
def test_counters_lead_nowhere_but_to_the_web(kind: str, world: World, tmp_path: Path) -> None:
    text = (
        '[[source]]\nslug = "site"\nurl = "http://paper.example/feed"\n'
        f'[[reads]]\nslug = "counter"\nsource = "site"\nkind = "{kind}"\n'
        'url = "http://paper.example/counter/"\n'
    )

    def answer(request: Any) -> None:
        request.send_response(302)
        request.send_header("Location", target)
        request.send_header("Content-Length", "0")
        request.end_headers()

    with opened(tmp_path / "house", world, text) as installation:
        for target in TARGETS:
            for path in ("/counter/", "/counter/wordpress-popular-posts/v1/popular-posts",
                         "/counter/koko-analytics/v1/posts"):  # fmt: skip
                world.site.pages[path] = answer
            (report,) = sync_reads(installation)
            assert report.error, target
    assert_only_public(world)


def test_pictures_lead_nowhere_but_to_the_web(world: World, tmp_path: Path) -> None:
    """By their own address, and by where the site's sends us."""
    issue = an_issue()
    (section,) = issue.sections

    def illustrated_by(*urls: str) -> Issue:
        items = tuple(
            replace(item, picture=Picture(url))
            for item, url in zip(section.items, urls, strict=True)
        )
        return replace(issue, sections=(replace(section, kind="latest", items=items),))

    source = '[[source]]\nslug = "site"\nurl = "http://paper.example/feed"\n'
    with opened(tmp_path / "house", world, source) as installation:
        settings = installation.settings()
        for target in TARGETS:
            world.redirect("/picture.jpg", target)
            urls = (target, "http://paper.example/picture.jpg")
            illustrated = illustrate_issue(installation, settings, illustrated_by(*urls))
            assert [item.picture for item in illustrated.issue.items] == [None, None], target
            assert len(illustrated.notices) == 2
    assert_only_public(world)


def test_discovery_leads_nowhere_but_to_the_web(world: World) -> None:
    with world.fetcher() as fetcher:
        for target in TARGETS:
            world.site.page("/", PAGE.format(target=target).encode())
            world.redirect("/away", target)
            robots = f"Sitemap: {target}\nSitemap: http://paper.example/s.xml\n"
            world.site.page("/robots.txt", robots.encode())
            world.site.page("/s.xml", INDEX.format(target=target).encode())
            profile = discover_site(fetcher, "http://paper.example/")
            assert all("example/" in source.url for source in profile.sources), target
    assert_only_public(world)


@pytest.mark.parametrize("target", TARGETS)
def test_an_address_at_home_is_not_discovered(target: str, world: World) -> None:
    with world.fetcher() as fetcher, pytest.raises((FetchError, SourceError)):
        discover_site(fetcher, target)
    assert {address for address, _ in world.opened} <= {PAPER, BOTH}
