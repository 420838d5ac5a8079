"""Stories that mean harm: through every door that stories have, to every place that shows them.

The corpus comes over real HTTP, goes out over real SMTP, and what readers and
editors get is parsed, and opened in a browser that would do what it says.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as mail_policy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Dialog, Route
from selectolax.lexbor import LexborHTMLParser
from starlette.testclient import TestClient

from newsletter.config import load_config
from newsletter.demo.catcher import MailCatcher
from newsletter.sources.feeds import parse_feed
from newsletter.stories.record import keys_of, read_text, tell_story
from newsletter.web.app import create_app
from newsletter.web.context import WebContext
from newsletter.workflows.opening import open_installation
from tests.acceptance.command_line import Answer
from tests.acceptance.hostile_corpus import HEADERS, PAYLOADS
from tests.acceptance.hostile_doors import ALL, DOORS, atom, json_feed, rss, words
from tests.acceptance.moving_clock import MovingClock
from tests.browser import open_browser
from tests.cli.conftest import call
from tests.web_pages import site

__all__ = ["call", "site"]

NOW = "2025-08-07T18:00:00Z"
READER = "reader@readers.example"
# One door of each sort is tried every time: a feed, and a site of its own.
QUICK_DOORS = ("wordpress",)
PARTS = 4  # an issue that holds the whole corpus would be too long to be sent
CONFIG = """\
data_dir = "data"
[[relay]]
slug = "catcher"
host = "127.0.0.1"
port = {port}
tls = "none"
[checks]
link_seconds = 0
spam = false
[publication]
name = "The Araks Courier"
url = "https://paper.example"
timezone = "America/New_York"
postal_address = "12 Orchard Lane, Glendale, California"
[pictures]
served_by = "site"
"""
SOURCE = """\
[[source]]
slug = "{slug}"
kind = "{kind}"
url = "{url}"
allow_private = true
[[newsletter]]
slug = "{slug}"
name = "Courier Weekly"
from = {{ name = "The Araks Courier", address = "weekly@paper.example" }}
sources = ["{slug}"]
draft_at = "Thu 12:00"
send_at = "Fri 07:00"
[[newsletter.section]]
slug = "latest"
kind = "latest"
title = "Latest articles of the week"
count = 28
"""
FIELDS = [
    *("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type", "Reply-To"),
    *("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Archive", "Feedback-ID"),
    *("List-Help", "List-Post", "Content-Language", "X-Auto-Response-Suppress", "Precedence"),
]

Call = Callable[..., Answer]


@dataclass(frozen=True)
class Issue:
    """One issue that went out: the numbers of its stories, where it is shown, and its mail."""

    slug: str
    numbers: list[int]
    preview: str
    mail: bytes

    @property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.mail, policy=mail_policy)
        assert isinstance(message, EmailMessage)
        return message

    def part(self, kind: str) -> str:
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


def numbers_of(part: int, door: int) -> list[int]:
    """A part of the corpus; a story whose title breaks lines is the newest, and so the subject."""
    numbers = [number for number in ALL if number % PARTS == part]
    breaking = [number for number in numbers if PAYLOADS[number] in HEADERS]
    lead = breaking[door % len(breaking)]
    return [*(number for number in numbers if number != lead), lead]


def send_issues(door: str, site: Any, folder: Path, call: Call) -> list[Issue]:
    """The whole corpus through one door and out by mail, by the command line."""

    def must(*arguments: str) -> Answer:
        answer = call(folder, *arguments)
        assert answer.status == 0, answer.err + answer.out
        return answer

    kind, open_door = DOORS[door]
    place = list(DOORS).index(door)
    numbers = {f"part{part}": numbers_of(part, place) for part in range(PARTS)}
    with MailCatcher(folder / "mail") as catcher:
        config = CONFIG.format(port=catcher.port)
        for slug, own in numbers.items():
            config += SOURCE.format(slug=slug, kind=kind, url=open_door(site, f"/{slug}", own))
        (folder / "config.toml").write_text(config, encoding="utf-8")
        (folder / "readers.csv").write_text(f"email\n{READER}\n", encoding="utf-8")
        # Of a sitemap's pages a poll reads a few.
        for _ in range(2):
            must("stories", "fetch", "--now", NOW)
        issues = []
        for slug, own in numbers.items():
            one = ("--newsletter", slug)
            must("subscribers", "import", "readers.csv", "--consent", "on paper", *one)
            draft = must("issue", "draft", "--no-fetch", "--json", "--now", NOW, *one).json
            assert len(draft["items"]) == len(own)
            must("issue", "approve", "--now", NOW, *one)
            must("issue", "send", "--now", NOW, *one)
            mail = (folder / f"mail/{len(issues) + 1:07}.eml").read_bytes()
            issues.append(Issue(slug, own, urlsplit(draft["preview"]).path, mail))
        assert catcher.accepted == PARTS
    return issues


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.mark.parametrize("body", [rss(), atom(), json_feed()], ids=["rss", "atom", "json"])
def test_cleaned_stories_hold_short_lines_and_web_addresses(body: bytes) -> None:
    zone, now = ZoneInfo("America/New_York"), datetime.fromisoformat(NOW)
    items = parse_feed(body, "https://paper.example/feed/").items
    assert len(items) == len(PAYLOADS)
    for item in items:
        keys = keys_of(item, "site", zone, now)
        story = tell_story(item, keys, read_text(item, keys.url or ""), zone, now)
        addresses = [story.url] + ([story.picture.url] if story.picture else [])
        for address in addresses:
            assert urlsplit(address).scheme in ("http", "https")
            assert not set(address) & set('<>"\r\n ')
            assert len(address) <= 2_000
        lines = [story.title, story.byline, story.excerpt, *story.departments, *story.tags]
        if story.picture:
            lines += [story.picture.alt, story.picture.caption, story.picture.credit]
        assert max(map(len, lines)) <= 500
        assert UNSEEN.findall("".join(lines)) == []
        assert not any("\n" in line for line in lines)


def test_the_watch_sees_what_acts(browser: Browser) -> None:
    watch = Watch(browser)
    watch.open("<p>The mill turns.</p><img src='http://evil.example/a.jpg'>")
    for payload in (
        *("<img src=x onerror=hurt()>", "<svg onload=hurt()>", "<p onmouseover=hurt()>x</p>"),
        *("<a href=javascript:hurt()>x</a>", "<iframe srcdoc='<script>parent.hurt()</script>'>"),
        *("<link rel=stylesheet href=http://evil.example/a.css>", "<script>alert(1)</script>"),
        *("<style>p{background:url(http://evil.example/a)}</style><p>x", "<script>hurt()</script>"),
    ):
        with pytest.raises(AssertionError):
            watch.open(payload)
        watch = Watch(browser)
    watch.close()


@pytest.mark.parametrize(
    "door",
    [door if door in QUICK_DOORS else pytest.param(door, marks=pytest.mark.long) for door in DOORS],
)
def test_nothing_acts_wherever_a_story_is_shown(
    door: str, site: Any, tmp_path: Path, call: Call, browser: Browser
) -> None:
    issues = send_issues(door, site, tmp_path, call)
    watch = Watch(browser)
    config = load_config(tmp_path / "config.toml", {})
    with (
        open_installation(config, MovingClock(datetime.fromisoformat(NOW))) as installation,
        TestClient(create_app(WebContext.of(installation)), base_url="http://127.0.0.1") as client,
    ):
        for issue in issues:
            letter = issue.part("html")
            assert_header_is_ours(issue)
            assert_tokens_are_kept(issue)
            assert_plain(issue.part("plain"), issue.numbers)
            assert_harmless(letter, issue.numbers)
            archived = client.get(f"/archive/{issue.slug}/2025-W32").text
            assert_harmless(assert_framed(archived, issue.slug), issue.numbers)
            watch.open(letter)
            for path in (f"/archive/{issue.slug}/", f"/archive/{issue.slug}/2025-W32",
                         issue.preview, f"{issue.preview}/html?view=dark"):  # fmt: skip
                page = client.get(path)
                assert page.status_code == 200, path
                assert "default-src 'none'" in page.headers["Content-Security-Policy"]
                watch.open(page.text)
            assert_plain(client.get(f"{issue.preview}/text").text, issue.numbers)
    watch.close()


def assert_header_is_ours(issue: Issue) -> None:
    head = issue.mail.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    lines = head.decode().split("\r\n")
    assert not any(re.search(r"[\x00-\x08\x0a-\x1f\x7f]", line) for line in lines)
    fields = [line.partition(":")[0] for line in lines if not line.startswith((" ", "\t"))]
    assert set(fields) <= set(FIELDS)
    assert len(set(fields)) == len(fields)
    assert issue.message["To"] == READER
    assert str(issue.message["Subject"]).startswith(words(issue.numbers[-1]))


def assert_tokens_are_kept(issue: Issue) -> None:
    """What opens a reader's own pages stands in our links to them and nowhere else."""
    unsubscribe = re.search(r"/unsubscribe/([a-z0-9.]+)", issue.message["List-Unsubscribe"])
    assert unsubscribe is not None
    for kind in ("html", "plain"):
        part = issue.part(kind)
        preferences = re.search(r"/preferences/([a-z0-9.]+)", part)
        assert preferences is not None
        # The preferences are led to twice: their pause has a link of its own.
        for page, token, times in (
            ("unsubscribe", unsubscribe[1], 1),
            ("preferences", preferences[1], 2),
        ):
            links = part.count(f"http://127.0.0.1:8000/{page}/{token}")
            assert part.count(token) == links == times


# What turns the direction of text or hides it: RFC 9839 and the Trojan-source list.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2028\u2029\u2060\u2066-\u2069\ufeff]"
)


def assert_plain(text: str, numbers: list[int]) -> None:
    assert UNSEEN.findall(text) == []
    together = " ".join(text.split())
    assert [number for number in numbers if words(number) not in together] == []
    assert not re.search(r"XXREADER[A-Z]+XX", text)


HARMFUL_TAGS = (
    "script, iframe, object, embed, form, input, button, select, svg, math, template, base, video, "
    "audio, noscript, noembed, xmp, plaintext, marquee, details, link, meta[http-equiv=refresh]"
)
ATTRIBUTES = frozenset(
    (
        *("align", "alt", "aria-hidden", "aria-label", "aria-roledescription", "bgcolor", "border"),
        *("cellpadding", "cellspacing", "charset", "class", "content", "data-premailer", "dir"),
        *("height", "href", "http-equiv", "id", "lang", "name", "rel", "role", "scope", "src"),
        *("style", "target", "title", "type", "valign", "width", "xmlns", "xmlns:o", "xmlns:v"),
    )
)


# What the archive adds around a letter, and into its head.
FRAME = re.compile(r"<header .*?<main[^>]*>|</main>.*?</footer>", re.DOTALL)
HEAD_FRAME = re.compile(r"<(?:link|meta property)[^>]*>")
FRAME_LINKS = (("a", "href"), ("link", "href"), ("img", "src"))


def assert_framed(page: str, slug: str) -> str:
    """The letter of an archived issue, whose frame leads to our own pages only."""
    head, _, rest = page.partition("</head>")
    frame = LexborHTMLParser("".join((*HEAD_FRAME.findall(head), *FRAME.findall(rest))))
    assert len(frame.css("header, footer")) == 2
    assert frame.css("script, style, iframe, form") == []
    addresses = {n.attributes[name] or "" for tag, name in FRAME_LINKS for n in frame.css(tag)}
    ours = (f"http://127.0.0.1:8000/archive/{slug}/", f"/archive/{slug}/", f"/subscribe/{slug}")
    assert {
        address for address in addresses if not address.startswith((*ours, "#content"))
    } == set()
    for node in frame.css("*"):
        assert not [name for name in node.attributes if name.startswith("on")], node.html
    return HEAD_FRAME.sub("", head) + "</head>" + FRAME.sub("", rest)


def is_fine(address: str) -> bool:
    """A web address, or a mail of ours to the editors or for passing on.

    Of a story such a mail has one line: a second one would be another header (RFC 6068).
    """
    parts = urlsplit(address)
    if parts.scheme == "mailto":
        lines = re.search("%0[ad]", parts.query, re.IGNORECASE)
        return re.fullmatch(r"[\w.@-]*", parts.path) is not None and lines is None
    return parts.scheme in ("https", "http")


def assert_harmless(letter: str, numbers: list[int]) -> None:
    """By its DOM: no element, attribute, address or style that is not the template's own."""
    tree = LexborHTMLParser(letter)
    assert [node.html for node in tree.css(HARMFUL_TAGS)] == []
    for node in tree.css("*"):
        assert set(node.attributes) <= ATTRIBUTES, node.html
        for name in ("href", "src"):
            if name in node.attributes:
                assert is_fine(node.attributes[name] or ""), node.html
        style = (node.attributes.get("style") or "").lower()
        assert not re.search(r"url|expression|javascript|import|behavior|binding|hurt", style)
    sheets = "".join(style.text() for style in tree.css("style")).lower()
    assert not re.search(r"javascript|expression|@import|hurt", sheets)
    assert not re.search(r"XXREADER[A-Z]+XX", letter)
    assert UNSEEN.findall(letter) == []
    assert tree.body is not None
    shown = " ".join(tree.body.text().split())
    assert [number for number in numbers if words(number) not in shown] == []
    assert shown.count("hurt()") >= len(numbers)  # it is all there, as words


# Whatever waits for a reader's hand gets it.
TOUCH_ALL = """() => {
  for (const node of document.querySelectorAll("*"))
    for (const kind of ["mouseover", "focus", "error", "load", "toggle", "animationstart", "begin"])
      node.dispatchEvent(new Event(kind));
}"""
ADDRESSES_IN_PAGE = """() => [...document.querySelectorAll("*")].flatMap(node =>
  ["href", "src", "action", "formAction", "data", "srcdoc"].map(name => node[name]).filter(
    value => typeof value === "string" && value && node.tagName !== "HTML"))"""


class Watch:
    """A tab that opens letters as a mail program without any rules of ours would."""

    def __init__(self, browser: Browser) -> None:
        # Without our pages' own policies, which would hide what they stop.
        self._context = browser.new_context(bypass_csp=True)
        self._context.add_init_script(
            "window.hurt = () => { window.hurtDone = true; window.top.hurtDone = true }"
        )
        self._context.route("**/*", self._answer)
        self._tab = self._context.new_page()
        self._tab.on("dialog", self._dismiss)
        self._html = ""
        self._asked: list[tuple[str, str]] = []
        self._said: list[str] = []

    def _answer(self, route: Route) -> None:
        request = route.request
        if request.url == "http://mail.example/letter":
            route.fulfill(body=self._html, content_type="text/html; charset=utf-8")
            return
        self._asked.append((request.resource_type, request.url))
        route.abort()

    def _dismiss(self, dialog: Dialog) -> None:
        self._said.append(dialog.message)
        dialog.dismiss()

    def open(self, html: str) -> None:
        """Open it and touch everything in it: nothing may act, or ask for more than pictures."""
        self._html, self._asked = html, []
        self._tab.goto("http://mail.example/letter")
        self._tab.evaluate(TOUCH_ALL)
        assert self._tab.evaluate("window.hurtDone") is None
        assert self._said == []
        for address in self._tab.evaluate(ADDRESSES_IN_PAGE):
            assert is_fine(address), address
        shown = self._tab.evaluate("[...document.images].map(picture => picture.src)")
        pictures = [("image", address) for address in shown]
        own = "http://mail.example/"  # our pages' own style sheets, and the framed mail
        asked = [each for each in self._asked if not each[1].startswith(own)]
        assert [each for each in asked if each not in pictures] == []

    def close(self) -> None:
        self._context.close()
