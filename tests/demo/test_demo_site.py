"""The demo paper's site over HTTP."""

import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from selectolax.lexbor import LexborHTMLParser
from starlette.testclient import TestClient

from newsletter.demo.paper import DEPARTMENTS, Paper
from newsletter.demo.server import serve_in_thread
from newsletter.demo.site import create_site
from newsletter.net.fetcher import Fetcher
from newsletter.sources.discovery import discover_site
from newsletter.sources.read_counts import read_table

NOW = datetime(2025, 8, 5, 19, tzinfo=UTC)
PAPER = Paper.at(NOW)
SIGN_UP = "http://127.0.0.1:9/subscribe/weekly"
HOUSE_BYLINE = "/stories/night-train-samovar/"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    app = create_site(PAPER, pictures=tmp_path / "pictures", sign_up_url=SIGN_UP)
    with TestClient(app, base_url="http://paper.example") as opened:
        yield opened


def page(client: TestClient, path: str) -> LexborHTMLParser:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return LexborHTMLParser(answer.text)


def test_every_page_that_the_front_page_links_to_is_there(client: TestClient) -> None:
    seen, waiting = set(), ["/"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = client.get(path)
        assert answer.status_code == 200, path
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        for node in LexborHTMLParser(answer.text).css("a[href], link[href]"):
            address = urlsplit(node.attributes["href"] or "")
            if address.path and address.netloc in ("", "paper.example"):
                waiting.append(address.path)
    assert {story.path for story in PAPER.stories} <= seen
    assert {f"/department/{slug}/" for slug in DEPARTMENTS.values()} <= seen
    assert {"/feed/", "/reads.csv", "/mark.svg"} <= seen


def test_a_story_page_shows_what_real_ones_show(client: TestClient) -> None:
    tree = page(client, HOUSE_BYLINE)
    story = PAPER.stories[0]
    assert tree.css_first("article h1").text() == story.manuscript.headline
    meta = tree.css_first("article .meta").text()
    assert "The Araks Courier" in meta
    assert f"{story.manuscript.reads} reads" in meta
    assert "0 comments" in meta
    assert tree.css_first(".text > p").text() == "By Lusik Demirchyan"
    assert "(photo Lusik Demirchyan)" in tree.css_first("figcaption").text()
    assert "Railways" in tree.css_first(".tags").text()
    assert tree.css_first("a[rel=prev]").text() == PAPER.stories[1].manuscript.headline
    assert tree.css_first("a[rel=next]") is None
    prompted = page(client, "/stories/letter-ninety-one-years/")
    assert prompted.css_first(".text .newsletter-prompt a").attributes["href"] == SIGN_UP
    # Without a script the element is the link that stands in it.
    assert prompted.css_first("newsletter-signup a").attributes["href"] == SIGN_UP


def test_an_armenian_story_says_that_it_is(client: TestClient) -> None:
    assert page(client, "/stories/gyumri-kino/").css_first("article").attributes["lang"] == "hy"


def test_pictures_are_drawn_once_and_kept(client: TestClient, tmp_path: Path) -> None:
    path = "/pictures/night-train-samovar.jpg"
    first = client.get(path)
    assert first.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(first.content)).size == (1200, 800)
    kept = list((tmp_path / "pictures").iterdir())
    assert [each.name for each in kept] == ["night-train-samovar.jpg"]
    kept[0].write_bytes(b"kept")
    assert client.get(path).content == b"kept"


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/stories/nothing/",
        "/department/weather/",
        "/pictures/nothing.jpg",
        "/pictures/saturday-school-roof.jpg",
        "/pictures/..%2Fx.jpg",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "not in the paper" in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"If-None-Match": "{etag}"}, 304),
        ({"If-None-Match": '"other", W/{etag}'}, 304),
        ({"If-Modified-Since": "{date}"}, 304),
        ({"If-Modified-Since": "Fri, 03 Jan 2020 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        # The tag goes before the date.
        ({"If-None-Match": '"other"', "If-Modified-Since": "{date}"}, 200),
        ({"If-None-Match": "{etag}", "If-Modified-Since": "{date}"}, 304),
    ],
)
def test_the_feed_is_sent_only_when_it_is_new(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    first = client.get("/feed/")
    told = {"etag": first.headers["etag"], "date": first.headers["last-modified"]}
    answer = client.get("/feed/", headers={n: v.format(**told) for n, v in headers.items()})
    assert answer.status_code == status
    assert answer.headers["etag"] == told["etag"]
    assert bool(answer.content) == (status == 200)


def test_the_reads_are_a_csv_that_we_read(client: TestClient) -> None:
    batch = read_table(client.get("/reads.csv").text, site="http://paper.example/")
    assert batch.problems == ()
    totals: Counter[str] = Counter()
    for row in batch.days:
        totals[urlsplit(row.story.url or "").path] += row.count
    assert totals == {story.path: story.manuscript.reads for story in PAPER.stories}


def test_one_address_is_enough_to_find_all_of_it(tmp_path: Path) -> None:
    app = create_site(PAPER, pictures=tmp_path, sign_up_url=SIGN_UP)
    with serve_in_thread(app) as server, Fetcher(user_agent="newsletter-test") as fetcher:
        profile = discover_site(fetcher, server.url, allow_private=True)
    assert profile.name == "The Araks Courier"
    assert profile.short_name == "the Courier"
    assert profile.language == "en"
    assert [(s.kind, s.url) for s in profile.sources] == [("feed", f"{server.url}/feed/")]
    assert [(r.kind, r.url) for r in profile.reads] == [("csv", f"{server.url}/reads.csv")]
    assert len(profile.social) == 2
    # Without a logo the mail sets the paper's name in type, as its own pages do.
    assert profile.logo is None
