"""What search engines are told: the pages there are, and where that list lies."""

from collections.abc import Mapping
from datetime import datetime

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.web.archive import archive_url, settings_changed_at
from newsletter.web.conditional import answer_if_changed
from newsletter.web.context import WebContext
from newsletter.web.pages import data_response

# https://www.sitemaps.org/protocol.html: one file holds at most so many.
_MOST = 50_000


def show_sitemap(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    pages: dict[str, datetime | None] = {f"{context.base_url}/": None}
    issues: dict[str, datetime] = {}
    with context.database.read() as tx:
        changed_at = settings_changed_at(tx) or context.clock.now()
        for newsletter in settings.newsletter:
            places = () if newsletter.archive_noindex else tx.archive.places(newsletter.slug)
            url = archive_url(context, newsletter)
            issues |= {f"{url}{place.slot}": place.changed_at for place in places}
            if places:
                pages[url] = max(place.changed_at for place in places)
    listed = dict(list((pages | issues).items())[:_MOST])
    xml = context.templates.render("web/sitemap.xml", pages=_dated(listed))
    response = data_response(xml, "application/xml; charset=utf-8", {})
    return answer_if_changed(request, response, max((changed_at, *issues.values())))


def show_robots(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    # Nothing is forbidden: a page that may not be indexed says so itself, to whoever reads it.
    text = f"User-agent: *\nDisallow:\n\nSitemap: {context.base_url}/sitemap.xml\n"
    return data_response(text, "text/plain; charset=utf-8", {})


def _dated(pages: Mapping[str, datetime | None]) -> dict[str, str]:
    return {url: moment.isoformat() if moment else "" for url, moment in pages.items()}
