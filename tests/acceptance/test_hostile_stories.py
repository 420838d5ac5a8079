"""Markup that means harm, through every door a story has, to the letter that readers get."""

import json
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.sources.feeds import parse_feed
from newsletter.stories.record import keys_of, read_text, tell_story
from tests.acceptance.command_line import must, write_config
from tests.web_pages import site

__all__ = ["site"]

ZONE = ZoneInfo("America/New_York")
NOW = datetime(2025, 8, 7, 18, tzinfo=UTC)

# Each says "hurt" where it would act. Written for the parsers on the story's way:
# lexbor (text), feedparser and lxml (feeds), Jinja and premailer (letters).
PAYLOADS = [
    "<script>hurt()</script>",
    "<SCRIPT SRC=//evil.example/hurt.js></SCRIPT>",
    "<scr<script>ipt>hurt()</scr</script>ipt>",
    "<img src=x onerror=hurt()>",
    "<img src='x' onerror='hurt()'>",
    "<img/src=x/onerror=hurt()>",
    "<svg onload=hurt()>",
    "<svg><script>hurt()</script></svg>",
    "<svg><a xlink:href='javascript:hurt()'><text>x</text></a></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=hurt()>",
    "<noscript><p title='</noscript><img src=x onerror=hurt()>'>",
    "<template><script>hurt()</script></template>",
    "<a href='javascript:hurt()'>x</a>",
    "<a href='JaVa&#10;ScRiPt:hurt()'>x</a>",
    "<a href=' &#14; javascript:hurt()'>x</a>",
    "<a href='data:text/html,<script>hurt()</script>'>x</a>",
    "<a href='vbscript:hurt()'>x</a>",
    "<iframe src='javascript:hurt()'></iframe>",
    "<iframe srcdoc='<script>hurt()</script>'></iframe>",
    "<object data='javascript:hurt()'></object>",
    "<embed src='javascript:hurt()'>",
    "<form action='javascript:hurt()'><button>x</button></form>",
    "<input autofocus onfocus=hurt()>",
    "<details open ontoggle=hurt()>x</details>",
    "<video><source onerror=hurt()></video>",
    "<body onload=hurt()>",
    "<base href='https://evil.example/hurt/'>",
    "<link rel=stylesheet href='https://evil.example/hurt.css'>",
    "<meta http-equiv=refresh content='0;url=javascript:hurt()'>",
    "<style>*{background:url(javascript:hurt())}</style>",
    "<p style='background:url(javascript:hurt());behavior:url(hurt.htc)'>x</p>",
    "<!--><script>hurt()</script>-->",
    "<![CDATA[<script>hurt()</script>",
    "--><script>hurt()</script><!--",
    "</title><script>hurt()</script>",
    "</style><script>hurt()</script>",
    "'\"><script>hurt()</script>",
    "\" onmouseover=hurt() x=\"",
    "' onmouseover='hurt()",
    "&lt;script&gt;hurt()&lt;/script&gt;",
    "&amp;lt;script&amp;gt;hurt()&amp;lt;/script&amp;gt;",
    "&#60;script&#62;hurt()&#60;/script&#62;",
    "{{ hurt() }}{% include 'x' %}${hurt()}",
    "\u202e<script>hurt()</script>",
    "<\x00script>hurt()</script>",
    "<p>text</p\n/><img src=\"x`y\" `onerror=hurt()`>",
]  # fmt: skip
ADDRESSES = [
    "javascript:hurt()", "data:text/html,hurt", "vbscript:hurt()", "file:///etc/hurt", "//hurt",
    "https://evil.example/\"onerror=hurt()", "https://evil.example/'><script>hurt()</script>",
    "https://evil.example/hurt\r\nX-Hurt: 1", "HTTPS://evil.example/<hurt>",
]  # fmt: skip


def rss() -> bytes:
    """An item for each payload, which stands in every place that takes text."""
    items = []
    for number, payload in enumerate(PAYLOADS):
        text = escape(payload.replace("\x00", ""))
        link = "".join(text.split())  # an address with white space is none
        address = escape(ADDRESSES[number % len(ADDRESSES)])
        items.append(
            f"<item><title>Story {number} {text}</title>"
            f"<link>https://paper.example/{number}/?a={link}</link><guid>{text}{number}</guid>"
            f"<description>{text} An excerpt. {text}</description>"
            f"<author>{text}</author><dc:creator>{text} Lilit</dc:creator>"
            f"<category>{text}</category><pubDate>Mon, 04 Aug 2025 10:00:{number % 60:02} GMT"
            f"</pubDate><enclosure type='image/jpeg' url=\"{address}.jpg\"/>"
            f"<media:content medium='image' url=\"{address}\"><media:credit>{text}</media:credit>"
            f"<media:description>{text}</media:description></media:content>"
            f"<content:encoded>&lt;p&gt;By {text}&lt;/p&gt; The first sentence is {text} here. "
            f"&lt;img src='{address}' alt='{text}'&gt;{text}</content:encoded></item>"
        )
    spaces = (
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    )
    channel = f"<channel><title>P</title>{''.join(items)}</channel>"
    return f"<rss version='2.0' {spaces}>{channel}</rss>".encode()


def json_feed() -> bytes:
    items = [
        {
            "id": f"{number}",
            "url": f"https://paper.example/j{number}/",
            "title": f"Story {number} {payload}",
            "content_html": f"<p>By {payload}</p> The first sentence is {payload} here.",
            "summary": payload,
            "image": ADDRESSES[number % len(ADDRESSES)],
            "date_published": "2025-08-04T10:00:00Z",
            "authors": [{"name": payload}],
            "tags": [payload],
        }
        for number, payload in enumerate(PAYLOADS)
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode()


@pytest.mark.parametrize("body", [rss(), json_feed()], ids=["rss", "json"])
def test_cleaned_stories_hold_text_and_web_addresses(body: bytes) -> None:
    items = parse_feed(body, "https://paper.example/feed/").items
    assert len(items) >= len(PAYLOADS) - 3
    for item in items:
        keys = keys_of(item, "site", ZONE, NOW)
        story = tell_story(item, keys, read_text(item, keys.url or ""), ZONE, NOW)
        assert story.url.startswith("https://paper.example/")
        addresses = [story.url] + ([story.picture.url] if story.picture else [])
        for address in addresses:
            assert address.startswith(("http://", "https://"))
            assert not set(address) & set('<>"\r\n ')
        lines = [story.title, story.byline, story.excerpt, *story.departments, *story.tags]
        lines += [story.picture.alt, story.picture.caption] if story.picture else []
        assert not any("\x00" in line or "\n" in line for line in lines)


def test_no_payload_acts_in_the_letter(site: Any, tmp_path: Path) -> None:
    for kind, body in (("rss", rss()), ("json", json_feed())):
        folder = tmp_path / kind
        folder.mkdir()
        site.page("/feed", body)
        path = write_config(folder, feed=site.url("/feed"), port=25)
        config = path.read_text(encoding="utf-8").replace("count = 12", "count = 28")
        config += '[pictures]\nserved_by = "site"\n'  # whose addresses are hostile as well
        path.write_text(config, encoding="utf-8")
        now = ("--now", "2025-08-07T18:00:00Z")
        draft = must(folder, "issue", "draft", "--json", *now).json
        assert len(draft["items"]) == 28
        must(folder, "issue", "preview", "--out", "out", *now)
        letter = (folder / "out/issue.html").read_text(encoding="utf-8")
        assert letter.count("hurt()") > 28  # it is all there, as words
        assert_harmless(letter)


HARMFUL_TAGS = ("script, iframe, object, embed, form, input, svg, math, template, base, video, "
                "noscript, link[rel=stylesheet], meta[http-equiv=refresh]")  # fmt: skip


def assert_harmless(letter: str) -> None:
    tree = LexborHTMLParser(letter)
    assert [node.html for node in tree.css(HARMFUL_TAGS)] == []
    for node in tree.css("*"):
        for name, value in node.attributes.items():
            assert not name.lower().startswith("on"), node.html
            assert name.isascii(), node.html
            if name in ("href", "src", "action", "background"):
                assert (value or "").startswith(("https://", "http://", "mailto:", "{", "#")), value
            if name == "style":
                assert "javascript" not in (value or "").lower()
                assert "hurt" not in (value or "")
    assert "javascript" not in "".join(style.text() for style in tree.css("style")).lower()
