"""The row that an inbox shows of an issue: its lines counted, and others that its stories offer.

Nothing is made up: what is offered are headlines and excerpts as they stand, cut at a word.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from newsletter.issues.edit import LONGEST_LINE, Desk
from newsletter.issues.lines import (
    LONGEST_PREHEADER,
    LONGEST_SUBJECT,
    SHORTEST_PREHEADER,
    write_lines,
    write_preheader,
)
from newsletter.issues.model import Issue, Item
from newsletter.issues.places import find_place
from newsletter.stories.canonical import title_key
from newsletter.stories.excerpt import cut_at_word

# A phone 375 px wide shows so much of a subject in its row, at 17 px of its own type.
PHONE_SUBJECT = 38
_MOST = 5


class LineState(StrEnum):
    """How long a line is, by what inboxes show of it."""

    EMPTY = "empty"
    SHORT = "short"
    GOOD = "good"
    LONG = "long"  # inboxes cut it
    REFUSED = "refused"  # it can't be saved


@dataclass(frozen=True)
class LineCount:
    """A line's length in characters, its state, and the least and most that are good."""

    characters: int
    state: LineState
    least: int
    most: int


def count_subject(text: str) -> LineCount:
    """How a subject fits: up to 60 characters are shown."""
    return _count(text, 1, LONGEST_SUBJECT)


def count_preheader(text: str) -> LineCount:
    """How a preheader fits: from 40 to 110 characters."""
    return _count(text, SHORTEST_PREHEADER, LONGEST_PREHEADER)


def suggest_subjects(issue: Issue, desk: Desk) -> tuple[str, ...]:
    """Subjects that the stories offer, the one that is made by itself first.

    The lead's headline, whole or cut, with the period behind it where there is room, and the
    headlines of the stories that follow.
    """
    made = write_lines(desk.newsletter, desk.publication, issue)
    items = _lead_first(issue)
    offers = [made.subject, *(cut_at_word(item.headline, LONGEST_SUBJECT) for item in items[:1])]
    if items:
        period = made.title.rpartition(" · ")[2]
        longer = f"{items[0].headline} · {period}"
        offers += [longer] if len(longer) <= LONGEST_SUBJECT else []
    offers += [item.headline for item in items[1:] if len(item.headline) <= LONGEST_SUBJECT]
    return _first_of(offers, issue.subject)


def suggest_preheaders(issue: Issue, desk: Desk) -> tuple[str, ...]:
    """Preheaders that the stories offer, the one that is made by itself first.

    What the subject says already is in none of them.
    """
    made = write_lines(desk.newsletter, desk.publication, issue)
    items = _lead_first(issue)
    headlines = [item.headline for item in items]
    offers = [made.preheader if made.subject == issue.subject else ""]
    offers.append(write_preheader(headlines, issue.subject))
    offers.append(write_preheader(headlines[2:], issue.subject))
    offers += [cut_at_word(item.excerpt, LONGEST_PREHEADER) for item in items[:2]]
    said = title_key(issue.subject)
    fresh = [offer for offer in offers if offer and title_key(offer) not in said]
    return _first_of(fresh, issue.preheader)


def _count(text: str, least: int, most: int) -> LineCount:
    length = len(text)
    if length > LONGEST_LINE:
        state = LineState.REFUSED
    elif not text.strip():
        state = LineState.EMPTY
    elif length < least:
        state = LineState.SHORT
    else:
        state = LineState.GOOD if length <= most else LineState.LONG
    return LineCount(length, state, least, most)


def _lead_first(issue: Issue) -> list[Item]:
    lead = find_place(issue, issue.lead)
    rest = [item for item in issue.items if lead is None or item.story_id != issue.lead]
    return [*([lead[1]] if lead else []), *rest]


def _first_of(offers: Iterable[str], current: str) -> tuple[str, ...]:
    return tuple(_distinct(offers, current))[:_MOST]


def _distinct(offers: Iterable[str], current: str) -> Iterator[str]:
    seen = {current}
    for offer in offers:
        if offer and offer not in seen:
            seen.add(offer)
            yield offer
