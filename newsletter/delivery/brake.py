"""The brake: when refusals among a wave's first readers stop an issue.

Such refusals say that the list is bad, that the message is, or that somebody
takes us for a spammer; every further one costs another reader the issue, and
makes the next server trust us less.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.delivery.model import FirstRows, Outcome, OutcomeKind, Wave

# What a good list and a good message meet with as well: full mailboxes, servers that are away
# for days, addresses that our relays don't take. They count where nearly nothing else comes.
SOFT_REASONS = frozenset({"expired", "mailbox_full", "non_ascii_address"})
# On a short list a few dead addresses are a large share and prove nothing: with
# 2 % of them, which is usual, 5 or more among 60 readers come once in 150 issues.
FEWEST = 5
# Where more than half of those settled are refused, whatever the reason, so many prove enough:
# not all of the first readers have to lose the issue for it.
TELLING = 20
_HALF = 0.5


@dataclass(frozen=True)
class Brake:
    """How many hard refusals are too many: more than ``share`` of the first ``after`` rows."""

    share: float
    after: int

    def allowed_among(self, rows: int) -> int:
        """How many hard refusals among ``rows`` do not trip the brake yet."""
        # Binary fractions fall short of what is written: 0.29 * 100 is 28.999…
        return max(FEWEST - 1, math.floor(self.share * rows + 1e-9))


@dataclass(frozen=True)
class BrakeTrip:
    """Figures of a wave that went beyond what the brake allows."""

    wave: str
    refused: int
    rows: int
    share: float
    reasons: tuple[tuple[str, int], ...]

    def sentence(self) -> str:
        """The figures in words."""
        reasons = ", ".join(f"{reason} {count}" for reason, count in self.reasons)
        return (
            f'{self.refused} of the first {self.rows} readers of the wave "{self.wave}" were '
            f"refused for good, more than {self.share * 100:g} % of them ({reasons})."
        )


def is_hard(outcome: Outcome) -> bool:
    """Whether an outcome counts for the brake's share."""
    return outcome.kind is OutcomeKind.REFUSED and outcome.reason not in SOFT_REASONS


def find_trip(brake: Brake, wave: Wave, first: FirstRows) -> BrakeTrip | None:
    """Why a wave's first rows stop the issue, or None where they do not.

    Hard refusals are held against all of these rows, so that they need not all
    be answered before it; refusals of every kind against those that are settled.
    A preview (staff, canary) of which everybody was refused stops the issue
    however small it is.
    """
    # Every row may be refused where the share is 1: that is how it is turned off.
    if brake.share >= 1:
        return None
    every = first.refused
    hard = {reason: n for reason, n in every.items() if reason not in SOFT_REASONS}
    if sum(hard.values()) > brake.allowed_among(first.rows):
        return _trip(brake.share, wave, hard, first.rows)
    refused = sum(every.values())
    most = max(_HALF, brake.share)
    telling = max(FEWEST, min(TELLING, first.rows // 2 + 1))
    if refused >= telling and refused > most * first.closed:
        return _trip(most, wave, every, first.closed)
    if wave.is_preview and 0 < first.rows == wave.readers == refused:
        return _trip(brake.share, wave, every, first.rows)
    return None


def _trip(share: float, wave: Wave, reasons: Mapping[str, int], rows: int) -> BrakeTrip:
    most_first = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return BrakeTrip(wave.name, sum(reasons.values()), rows, share, tuple(most_first))
