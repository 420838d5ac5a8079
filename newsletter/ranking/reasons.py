"""Why a story was chosen or passed over, in an editor's words."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import sqrt

from newsletter.ranking.score import Score
from newsletter.stories.model import Story

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_READ_OUT = "almost all it will get"
# The share of its life's reads from which on a story gets hardly any more.
_NEARLY_ALL = 0.95
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


def tells_age(reason: str) -> bool:
    """Whether a reason says when the story was published, as `age_of` does, and no more."""
    return reason.startswith("Published ")


def doubts_age(reason: str) -> bool:
    """Whether a reason says of the story's age that its source does not tell it."""
    return reason.startswith("First seen ")


def tells_reads(reason: str, reads: int) -> bool:
    """Whether a reason begins with these reads, as those of a section that counts them do."""
    return reason.startswith(f"{count_of(reads, 'read')} ")


def tie_with_next(order: Sequence[tuple[Story, int]]) -> str:
    """A sentence where the second's reads differ from the first's by no more than chance.

    Else "". Two counts of a and b reads differ by less than one standard error
    where a - b <= sqrt(a + b): each is a Poisson count, whose variance is its mean.
    """
    if len(order) < 2:
        return ""
    (story, reads), (following, fewer) = order[0], order[1]
    if reads - fewer > sqrt(reads + fewer):
        return ""
    if reads > fewer:
        return f"Within counting error of the next, which has {fewer:,}."
    if story.published_at > following.published_at:
        return "A tie with the next within counting error; the newer goes first."
    return "A tie with the next within counting error; both are equally old."


def expectation_of(reads: int, score: Score) -> str:
    """What was read and what is expected in all: the score's grounds in a sentence."""
    so_far = f"{count_of(reads, 'read')} so far"
    if _is_read_out(reads, score):
        return f"{so_far}, {_READ_OUT}."
    expected, least, most = (
        _no_fewer(n, reads) for n in (score.expected, score.at_least, score.at_most)
    )
    return f"{so_far}, about {expected} expected in all ({least} to {most})."


def grounds_of(reads: int, score: Score | None) -> str:
    """The same in a few words, for a story that lost: "30 reads, about 230 expected"."""
    counted = count_of(reads, "read")
    if score is None:
        return f"{counted}, no more expected"
    if _is_read_out(reads, score):
        return f"{counted}, {_READ_OUT}"
    return f"{counted}, about {_no_fewer(score.expected, reads)} expected"


def _is_read_out(reads: int, score: Score) -> bool:
    """Whether there is no more to expect: by its age, or since it passed what was expected."""
    return score.reached > _NEARLY_ALL or score.expected <= reads > 0


def _no_fewer(number: float, reads: int) -> str:
    """`about` that number, or the reads that there are where it would be fewer."""
    return f"{reads:,}" if _rounded(number) < reads else about(number)


def left_out_of(own: int) -> str:
    """A sentence on the reads that our own mails caused; "" where none were left out."""
    if not own:
        return ""
    be = "is" if own == 1 else "are"
    return f"{count_of(own, 'read')} by our own mails {be} left out."


def places_of(by_score: int, by_reads: int | None, total: int) -> str:
    """Its places by score and by reads, as a sentence; ``by_reads`` None where unknown."""
    place = f"{ordinal(by_score).capitalize()} of {count_of(total, 'story')} by score"
    if by_reads is None:
        return f"{place}."
    if by_reads == by_score:
        return f"{place} and by reads so far."
    return f"{place}, {ordinal(by_reads)} by reads so far."


def about(number: float) -> str:
    """A number as one would say it: two figures, "230", "4,300"."""
    return f"{_rounded(number):,}"


def _rounded(number: float) -> int:
    """A number of two figures."""
    size = int(10 ** max(0, len(str(int(number))) - 2))
    return round(number / size) * size


def spell(number: int) -> str:
    """ "three", or "12"."""
    return _NUMBERS[number] if number < len(_NUMBERS) else f"{number}"


def over_cap(name: str, place: int, cap: int, by: str = "of") -> str:
    """The reason of a story beyond the most that one department or writer may have."""
    return (
        f"{ordinal(place)} {by} {name}, where {spell(cap)} {'is' if cap == 1 else 'are'} the most"
    )
