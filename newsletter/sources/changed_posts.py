"""Polling an API for what changed since the last time: what WordPress and Ghost have in common."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from newsletter.sources.model import SourceItem

PER_PAGE = 50  # with embeds, a hundred posts can pass 1 MB
IDS_PER_PAGE = 100  # neither gives more at a time
MAX_PAGES = 40
FIRST_REACH = timedelta(days=60)
# Posts saved while we were reading, or on a web server whose clock is late.
OVERLAP = timedelta(minutes=10)


def zulu(instant: datetime) -> str:
    """An instant in UTC with its Z, to the second."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def next_cursor(
    before: datetime | None, changes: Iterable[datetime | None], *, complete: bool
) -> datetime | None:
    """Where the next poll goes on, less `OVERLAP`; never backwards.

    ``changes`` are those of the posts that were read, the oldest first, and
    ``complete`` tells whether that was all of them.
    """
    latest = max((at for at in changes if at is not None), default=before)
    if complete or latest is None:
        return max(latest, before) if latest and before else latest
    # Go on right behind the last one: with the overlap a bulk edit of more
    # posts than one poll takes would be read from its beginning for ever.
    return latest + OVERLAP - timedelta(seconds=1)


def too_many(name: str, *, first: bool) -> str:
    """A sentence on posts that one poll could not read."""
    later = "older ones are not read" if first else "the rest comes with the next poll"
    return f"{name} has more than {PER_PAGE * MAX_PAGES} new or changed posts; {later}"


def read_each_once(
    posts: Iterable[Mapping[str, Any]],
    read: Callable[[Mapping[str, Any], str], SourceItem | str],
    base: str,
    name: str,
) -> tuple[tuple[SourceItem, ...], list[str]]:
    """The posts as items, each once, and sentences about those that can be none.

    ``read`` takes a post and the address ``base`` that its links count from.
    """
    items: dict[str, SourceItem] = {}
    problems = []
    for post in posts:
        item = read(post, base)
        if isinstance(item, str):
            problems.append(f"a post of {name} was left out: {item}")
        else:
            items[item.native_id or ""] = item  # a post that moved between two pages comes twice
    return tuple(items.values()), problems
