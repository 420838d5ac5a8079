"""JSON Feed, through the door that every feed takes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ParseError
from newsletter.net.fetcher import Fetcher
from newsletter.publication.sources import Source
from newsletter.sources.feed_text import MAX_ENTRIES
from newsletter.sources.feeds import MAX_PAGES, fetch_feed, parse_feed, read_feed_profile
from newsletter.sources.model import SourceItem, SourcePicture, SourceState, Validators

URL = "https://paper.example/feed.json"
NOW = datetime(2025, 8, 5, 12, tzinfo=UTC)


def feed(*items: Any, **more: Any) -> bytes:
    head = {"version": "https://jsonfeed.org/version/1.1", "title": "The Paper", **more}
    return json.dumps({**head, "items": list(items)}).encode()


WHOLE = {
    "id": 7,
    "url": "/bread",
    "title": "  Bread & <salt> ",
    "content_html": '<p>First.</p><img src="/a.jpg">',
    "summary": "How 1 < 2.",
    "image": "/oven.jpg",
    "date_published": "2025-08-05T10:00:00+04:00",
    "date_modified": "2025-08-05T11:00:00+04:00",
    "authors": [{"name": "Lilit"}, {"name": "Ani"}, {"url": "x"}],
    "tags": ["Town", 5, "Bread"],
    "language": "hy",
}


def test_an_item_is_read_whole() -> None:
    batch = parse_feed(feed(WHOLE), URL)
    assert batch.problems == ()
    assert batch.items == (
        SourceItem(
            title="Bread & <salt>",
            url="https://paper.example/bread",
            guid="7",
            html='<p>First.</p><img src="https://paper.example/a.jpg">',
            excerpt_html="How 1 &lt; 2.",
            author="Lilit, Ani",
            categories=("Town", "Bread"),
            published_at=datetime(2025, 8, 5, 6, tzinfo=UTC),
            modified_at=datetime(2025, 8, 5, 7, tzinfo=UTC),
            picture=SourcePicture("https://paper.example/oven.jpg"),
            language="hy",
        ),
    )


def test_what_version_1_and_plain_text_say() -> None:
    item = {"id": "https://paper.example/a", "title": "A", "content_text": "One < two.\n\nThree."}
    (found,) = parse_feed(feed(item, author={"name": "The desk"}, language="en-US"), URL).items
    assert (found.author, found.language) == ("The desk", "en-US")
    assert found.html == "<p>One &lt; two.</p><p>Three.</p>"
    assert found.url == "https://paper.example/a"


def test_what_lacks_a_title_or_a_link_is_named() -> None:
    batch = parse_feed(feed({"id": "1", "url": "/a"}, {"id": "2", "title": "B"}, "no"), URL)
    assert batch.items == ()
    assert [problem.partition("left out: ")[2] for problem in batch.problems] == [
        "it has no title (its link is https://paper.example/a)",
        '"B" has no link to a page',
    ]


def test_limits_and_an_ended_feed_are_told() -> None:
    items = [{"id": str(n), "url": f"/{n}", "title": "T"} for n in range(MAX_ENTRIES + 5)]
    batch = parse_feed(feed(*items, expired=True), URL)
    assert len(batch.items) == MAX_ENTRIES
    assert any("the first 500 were kept" in problem for problem in batch.problems)
    assert any("has ended" in problem for problem in batch.problems)


def test_it_tells_of_its_site() -> None:
    body = feed(WHOLE, home_page_url="https://paper.example/", icon="/i.png", language="hy-AM",
                description="News")  # fmt: skip
    profile = read_feed_profile(body, URL)
    assert (profile.name, profile.description, profile.link, profile.language, profile.logo) == (
        "The Paper", "News", "https://paper.example/", "hy-AM", "https://paper.example/i.png",
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b'{"version": "https://jsonfeed.org/version/1.1", "items": [',
        b'{"a": "https://jsonfeed.org/"}',
        b'{"jsonfeed.org": ' + b"[" * 90_000,
    ],
)
def test_what_is_broken_is_named(body: bytes) -> None:
    with pytest.raises(ParseError, match=r"is JSON and not a feed|begins as JSON and is broken"):
        parse_feed(body, URL)


def test_one_kind_of_source_takes_it_conditionally(site: Any, fetcher: Fetcher) -> None:
    site.page("/feed", feed(WHOLE), ETag='"x"', Content_Type="text/plain")
    source = Source(slug="paper", url=site.url("/feed"), allow_private=True)
    batch = fetch_feed(fetcher, source, SourceState(), NOW)
    assert [item.guid for item in batch.items] == ["7"]
    assert batch.validators == Validators('"x"', None)
    assert site.seen[0][1]["accept"].startswith("application/feed+json, application/rss+xml")


def serve_pages(site: Any, count: int, per_page: int = 2, end: str | None = None) -> Source:
    """A feed of ``count`` pages, the newest items first; ``end`` is where the last one leads."""
    for page in range(count):
        items = [
            {"id": f"{page}-{n}", "title": f"T{page}-{n}", "url": f"/{page}-{n}"}
            for n in range(per_page)
        ]
        following = f"/feed.json?page={page + 1}" if page + 1 < count else end
        body = feed(*items, **({"next_url": following} if following else {}))
        site.page(f"/feed.json?page={page}" if page else "/feed.json", body, ETag=f'"{page}"')
    return Source(slug="site", url=site.url("/feed.json"), allow_private=True)


def asked(site: Any) -> list[str]:
    return [path for path, _ in site.seen]


def test_older_pages_are_read_the_first_time_only(site: Any, fetcher: Fetcher) -> None:
    source = serve_pages(site, 3)
    batch = fetch_feed(fetcher, source, SourceState(), NOW)
    assert [item.title for item in batch.items] == ["T0-0", "T0-1", "T1-0", "T1-1", "T2-0", "T2-1"]
    assert batch.problems == ()
    assert batch.validators.etag == '"0"'  # the next poll asks whether the first page changed
    site.seen.clear()
    later = fetch_feed(fetcher, source, SourceState(last_success_at=NOW), NOW)
    assert len(later.items) == 2
    assert asked(site) == ["/feed.json"]


def test_pages_end_where_our_limits_are(site: Any, fetcher: Fetcher) -> None:
    batch = fetch_feed(fetcher, serve_pages(site, MAX_PAGES + 5), SourceState(), NOW)
    assert len(batch.items) == 2 * MAX_PAGES
    assert "more than 10 pages" in batch.problems[0]
    many = fetch_feed(
        fetcher, serve_pages(site, 3, per_page=MAX_ENTRIES // 2 + 1), SourceState(), NOW
    )
    assert len(many.items) == MAX_ENTRIES
    assert f"the first {MAX_ENTRIES} were kept" in many.problems[0]
    assert asked(site)[-2:] == ["/feed.json", "/feed.json?page=1"]


@pytest.mark.parametrize(
    "end",
    ["/feed.json", "/feed.json?page=1", "https://other.example/feed.json", "javascript:x", ""],
)
def test_pages_in_a_ring_and_pages_of_others_end(end: str, site: Any, fetcher: Fetcher) -> None:
    batch = fetch_feed(fetcher, serve_pages(site, 3, end=end), SourceState(), NOW)
    assert len(batch.items) == 6
    assert len(asked(site)) == 3


@pytest.mark.parametrize("body", [b"<html>", b"{", None])
def test_a_broken_older_page_costs_no_newer_one(
    body: bytes | None, site: Any, fetcher: Fetcher
) -> None:
    source = serve_pages(site, 3)
    if body is None:
        del site.pages["/feed.json?page=2"]
        site.page("/feed.json?page=2", b"", status=500)
    else:
        site.page("/feed.json?page=2", body)
    batch = fetch_feed(fetcher, source, SourceState(), NOW)
    assert len(batch.items) == 4
    assert "an older page" in batch.problems[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from([*WHOLE, "attachments", "content_text"]), JSON)))
def test_any_items_are_read(items: list[dict[str, Any]]) -> None:
    batch = parse_feed(feed(*items), URL)
    assert len(batch.items) <= len(items)
    assert all(item.title and item.url for item in batch.items)
