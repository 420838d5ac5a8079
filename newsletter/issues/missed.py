"""What a reader missed in a pause: a range of issues, the same for all who missed the same."""

from collections.abc import Iterable
from datetime import datetime

from newsletter.issues.model import SentIssue
from newsletter.publication.slots import BETWEEN


def missed_range(
    issues: Iterable[SentIssue], since: datetime, until: datetime, least: int
) -> str | None:
    """The key of the issues whose sending began while a reader was away, or None.

    ``since`` counts as away, ``until`` as back. Only the issues make the key, so that all
    who missed the same share one. With fewer than ``least`` issues, or where that is
    0, nothing is to be caught up.
    """
    missed = [one for one in in_order(issues) if since <= one.began_at < until]
    if not least or len(missed) < least:
        return None
    return f"{missed[0].slot}{BETWEEN}{missed[-1].slot}"


def within_range(key: str, issues: Iterable[SentIssue]) -> tuple[SentIssue, ...]:
    """The issues that a key names, of all there are; none where its ends are not among them."""
    first, _, last = key.partition(BETWEEN)
    ordered = in_order(issues)
    slots = [one.slot for one in ordered]
    if first not in slots or last not in slots:
        return ()
    return tuple(ordered[slots.index(first) : slots.index(last) + 1])


def first_of_range(key: str) -> str:
    """The slot of the first issue that a key names."""
    return key.partition(BETWEEN)[0]


def in_order(issues: Iterable[SentIssue]) -> list[SentIssue]:
    """The issues as they went out, the earliest first."""
    return sorted(issues, key=lambda one: (one.began_at, one.slot))
