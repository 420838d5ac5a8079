"""Why a story was chosen or passed over, in an editor's words."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import sqrt

from newsletter.stories.model import Story

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def ordinal(number: int) -> str:
    """ "first" to "ninth", then "10th", "21st"."""
    if 1 <= number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    tail = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number:,}{tail or 'th'}"


def count_of(number: int, noun: str) -> str:
    """ "1 read", "4,310 reads", "72 stories", "19 days"."""
    if number == 1:
        return f"1 {noun}"
    after_consonant = noun.endswith("y") and noun[-2] not in "aeiou"
    return f"{number:,} " + (noun[:-1] + "ies" if after_consonant else noun + "s")


def age_of(story: Story, now: datetime) -> str:
    """When it was published, counted back from ``now``, as a sentence."""
    age = now - story.published_at
    if age < timedelta(hours=1):
        when = "within the last hour"
    elif age < timedelta(days=1):
        when = f"{count_of(age // timedelta(hours=1), 'hour')} ago"
    else:
        when = f"{count_of(age // timedelta(days=1), 'day')} ago"
    if story.published_known:
        return f"Published {when}."
    return f"First seen {when}; its source tells no date."


def tie_with_next(order: Sequence[tuple[Story, int]], at: int) -> str:
    """A sentence where the next story's reads differ by no more than chance, else "".

    Two counts of a and b reads differ by less than one standard error where
    a - b <= sqrt(a + b): each is a Poisson count, whose variance is its mean.
    """
    if at + 1 >= len(order):
        return ""
    (story, reads), (following, fewer) = order[at], order[at + 1]
    if reads - fewer > sqrt(reads + fewer):
        return ""
    if reads > fewer:
        return f"Within counting error of the next, which has {fewer:,}."
    if story.published_at > following.published_at:
        return "A tie with the next within counting error; the newer goes first."
    return "A tie with the next within counting error; both are equally old."


def over_cap(department: str, place: int, cap: int) -> str:
    """The reason of a story beyond the most that one department may have."""
    most = _NUMBERS[cap] if cap < len(_NUMBERS) else f"{cap}"
    return f"{ordinal(place)} of {department}, where {most} {'is' if cap == 1 else 'are'} the most"
