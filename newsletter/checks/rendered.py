"""Findings on an issue as it would leave: its bytes, links, pictures and words."""

import quopri
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from urllib.parse import SplitResult, urlsplit

from selectolax.lexbor import LexborHTMLParser

from newsletter.checks.model import Finding, Level
from newsletter.issues.model import Issue
from newsletter.publication.design import design_of
from newsletter.publication.model import Publication
from newsletter.rendering.links import target_of
from newsletter.rendering.model import ReaderSlot, RenderedIssue

_KB = 1024
# Gmail clips a message near 102 KB, and the rules for phones and dark go with the rest.
STOP_SIZE = 102 * _KB
_MARKS = re.compile("|".join(ReaderSlot))
WARN_SIZE = 90 * _KB
WARN_ENCODED_SIZE = 100 * _KB
# Gmail ignores every style element beyond this sum.
STYLE_SIZE = 16 * _KB
SUBJECT_LENGTH = 60
PREHEADER_LENGTHS = range(40, 111)

_FORBIDDEN = (
    "form",
    "script",
    "video",
    "audio",
    "svg",
    "iframe",
    "object",
    "embed",
    "base",
    "link",
)
_UNRESOLVED = re.compile(r"\{\{|\}\}|\{%|%\}|%7B%7B|XX[A-Z]{4,}XX")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check_rendered(
    issue: Issue, rendered: RenderedIssue, publication: Publication
) -> tuple[Finding, ...]:
    """All that may be said against sending this, what stops it first."""
    tree = LexborHTMLParser(rendered.html)
    findings = [
        *_check_subject(rendered),
        *_check_stories(issue),
        *_check_size(rendered.html, tree),
        *_check_marks(issue, rendered),
        *_check_elements(rendered.html, tree),
        *_check_links(rendered, tree),
        *_check_pictures(issue, tree),
        *_check_publication(publication),
    ]
    return tuple(sorted(findings, key=lambda finding: finding.level is Level.WARN))


def _check_subject(rendered: RenderedIssue) -> Iterator[Finding]:
    subject = rendered.subject.strip()
    if not subject:
        yield _stop("subject", "The subject is empty; write one.")
    elif len(subject) > SUBJECT_LENGTH:
        yield _warn(
            "subject",
            f"The subject has {len(subject)} characters; most inboxes show {SUBJECT_LENGTH}.",
        )
    preheader = rendered.preheader.strip()
    if not preheader:
        yield _warn(
            "preheader",
            "There is no preheader; the inbox will show whatever words come first.",
        )
    elif preheader == subject:
        yield _warn("preheader", "The preheader repeats the subject; use it to say more.")
    elif len(preheader) not in PREHEADER_LENGTHS:
        yield _warn(
            "preheader",
            f"The preheader has {len(preheader)} characters; "
            f"{PREHEADER_LENGTHS.start} to {PREHEADER_LENGTHS.stop - 1} fit the inbox's line.",
        )


def _check_stories(issue: Issue) -> Iterator[Finding]:
    if not issue.items:
        yield _stop("stories", "There is no story in this issue.")
        return
    if not any(section.kind == "latest" and section.items for section in issue.sections):
        yield _warn("lead", "There is no lead: the issue has no section of latest stories.")
    if not issue.note.strip():
        yield _warn("note", "There is no note from the editors above the stories.")
    counts = Counter(item.story_id for item in issue.items)
    headlines = {item.story_id: item.headline for item in issue.items}
    for story_id, count in counts.items():
        if count > 1:
            yield _warn("twice", f"“{headlines[story_id]}” stands in this issue {count} times.")


def _check_size(html: str, tree: LexborHTMLParser) -> Iterator[Finding]:
    raw = html.encode()
    size = len(raw)
    if size > STOP_SIZE:
        yield _stop(
            "size",
            f"The mail has {size // _KB} KB and Gmail cuts off what exceeds "
            f"{STOP_SIZE // _KB}; take out some stories.",
        )
    elif size > WARN_SIZE:
        yield _warn(
            "size",
            f"The mail has {size // _KB} KB, close to the {STOP_SIZE // _KB} at which "
            "Gmail cuts it off.",
        )
    elif (encoded := len(quopri.encodestring(raw))) > WARN_ENCODED_SIZE:
        yield _warn(
            "size",
            f"The mail has {encoded // _KB} KB once it is encoded for its way; "
            "Gmail may cut off the end.",
        )
    style = sum(len((node.text() or "").encode()) for node in tree.css("style"))
    if style > STYLE_SIZE:
        yield _warn(
            "style",
            f"The style elements hold {style // _KB} KB; Gmail reads {STYLE_SIZE // _KB} "
            "and drops the rest.",
        )


def _check_marks(issue: Issue, rendered: RenderedIssue) -> Iterator[Finding]:
    for part, text in (("HTML", rendered.html), ("text", rendered.text)):
        if ReaderSlot.UNSUBSCRIBE not in text:
            yield _stop("unsubscribe", f"The {part} part has no link to unsubscribe.")
    everything = "\n".join((rendered.subject, rendered.preheader, rendered.html, rendered.text))
    left = {match[0] for match in _UNRESOLVED.finditer(everything)} - set(ReaderSlot)
    # What a story says of itself is its writer's business, and no template's fault.
    told = {match[0] for match in _UNRESOLVED.finditer(_words_of_stories(issue))}
    if left - told:
        yield _stop(
            "marks",
            f"A place was left unfilled: {_list(left - told)}; look for it in texts and links.",
        )
    if left & told:
        yield _warn(
            "marks",
            f"A story holds what looks like an unfilled place: {_list(left & told)}; look at it.",
        )
    if any(slot in rendered.subject or slot in rendered.preheader for slot in ReaderSlot):
        yield _stop("marks", "The subject or the preheader holds a reader's own mark.")


def _words_of_stories(issue: Issue) -> str:
    lines: list[str] = []
    for item in issue.items:
        lines += (item.headline, item.url, item.excerpt, item.byline, item.department)
        if item.picture:
            picture = item.picture
            lines += (picture.url, picture.alt, picture.caption, picture.credit)
    return "\n".join(lines)


def _check_elements(html: str, tree: LexborHTMLParser) -> Iterator[Finding]:
    found = {name for name in _FORBIDDEN if tree.css_first(name) is not None}
    if found:
        yield _stop(
            "elements",
            f"The mail holds what mail programs refuse or remove: {_list(found)}.",
        )
    if any("@import" in (node.text() or "").lower() for node in tree.css("style")):
        yield _stop(
            "elements", "A style element imports another sheet, which mail programs refuse."
        )
    if not html.startswith("<!DOCTYPE html>"):
        yield _warn("doctype", "The mail does not begin with <!DOCTYPE html>.")


def _check_links(rendered: RenderedIssue, tree: LexborHTMLParser) -> Iterator[Finding]:
    hrefs = [target_of(node.attributes.get("href") or "", rendered) for node in tree.css("a[href]")]
    bad = {href for href in hrefs if not _is_web_or_mail(href)}
    if bad:
        yield _stop(
            "links", f"These links lead nowhere from a mail: {_list(bad)}; write https addresses."
        )
    sources = [node.attributes.get("src") or "" for node in tree.css("img")]
    bad_pictures = {src for src in sources if _split(src).scheme not in ("http", "https")}
    if bad_pictures:
        yield _stop(
            "pictures",
            f"These pictures are not on the web: {_list(bad_pictures)}; mail programs drop them.",
        )
    plain = {address for address in (*hrefs, *sources) if _is_unprotected(address)}
    if plain:
        yield _warn(
            "https", f"These addresses are not protected: {_list(plain)}; use https where you can."
        )


def _check_pictures(issue: Issue, tree: LexborHTMLParser) -> Iterator[Finding]:
    silent = sum("alt" not in node.attributes for node in tree.css("img"))
    if silent:
        yield _warn("alt", f"{_pictures(silent)} in the mail without a text in its place (alt).")
    untold = [
        item.headline
        for section in issue.sections
        if section.kind != "most_read"
        for item in section.items
        if item.picture and not item.picture.alt and not item.picture.caption
    ]
    if untold:
        yield _warn(
            "alt",
            f"{_pictures(len(untold))} without a description, so the headline is read out "
            f"instead: {_list(f'“{headline}”' for headline in untold)}.",
        )


def _check_publication(publication: Publication) -> Iterator[Finding]:
    if not publication.postal_address:
        yield _warn(
            "postal_address",
            "The footer has no postal address, which the law asks for in bulk mail; "
            "set postal_address.",
        )
    for sentence in design_of(publication).mended:
        yield _warn("contrast", sentence)


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # brackets in the host that hold no IPv6 address
        return urlsplit("")


def _is_web_or_mail(href: str) -> bool:
    parts = _split(href)
    if parts.scheme == "mailto":
        # To nobody yet: the reader passes it on (RFC 6068 section 2).
        return "@" in parts.path or "%40" in parts.path or bool(parts.query and not parts.path)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _is_unprotected(address: str) -> bool:
    parts = _split(address)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def _list(words: Iterable[str]) -> str:
    """At most three of them, in order and without marks, and how many more there are."""
    ordered = sorted(_MARKS.sub("…", word) for word in words)
    rest = len(ordered) - 3
    return ", ".join(ordered[:3]) + (f" and {rest} more" if rest > 0 else "")


def _pictures(count: int) -> str:
    return "One picture is" if count == 1 else f"{count} pictures are"


def _stop(what: str, sentence: str) -> Finding:
    return Finding(Level.STOP, what, sentence)


def _warn(what: str, sentence: str) -> Finding:
    return Finding(Level.WARN, what, sentence)
