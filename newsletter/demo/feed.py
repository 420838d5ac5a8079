"""The demo paper's feed: RSS 2.0 with the modules content, Dublin Core and Media RSS.

Its ways are those of real papers: categories and tags mixed, the credit now in
the caption and now apart, a sign-up prompt in the middle of a text, a story
without an excerpt.
"""

import hashlib
import html
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from newsletter.demo.manuscripts import body_html
from newsletter.demo.paper import MOTTO, NAME, SHORT_NAME, ZONE, Paper, PaperStory
from newsletter.demo.pictures import HEIGHT, WIDTH

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
<channel>
"""


@dataclass(frozen=True)
class Feed:
    """The feed's bytes and what to ask again with."""

    body: bytes
    etag: str
    last_modified: str


def write_feed(paper: Paper, base_url: str, sign_up_url: str) -> Feed:
    """The feed of all stories, addresses below ``base_url`` (without a slash at the end)."""
    newest = paper.stories[0].published_at
    channel = [
        _element("title", NAME),
        _element("link", f"{base_url}/"),
        _element("description", MOTTO),
        f'<atom:link href={quoteattr(base_url + "/feed/")} rel="self" type="application/rss+xml"/>',
        _element("language", "en-US"),
        _element("lastBuildDate", _rfc822(newest)),
        _element("sy:updatePeriod", "\n\thourly\t"),
    ]
    items = [_item(story, base_url, sign_up_url) for story in paper.stories]
    text = _HEAD + "\n".join([*channel, *items]) + "\n</channel>\n</rss>\n"
    body = text.encode()
    return Feed(
        body=body,
        etag=f'"{hashlib.sha256(body).hexdigest()[:24]}"',
        last_modified=format_datetime(newest, usegmt=True),
    )


def prompt_html(sign_up_url: str) -> str:
    """The prompt that the site puts into texts: the house's name, and a link."""
    return (
        '<aside class="newsletter-prompt">'
        f"<p>{NAME}</p>"
        f'<p><a href="{html.escape(sign_up_url)}">Get {SHORT_NAME} in your inbox</a>, '
        "once a week, free of charge.</p></aside>"
    )


def figure_html(story: PaperStory, base_url: str) -> str:
    """The story's picture with its caption, as it stands at the head of the text."""
    picture = story.manuscript.picture
    if picture is None:
        return ""
    return (
        f'<figure class="wp-block-image"><img src="{html.escape(base_url + story.picture_path)}" '
        f'alt="{html.escape(picture.alt)}" width="{WIDTH}" height="{HEIGHT}">'
        f"<figcaption>{html.escape(picture.caption, quote=False)}</figcaption></figure>\n"
    )


def _item(story: PaperStory, base_url: str, sign_up_url: str) -> str:
    manuscript = story.manuscript
    content = figure_html(story, base_url) + body_html(manuscript, prompt_html(sign_up_url))
    parts = [
        "<item>",
        _element("title", manuscript.headline),
        _element("link", base_url + story.path),
        f'<guid isPermaLink="false">{escape(f"urn:araks-courier:{manuscript.slug}")}</guid>',
        _element("pubDate", _rfc822(story.published_at)),
        _element("dc:creator", manuscript.author),
        *(_element("category", name) for name in (*manuscript.departments, *manuscript.tags)),
    ]
    if manuscript.language != "en":
        parts.append(_element("dc:language", manuscript.language))
    if manuscript.standfirst:
        parts.append(_element("description", manuscript.standfirst))
    # After the description: some readers take the first description for the
    # item's, and Media RSS has one of the same name.
    parts += [
        f"<content:encoded><![CDATA[{content}]]></content:encoded>",
        _media(story, base_url),
        "</item>",
    ]
    return "\n".join(part for part in parts if part)


def _media(story: PaperStory, base_url: str) -> str:
    picture = story.manuscript.picture
    if picture is None:
        return ""
    caption, credit = picture.parted
    inside = ""
    # Papers differ, and one paper from week to week: every second story tells
    # the caption and its credit here too, the others only in the text.
    if len(story.manuscript.slug) % 2 == 0:
        inside = _element("media:description", caption)
        inside += _element("media:credit", credit, ' role="photographer"') if credit else ""
    address = quoteattr(base_url + story.picture_path)
    return (
        f'<media:content url={address} medium="image" type="image/jpeg" '
        f'width="{WIDTH}" height="{HEIGHT}">{inside}</media:content>'
    )


def _element(name: str, text: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{escape(text)}</{name}>"


def _rfc822(instant: datetime) -> str:
    return format_datetime(instant.astimezone(ZONE))
