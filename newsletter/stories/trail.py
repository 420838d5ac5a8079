"""The trail of a story: what each poll changed in it, told in lines that are only ever added."""

from collections.abc import Iterator
from datetime import datetime

from newsletter.stories.model import Picture, Story, TrailEntry, TrailKind


def trace(before: Story | None, after: Story, source: str, at: datetime) -> tuple[TrailEntry, ...]:
    """What became of a story when ``source`` told of it at ``at``; nothing where nothing did.

    ``before`` is None for a story that was never seen.
    """
    return tuple(
        TrailEntry(after.public_id, at, source, kind, was, became)
        for kind, was, became in _changes(before, after, at)
    )


def _changes(
    before: Story | None, after: Story, at: datetime
) -> Iterator[tuple[TrailKind, str, str]]:
    if before is None:
        yield TrailKind.SEEN, "", after.url
        if after.hidden:
            yield TrailKind.HIDDEN, "", after.hidden
        if after.published_at > at:
            yield TrailKind.EMBARGOED, "", after.published_at.isoformat()
        if after.syndicated_from:
            yield TrailKind.SYNDICATED, "", after.syndicated_from
        return
    if before.published_at != after.published_at:
        kind = TrailKind.EMBARGOED if after.published_at > at else TrailKind.REDATED
        yield kind, before.published_at.isoformat(), after.published_at.isoformat()
    if before.hidden != after.hidden:
        kind = TrailKind.HIDDEN if after.hidden else TrailKind.SHOWN
        yield kind, before.hidden, after.hidden
    text = (_length(before), _length(after)) if before.words != after.words else None
    if text is None and before.excerpt != after.excerpt:
        text = (before.excerpt, after.excerpt)
    if text is not None:
        yield TrailKind.REWRITTEN, *text
    for kind, was, became in (
        (TrailKind.RETITLED, before.title, after.title),
        (TrailKind.MOVED, before.url, after.url),
        (TrailKind.TAKEN_OVER, before.source, after.source),
        (TrailKind.BYLINE, before.byline, after.byline),
        (TrailKind.DEPARTMENTS, ", ".join(before.departments), ", ".join(after.departments)),
        (TrailKind.PICTURE, _address(before.picture), _address(after.picture)),
        (TrailKind.SYNDICATED, before.syndicated_from, after.syndicated_from),
    ):
        if was != became:
            yield kind, was, became


def _length(story: Story) -> str:
    return f"{story.words} words"


def _address(picture: Picture | None) -> str:
    return picture.url if picture else ""
