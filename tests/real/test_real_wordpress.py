"""The private WordPress holds what was planned and shows it as a paper's site does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from io import BytesIO
from typing import Any

import httpx2
import pytest
from PIL import Image

from tests.real.paper import Post
from tests.real.programs import MissingProgram, find_program
from tests.real.wordpress import WordPress

pytest_plugins = ["tests.real.fixtures"]


@pytest.fixture
def client(wordpress: WordPress) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=wordpress.url, timeout=30, trust_env=False) as client:
        yield client


def fetch_posts(client: httpx2.Client) -> dict[str, dict[str, Any]]:
    answer = client.get("/wp-json/wp/v2/posts", params={"per_page": 100, "_embed": "1"})
    assert answer.status_code == 200
    return {row["slug"]: row for row in answer.json()}


def test_the_site_tells_its_name_and_zone(wordpress: WordPress, client: httpx2.Client) -> None:
    root = client.get("/wp-json/").json()

    assert root["name"] == "The Araks Courier"
    assert root["description"] == wordpress.paper.description
    assert root["timezone_string"] == "America/New_York"
    assert root["home"] == wordpress.url
    assert root["site_icon_url"].startswith(wordpress.url)
    front = client.get("/")
    assert 'rel="https://api.w.org/"' in front.headers["Link"]
    assert "application/rss+xml" in front.text


def test_posts_are_those_of_the_plan(wordpress: WordPress, client: httpx2.Client) -> None:
    rows = fetch_posts(client)

    # WordPress lists a post behind a password, but without its text.
    members = rows.pop("members-recipe")
    assert members["content"] == {"rendered": "", "protected": True}
    assert len(rows) == 26
    assert set(rows) == {post.slug for post in wordpress.paper.list_public()}
    for post in wordpress.paper.list_public():
        compare_post(rows[post.slug], post)


def compare_post(row: dict[str, Any], post: Post) -> None:
    embedded = row["_embedded"]
    categories, tags = embedded["wp:term"]
    assert row["id"] == post.number
    assert row["link"] == post.link
    assert unescape(row["title"]["rendered"]) == post.title
    assert datetime.fromisoformat(row["date_gmt"]).replace(tzinfo=UTC) == post.published_at
    assert embedded["author"][0]["name"] == post.author
    assert tuple(unescape(term["name"]) for term in categories) == post.categories
    assert {unescape(term["name"]) for term in tags} == set(post.tags)
    assert row["sticky"] is post.sticky
    if post.byline:
        assert f"By {post.byline}" in row["content"]["rendered"]
    if post.picture:
        picture = embedded["wp:featuredmedia"][0]
        assert picture["alt_text"] == post.picture.alt
        assert unescape(picture["caption"]["rendered"]).strip() == f"<p>{post.picture.caption}</p>"
    else:
        assert row["featured_media"] == 0


def test_hidden_posts_are_hidden(wordpress: WordPress, client: httpx2.Client) -> None:
    feed = client.get("/feed/").text
    front = client.get("/").text
    statuses = set()
    for post in wordpress.paper.list_hidden():
        statuses.add(post.status)
        if post.password:
            continue
        assert client.get(f"/wp-json/wp/v2/posts/{post.number}").status_code == 401
        assert post.title not in feed
        assert post.title not in front

    assert statuses == {"publish", "draft", "pending", "private", "future", "trash"}


def test_pictures_have_sizes(wordpress: WordPress, client: httpx2.Client) -> None:
    rows = fetch_posts(client)
    newest = next(post for post in wordpress.paper.list_public() if post.picture)
    details = rows[newest.slug]["_embedded"]["wp:featuredmedia"][0]["media_details"]

    assert {"thumbnail", "medium", "medium_large", "large", "full"} <= set(details["sizes"])
    for size in details["sizes"].values():
        answer = client.get(size["source_url"])
        assert answer.headers["Content-Type"] == size["mime_type"]
        with Image.open(BytesIO(answer.content)) as image:
            assert image.size == (size["width"], size["height"])
    assert details["sizes"]["full"]["width"] == 1280
    assert details["sizes"]["large"]["width"] == 1024
    formats = {
        row["_embedded"]["wp:featuredmedia"][0]["mime_type"]
        for row in rows.values()
        if row["featured_media"]
    }
    assert formats == {"image/jpeg", "image/webp"}


def test_the_feed_knows_what_we_have_seen(wordpress: WordPress, client: httpx2.Client) -> None:
    first = client.get("/feed/")
    assert first.status_code == 200
    newest = wordpress.paper.list_public()[0]
    assert newest.link in first.text
    assert first.text.count("<item>") == 10

    seen = {
        "If-None-Match": first.headers["ETag"],
        "If-Modified-Since": first.headers["Last-Modified"],
    }
    again = client.get("/feed/", headers=seen)
    assert again.status_code == 304
    assert again.content == b""


def test_pages_of_stories_open(wordpress: WordPress, client: httpx2.Client) -> None:
    armenian = wordpress.paper.find("gyumri-library")
    page = client.get(armenian.link)
    assert page.status_code == 200
    assert armenian.title in page.text
    sixth = client.get("/wp-json/wp/v2/posts", params={"per_page": 5, "page": 6})
    assert len(sixth.json()) == 2
    assert sixth.headers["X-WP-Total"] == "27"


def test_the_plan_spans_six_weeks(wordpress: WordPress) -> None:
    paper = wordpress.paper
    assert len(paper.posts) == 32
    assert len(paper.authors) == 4
    assert len(paper.list_since(paper.now - timedelta(days=7))) == 12
    oldest = paper.list_public()[-1]
    assert timedelta(days=41) < paper.now - oldest.published_at < timedelta(days=42)


def test_nothing_leaves_the_loopback_and_nothing_is_amiss(
    wordpress: WordPress, client: httpx2.Client
) -> None:
    answer = wordpress.run_script(
        "echo wp_remote_get('http://paper.example/')->get_error_code(), ' ', get_bloginfo('name');"
    )
    assert answer == "http_request_not_executed The Araks Courier"
    assert client.get("/no-such-page/").status_code == 404
    assert wordpress.read_log() == ""


def test_a_missing_program_names_its_package() -> None:
    with pytest.raises(MissingProgram, match="install the Debian package wordpress-extra"):
        find_program("no-such-program", "wordpress-extra")
