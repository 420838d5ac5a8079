"""WordPress REST against a small site of its shapes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import ParseError
from newsletter.net.fetcher import Fetcher
from newsletter.net.response import StatusError
from newsletter.publication.sources import Source
from newsletter.sources.changed_posts import MAX_PAGES, OVERLAP
from newsletter.sources.model import SourcePicture, SourceState
from newsletter.sources.rest import rest_url
from newsletter.sources.wordpress import fetch_posts
from newsletter.sources.wordpress_post import parse_gmt, read_post

DATA = Path(__file__).parent.parent / "data" / "sources"
NOW = datetime(2025, 8, 5, 12, tzinfo=UTC)


def bare_post(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "link": f"https://paper.example/{number}/",
        "title": {"rendered": f"Story {number}"},
        "content": {"rendered": "<p>x</p>", "protected": False},
        "date_gmt": "2025-08-01T10:00:00",
        "modified_gmt": "2025-08-01T10:00:00",
        **more,
    }


class Paper:
    """Answers of the posts route by page number; keeps what was asked."""

    def __init__(self, site: Any, pages: list[Any], route: str = "/wp-json/wp/v2/posts") -> None:
        self.asked: list[dict[str, str]] = []
        self.pages = pages
        self.total: str | None = str(len(pages))
        self.root = site.url("/wp-json/")
        site.pages[route] = self.answer

    def answer(self, request: Any) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        self.asked.append(query)
        page = int(query.get("page", "1"))
        if page > len(self.pages):
            self.send(request, 400, {"code": "rest_post_invalid_page_number", "message": "No."})
        else:
            self.send(request, 200, self.pages[page - 1])

    def send(self, request: Any, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json; charset=UTF-8")
        if self.total is not None and status == 200:
            request.send_header("X-WP-TotalPages", self.total)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    @property
    def source(self) -> Source:
        return Source(slug="paper", url=self.root, kind="wordpress", allow_private=True)


def fixture() -> Any:
    return json.loads((DATA / "wordpress_posts.json").read_text(encoding="utf-8"))


def test_posts_become_source_items(site: Any, fetcher: Fetcher) -> None:
    paper = Paper(site, [fixture()])
    batch = fetch_posts(fetcher, paper.source, SourceState(), NOW)
    bread, hats, secret = batch.items
    assert bread.title == "Bread & salt: “The baker’s year”"
    assert (bread.native_id, bread.guid) == ("41", "https://paper.example/?p=41")
    assert bread.url == "https://paper.example/2025/08/bread/"
    assert bread.author == "Lilit O’Hara"
    assert bread.categories == ("Town", "Arts & Culture")
    assert bread.tags == ("bakers", "Yerevan")
    assert bread.published_at == datetime(2025, 8, 5, 10, tzinfo=UTC)
    assert bread.modified_at == datetime(2025, 8, 5, 10, 30, tzinfo=UTC)
    assert bread.picture == SourcePicture(
        "https://paper.example/up/oven-1536x1024.jpg", 1536, 1024,
        alt="An oven at dawn", caption="The oven (photo Aram & Ani)",
    )  # fmt: skip
    assert bread.hidden == ""
    assert (hats.author, hats.categories) == ("", ())
    assert hats.picture is not None
    assert hats.picture.url == "https://paper.example/up/hats.jpg"
    assert (hats.picture.alt, hats.picture.caption) == ("Հաց", "Հաց")
    assert (secret.hidden, secret.published_at) == ("password", None)
    assert [problem.rpartition(": ")[2] for problem in batch.problems] == [
        "post 44 has no title",
        'post 45, "Nowhere", has no link',
        "it has no id",
    ]


def test_the_first_poll_reaches_back_60_days(site: Any, fetcher: Fetcher) -> None:
    paper = Paper(site, [fixture()])
    batch = fetch_posts(fetcher, paper.source, SourceState(), NOW)
    asked = paper.asked[0]
    assert asked["after"] == "2025-06-06T12:00:00Z"
    assert asked["per_page"] == "50"
    assert asked["_embed"] == "author,wp:featuredmedia,wp:term"
    assert {"_links", "_embedded"} <= set(asked["_fields"].split(","))
    assert batch.latest_modified == datetime(2025, 8, 5, 10, 30, tzinfo=UTC)


def test_later_polls_ask_for_what_was_modified(site: Any, fetcher: Fetcher) -> None:
    paper = Paper(site, [[]])
    seen = datetime(2025, 8, 5, 10, 30, tzinfo=UTC)
    batch = fetch_posts(fetcher, paper.source, SourceState(latest_modified=seen), NOW)
    assert paper.asked[0]["modified_after"] == "2025-08-05T10:20:00Z"
    assert paper.asked[0]["orderby"] == "modified"
    assert (batch.items, batch.latest_modified) == ((), seen)


def test_all_pages_are_read_and_a_post_that_moved_counts_once(site: Any, fetcher: Fetcher) -> None:
    paper = Paper(site, [[bare_post(1), bare_post(2)], [bare_post(2), bare_post(3)]])
    batch = fetch_posts(fetcher, paper.source, SourceState(), NOW)
    assert [item.native_id for item in batch.items] == ["1", "2", "3"]
    assert [asked["page"] for asked in paper.asked] == ["1", "2"]


def test_a_last_page_that_vanished_is_no_failure(site: Any, fetcher: Fetcher) -> None:
    paper = Paper(site, [[bare_post(1)]])
    paper.total = "2"
    batch = fetch_posts(fetcher, paper.source, SourceState(), NOW)
    assert [item.native_id for item in batch.items] == ["1"]


def test_without_the_total_header_full_pages_mean_more(site: Any, fetcher: Fetcher) -> None:
    paper = Paper(site, [[bare_post(n) for n in range(1, 51)], [bare_post(51)]])
    paper.total = None
    assert len(fetch_posts(fetcher, paper.source, SourceState(), NOW).items) == 51
    assert len(paper.asked) == 2


def test_a_flood_of_changes_is_read_over_several_polls(site: Any, fetcher: Fetcher) -> None:
    instant = "2025-08-01T10:00:00"
    pages = [[bare_post(n + 1, modified_gmt=instant)] for n in range(MAX_PAGES + 5)]
    paper = Paper(site, pages)
    before = datetime(2025, 7, 1, tzinfo=UTC)
    batch = fetch_posts(fetcher, paper.source, SourceState(latest_modified=before), NOW)
    assert len(batch.items) == len(paper.asked) == MAX_PAGES
    assert "the rest comes with the next poll" in batch.problems[0]
    assert batch.latest_modified is not None
    assert batch.latest_modified - OVERLAP == datetime(2025, 8, 1, 9, 59, 59, tzinfo=UTC)


def test_plain_permalinks(site: Any, fetcher: Fetcher) -> None:
    paper = Paper(site, [[bare_post(1)]], route="/")
    paper.root = site.url("/?rest_route=/")
    assert len(fetch_posts(fetcher, paper.source, SourceState(), NOW).items) == 1
    assert paper.asked[0]["rest_route"] == "/wp/v2/posts"


@pytest.mark.parametrize(
    ("root", "url"),
    [
        ("https://p.example/wp-json/", "https://p.example/wp-json/wp/v2/posts?a=x,y"),
        ("https://p.example/wp-json", "https://p.example/wp-json/wp/v2/posts?a=x,y"),
        ("https://p.example/?rest_route=/", "https://p.example/?rest_route=/wp/v2/posts&a=x,y"),
        (
            "https://p.example/sub/index.php?rest_route=/&l=hy",
            "https://p.example/sub/index.php?rest_route=/wp/v2/posts&l=hy&a=x,y",
        ),
    ],
)
def test_addresses_of_routes(root: str, url: str) -> None:
    assert rest_url(root, "wp/v2/posts", {"a": "x,y"}) == url


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!doctype html><p>Hello", "does not answer in JSON"),
        (b"<br /><b>Warning</b>: x in y\n[]", "does not answer in JSON"),
        (b'{"name": "Paper"}', "list of posts"),
        (b"", "does not answer in JSON"),
        (b"[" * 100_000, "does not answer in JSON"),
        (b"\xff\xfe", "does not answer in JSON"),
    ],
)
def test_what_is_no_rest_answer_is_named(
    body: bytes, words: str, site: Any, fetcher: Fetcher
) -> None:
    site.page("/wp-json/wp/v2/posts", body)
    source = Source(slug="paper", url=site.url("/wp-json/"), kind="wordpress", allow_private=True)
    with pytest.raises(ParseError, match=words):
        fetch_posts(fetcher, source, SourceState(), NOW)


def test_a_closed_api_is_an_error(site: Any, fetcher: Fetcher) -> None:
    site.page("/wp-json/wp/v2/posts", b'{"code": "rest_forbidden"}', status=401)
    source = Source(slug="paper", url=site.url("/wp-json/"), kind="wordpress", allow_private=True)
    with pytest.raises(StatusError, match="refused to us"):
        fetch_posts(fetcher, source, SourceState(), NOW)


def test_the_full_size_stands_in_where_no_other_is_wide_enough() -> None:
    post = fixture()[0]
    media = post["_embedded"]["wp:featuredmedia"][0]
    media["media_details"] = {"width": 900, "height": 600, "sizes": []}
    item = read_post(post, "https://paper.example/")
    assert not isinstance(item, str)
    assert item.picture is not None
    assert (item.picture.url, item.picture.width) == ("https://paper.example/up/oven.jpg", 900)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.data())
def test_a_post_of_odd_shape_is_an_item_or_a_reason(data: st.DataObject) -> None:
    post = fixture()[data.draw(st.integers(0, 2))]
    target = data.draw(st.sampled_from([post, post["_embedded"] or post]))
    for field in data.draw(st.lists(st.sampled_from(sorted(target)), max_size=4)):
        target[field] = data.draw(JSON)
    item = read_post(post, "https://paper.example/wp-json/")
    assert isinstance(item, str) or (item.title and item.url and item.native_id)


@given(JSON)
def test_a_gmt_date_is_an_instant_or_none(value: Any) -> None:
    found = parse_gmt(value)
    assert found is None or found.utcoffset() == timedelta(0)
