"""An issue's pictures from hosts that are no help."""

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.net.fetcher import Fetcher
from newsletter.stories.model import Picture
from newsletter.workflows.illustrate import illustrate_issue
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import write_config
from tests.contracts.nouns import a_story, an_issue
from tests.pictures.samples import quarters, saved
from tests.web_pages import Site, site

__all__ = ["site"]


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_host_that_drips_is_left_and_asked_once(where: str, site: Site, tmp_path: Path) -> None:
    """Its other pictures are not waited for, those of another host come all the same."""
    stop, asked = threading.Event(), []

    def drip(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n")
        request.wfile.write(b"Content-Length: 9000\r\n" + b"\r\n" * (where == "body"))
        while not stop.wait(0.05):
            request.wfile.write(b"\xff" if where == "body" else b"X: y\r\n")

    for number in (1, 2):
        site.pages[f"/{number}.jpg"] = drip
    site.page("/3.jpg", saved(quarters(), "JPEG"))
    host = f"http://localhost:{site.port}"
    urls = {1: f"{host}/1.jpg", 2: f"{host}/2.jpg", 3: site.url("/3.jpg")}
    issue = an_issue()
    (section,) = issue.sections
    item = section.items[0]
    items = tuple(
        replace(item, story_id=f"story{number}", position=number, picture=Picture(url))
        for number, url in urls.items()
    )
    issue = replace(issue, sections=(replace(section, kind="latest", items=items),))
    config = load_config(write_config(tmp_path, feed=site.url("/feed"), port=25), {})
    with (
        open_installation(config, SystemClock()) as installation,
        Fetcher("newsletter/0", total_seconds=2, seconds_between=0) as fetcher,
    ):
        with installation.database.write() as tx:
            tx.stories.save([a_story(number) for number in urls])
        installation = replace(installation, fetcher=fetcher)
        illustrated = illustrate_issue(installation, installation.settings(), issue)
    stop.set()
    assert [bool(item.picture) for item in illustrated.issue.items] == [False, False, True]
    assert len(asked) == 1
    assert len(illustrated.notices) == 2
    assert all("2 seconds" in notice for notice in illustrated.notices)
