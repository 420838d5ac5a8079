"""Clicks against the place in the mail: what stands on top is clicked more, whatever it is.

An item's share of its issue's clicks is divided by the share that its place usually has,
the mean over past issues: of a story that comes to 2, twice as many people wanted to read
it as usually do there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

# An issue with fewer clicks tells nothing of places.
TELLING_CLICKS = 20
# Of fewer issues no usual share is taken.
FEWEST_ISSUES = 3


@dataclass(frozen=True)
class PlacedClicks:
    """A story's clicks: ``share`` of its issue's, and the ``usual`` one of its place.

    ``usual`` is None where too few past issues tell.
    """

    story_id: str
    place: int
    clicks: int
    share: float
    usual: float | None

    @property
    def ratio(self) -> float | None:
        """How many times the usual share of its place."""
        return self.share / self.usual if self.usual else None


def usual_shares(past: Sequence[Sequence[int]]) -> tuple[float, ...]:
    """The usual share of clicks of each place, from the first on.

    ``past`` are the clicks of issues by place. Of places that too few issues had there
    is none.
    """
    telling = [clicks for clicks in past if sum(clicks) >= TELLING_CLICKS]
    shares = []
    for place in range(max((len(clicks) for clicks in telling), default=0)):
        found = [clicks[place] / sum(clicks) for clicks in telling if len(clicks) > place]
        if len(found) < FEWEST_ISSUES:
            break
        shares.append(fmean(found))
    return tuple(shares)


def place_clicks(
    clicks: Sequence[tuple[str, int]], past: Sequence[Sequence[int]]
) -> tuple[PlacedClicks, ...]:
    """An issue's stories, in the order in which they stand, with their clicks."""
    total = sum(count for _, count in clicks)
    usual = usual_shares(past)
    return tuple(
        PlacedClicks(
            story,
            number + 1,
            count,
            count / total if total else 0.0,
            usual[number] if number < len(usual) else None,
        )
        for number, (story, count) in enumerate(clicks)
    )
