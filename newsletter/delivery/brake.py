"""The brake: when hard refusals among a wave's first readers stop an issue.

Such refusals say that the list is bad, or that somebody takes us for a
spammer; every further one makes the next server trust us less.
"""

import math
from dataclasses import dataclass

from newsletter.delivery.model import FirstRows, Outcome, OutcomeKind, Wave

# What a server says of a reader rather than of us or of the message.
HARD_REASONS = frozenset({"suspended", "unknown", "unknown_host", "unknown_user"})
# On a short list a few dead addresses are a large share and prove nothing: with
# 2 % of them, which is usual, 5 or more among 60 readers come once in 150 issues.
FEWEST = 5


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
    """Whether an outcome counts for the brake."""
    return (
        outcome.kind is OutcomeKind.REFUSED
        and not outcome.sender_fault
        and outcome.reason in HARD_REASONS
    )


def find_trip(brake: Brake, wave: Wave, first: FirstRows) -> BrakeTrip | None:
    """Why a wave's first rows stop the issue, or None where they do not.

    Refusals are held against all of these rows, so that they need not all be
    answered before it.
    """
    reasons = {reason: n for reason, n in first.refused.items() if reason in HARD_REASONS}
    refused = sum(reasons.values())
    # Every row may be refused where the share is 1: that is how it is turned off.
    if brake.share >= 1 or refused <= brake.allowed_among(first.rows):
        return None
    most_first = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return BrakeTrip(wave.name, refused, first.rows, brake.share, tuple(most_first))
