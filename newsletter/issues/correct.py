"""An editor's correction of an issue: what is said otherwise, and what is taken out.

A story is named by its id, or by its place: `latest/2` is the second item of
the section "latest", as `newsletter issue show` counts them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from newsletter.errors import Advice, NotFound, Remedy, UsageError
from newsletter.issues.items import say_excerpt, say_headline
from newsletter.issues.model import (
    Block,
    CorrectionKind,
    CorrectionNote,
    Issue,
    Item,
    Section,
)
from newsletter.stories.canonical import title_key

_TELLING_WORDS = 5


@dataclass(frozen=True)
class Correction:
    """What is to be changed; None leaves a line as it is, "" empties it.

    A ``block`` without text takes the one that is there out.
    ``headlines``, ``summaries`` and ``links`` are by story; ``removed`` are
    stories. A story that stands in several places is changed in all of them.
    """

    subject: str | None = None
    preheader: str | None = None
    note: str | None = None
    block: Block | None = None
    headlines: Mapping[str, str] = field(default_factory=dict)
    summaries: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


def correct_issue(issue: Issue, correction: Correction) -> Issue:
    """``issue`` with the correction made; NotFound for a story that it has not.

    UsageError where a headline or a link would be empty.
    """
    named = {story: find_item(issue, story)[1].story_id for story in _stories_of(correction)}
    for what, texts in (("headline", correction.headlines), ("link", correction.links)):
        for story, text in texts.items():
            if not text.strip():
                raise UsageError(
                    f"the {what} of {story} would be empty; take the story out instead",
                    subject=story,
                )
    headlines, summaries, links = (
        {named[story]: _one_line(text) for story, text in texts.items()}
        for texts in (correction.headlines, correction.summaries, correction.links)
    )
    removed = {named[story] for story in correction.removed}

    def correct(item: Item) -> Item:
        item = say_headline(item, headlines.get(item.story_id, item.headline))
        item = say_excerpt(item, summaries.get(item.story_id, item.excerpt))
        return replace(item, url=links.get(item.story_id, item.url))

    return replace(
        issue,
        subject=_line(correction.subject, issue.subject),
        preheader=_line(correction.preheader, issue.preheader),
        note=issue.note if correction.note is None else correction.note.strip(),
        block=issue.block if correction.block is None else _kept_block(correction.block),
        sections=tuple(
            replace(
                section,
                items=tuple(
                    correct(item) for item in section.items if item.story_id not in removed
                ),
            )
            for section in issue.sections
        ),
    )


def describe_changes(before: Issue, after: Issue) -> tuple[str, ...]:
    """What a correction changed, a few words each: "the headline of latest/2"."""
    lines = (
        ("the subject", before.subject, after.subject),
        ("the preheader", before.preheader, after.preheader),
        ("the note", before.note, after.note),
        ("the block", before.block, after.block),
    )
    changed = [name for name, old, new in lines if old != new]
    kept = {place_of(section, item): item for section, item in _places(after)}
    for section, old_item in _places(before):
        place = place_of(section, old_item)
        item = kept.get(place)
        if item is None:
            changed.append(f"{place} is out")
            continue
        parts = (
            ("headline", old_item.headline, item.headline),
            ("summary", old_item.excerpt, item.excerpt),
            ("link", old_item.url, item.url),
        )
        changed += [f"the {name} of {place}" for name, old, new in parts if old != new]
    return tuple(changed)


def note_changes(
    before: Issue, after: Issue, at: datetime, told: str = ""
) -> tuple[CorrectionNote, ...]:
    """What a correction changed, to be told to those who read the issue as it was before."""
    old = {item.story_id: item for item in before.items}
    new = {item.story_id: item for item in after.items}
    lines = (
        (CorrectionKind.SUBJECT, before.subject, after.subject),
        (CorrectionKind.SUBJECT, before.preheader, after.preheader),
        (CorrectionKind.NOTE, before.note, after.note),
        (CorrectionKind.BLOCK, before.block, after.block),
    )
    notes = [CorrectionNote(at, kind, "", "", told=told) for kind, was, now in lines if was != now]
    for story, item in old.items():
        now = new.get(story)
        if now is None:
            notes.append(
                CorrectionNote(at, CorrectionKind.REMOVED, story, item.headline, told=told)
            )
            continue
        parts = (
            (CorrectionKind.HEADLINE, item.headline, now.headline, ""),
            (CorrectionKind.SUMMARY, item.excerpt, now.excerpt, ""),
            (CorrectionKind.CHANGED, item.url, now.url, now.url),
        )
        notes += [
            CorrectionNote(at, kind, story, now.headline, url, told)
            for kind, was, is_now, url in parts
            if was != is_now
        ]
    return tuple(dict.fromkeys(notes))


def find_leftovers(before: Issue, after: Issue) -> tuple[Advice, ...]:
    """Where the inbox's lines still say what was corrected or taken out."""
    headlines = {item.headline for item in after.items}
    gone = [item.headline for item in before.items if item.headline not in headlines]

    def still_says(line: str, headline: str) -> bool:
        # A subject may hold a headline's beginning only.
        opening = " ".join(title_key(headline).split()[:_TELLING_WORDS])
        return bool(opening) and opening in title_key(line)

    return tuple(
        Advice(f"The {name} still says “{headline}”; correct it too.", remedy, after.slot)
        for name, remedy, line in (
            ("subject", Remedy.SUBJECT, after.subject),
            ("preheader", Remedy.PREHEADER, after.preheader),
        )
        for headline in dict.fromkeys(gone)
        if still_says(line, headline)
    )


def place_of(section: Section, item: Item) -> str:
    """The name of an item's place, by which a person calls its story."""
    return f"{section.slug}/{item.position}"


def find_item(issue: Issue, story: str) -> tuple[Section, Item]:
    """The first item of the story called ``story``, by its id or place, and its section; NotFound
    where the issue has none."""
    for section, item in _places(issue):
        if story in (item.story_id, place_of(section, item)):
            return section, item
    places = [place_of(section, item) for section, item in _places(issue)]
    raise NotFound(
        f'issue {issue.slot} has no story "{story}"; name one by its id or its place: '
        f"{', '.join(places) or 'it has none'}",
        subject=story,
    )


def _places(issue: Issue) -> Iterator[tuple[Section, Item]]:
    for section in issue.sections:
        for item in section.items:
            yield section, item


def _kept_block(block: Block) -> Block | None:
    return block if block.text else None


def _stories_of(correction: Correction) -> set[str]:
    texts = (correction.headlines, correction.summaries, correction.links)
    return {story for named in texts for story in named} | set(correction.removed)


def _line(text: str | None, before: str) -> str:
    return before if text is None else _one_line(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
