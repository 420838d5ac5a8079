"""Following the links of a mail: redirects a second, and how long one takes."""

import http.client
import statistics
import time
from typing import Any
from urllib.parse import urlsplit

from bench.paper import installation_with
from newsletter.demo.server import serve_in_thread
from newsletter.log import configure_logging
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.workflows.draft import draft_issue
from newsletter.workflows.installation import only_newsletter
from newsletter.workflows.look_up import find_slot
from newsletter.workflows.publish import render_current

STORIES = 400
CLICKS = 3_000
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def measure() -> dict[str, Any]:
    """An issue's links followed in turn over one connection, each click counted and written."""
    configure_logging(level="warning")  # a line a click would be most of the output
    with installation_with(STORIES) as installation:
        settings = installation.settings()
        newsletter = only_newsletter(settings, None)
        slot = find_slot(installation, settings, newsletter, None)
        issue = draft_issue(installation, newsletter, slot, actor="bench").issue
        links = render_current(installation, settings, issue).rendered.links
        with installation.database.write() as tx:
            tx.links.keep(issue.public_id, links)
        app = create_app(WebContext.of(installation))
        with serve_in_thread(app) as server:
            seconds = _follow(server.url, [link.public_id for link in links])
        with installation.database.read() as tx:
            counted = sum(found.clicks for found in tx.links.clicks(issue.public_id))
    return {
        "links": len(links),
        "clicks": CLICKS,
        "counted": counted,
        "first_ms": round(seconds[0] * 1000, 2),
        "median_ms": round(statistics.median(seconds) * 1000, 2),
        "slowest_of_a_hundred_ms": round(statistics.quantiles(seconds, n=100)[-1] * 1000, 2),
        "redirects_a_second": round(CLICKS / sum(seconds)),
    }


def _follow(url: str, links: list[str]) -> list[float]:
    host = urlsplit(url)
    connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=30)
    seconds = []
    for number in range(CLICKS):
        started = time.perf_counter()
        connection.request("GET", f"/l/{links[number % len(links)]}", headers={"User-Agent": AGENT})
        answer = connection.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - started)
        if answer.status != http.client.FOUND:
            raise SystemExit(f"a link was answered with {answer.status}")
    connection.close()
    return seconds
