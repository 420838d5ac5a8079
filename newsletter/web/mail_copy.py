"""An issue's mail as one reader would get it, and the ways in which the desk looks at it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from selectolax.lexbor import LexborHTMLParser, LexborNode

from newsletter.delivery.model import Mailing
from newsletter.issues.model import Issue, Variant
from newsletter.issues.states import OPEN
from newsletter.issues.variants import vary_issue
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.fill import fill_slots
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import ReaderSlot
from newsletter.rendering.screenshots import strip_styles
from newsletter.web.context import WebContext
from newsletter.workflows.preview import newest_mailings

# Stands where a reader's own tokens come: those links lead to the page that says so.
_NOBODY = dict.fromkeys(ReaderSlot, "preview")
_HEAD_ENDS = re.compile(r"</head>", re.IGNORECASE)
# What Gmail's apps do on a dark phone, roughly: they turn colours round and leave pictures.
_INVERTED = (
    "<style>html{background:#fff;filter:invert(1) hue-rotate(180deg)}"
    "img{filter:invert(1) hue-rotate(180deg)}</style>"
)


class View(StrEnum):
    """How the mail is looked at."""

    DESKTOP = "desktop"
    PHONE = "phone"
    DARK = "dark"
    INVERTED = "inverted"
    NO_IMAGES = "no-images"
    TEXT = "text"
    NO_STYLES = "no-styles"
    READ_OUT = "read-out"


@dataclass(frozen=True)
class Copy:
    """The mail as one reader would get it, with no reader's links."""

    html: str
    text: str


@dataclass(frozen=True)
class ReadOut:
    """One thing that a screen reader says: what it is ("heading 2", "link"), and its words."""

    what: str
    words: str


def copy_issue(
    context: WebContext, settings: Settings, newsletter: Newsletter, issue: Issue, variant: Variant
) -> Copy:
    """The mail of a variant: as it went out, else as it would now.

    Of a variant that did not go out the full one in its language is shown.
    """
    if issue.state not in OPEN:
        with context.database.read() as tx:
            sent = newest_mailings(tx.mailings.of_issue(issue.public_id), issue)
        by_key = {mailing.variant.key: mailing for mailing in sent}
        for wanted in (variant, Variant(variant.language), Variant(issue.language)):
            if mailing := by_key.get(wanted.key):
                return copy_mailing(mailing)
    rendered = render_issue(
        vary_issue(issue, variant, newsletter, settings.publication),
        settings.publication,
        newsletter,
        base_url=context.base_url,
        templates=context.templates,
        utm_source=settings.tracking.utm_source,
        archived_in=issue.language,
    )
    return Copy(fill_slots(rendered.html, _NOBODY), fill_slots(rendered.text, _NOBODY))


def copy_mailing(mailing: Mailing) -> Copy:
    """A mail as it went out, with no reader's links."""
    return Copy(fill_slots(mailing.html, _NOBODY), fill_slots(mailing.text, _NOBODY))


def dress_copy(html: str, view: View) -> str:
    """The HTML part as that view shows it in a frame; pictures are kept away by its policy.

    A frame does not hand its colour scheme on to a sandboxed document, so the mail's own
    query is answered here, whatever the editor's own screen is.
    """
    answer = "@media all" if view is View.DARK else "@media not all"
    html = html.replace("@media (prefers-color-scheme: dark)", answer)
    if view is View.INVERTED:
        html = _HEAD_ENDS.sub(lambda match: _INVERTED + match[0], html, count=1)
    if view is View.NO_STYLES:
        html = strip_styles(html)
    # In the frame a link would open inside it, where the site refuses to be shown.
    return html.replace("<a ", '<a target="_blank" rel="noopener" ')


def read_out(html: str) -> tuple[ReadOut, ...]:
    """What a screen reader says of a mail, in its order."""
    body = LexborHTMLParser(html).body
    return tuple(_merge(_say(body))) if body is not None else ()


def _say(node: LexborNode) -> Iterator[ReadOut]:
    for child in node.iter(include_text=True):
        attributes = child.attributes
        if child.tag == "-text":
            if words := " ".join((child.text_content or "").replace("\u200c", "").split()):
                yield ReadOut("", words)
        elif attributes.get("aria-hidden") == "true" or child.tag in ("style", "script", "title"):
            continue
        elif child.tag == "img":
            if words := (attributes.get("alt") or "").strip():
                yield ReadOut("picture", words)
        elif child.tag and re.fullmatch("h[1-6]", child.tag):
            yield ReadOut(f"heading {child.tag[1]}", _words_of(child))
        elif child.tag == "a" and attributes.get("href"):
            if words := _words_of(child):
                yield ReadOut("link", words)
        else:
            yield from _say(child)


def _words_of(node: LexborNode) -> str:
    return " ".join(one.words for one in _say(node))


def _merge(said: Iterator[ReadOut]) -> Iterator[ReadOut]:
    """Pieces of plain text that follow each other are one."""
    waiting = ""
    for one in said:
        if not one.what:
            waiting = f"{waiting} {one.words}".strip()
            continue
        if waiting:
            yield ReadOut("", waiting)
            waiting = ""
        yield one
    if waiting:
        yield ReadOut("", waiting)
