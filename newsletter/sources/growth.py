"""Whether a counter can have counted what it tells: repeats, lags, resets and jumps."""

from dataclasses import dataclass
from enum import Enum

JUMP = 100
# Below this everything is a hundredfold of something: a story's first morning.
_FEW = 10
# A story may break the paper's record, but not so many times over.
_RECORDS = 10
# So many reads at least are lost where a counter is believed to be reset.
_LEAST_FALL = 20


class Verdict(Enum):
    """What a number is, beside the one before it."""

    GREW = "grew"
    BACK = "back"
    RESET = "reset"
    JUMPED = "jumped"


@dataclass(frozen=True)
class Growth:
    """``reads`` to be added; for JUMPED and RESET only once there is no doubt."""

    verdict: Verdict
    reads: int


def judge_total(
    previous: int | None, current: int, largest: int, fallen: int | None = None
) -> Growth:
    """What a running total grew by between two polls.

    One that went back lags, as a cached page does: the higher number stands.
    Only where it fell below a half, and by no small number, it may have been
    reset, and grew by all it shows since; a single look can't tell that from a
    cache that lags far. ``fallen`` is what it showed last since such a fall: a
    counter that was reset grows on from there, past the half too, and is one
    as long as so many reads are missing.
    ``largest`` is the most that any story grew by between two polls. A total
    jumped that is a hundredfold of what it was, of a few and of a tenth of
    ``largest``. A counter not seen before (None) grew by all it shows, unless
    that is a hundredfold of ``largest``.
    """
    if previous is not None and current < previous:
        came_back = current * 2 >= previous and (fallen is None or current < fallen)
        if came_back or previous - current < _LEAST_FALL:
            return Growth(Verdict.BACK, 0)
        return Growth(Verdict.RESET, current)
    grown = current - (previous or 0)
    jumped = _is_jump(current, previous or 0, largest)
    return Growth(Verdict.JUMPED if jumped else Verdict.GREW, grown)


def judge_day(previous: int, current: int, largest: int, usual: float = 0) -> Growth:
    """What the reads of one day became, told as a whole and not as a growth.

    ``largest`` is the most that the counter told of any story on any day so far,
    ``usual`` what it told of this one on its days (0: nothing yet). A day jumped
    that is a hundredfold of the story's own, of a few and of a tenth of
    ``largest``; where it has none of its own, a hundredfold of ``largest``.
    For a lower number than before ``reads`` is negative.
    """
    grown = current - previous
    if grown < 0:
        return Growth(Verdict.BACK, grown)
    jumped = _is_jump(current, max(previous, usual), largest)
    return Growth(Verdict.JUMPED if jumped else Verdict.GREW, grown)


def may_be_jump(previous: int, current: int) -> bool:
    """Whether a total is a hundredfold of what it was, whatever others grew by."""
    return current >= JUMP * max(previous, _FEW)


def _is_jump(current: int, usual: float, largest: int) -> bool:
    """Whether this is a hundredfold of what there was; where nothing was, nothing jumps."""
    known = usual or largest
    return known > 0 and current >= JUMP * max(known, _FEW, largest / _RECORDS)
