"""One poll of a WordPress page of 100 posts with their embeds; meant to take 0.5 s of CPU at most.

Counted is everything from the answer's bytes to the committed stories: JSON,
posts, their HTML, the merge and SQLite. The network is left out: the answer is
handed over as it would have come.
"""

import json
import time
from datetime import timedelta
from typing import Any

from bench.paper import DEPARTMENTS, NOW, installation_with
from newsletter.net.response import Response
from newsletter.sources.model import SourceState
from newsletter.sources.wordpress import fetch_posts
from newsletter.workflows.fetch import Poll, keep_poll
from newsletter.workflows.installation import Installation

POSTS = 100
ROUNDS = 5
PARAGRAPHS = 14
_SENTENCE = "The bakers of the lower town lit their ovens at four, and the “old” recipe held. "


def measure() -> dict[str, Any]:
    """CPU seconds of a first poll of 100 posts and of one that brings them again, medians."""
    body = json.dumps([_post(number) for number in range(POSTS)]).encode()
    first, again = [], []
    for _ in range(ROUNDS):
        with installation_with(0) as installation:
            first.append(_poll(installation, body))
            again.append(_poll(installation, body))
    return {
        "posts": POSTS,
        "kb": round(len(body) / 1024),
        "cpu_seconds": round(sorted(first)[ROUNDS // 2], 3),
        "cpu_seconds_again": round(sorted(again)[ROUNDS // 2], 3),
        "meant": {"cpu_seconds": "at most 0.5"},
    }


class _Site:
    """Stands for the fetcher: every question has the one answer."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def get(self, url: str, **_: Any) -> Response:
        return Response(200, url, {"x-wp-totalpages": "1"}, self._body)


def _poll(installation: Installation, body: bytes) -> float:
    settings = installation.settings()
    source = settings.source[0].model_copy(
        update={"kind": "wordpress", "url": "https://paper.example/wp-json/"}
    )
    site: Any = _Site(body)
    started = time.process_time()
    batch = fetch_posts(site, source, SourceState(), NOW)
    report = keep_poll(installation, settings.publication, source, Poll(batch), NOW)
    seconds = time.process_time() - started
    if report.items != POSTS:
        raise RuntimeError(f"{report.items} of {POSTS} posts were kept")
    return seconds


def _post(number: int) -> dict[str, Any]:
    """A post of some 650 words with a featured picture, two pictures within and four terms."""
    published = f"{NOW - timedelta(hours=6 * number):%Y-%m-%dT%H:%M:%S}"
    address = f"https://paper.example/up/{number}"
    figure = (
        f'<figure class="wp-block-image size-large"><img loading="lazy" width="1024" height="683" '
        f'src="{address}-1024x683.jpg" alt="An oven" srcset="{address}-1024x683.jpg 1024w, '
        f'{address}-300x200.jpg 300w, {address}.jpg 1600w" sizes="(max-width: 1024px) 100vw">'
        "<figcaption>The oven at dawn (photo Ani Petrosyan)</figcaption></figure>"
    )
    share = '<div class="sharedaddy"><ul><li><a href="#">Share</a></li></ul></div>'
    text = "".join(f"<p>{number}.{n} {_SENTENCE * 3}</p>\n" for n in range(PARAGRAPHS))
    html = f"<p>By Lilit Hakobyan</p>\n{figure}{text}{figure}<p>Last.</p>{share}"
    size = {"mime_type": "image/jpeg", "height": 800}
    sizes = {
        str(width): {**size, "width": width, "height": width * 2 // 3,
                     "source_url": f"{address}-{width}.jpg"}
        for width in (300, 768, 1024, 1536, 2048)
    }  # fmt: skip
    return {
        "id": number + 1,
        "link": f"https://paper.example/2026/11/story-{number}/",
        "guid": {"rendered": f"https://paper.example/?p={number + 1}"},
        "title": {"rendered": f"Story {number}: Bread &#038; salt"},
        "content": {"rendered": html, "protected": False},
        "excerpt": {"rendered": f"<p>{_SENTENCE}[&hellip;]</p>", "protected": False},
        "date_gmt": published,
        "modified_gmt": published,
        "status": "publish",
        "categories": [1, 2],
        "tags": [3, 4],
        "_embedded": {
            "author": [{"id": 1, "name": "The Araks Courier", "slug": "desk"}],
            "wp:featuredmedia": [
                {
                    "source_url": f"{address}.jpg",
                    "mime_type": "image/jpeg",
                    "alt_text": "An oven",
                    "caption": {"rendered": "<p>The oven at dawn (photo Ani Petrosyan)</p>"},
                    "media_details": {"width": 2400, "height": 1600, "sizes": sizes},
                }
            ],
            "wp:term": [
                [
                    {"id": n + 1, "name": name, "slug": name, "taxonomy": "category"}
                    for n, name in enumerate(DEPARTMENTS[:2])
                ],
                [
                    {"id": n + 3, "name": name, "slug": name, "taxonomy": "post_tag"}
                    for n, name in enumerate(("bakers", "Yerevan"))
                ],
            ],
        },
    }
