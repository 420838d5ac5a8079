"""Polling sources: politely, each for itself, with the daily look at what was taken away."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from newsletter.config import load_config
from newsletter.net.fetcher import Fetcher
from newsletter.sources.model import GONE, ListedIds
from newsletter.sources.rhythm import due_after_failure, due_after_success, held_until
from newsletter.sources.sitemap import SitemapEntry
from newsletter.stories.model import Story
from newsletter.workflows.fetch import FetchReport, fetch_stories
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.scan import plan_revisit, plan_scan
from tests.acceptance.moving_clock import MovingClock
from tests.contracts.nouns import a_story
from tests.net.test_fetcher import TestClock, connecting_to, resolving
from tests.web_pages import site

__all__ = ["site"]

NOW = datetime(2025, 8, 5, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEED = """<rss version="2.0" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel>
<title>P</title><link>https://paper.example/</link><description>d</description>{more}
<item><title>{title}</title><link>https://paper.example/a</link><guid>1</guid></item>
</channel></rss>"""

Opener = Callable[..., AbstractContextManager[Installation]]


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    """Opens an installation with sources given as (slug, kind, address)."""

    @contextmanager
    def opener(
        *sources: tuple[str, str, str], now: datetime = NOW, private: bool = True
    ) -> Iterator[Installation]:
        text = 'data_dir = "data"\n[publication]\nname = "P"\nurl = "https://paper.example"\n'
        for slug, kind, url in sources:
            text += f'[[source]]\nslug = "{slug}"\nkind = "{kind}"\nurl = "{url}"\n'
            text += f"allow_private = {str(private).lower()}\n"
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        with open_installation(load_config(path, {}), MovingClock(now)) as installation:
            yield installation

    return opener


def feed_page(site: Any, path: str = "/feed", title: str = "Bread", more: str = "") -> None:
    site.page(path, FEED.format(title=title, more=more).encode())


def state_of(installation: Installation, slug: str = "site") -> Any:
    with installation.database.read() as tx:
        return tx.sources.state(slug)


def stories_of(installation: Installation) -> dict[str, Story]:
    with installation.database.read() as tx:
        return {story.native_id or story.title: story for story in tx.stories.recent([], 100)}


def test_one_bad_source_never_stops_another(site: Any, opened: Opener) -> None:
    feed_page(site)
    site.page("/page", b"<html><body>no feed</body></html>")
    sources = [("bad", "feed", site.url("/page")), ("gone", "wordpress", site.url("/none/")),
               ("site", "feed", site.url("/feed"))]  # fmt: skip
    with opened(*sources) as installation:
        bad, gone, good = fetch_stories(installation)
        assert (good.new, good.error) == (1, "")
        assert "web page and not a feed" in bad.error
        assert "not found" in gone.error
        assert state_of(installation, "bad").last_error == bad.error
        assert state_of(installation, "site").last_success_at is not None


def test_a_source_that_fails_is_asked_less_and_less_by_the_scheduler(
    site: Any, opened: Opener
) -> None:
    site.page("/feed", b"", status=500)
    with opened(("site", "feed", site.url("/feed"))) as installation:
        fetch_stories(installation, due_only=True)
        (again,) = fetch_stories(installation, due_only=True)
        assert "it is due at" in again.waiting
        assert len(site.seen) == 1
        # A person at the terminal does not have to wait.
        (by_hand,) = fetch_stories(installation)
        assert by_hand.error
        state = state_of(installation)
        assert state.failures == 2
        assert 20 * 60 < (state.due_at - state.last_error_at).total_seconds() < 40 * 60
    feed_page(site)
    with opened(("site", "feed", site.url("/feed")), now=NOW + HOUR) as installation:
        (mended,) = fetch_stories(installation, due_only=True)
        assert mended.new == 1
        state = state_of(installation)
        assert (state.failures, state.due_at, state.is_failing) == (0, None, False)
        assert "trouble of its own" in state.last_error


def test_retry_after_holds_for_every_process(site: Any, opened: Opener) -> None:
    site.page("/feed", b"", status=503, Retry_After="7200")
    source = ("site", "feed", site.url("/feed"))
    with opened(source) as installation:
        fetch_stories(installation)
    feed_page(site)
    with opened(source, now=NOW + HOUR) as installation:
        (held,) = fetch_stories(installation)
        assert "asked us to wait until 2025-08-05 14:00" in held.waiting
        assert len(site.seen) == 1
    with opened(source, now=NOW + 3 * HOUR) as installation:
        assert fetch_stories(installation)[0].new == 1


def test_the_pace_that_a_site_asks_for_is_kept_with_its_feeds(site: Any, opened: Opener) -> None:
    site.page("/robots.txt", b"User-agent: *\nCrawl-delay: 7\nDisallow: /\n")
    sources = [(slug, "feed", f"http://paper.example/{slug}") for slug in ("news", "arts")]
    for slug, _, _ in sources:
        feed_page(site, f"/{slug}")
    clock = TestClock()
    with (
        opened(*sources, private=False) as installation,
        Fetcher(
            "newsletter/0",
            clock=clock,
            resolve=resolving(paper_example="93.184.215.14"),
            connect=connecting_to(site, []),
        ) as fetcher,
    ):
        reports = fetch_stories(replace(installation, fetcher=fetcher))
    # What may be read of pages is another matter: a feed is there to be asked for.
    assert [report.items for report in reports] == [1, 1]
    assert [path for path, _ in site.seen] == ["/robots.txt", "/news", "/arts"]
    assert clock.slept == [1, 7]


@pytest.mark.parametrize(
    ("more", "hours"),
    [("<ttl>180</ttl>", 3), ("<sy:updatePeriod> daily </sy:updatePeriod>", 24), ("<ttl>x</ttl>", 0),
     ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 6),
     ("<sy:updatePeriod>yearly</sy:updatePeriod>", 24)],
)  # fmt: skip
def test_a_feed_is_not_polled_more_often_than_it_asks(
    more: str, hours: int, site: Any, opened: Opener
) -> None:
    feed_page(site, more=more)
    with opened(("site", "feed", site.url("/feed"))) as installation:
        fetch_stories(installation, due_only=True)
        due_at = state_of(installation).due_at
        (again,) = fetch_stories(installation, due_only=True)
    assert bool(again.waiting) == bool(hours)
    if hours:
        assert round((due_at - NOW) / HOUR) == hours


def test_waits_double_up_to_half_a_day() -> None:
    waits = [(due_after_failure(NOW, n, 0.5) - NOW) / timedelta(minutes=1) for n in range(1, 9)]
    assert waits == [15, 30, 60, 120, 240, 480, 720, 720]
    assert due_after_failure(NOW, 10**9, 1.0) - NOW == timedelta(hours=15)
    assert due_after_failure(NOW, 1, 0.0) < due_after_failure(NOW, 1, 1.0)
    assert due_after_success(NOW, None) is None
    assert held_until(NOW, None) is None
    assert held_until(NOW, 1e9) == NOW + DAY


class Posts:
    """A WordPress whose posts can be taken away; it answers as REST does."""

    def __init__(self, site: Any) -> None:
        self.asked: list[dict[str, str]] = []
        self.rows: dict[int, dict[str, Any]] = {}
        self.lists_nothing = False
        self.root = site.url("/wp-json/")
        site.pages["/wp-json/wp/v2/posts"] = self.answer

    def put(self, number: int, published: datetime, modified: datetime | None = None) -> None:
        self.rows[number] = {
            "id": number,
            "link": f"https://paper.example/{number}/",
            "title": {"rendered": f"Story {number}"},
            "content": {"rendered": "<p>x</p>", "protected": False},
            "date_gmt": f"{published:%Y-%m-%dT%H:%M:%S}",
            "modified_gmt": f"{modified or published:%Y-%m-%dT%H:%M:%S}",
        }

    def answer(self, request: Any) -> None:
        query = {n: v[0] for n, v in parse_qs(urlsplit(request.path).query).items()}
        self.asked.append(query)
        rows = [] if self.lists_nothing else list(self.rows.values())
        for name, field in (("after", "date_gmt"), ("modified_after", "modified_gmt")):
            if name in query:
                rows = [row for row in rows if row[field] + "Z" > query[name]]
        if "include" in query:
            rows = [row for row in rows if str(row["id"]) in query["include"].split(",")]
        body = json.dumps(rows).encode()
        request.send_response(200)
        request.send_header("X-WP-TotalPages", "1")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def posts(site: Any) -> Posts:
    posts = Posts(site)
    for number in range(1, 5):
        posts.put(number, NOW - number * DAY)
    return posts


def fetch_at(opened: Opener, posts: Posts, now: datetime) -> tuple[FetchReport, dict[str, Story]]:
    with opened(("site", "wordpress", posts.root), now=now) as installation:
        (report,) = fetch_stories(installation)
        return report, stories_of(installation)


def test_what_was_deleted_is_noticed_within_a_day_and_what_returns_too(
    posts: Posts, opened: Opener
) -> None:
    fetch_at(opened, posts, NOW)
    taken = posts.rows.pop(2)
    report, stories = fetch_at(opened, posts, NOW + HOUR)
    assert (report.gone, stories["2"].hidden) == (0, "")
    report, stories = fetch_at(opened, posts, NOW + DAY)
    assert (report.gone, stories["2"].hidden) == (1, GONE)
    assert [story.hidden for n, story in stories.items() if n != "2"] == ["", "", ""]
    posts.rows[2] = taken  # out of the bin again, without a new modified_gmt
    report, stories = fetch_at(opened, posts, NOW + 2 * DAY)
    assert (report.gone, stories["2"].hidden) == (0, "")


def test_the_scan_asks_for_ids_of_sixty_days(posts: Posts, opened: Opener) -> None:
    fetch_at(opened, posts, NOW)
    assert len(posts.asked) == 1  # the first poll has just read all there is
    fetch_at(opened, posts, NOW + DAY)
    scan = next(query for query in posts.asked if query.get("_fields") == "id")
    assert (scan["per_page"], scan["orderby"], scan["order"]) == ("100", "id", "asc")
    assert scan["after"].startswith("2025-06-07T12:00")


def test_a_site_that_lists_nothing_takes_nothing_away(posts: Posts, opened: Opener) -> None:
    fetch_at(opened, posts, NOW)
    posts.lists_nothing = True
    report, stories = fetch_at(opened, posts, NOW + DAY)
    assert (report.gone, {story.hidden for story in stories.values()}) == (0, {""})
    assert any("lists no stories at all" in problem for problem in report.problems)


def test_a_post_written_ahead_is_taken_at_its_hour(posts: Posts, opened: Opener) -> None:
    fetch_at(opened, posts, NOW)
    fetch_at(opened, posts, NOW + HOUR)
    # WordPress leaves modified_gmt where it was when the hour comes (seen on 6.1).
    posts.put(9, NOW + 90 * timedelta(minutes=1), modified=NOW - 3 * DAY)
    report, stories = fetch_at(opened, posts, NOW + 2 * HOUR)
    assert report.new == 1
    assert "9" in stories


def test_a_post_that_polls_missed_comes_with_the_scan(posts: Posts, opened: Opener) -> None:
    fetch_at(opened, posts, NOW)
    posts.put(7, NOW - 5 * DAY)
    report, _ = fetch_at(opened, posts, NOW + HOUR)
    assert report.new == 0
    report, stories = fetch_at(opened, posts, NOW + DAY)
    assert (report.new, "7" in stories) == (1, True)


def listed(*ids: str, complete: bool = True) -> ListedIds:
    return ListedIds(NOW - 60 * DAY, frozenset(ids), complete)


def story(number: int, age: timedelta, hidden: str = "") -> Story:
    return a_story(number, native_id=str(number), published_at=NOW - age, hidden=hidden)


def test_what_a_scan_suspects() -> None:
    stories = [story(1, DAY), story(2, DAY), story(3, 60 * DAY), story(4, -DAY),
               story(5, DAY, hidden="password"), story(6, DAY, hidden=GONE)]  # fmt: skip
    plan = plan_scan(listed("1", "6", "8"), stories, {"1": "a", "6": "b"}, NOW)
    # Not the one at the window's edge, of the future, or hidden already.
    assert [s.native_id for s in plan.suspects] == ["2"]
    assert plan.unread == ("6", "8")
    cut = plan_scan(listed("1", complete=False), stories, {"1": "a"}, NOW)
    assert cut.suspects == ()
    assert "more stories than one scan lists" in cut.problem


SITEMAP = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{}</urlset>'
ARTICLE = """<html><head><meta property="og:type" content="article"><title>{0}</title>
<meta property="article:published_time" content="2025-08-04T10:00:00Z"></head></html>"""


def test_pages_of_a_sitemap_are_read_once_and_again_when_they_change(
    site: Any, opened: Opener
) -> None:
    def list_pages(**dates: str) -> None:
        rows = (
            f"<url><loc>{site.url('/' + name)}</loc><lastmod>{date}</lastmod></url>"
            for name, date in dates.items()
        )
        site.page("/sitemap.xml", SITEMAP.format("".join(rows)).encode())

    site.page("/bread", ARTICLE.format("Bread").encode())
    site.page("/about", b"<title>About us</title>")
    list_pages(bread="2025-08-04", about="2025-08-04")
    source = ("site", "sitemap", site.url("/sitemap.xml"))
    with opened(source) as installation:
        (first,) = fetch_stories(installation)
        (again,) = fetch_stories(installation)
        site.page("/bread", ARTICLE.format("Bread and salt").encode())
        list_pages(bread="2025-08-05", about="2025-08-04")
        (changed,) = fetch_stories(installation)
        assert list(stories_of(installation)) == ["Bread and salt"]
    assert [(r.items, r.new, r.changed) for r in (first, again, changed)] == [
        (1, 1, 0), (0, 0, 0), (1, 0, 1),
    ]  # fmt: skip
    read = [path for path, _ in site.seen]
    assert (read.count("/bread"), read.count("/about"), read.count("/robots.txt")) == (2, 1, 3)


def test_pages_that_a_sitemap_names_no_more_are_looked_at_once_a_day(
    site: Any, opened: Opener
) -> None:
    def list_pages(*names: str) -> None:
        rows = (
            f"<url><loc>{site.url('/' + name)}</loc><lastmod>2025-08-04</lastmod></url>"
            for name in names
        )
        site.page("/sitemap.xml", SITEMAP.format("".join(rows)).encode())

    def hidden() -> dict[str, str]:
        with opened(source) as installation:
            return {title: s.hidden for title, s in stories_of(installation).items()}

    def poll(now: datetime) -> int:
        with opened(source, now=now) as installation:
            (report,) = fetch_stories(installation)
            assert (report.error, report.problems) == ("", ())
        return report.gone

    names = ("bread", "salt", "wine")
    for name in names:
        site.page(f"/{name}", ARTICLE.format(name).encode())
    source = ("site", "sitemap", site.url("/sitemap.xml"))
    list_pages(*names)
    assert poll(NOW) == 0
    # One was trashed, one only left a sitemap that holds the newest.
    list_pages("bread")
    site.page("/salt", b"", status=404)
    assert poll(NOW + HOUR) == 0
    assert poll(NOW + DAY) == 1
    assert hidden() == {"bread": "", "salt": GONE, "wine": ""}
    site.page("/salt", ARTICLE.format("salt").encode())
    list_pages("bread", "salt")
    assert poll(NOW + 2 * DAY) == 0
    assert hidden() == {"bread": "", "salt": "", "wine": ""}


def test_a_sitemap_that_names_none_of_our_stories_takes_nothing_away() -> None:
    known = [story(1, DAY), story(2, 2 * DAY), story(3, DAY, hidden=GONE)]
    assert plan_revisit([SitemapEntry("https://paper.example/else")], known) == ()
    # What is older than all that it names may have been left out for its age.
    (again,) = plan_revisit([SitemapEntry(known[0].url)], [*known, story(4, HOUR)])
    assert again.url == story(4, HOUR).url


def test_a_site_whose_robots_txt_is_in_trouble_is_not_crawled(site: Any, opened: Opener) -> None:
    site.page("/robots.txt", b"", status=500)
    site.page("/sitemap.xml", SITEMAP.format(f"<url><loc>{site.url('/a')}</loc></url>").encode())
    with opened(("site", "sitemap", site.url("/sitemap.xml"))) as installation:
        (report,) = fetch_stories(installation)
    assert "robots.txt could not be read" in report.error
    assert "/a" not in [path for path, _ in site.seen]
