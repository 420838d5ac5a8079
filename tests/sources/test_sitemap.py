"""Sitemaps, their indices, and the crawl of their pages."""

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.clock import SystemClock
from newsletter.errors import ParseError
from newsletter.net.fetcher import Fetcher
from newsletter.net.robots import RobotRules, Robots, parse_robots
from newsletter.publication.sources import Source
from newsletter.sources.crawl import PAGES_A_POLL, crawl_pages, plan_crawl
from newsletter.sources.model import GONE, PASSWORD
from newsletter.sources.sitemap import SitemapEntry, choose_children, list_pages, parse_sitemap

URL = "https://paper.example/sitemap.xml"
NOW = datetime(2025, 8, 5, 12, tzinfo=UTC)
SITE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
NEWS = (
    f'<urlset {SITE} xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
    "<url><loc>https://paper.example/bread</loc><news:news><news:publication><news:name>P"
    "</news:name><news:language>en</news:language></news:publication>"
    "<news:publication_date>2025-08-05T10:00:00+04:00</news:publication_date>"
    "<news:title> Bread &amp; salt </news:title></news:news></url></urlset>"
)
ARTICLE = (
    b'<html><head><meta property="og:type" content="article"><title>Bread</title></head></html>'
)


def urlset(*entries: tuple[str, str]) -> bytes:
    rows = "".join(
        f"<url><loc>{url}</loc>{f'<lastmod>{date}</lastmod>' if date else ''}</url>"
        for url, date in entries
    )
    return f"<?xml version='1.0'?><urlset {SITE}>{rows}</urlset>".encode()


def test_a_news_sitemap_tells_time_and_headline() -> None:
    (entry,) = parse_sitemap(NEWS.encode(), URL).entries
    assert (entry.url, entry.title) == ("https://paper.example/bread", "Bread & salt")
    assert entry.dated == entry.published_at == datetime(2025, 8, 5, 6, tzinfo=UTC)


def test_a_packed_sitemap_in_another_namespace() -> None:
    text = "<urlset xmlns='https://x.example'><url><loc>/a</loc><lastmod>2025-08-01</lastmod></url>"
    for body in (text + "</urlset>", text):  # the second breaks off
        (entry,) = parse_sitemap(gzip.compress(body.encode()), URL).entries
        assert entry.url == "https://paper.example/a"
        assert entry.dated == datetime(2025, 8, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is no sitemap"),
        (b"<rss/>", r"is no sitemap \(rss\)"),
        (b'<!DOCTYPE u [<!ENTITY a "b">]><urlset/>', "document type"),
        (b"<!--" + b" " * 9000 + b"--><!DOCTYPE u><urlset/>", "document type"),
        (b"\x1f\x8bnot gzip", "broken gzip"),
        (gzip.compress(b"<urlset>" + b" " * 21_000_000), "unpacks to more than 20 MB"),
    ],
)
def test_what_is_no_sitemap_is_named(body: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        parse_sitemap(body, URL)


@given(st.binary(max_size=300), st.text(alphabet="<>/urlsetoc mapindex&#;![]CDAT", max_size=99))
def test_any_bytes_end_in_an_answer(body: bytes, text: str) -> None:
    for each in (body, text.encode(), b"<urlset>" + text.encode()):
        try:
            parse_sitemap(each, URL)
        except ParseError:
            with pytest.raises(ParseError):
                parse_sitemap(each, URL)


def test_of_an_index_the_files_of_stories_are_read_the_latest_first() -> None:
    names = ["post-1", "post-2", "category-1", "users-1", "page-1", "news"]
    dates = ["2025-01-01", "2025-08-01", "2025-08-02", "", "2025-08-03", ""]
    children = tuple(
        SitemapEntry(f"https://paper.example/wp-sitemap-{name}.xml", date)
        for name, date in zip(names, dates, strict=True)
    )
    chosen = [c.url.removeprefix("https://paper.example/") for c in choose_children(children)]
    assert chosen == [
        "wp-sitemap-post-2.xml", "wp-sitemap-post-1.xml", "wp-sitemap-news.xml",
        "wp-sitemap-page-1.xml",
    ]  # fmt: skip


def test_pages_of_other_sites_are_left_out(site: Any, fetcher: Fetcher) -> None:
    index = f"<sitemapindex {SITE}><sitemap><loc>{site.url('/posts.xml')}</loc></sitemap>"
    gone = f"<sitemap><loc>{site.url('/news.xml')}</loc></sitemap></sitemapindex>"
    site.page("/sitemap.xml", (index + gone).encode())
    own = site.url("/bread")
    site.page(
        "/posts.xml", urlset((own, ""), ("http://169.254.169.254/x", ""), (own, "2025-08-01"))
    )
    source = Source(slug="p", url=site.url("/sitemap.xml"), kind="sitemap", allow_private=True)
    listing = list_pages(fetcher, source)
    assert [entry.url for entry in listing.entries] == [own]
    assert any("1 pages of other sites" in problem for problem in listing.problems)
    assert any("/news.xml was not found" in problem for problem in listing.problems)


def entry(number: int, date: str = "") -> SitemapEntry:
    return SitemapEntry(f"https://paper.example/{number}", date)


def test_another_port_is_another_site(site: Any, fetcher: Fetcher) -> None:
    here, usual = site.url("/bread"), "http://127.0.0.1:80/bread"
    pages = (here, "http://127.0.0.1:81/mill", usual, "https://127.0.0.1/b", "http://127.0.0.1:x/")
    site.page("/sitemap.xml", urlset(*((page, "") for page in pages)))
    source = Source(slug="s", url=site.url("/sitemap.xml"), kind="sitemap", allow_private=True)
    listing = list_pages(fetcher, source)
    assert [entry.url for entry in listing.entries] == [here]


def test_new_and_changed_pages_are_planned_newest_first() -> None:
    entries = [entry(1), entry(2, "2025-08-01"), entry(3, "2025-08-03"), entry(4),
               entry(5, "2025-01-01"), entry(6, "2025-08-04")]  # fmt: skip
    known = {entry(4).url: "", entry(6).url: "2025-08-04", entry(3).url: "2025-08-02"}
    assert [e.url[-1] for e in plan_crawl(entries, known, NOW)] == ["3", "2", "1"]
    many = [entry(n) for n in range(100)]
    planned = plan_crawl(many, {}, NOW)
    assert len(planned) == PAGES_A_POLL
    assert planned[0] == many[-1]


def rules(text: str = "") -> RobotRules:
    return parse_robots(text.encode())


def crawl(site: Any, fetcher: Fetcher, robots: str, *paths: str) -> Any:
    source = Source(slug="p", url=site.url("/sitemap.xml"), kind="sitemap", allow_private=True)
    pages = [SitemapEntry(site.url(path), "2025-08-04", NOW - timedelta(hours=3)) for path in paths]
    return crawl_pages(fetcher, source, rules(robots), pages, SystemClock())


def test_pages_are_read_as_robots_txt_allows(site: Any, fetcher: Fetcher) -> None:
    site.page("/bread", ARTICLE)
    site.page("/about", b"<title>About us</title>")
    site.page("/private/x", ARTICLE)
    done = crawl(
        site,
        fetcher,
        "User-agent: *\nDisallow: /private\n",
        "/bread",
        "/about",
        "/private/x",
        "/no",
    )
    (item,) = done.items
    assert (item.title, item.published_at) == ("Bread", NOW - timedelta(hours=3))
    assert set(done.read) == {site.url(p) for p in ("/bread", "/about", "/private/x", "/no")}
    assert [path for path, _ in site.seen] == ["/bread", "/about", "/no"]
    assert any("robots.txt forbids 1 pages" in problem for problem in done.problems)


def test_pages_that_readers_can_not_see_are_told_of(site: Any, fetcher: Fetcher) -> None:
    form = b'<form action="/x" class="post-password-form" method="post">'
    site.page("/locked", ARTICLE + form)
    site.page("/about-forms", ARTICLE + b"&lt;form class=&quot;post-password-form&quot;&gt;")
    site.page("/trashed", b"", status=410)
    site.page("/broken", b"", status=500)
    done = crawl(site, fetcher, "", "/locked", "/about-forms", "/trashed", "/no", "/broken")
    assert [item.url for item in done.items] == [site.url("/about-forms")]
    assert done.hidden == {
        site.url("/locked"): PASSWORD,
        site.url("/trashed"): GONE,
        site.url("/no"): GONE,
    }


def test_trouble_of_the_moment_is_tried_again_and_not_for_ever(site: Any, fetcher: Fetcher) -> None:
    paths = [f"/{number}" for number in range(6)]
    for path in paths:
        site.page(path, b"", status=500)
    done = crawl(site, fetcher, "", *paths)
    assert (done.read, len(site.seen)) == ({}, 3)


def test_a_site_that_asks_for_a_pause_is_left_at_once(site: Any, fetcher: Fetcher) -> None:
    site.page("/a", b"", status=429, Retry_After="60")
    done = crawl(site, fetcher, "", "/a", "/b", "/c")
    assert (done.read, len(site.seen)) == ({}, 1)


@pytest.mark.parametrize(
    ("status", "allowed"), [(404, True), (403, True), (410, True), (429, False), (500, False)]
)
def test_without_robots_txt_all_is_allowed_and_in_trouble_nothing(
    status: int, allowed: bool, site: Any, fetcher: Fetcher
) -> None:
    site.page("/robots.txt", b"", status=status)
    robots = Robots(fetcher)
    found = robots.rules_for(site.url("/x"), allow_private=True)
    assert found.allows(site.url("/y")) is allowed
    assert bool(found.reason) is not allowed
    robots.rules_for(site.url("/z"), allow_private=True)
    assert len(site.seen) == 1


def test_our_own_name_has_rules_of_its_own() -> None:
    text = "User-agent: *\nDisallow: /\n\nUser-agent: newsletter\nDisallow: /x\nCrawl-delay: 7\n"
    found = rules(text)
    assert found.allows("https://paper.example/a")
    assert not found.allows("https://paper.example/x/y")
    assert found.pause == 7


@given(st.binary(max_size=300))
def test_any_robots_txt_is_read(body: bytes) -> None:
    found = parse_robots(body)
    assert found.allows("https://paper.example/") in (True, False)
    assert found.pause >= 0
