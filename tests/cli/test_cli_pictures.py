"""Pictures through the door: what a feed names, what the mail then shows."""

import re
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from selectolax.lexbor import LexborHTMLParser

from newsletter.config import load_config
from newsletter.pictures.store import PictureStore
from newsletter.workflows.illustrate import UNUSED_AFTER, clean_pictures
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import must, write_config
from tests.acceptance.moving_clock import MovingClock
from tests.pictures.samples import claiming, noise, quarters, saved
from tests.web_pages import Site, site

__all__ = ["site"]

NOW = "2025-08-07T18:00:00Z"
GOOD = saved(quarters(1600, 1200), "JPEG")


def feed_of(pictures: dict[str, str]) -> bytes:
    """A feed with a story for each picture, by headline, the first one the newest."""
    items = "".join(
        f"<item><title>{headline}</title><link>https://paper.example/{number}/</link>"
        f"<guid>{number}</guid><category>Department {number}</category>"
        f"<description>What happened in story {number}, told in one sentence.</description>"
        f"<pubDate>Thu, 07 Aug 2025 {16 - number:02}:00:00 GMT</pubDate>"
        f'<media:content medium="image" url="{url}"/></item>'
        for number, (headline, url) in enumerate(pictures.items())
    )
    return (
        '<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>P</title>'
        f"<link>https://paper.example/</link><description>d</description>{items}</channel></rss>"
    ).encode()


@pytest.fixture
def folder(tmp_path: Path, site: Site) -> Path:
    write_config(tmp_path, feed=site.url("/feed"), port=25)
    return tmp_path


def draft(folder: Path, *arguments: str) -> Any:
    return must(folder, "issue", "draft", "--json", "--now", NOW, *arguments).json


def letter_of(folder: Path, slot: str) -> dict[str, dict[str, str]]:
    """The attributes of the picture of each story in the mail, by headline."""
    must(
        folder, "issue", "preview", "--no-screenshots", "--out", "out", "--slot", slot, "--now", NOW
    )
    tree = LexborHTMLParser((folder / "out/issue.html").read_text(encoding="utf-8"))
    headlines = {node.attributes["href"]: node.text() for node in tree.css(".headline a")}
    return {
        headlines[node.parent.attributes["href"]]: dict(node.attributes)  # type: ignore[union-attr]
        for node in tree.css("img.photo")
    }


def file_of(folder: Path, picture: dict[str, str]) -> Path:
    name = re.fullmatch(
        r"http://127\.0\.0\.1:8000/media/([0-9a-f]{40}\.(?:jpg|png))", picture["src"]
    )
    assert name, picture["src"]
    path = PictureStore(folder / "data/pictures").find(name[1])
    assert path is not None
    return path


def test_the_mail_shows_our_own_small_files(folder: Path, site: Site) -> None:
    site.page("/lead.jpg", GOOD)
    site.page("/noisy.png", saved(noise(1500, 1100), "PNG"))
    site.page("/small.webp", saved(quarters(300, 200), "WEBP"))
    named = {"Lead": "/lead.jpg", "Noisy": "/noisy.png", "Small": "/small.webp"}
    site.page("/feed", feed_of({name: site.url(path) for name, path in named.items()}))
    drafted = draft(folder)
    assert not [sentence for sentence in drafted["notices"] if "picture" in sentence]

    shown = letter_of(folder, drafted["slot"])
    sizes = {name: (one["width"], one["height"]) for name, one in shown.items()}
    assert sizes == {"Lead": ("592", "395"), "Noisy": ("200", "133"), "Small": ("200", "133")}
    pixels = {}
    for name, one in shown.items():
        path = file_of(folder, one)
        assert path.stat().st_size <= 150_000
        with Image.open(path) as image:
            image.load()
            pixels[name] = image.size
    assert pixels["Lead"] == (1184, 790)
    assert pixels["Noisy"][0] <= 720
    assert pixels["Small"] == (300, 200)


@pytest.mark.long
def test_what_can_not_be_had_leaves_a_sentence_and_no_hole(folder: Path, site: Site) -> None:
    site.page("/good.jpg", GOOD)
    site.page("/cut.jpg", GOOD[: len(GOOD) // 2])
    site.page("/login.jpg", b"<!DOCTYPE html><title>Log in</title>", Content_Type="image/jpeg")
    site.page("/drawing.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    site.page("/bomb.png", claiming(40_000, 40_000))
    site.page("/huge.jpg", GOOD + b"\0" * 15_000_000)
    site.page("/away.jpg", b"", status=302, Location="http://169.254.169.254/latest/meta-data/")
    site.page("/file.jpg", b"", status=302, Location="file:///etc/passwd")
    names = ("good", "cut", "login", "drawing", "bomb", "huge", "away", "file", "missing")
    suffix = {"bomb": "png"}
    site.page("/feed", feed_of({n: site.url(f"/{n}.{suffix.get(n, 'jpg')}") for n in names}))
    drafted = draft(folder)
    shown = letter_of(folder, drafted["slot"])
    assert set(shown) == {"good"}
    assert {item["headline"] for item in drafted["items"]} == set(names)
    told = {
        headline: sentence
        for sentence in drafted["notices"]
        for headline in names
        if f"“{headline}” has no picture in the mail: " in sentence
    }
    assert set(told) == set(names) - {"good"}
    for headline, words in (
        ("cut", "broken"), ("login", "web page"), ("drawing", "SVG"), ("bomb", "too many pixels"),
        ("huge", "15"), ("away", "169.254.169.254"), ("file", "address"), ("missing", "404"),
    ):  # fmt: skip
        assert words in told[headline], told[headline]
    html = (folder / "out/issue.html").read_text(encoding="utf-8")
    for name in names:
        assert name in html
    assert len(list((folder / "data/pictures").iterdir())) == 2


@pytest.mark.long
def test_a_picture_in_our_own_network_is_not_asked_for(folder: Path, site: Site) -> None:
    site.page("/good.jpg", GOOD)
    others = {
        "localhost": f"http://localhost:{site.port}/good.jpg",
        "decimal": f"http://2130706433:{site.port}/good.jpg",
        "mapped": f"http://[::ffff:127.0.0.1]:{site.port}/good.jpg",
        "metadata": "http://169.254.169.254/good.jpg",
        "mail": "http://127.0.0.1:25/good.jpg",
    }
    site.page("/feed", feed_of({"plain": site.url("/good.jpg"), **others}))
    must(folder, "stories", "fetch", "--now", NOW)
    config = folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("allow_private = true", "allow_private = false"))
    site.seen.clear()
    drafted = draft(folder, "--no-fetch")
    assert site.seen == []
    told = [sentence for sentence in drafted["notices"] if "has no picture" in sentence]
    assert len(told) == len(others) + 1, told
    assert letter_of(folder, drafted["slot"]) == {}


@pytest.mark.long
def test_a_known_picture_is_asked_for_conditionally(folder: Path, site: Site) -> None:
    statuses = []

    def picture(request: BaseHTTPRequestHandler) -> None:
        known = request.headers.get("If-None-Match") == '"v1"'
        statuses.append(304 if known else 200)
        request.send_response(statuses[-1])
        request.send_header("ETag", '"v1"')
        body = b"" if known else GOOD
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    site.pages["/good.jpg"] = picture
    site.page("/feed", feed_of({"one": site.url("/good.jpg"), "two": site.url("/good.jpg")}))
    first = draft(folder)
    shown = letter_of(folder, first["slot"])
    assert set(shown) == {"one", "two"}
    must(folder, "issue", "cancel", "--slot", first["slot"], "--now", NOW)
    second = draft(folder)
    assert letter_of(folder, second["slot"]) == shown
    assert statuses == [200, 304]

    # A restored database beside an empty folder knows the picture and has it not.
    assert "data/pictures" not in must(folder, "issue", "check", "--now", NOW).out
    for path in (folder / "data/pictures").iterdir():
        path.unlink()
    words = " ".join(must(folder, "issue", "check", "--now", NOW).out.split())
    assert "2 of 2 picture files are not in" in words
    must(folder, "issue", "cancel", "--slot", second["slot"], "--now", NOW)
    assert letter_of(folder, draft(folder)["slot"]) == shown
    assert statuses == [200, 304, 200]


@pytest.mark.long
def test_a_site_may_serve_its_own(folder: Path, site: Site) -> None:
    site.page("/good.webp", saved(quarters(1600, 1200), "WEBP"))
    site.page("/feed", feed_of({"one": site.url("/good.webp")}))
    with (folder / "config.toml").open("a", encoding="utf-8") as config:
        config.write('[pictures]\nserved_by = "site"\n')
    drafted = draft(folder)
    assert letter_of(folder, drafted["slot"])["one"]["src"] == site.url("/good.webp")
    assert "/good.webp" not in [path for path, _ in site.seen]
    assert not (folder / "data/pictures").exists()


@pytest.mark.long
def test_one_connection_a_host_and_hosts_side_by_side(folder: Path, site: Site) -> None:
    """Two names of this machine: each waits for nobody but itself."""
    busy: dict[str, int] = {}
    most: dict[str, int] = {}
    met = threading.Barrier(2)
    lock = threading.Lock()

    def picture(request: BaseHTTPRequestHandler) -> None:
        host = request.headers["Host"].partition(":")[0]
        with lock:
            busy[host] = busy.get(host, 0) + 1
            most[host] = max(most.get(host, 0), busy[host])
        met.wait(20)  # breaks, and fails, unless both hosts are asked at once
        time.sleep(0.05)
        with lock:
            busy[host] -= 1
        request.send_response(200)
        request.send_header("Content-Length", str(len(GOOD)))
        request.end_headers()
        request.wfile.write(GOOD)

    addresses = {}
    for place, name in enumerate(("bread", "rain", "chess", "trains", "lace", "goats")):
        host = ("127.0.0.1", "localhost")[place % 2]
        site.pages[f"/{name}.jpg"] = picture
        addresses[name] = f"http://{host}:{site.port}/{name}.jpg"
    site.page("/feed", feed_of(addresses))
    drafted = draft(folder)
    assert set(letter_of(folder, drafted["slot"])) == set(addresses)
    assert most == {"127.0.0.1": 1, "localhost": 1}


@pytest.mark.long
def test_a_host_that_asks_for_patience_is_asked_once(folder: Path, site: Site) -> None:
    asked = []

    def busy(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        request.send_response(503)
        request.send_header("Retry-After", "120")
        request.send_header("Content-Length", "0")
        request.end_headers()

    names = ("bread", "rain", "chess", "trains", "lace")
    for name in names:
        site.pages[f"/{name}.jpg"] = busy
    others = {name: f"http://localhost:{site.port}/{name}.jpg" for name in names}
    site.page("/good.jpg", GOOD)
    site.page("/feed", feed_of({**others, "good": site.url("/good.jpg")}))
    drafted = draft(folder)
    assert set(letter_of(folder, drafted["slot"])) == {"good"}
    told = [sentence for sentence in drafted["notices"] if "has no picture" in sentence]
    assert len(told) == len(names)
    assert len(asked) == 1


@pytest.mark.long
def test_what_no_mail_shows_is_removed_after_a_month(folder: Path, site: Site) -> None:
    site.page("/kept.jpg", GOOD)
    site.page("/dropped.jpg", saved(quarters(900, 600), "JPEG"))
    site.page("/feed", feed_of({"kept": site.url("/kept.jpg")}))
    first = draft(folder)
    site.page("/feed", feed_of({"kept": site.url("/kept.jpg"), "no": site.url("/dropped.jpg")}))
    extra = draft(folder, "--slot", f"{first['slot']}.x1")
    shown = letter_of(folder, first["slot"])
    must(folder, "issue", "cancel", "--slot", extra["slot"], "--now", NOW)
    store = PictureStore(folder / "data/pictures")
    everything = {path.name for path in store.folder.iterdir()}
    now = datetime.fromisoformat(NOW).astimezone(UTC)
    later = now + UNUSED_AFTER + timedelta(days=1)
    for at, removed in ((now + timedelta(days=1), 0), (later, len(everything) - 2), (later, 0)):
        with open_installation(
            load_config(folder / "config.toml", {}), MovingClock(at)
        ) as installation:
            assert clean_pictures(installation) == removed
    assert len(everything) == 4
    assert file_of(folder, shown["kept"]).is_file()
