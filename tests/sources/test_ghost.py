"""Ghost's Content API, by a small site of its shapes: Ghost itself is in no registry."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from newsletter.errors import ParseError
from newsletter.net.fetcher import Fetcher
from newsletter.net.response import StatusError
from newsletter.publication.sources import Source
from newsletter.sources.ghost import (
    fetch_ghost_posts,
    fetch_ghost_posts_by_id,
    list_ghost_ids,
    read_ghost_settings,
)
from newsletter.sources.model import SourceItem, SourcePicture, SourceState

NOW = datetime(2025, 8, 5, 12, tzinfo=UTC)
KEY = "22444f78447824223cefc48062"


def post(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"5ddc9141c35e7700383b29{number:02x}",
        "uuid": f"a5aa9bd8-ea31-415c-b452-3040dae1e0{number:02}",
        "title": f"Story {number}",
        "slug": f"story-{number}",
        "html": "<p>The first paragraph.</p>",
        "visibility": "public",
        "url": f"https://paper.example/story-{number}/",
        "published_at": "2025-08-05T10:00:00.000+04:00",
        "updated_at": "2025-08-05T11:00:00.000+04:00",
        **more,
    }


class Ghost:
    """Answers of the Content API; keeps what was asked."""

    def __init__(self, site: Any, posts: list[Any], per_page: int = 50) -> None:
        self.asked: list[dict[str, str]] = []
        self.posts, self.per_page = posts, per_page
        self.url = site.url(f"/ghost/api/content/?key={KEY}")
        site.pages["/ghost/api/content/posts/"] = self.answer

    def answer(self, request: Any) -> None:
        query = {n: v[0] for n, v in parse_qs(urlsplit(request.path).query).items()}
        self.asked.append(query)
        if query.get("key") != KEY:
            body, status = {"errors": [{"type": "NoPermissionError"}]}, 403
        else:
            page = int(query["page"])
            shown = self.posts[(page - 1) * self.per_page : page * self.per_page]
            following = page + 1 if page * self.per_page < len(self.posts) else None
            meta = {"pagination": {"page": page, "next": following}}
            body, status = {"posts": shown, "meta": meta}, 200  # type: ignore[dict-item]
        data = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    @property
    def source(self) -> Source:
        return Source(slug="paper", url=self.url, kind="ghost", allow_private=True)


def test_a_post_is_read_whole(site: Any, fetcher: Fetcher) -> None:
    whole = post(
        1,
        title="Bread & salt",
        custom_excerpt="How 1 < 2.",
        feature_image="https://paper.example/oven.jpg",
        feature_image_alt="An oven",
        feature_image_caption="<b>The oven</b> (photo Ani)",
        authors=[{"name": "Lilit"}, {"name": "Ani"}],
        tags=[{"name": "Town"}, {"name": "#internal"}, {"name": "Bread"}],
    )
    batch = fetch_ghost_posts(fetcher, Ghost(site, [whole]).source, SourceState(), NOW)
    assert batch.items == (
        SourceItem(
            title="Bread & salt",
            url="https://paper.example/story-1/",
            native_id="5ddc9141c35e7700383b2901",
            guid="a5aa9bd8-ea31-415c-b452-3040dae1e001",
            html="<p>The first paragraph.</p>",
            excerpt_html="How 1 &lt; 2.",
            author="Lilit, Ani",
            categories=("Town",),
            tags=("Bread",),
            published_at=datetime(2025, 8, 5, 6, tzinfo=UTC),
            modified_at=datetime(2025, 8, 5, 7, tzinfo=UTC),
            picture=SourcePicture(
                "https://paper.example/oven.jpg", alt="An oven", caption="The oven (photo Ani)"
            ),
        ),
    )
    assert batch.latest_modified == datetime(2025, 8, 5, 7, tzinfo=UTC)


def test_later_polls_ask_for_what_was_updated_with_overlap(site: Any, fetcher: Fetcher) -> None:
    ghost = Ghost(site, [post(n) for n in range(3)], per_page=2)
    fetch_ghost_posts(fetcher, ghost.source, SourceState(), NOW)
    seen = datetime(2025, 8, 5, 10, 30, tzinfo=UTC)
    batch = fetch_ghost_posts(fetcher, ghost.source, SourceState(latest_modified=seen), NOW)
    assert ghost.asked[0]["filter"] == "published_at:>'2025-06-06T12:00:00Z'"
    assert [query["page"] for query in ghost.asked] == ["1", "2", "1", "2"]
    assert ghost.asked[2]["filter"] == "updated_at:>'2025-08-05T10:20:00Z'"
    assert ghost.asked[2]["order"] == "updated_at asc"
    assert len(batch.items) == 3
    assert batch.latest_modified == seen  # never backwards
    assert [query["key"] for query in ghost.asked] == [KEY] * 4


def test_a_flood_of_changes_is_read_over_several_polls(site: Any, fetcher: Fetcher) -> None:
    class Filtering(Ghost):
        """Shows what was updated after the instant it is asked for."""

        def answer(self, request: Any) -> None:
            asked = parse_qs(urlsplit(request.path).query)["filter"][0]
            since = asked.removeprefix("updated_at:>'").removesuffix("'")
            self.posts = [one for one in flood if one["updated_at"] > since]
            super().answer(request)

    # Within ten minutes, two a page: more than one poll takes.
    flood = [
        post(n % 256, id=f"id{n}", updated_at=f"2025-08-05T07:0{n // 20}:{n % 20 * 2:02}Z")
        for n in range(150)
    ]
    ghost = Filtering(site, flood, per_page=2)
    state = SourceState(latest_modified=datetime(2025, 8, 5, 6, tzinfo=UTC))
    seen: set[str | None] = set()
    polls = 0
    while polls < 9:
        polls += 1
        batch = fetch_ghost_posts(fetcher, ghost.source, state, NOW)
        seen |= {item.native_id for item in batch.items}
        if not batch.problems:
            break
        assert "the rest comes with the next poll" in batch.problems[0]
        state = SourceState(latest_modified=batch.latest_modified)
    assert len(seen) == len(flood)
    assert polls == 2


def test_a_story_about_the_number_404_is_one(site: Any, fetcher: Fetcher) -> None:
    story = post(1, slug="404", url="https://paper.example/404/")
    batch = fetch_ghost_posts(fetcher, Ghost(site, [story]).source, SourceState(), NOW)
    assert [item.title for item in batch.items] == ["Story 1"]


def test_posts_for_members_are_marked_and_odd_ones_named(site: Any, fetcher: Fetcher) -> None:
    posts = [post(1, visibility="members"), post(2, title=""), post(3, url=""), {"id": 4},
             post(5, url="https://paper.example/404/")]  # fmt: skip
    batch = fetch_ghost_posts(fetcher, Ghost(site, posts).source, SourceState(), NOW)
    assert [item.hidden for item in batch.items] == ["for members only"]
    assert len(batch.problems) == 4


def test_ids_and_posts_by_id_are_asked_for(site: Any, fetcher: Fetcher) -> None:
    ghost = Ghost(site, [post(1), post(2)])
    listed = list_ghost_ids(fetcher, ghost.source, NOW)
    assert (listed.ids, listed.complete) == ({post(1)["id"], post(2)["id"]}, True)
    assert listed.since == NOW - timedelta(days=60)
    fetch_ghost_posts_by_id(fetcher, ghost.source, ["a", "b"])
    assert (ghost.asked[0]["fields"], ghost.asked[1]["filter"]) == ("id", "id:[a,b]")


def test_a_wrong_key_and_a_missing_one_are_named(site: Any, fetcher: Fetcher) -> None:
    source = Ghost(site, []).source
    wrong = source.model_copy(update={"url": site.url("/ghost/api/content/?key=no")})
    with pytest.raises(StatusError, match="refused"):
        fetch_ghost_posts(fetcher, wrong, SourceState(), NOW)
    bare = source.model_copy(update={"url": site.url("/ghost/api/content/")})
    with pytest.raises(ParseError, match="lacks the site's Content API key"):
        fetch_ghost_posts(fetcher, bare, SourceState(), NOW)
    site.page("/ghost/api/content/posts/", b'{"posts": 5}')
    with pytest.raises(ParseError, match="list of posts"):
        fetch_ghost_posts(fetcher, source, SourceState(), NOW)


def test_the_settings_tell_of_the_site(site: Any, fetcher: Fetcher) -> None:
    told = {
        "title": "The Paper",
        "logo": "/logo.png",
        "accent_color": "#1A5E63",
        "timezone": "Asia/Yerevan",
        "lang": "hy",
        "facebook": "thepaper",
        "twitter": "@paper",
    }
    site.page("/ghost/api/content/settings/", json.dumps({"settings": told}).encode())
    found = read_ghost_settings(
        fetcher, site.url(f"/ghost/api/content/?key={KEY}"), allow_private=True
    )
    assert (found.name, found.colour, found.timezone, found.language) == (
        "The Paper", "#1A5E63", "Asia/Yerevan", "hy",
    )  # fmt: skip
    assert found.logo == site.url("/logo.png")
    assert found.social == ("https://www.facebook.com/thepaper", "https://x.com/paper")
