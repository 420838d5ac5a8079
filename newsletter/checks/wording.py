"""Findings on what an issue says: its inbox line, its stories, and both parts alike."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from newsletter.checks.model import Finding, stop, warn
from newsletter.checks.places import Places, list_some, name_item, shown
from newsletter.issues.marked import plain_of
from newsletter.issues.model import Issue
from newsletter.publication.brand import Publication
from newsletter.rendering.addresses import find_addresses
from newsletter.rendering.model import ReaderSlot, RenderedIssue
from newsletter.rendering.text import COLUMNS, columns_of
from newsletter.rendering.view import split_paragraphs
from newsletter.stories.canonical import canonical_url

SUBJECT_LENGTH = 60
PREHEADER_LENGTHS = range(40, 111)

_ADDRESS = re.compile(r"https?://\S+")
_LONE_ADDRESS = re.compile(r"\S*(?:https?://|mailto:)\S+")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def check_inbox_line(rendered: RenderedIssue) -> Iterator[Finding]:
    """Subject and preheader."""
    subject = rendered.subject.strip()
    if not subject:
        yield stop("subject", "The subject is empty.", "Write one.", "subject")
    elif len(subject) > SUBJECT_LENGTH:
        yield warn(
            "subject",
            f"The subject has {len(subject)} characters; most inboxes show {SUBJECT_LENGTH}.",
            "Shorten it.",
            "subject",
        )
    preheader = rendered.preheader.strip()
    if not preheader:
        yield warn(
            "preheader",
            "There is no preheader; the inbox will show whatever words come first.",
            "Write one.",
            "preheader",
        )
    elif subject and _folded(preheader).startswith(_folded(subject)):
        yield warn(
            "preheader",
            "The preheader repeats the subject, beside which it stands.",
            "Use it to say more.",
            "preheader",
        )
    elif len(preheader) not in PREHEADER_LENGTHS:
        yield warn(
            "preheader",
            f"The preheader has {len(preheader)} characters; "
            f"{PREHEADER_LENGTHS.start} to {PREHEADER_LENGTHS.stop - 1} fit the inbox's line.",
            "Shorten it." if len(preheader) >= PREHEADER_LENGTHS.stop else "Say more in it.",
            "preheader",
        )


def check_stories(issue: Issue) -> Iterator[Finding]:
    """Whether there are stories, a lead and a note, and nothing comes twice."""
    if not issue.items:
        yield stop("stories", "There is no story in this issue.", "Draft it again.", "stories")
        return
    if not any(section.kind == "latest" and section.items for section in issue.sections):
        yield warn(
            "lead",
            "There is no lead: the issue has no section of latest stories.",
            "Add one to the newsletter, or name a story to lead.",
            "lead",
        )
    if not issue.note.strip():
        yield warn(
            "note", "There is no note from the editors above the stories.", "Write one.", "note"
        )
    yield from _check_twins(issue)


def _check_twins(issue: Issue) -> Iterator[Finding]:
    by_story: dict[str, list[str]] = defaultdict(list)
    by_address: dict[str, dict[str, str]] = defaultdict(dict)
    for section in issue.sections:
        for item in section.items:
            name = name_item(section, item)
            by_story[item.story_id].append(name)
            address = canonical_url(item.url) or item.url
            by_address[address].setdefault(item.story_id, name)
    for names in by_story.values():
        if len(names) > 1:
            yield warn(
                "twice",
                f"{names[0]} stands in this issue {len(names)} times.",
                "Take one of them out.",
                names[-1],
            )
    for address, stories in by_address.items():
        if len(stories) > 1:
            yield warn(
                "twice",
                f"{' and '.join(list(stories.values())[:2])} lead to the same address, {address}.",
                "Take one of them out, or correct its address.",
                list(stories.values())[-1],
            )
    noted = {canonical_url(address) or address: address for address in find_addresses(issue.note)}
    for address, written in noted.items():
        if address in by_address:
            name = next(iter(by_address[address].values()))
            yield warn(
                "twice",
                f"The note leads to the same address as {name}, {written}.",
                "Leave the address out of the note.",
                "note",
            )


def check_parts(
    issue: Issue,
    rendered: RenderedIssue,
    tree: LexborHTMLParser,
    places: Places,
) -> Iterator[Finding]:
    """Whether the text part and the HTML part say the same, and let the reader leave."""
    for part, text in (("HTML", rendered.html), ("text", rendered.text)):
        if ReaderSlot.UNSUBSCRIBE not in text:
            yield stop(
                "unsubscribe",
                f"The {part} part has no link to unsubscribe.",
                "Print view.unsubscribe_url in your own template's footer.",
                f"{part} part",
            )
    html, text = _bare(visible_words(tree)), _bare(rendered.text)
    wide = [
        line
        for line in rendered.text.splitlines()
        if columns_of(line) > COLUMNS and not _LONE_ADDRESS.fullmatch(line.strip())
    ]
    if wide:
        yield warn(
            "text",
            f"{len(wide)} lines of the text part are longer than {COLUMNS} columns, such as "
            f"“{wide[0][:40]}…”.",
            "Break long words and names.",
            "text part",
        )
    yield from _compare(issue, rendered, tree, places, html, text)


def check_address(
    rendered: RenderedIssue, tree: LexborHTMLParser, publication: Publication
) -> Iterator[Finding]:
    """Whether both parts have the postal address that the publication has now."""
    html, text = _bare(visible_words(tree)), _bare(rendered.text)
    address = publication.postal_address
    if not address:
        yield warn(
            "postal_address",
            "The footer has no postal address, which the law asks for in bulk mail.",
            "Set [publication] postal_address.",
            "footer",
        )
        return
    for part, words in (("HTML", html), ("text", text)):
        if _bare(address) not in words:
            yield warn(
                "postal_address",
                f"The {part} part lacks the postal address, which the law asks for in bulk mail.",
                "Print publication.postal_address in your own template's footer.",
                f"{part} part",
            )


def _compare(
    issue: Issue,
    rendered: RenderedIssue,
    tree: LexborHTMLParser,
    places: Places,
    html: str,
    text: str,
) -> Iterator[Finding]:
    for what, words in _words_of_editors(issue):
        if (_bare(words) in html) != (_bare(words) in text):
            part, other = ("HTML", "text") if _bare(words) in html else ("text", "HTML")
            yield warn(
                "text",
                f"The {what} stands in the {part} part and not in the {other} part.",
                f"Print it in your own template as the {part} part does.",
                what.partition(" ")[0],
            )
    alone: dict[tuple[str, str], list[str]] = defaultdict(list)
    hrefs = [node.attributes.get("href") or "" for node in tree.css("a[href]")]
    linked = {
        "HTML": {places.name(href) for href in hrefs},
        "text": {places.name(address) for address in find_addresses(rendered.text, hrefs)},
    }
    for section in issue.sections:
        for item in section.items:
            name = name_item(section, item)
            for what, words in (
                ("headline", item.headline),
                ("byline", item.byline),
                ("excerpt", item.excerpt),
            ):
                if words and (_bare(words) in html) != (_bare(words) in text):
                    alone[what, "HTML" if _bare(words) in html else "text"].append(name)
            known = places.name(item.url)
            # Others are no links at all, of which another finding tells.
            if _ADDRESS.match(item.url) and (known in linked["HTML"]) != (known in linked["text"]):
                alone["link", "HTML" if known in linked["HTML"] else "text"].append(name)
    for (what, part), names in alone.items():
        other = "text" if part == "HTML" else "HTML"
        yield warn(
            "text",
            f"The {what} of {list_some(names)} stands in the {part} part and not in the "
            f"{other} part.",
            "Print it in both."
            if part == "HTML"
            else "Print it in your own template as the text part does.",
            names[0],
        )


def _words_of_editors(issue: Issue) -> Iterator[tuple[str, str]]:
    """What an issue says beside its stories, and what that is."""
    yield "title of the issue", issue.title
    for paragraph in split_paragraphs(issue.note):
        yield "note from the editors", plain_of(paragraph)[0]
    for section in issue.sections:
        if section.items:
            yield f"title of the section “{shown(section.title)}”", section.title
    if issue.block:
        yield "block of the editors", issue.block.text
        yield "block's source", issue.block.source


def visible_words(tree: LexborHTMLParser) -> str:
    """The words that a reader sees of a document."""
    return " ".join(_words(tree.body)) if tree.body is not None else ""


def _words(node: LexborNode) -> Iterable[str]:
    if node.tag in ("style", "script") or _HIDDEN.search(node.attributes.get("style") or ""):
        return
    for child in node.iter(include_text=True):
        if child.is_text_node:
            yield child.text(deep=False) or ""
        elif child.is_element_node:
            yield from _words(child)


def _bare(text: str) -> str:
    """Text without any white space: lines are broken where they may be."""
    return _SPACE.sub("", text)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
