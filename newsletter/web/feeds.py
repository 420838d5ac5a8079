"""The issues of a newsletter as RSS 2.0 and JSON Feed 1.1, for feed readers."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.issues.model import OF_LINKS, Issue
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.share import SharedPicture, describe_issue, share_picture
from newsletter.rendering.view import split_paragraphs
from newsletter.web.archive import (
    archive_url,
    describe_archive,
    indexing_headers,
    load_issue,
    settings_changed_at,
)
from newsletter.web.conditional import answer_if_changed
from newsletter.web.context import WebContext, newsletter_called
from newsletter.web.pages import data_response
from newsletter.words import words_of

RSS_TYPE = "application/rss+xml; charset=utf-8"
JSON_FEED_TYPE = "application/feed+json; charset=utf-8"
_LENGTH = 20
# XML 1.0 section 2.2: these can't stand in it, however they are written.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class FeedEntry:
    """An issue in a feed. ``html`` is its note and its stories, with links to the site."""

    issue: Issue
    url: str
    published_at: datetime
    changed_at: datetime
    summary: str
    html: str
    picture: SharedPicture | None

    @property
    def published(self) -> str:
        """As RSS writes it (RFC 822)."""
        return format_datetime(self.published_at)


@dataclass(frozen=True)
class _Feed:
    settings: Settings
    newsletter: Newsletter
    entries: Sequence[FeedEntry]
    changed_at: datetime


def show_rss(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    feed = _read_feed(context, request)
    xml = context.templates.render(
        "web/feed.xml",
        publication=feed.settings.publication,
        newsletter=feed.newsletter,
        feed_language=feed.newsletter.language_in(feed.settings.publication),
        description=_describe(feed),
        url=archive_url(context, feed.newsletter),
        entries=feed.entries,
        built=format_datetime(feed.changed_at),
    )
    return _answer(request, feed, _NO_XML.sub("\ufffd", xml), RSS_TYPE)


def show_json_feed(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    feed = _read_feed(context, request)
    publication = feed.settings.publication
    url = archive_url(context, feed.newsletter)
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.newsletter.name,
        "description": _describe(feed),
        "home_page_url": url,
        "feed_url": f"{url}feed.json",
        "language": feed.newsletter.language_in(publication),
        "authors": [{"name": publication.name, "url": publication.url}],
        "items": [_json_item(entry) for entry in feed.entries],
    }
    return _answer(
        request, feed, json.dumps(document, ensure_ascii=False, indent=1), JSON_FEED_TYPE
    )


def _json_item(entry: FeedEntry) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": entry.url,
        "url": entry.url,
        "title": entry.issue.subject,
        "summary": entry.summary,
        "content_html": entry.html,
        "language": entry.issue.language,
        "date_published": entry.published_at.isoformat(),
        "date_modified": entry.changed_at.isoformat(),
    }
    return item | ({"image": entry.picture.url} if entry.picture else {})


def _describe(feed: _Feed) -> str:
    language = feed.newsletter.language_in(feed.settings.publication)
    return describe_archive(feed.newsletter, feed.settings, words_of(language))


def _answer(request: Request, feed: _Feed, content: str, media_type: str) -> Response:
    response = data_response(content, media_type, indexing_headers(feed.newsletter))
    return answer_if_changed(request, response, feed.changed_at)


def _read_feed(context: WebContext, request: Request) -> _Feed:
    settings = context.load_settings()
    newsletter = newsletter_called(settings, request.path_params["newsletter"])
    url = archive_url(context, newsletter)
    with context.database.read() as tx:
        places = tx.archive.places(newsletter.slug, limit=_LENGTH)
        issues = [load_issue(tx, place) for place in places]
        corrected = [tx.links.corrections(place.public_id) for place in places]
        changed_at = settings_changed_at(tx) or context.clock.now()
    entries = [
        FeedEntry(
            issue=issue,
            url=f"{url}{issue.slot}",
            published_at=place.published_at,
            changed_at=place.changed_at,
            summary=describe_issue(issue),
            html=context.templates.render(
                "web/feed_issue.html",
                issue=issue,
                # Of links that were corrected; withdrawn ones lead nowhere.
                corrected={one.story_id: one.url for one in corrections if one.kind in OF_LINKS},
                paragraphs=split_paragraphs(issue.note),
                picture=share_picture(issue, context.base_url),
                language=issue.language,
            ),
            picture=share_picture(issue, context.base_url),
        )
        for place, issue, corrections in zip(places, issues, corrected, strict=True)
    ]
    newest = max((entry.changed_at for entry in entries), default=changed_at)
    return _Feed(settings, newsletter, entries, max(newest, changed_at))
