"""The demo paper's site: front page, stories, departments, feed, reads and pictures."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from newsletter.demo.feed import figure_html, prompt_html, write_feed
from newsletter.demo.manuscripts import body_html
from newsletter.demo.paper import DEPARTMENTS, MOTTO, NAME, SHORT_NAME, ZONE, Paper, PaperStory
from newsletter.demo.pictures import draw_picture
from newsletter.rendering.environment import Templates

SOCIAL = (
    ("Facebook", "https://www.facebook.com/araks-courier.example"),
    ("Instagram", "https://www.instagram.com/araks-courier.example"),
)
POSTAL_ADDRESS = "12 Orchard Lane, Glendale, California"
# The last two are what the sign-up element from the newsletters' own host asks for.
_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; "
    "script-src {host}; connect-src {host}"
)


@dataclass(frozen=True)
class _Site:
    """What the pages need; pictures are drawn when first asked for and kept in a folder."""

    paper: Paper
    pictures: Path
    sign_up_url: str
    templates: Templates
    most_read: Sequence[tuple[PaperStory, int]]

    def page(
        self, name: str, request: Request, /, *, status: int = 200, **context: Any
    ) -> HTMLResponse:
        base_url = _base_url(request)
        text = self.templates.render(
            f"demo/{name}.html",
            **_frame(base_url, self.sign_up_url, self.paper),
            canonical=base_url + request.url.path,
            **context,
        )
        headers = {
            "Content-Security-Policy": _POLICY.format(host=urljoin(self.sign_up_url, "/")),
            "X-Content-Type-Options": "nosniff",
        }
        return HTMLResponse(text, status_code=status, headers=headers)

    def front(self, request: Request) -> Response:
        stories = self.paper.stories
        return self.page("front", request, stories=stories, most_read=self.most_read)

    def department(self, request: Request) -> Response:
        slug = request.path_params["slug"]
        name = next((n for n, s in DEPARTMENTS.items() if s == slug), None)
        stories = [s for s in self.paper.stories if name in s.manuscript.departments]
        if not stories:
            raise HTTPException(404)
        return self.page("department", request, department=name, stories=stories)

    def story(self, request: Request) -> Response:
        place = self._place_of(request.path_params["slug"])
        story = self.paper.stories[place]
        neighbours = self.paper.stories
        return self.page(
            "story",
            request,
            story=story,
            body=figure_html(story, "")
            + body_html(story.manuscript, prompt_html(self.sign_up_url)),
            newer=neighbours[place - 1] if place else None,
            older=neighbours[place + 1] if place + 1 < len(neighbours) else None,
            linked_data=_script_safe(_story_data(story, _base_url(request))),
        )

    def picture(self, request: Request) -> Response:
        manuscript = self.paper.stories[self._place_of(request.path_params["slug"])].manuscript
        if manuscript.picture is None:
            raise HTTPException(404)
        kept = self.pictures / f"{manuscript.slug}.jpg"
        if kept.is_file():
            data = kept.read_bytes()
        else:
            drawn = manuscript.picture
            data = draw_picture(manuscript.slug, drawn.scene, drawn.palette)
            self.pictures.mkdir(parents=True, exist_ok=True)
            # Two requests may draw at once: whoever is last puts the same bytes in place.
            part = kept.with_suffix(f".{id(request):x}.part")
            part.write_bytes(data)
            part.replace(kept)
        headers = {"Cache-Control": "public, max-age=86400"}
        return Response(data, media_type="image/jpeg", headers=headers)

    def feed(self, request: Request) -> Response:
        feed = write_feed(self.paper, _base_url(request), self.sign_up_url)
        headers = {"ETag": feed.etag, "Last-Modified": feed.last_modified}
        if _is_fresh(request, feed.etag, feed.last_modified):
            return Response(status_code=304, headers=headers)
        return Response(feed.body, media_type="application/rss+xml", headers=headers)

    def reads(self, request: Request) -> Response:
        out = io.StringIO()
        rows = csv.writer(out)
        rows.writerow(("url", "date", "reads"))
        base_url = _base_url(request)
        for path, day, reads in self.paper.reads_by_day():
            rows.writerow((base_url + path, day.isoformat(), reads))
        return Response(out.getvalue(), media_type="text/csv")

    def mark(self, request: Request) -> Response:  # noqa: ARG002
        return Response(self.templates.render("demo/mark.svg"), media_type="image/svg+xml")

    def robots(self, request: Request) -> Response:  # noqa: ARG002
        return PlainTextResponse("User-agent: *\nAllow: /\n")

    def not_found(self, request: Request, error: Exception) -> Response:  # noqa: ARG002
        return self.page("not_found", request, status=404, stories=self.paper.stories[:3])

    def _place_of(self, slug: str) -> int:
        for place, story in enumerate(self.paper.stories):
            if story.manuscript.slug == slug:
                return place
        raise HTTPException(404)


def create_site(
    paper: Paper, *, pictures: Path, sign_up_url: str, templates: Templates | None = None
) -> Starlette:
    """The site of ``paper``; ``pictures`` is a folder that keeps what has been drawn."""
    site = _Site(paper, pictures, sign_up_url, templates or Templates(), paper.most_read(5))
    return Starlette(
        routes=[
            Route("/", site.front),
            Route("/stories/{slug}/", site.story),
            Route("/department/{slug}/", site.department),
            Route("/feed/", site.feed),
            Route("/reads.csv", site.reads),
            Route("/pictures/{slug}.jpg", site.picture),
            Route("/mark.svg", site.mark),
            Route("/robots.txt", site.robots),
        ],
        exception_handlers={404: site.not_found},
    )


def _base_url(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _frame(base_url: str, sign_up_url: str, paper: Paper) -> dict[str, Any]:
    """What every page carries round its own matter."""
    organisation = {
        "@context": "https://schema.org",
        "@type": "NewsMediaOrganization",
        "name": NAME,
        "alternateName": SHORT_NAME,
        "url": f"{base_url}/",
        "sameAs": [address for _, address in SOCIAL],
        "address": POSTAL_ADDRESS,
    }
    return {
        "paper_name": NAME,
        "short_name": SHORT_NAME,
        "motto": MOTTO,
        "postal_address": POSTAL_ADDRESS,
        "departments": DEPARTMENTS,
        "social": SOCIAL,
        "base_url": base_url,
        "sign_up_url": sign_up_url,
        "sign_up_script": urljoin(sign_up_url, "/embed.js"),
        "now": paper.now,
        "zone": ZONE,
        "language": "en",
        "organisation": _script_safe(organisation),
    }


def _story_data(story: PaperStory, base_url: str) -> dict[str, Any]:
    manuscript = story.manuscript
    data = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": manuscript.headline,
        "datePublished": story.published_at.isoformat(),
        "author": {"@type": "Person", "name": manuscript.author},
        "articleSection": manuscript.departments[0],
        "keywords": list(manuscript.tags),
        "inLanguage": manuscript.language,
        "mainEntityOfPage": base_url + story.path,
    }
    if manuscript.picture:
        data["image"] = base_url + story.picture_path
    return data


def _script_safe(data: dict[str, Any]) -> str:
    """JSON that may stand inside a script element: no "<" can end it."""
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")


def _is_fresh(request: Request, etag: str, last_modified: str) -> bool:
    """Whether the visitor has it already (RFC 9110, section 13.1: the tag goes before the date)."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        return tags.strip() == "*" or etag in [
            t.strip().removeprefix("W/") for t in tags.split(",")
        ]
    since = _http_date(request.headers.get("if-modified-since", ""))
    changed = _http_date(last_modified)
    return since is not None and changed is not None and changed <= since


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
