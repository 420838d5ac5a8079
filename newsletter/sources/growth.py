"""Whether a counter can have counted what it tells: repeats, resets and jumps."""

from dataclasses import dataclass
from enum import Enum

JUMP = 100
# Below this everything is a hundredfold of something: a story's first morning.
_FEW = 10


class Verdict(Enum):
    """What a number is, beside the one before it."""

    GREW = "grew"
    BACK = "back"
    RESET = "reset"
    JUMPED = "jumped"


@dataclass(frozen=True)
class Growth:
    """``reads`` to be added, or for JUMPED to be set aside."""

    verdict: Verdict
    reads: int


def judge_total(previous: int | None, current: int, largest: int) -> Growth:
    """What a running total grew by between two polls.

    One that went back by less than a tenth lags, as a cached page does: the
    higher number stands. One that went back further was reset, and grew by all
    it shows since. One that grew to a hundredfold of what it was, and by more
    than ``largest`` (the highest total that the counter had told of any story),
    jumped. A counter not seen before (None) grew by all it shows.
    """
    if previous is not None and current < previous:
        if current * 10 > previous * 9:
            return Growth(Verdict.BACK, 0)
        return Growth(Verdict.RESET, current)
    grown = current - (previous or 0)
    usual = largest if previous is None else previous
    if largest and current >= JUMP * max(usual, _FEW) and grown > largest:
        return Growth(Verdict.JUMPED, grown)
    return Growth(Verdict.GREW, grown)


def judge_day(previous: int, current: int, largest: int) -> Growth:
    """What the reads of one day became, told as a whole and not as a growth.

    ``largest`` is the most that the counter told of any story on any day so far;
    a hundredfold of that jumped. For a lower number than before ``reads`` is
    negative.
    """
    if current < previous:
        return Growth(Verdict.BACK, current - previous)
    if largest and current >= JUMP * max(largest, _FEW):
        return Growth(Verdict.JUMPED, current - previous)
    return Growth(Verdict.GREW, current - previous)
