"""How much of a story's reads has come by which age: learned, or a prior.

F(age) is the share of the reads of a story's first 28 days that it has by that
age. It is learned by isotonic regression (pool adjacent violators; Barlow et
al., "Statistical Inference under Order Restrictions", 1972): a share can only
grow with age.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp

# A story's life, after which it counts as read to the end.
HORIZON_HOURS = 28 * 24.0
# With fewer stories of that age a paper's own curve would be an accident.
ENOUGH_STORIES = 50


@dataclass(frozen=True)
class History:
    """One story's past: its total at the end of its life, and by age before that.

    ``steps`` are (age in hours, reads until then), the youngest first.
    """

    total: float
    steps: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Curve:
    """F(age) between its knots by straight lines, from (0, 0) on; flat after the last.

    ``ages`` in hours, growing; ``shares`` from 0 to 1, never falling.
    """

    ages: tuple[float, ...]
    shares: tuple[float, ...]

    def share(self, age: float) -> float:
        """The share of its reads that a story has by ``age`` hours, 0 to 1."""
        at = bisect_right(self.ages, age)
        if at == len(self.ages):
            return self.shares[-1]
        left_age, left = (self.ages[at - 1], self.shares[at - 1]) if at else (0.0, 0.0)
        right_age, right = self.ages[at], self.shares[at]
        return left + (right - left) * max(0.0, age - left_age) / (right_age - left_age)


def prior_curve() -> Curve:
    """The curve of a paper that we don't know yet.

    A stretched exponential: half of the reads in the first 28 hours, nine in
    ten within a week. An assumption, not a measurement; it gives way to the
    paper's own history as soon as there are `ENOUGH_STORIES`.
    """
    ages = (1, 2, 3, 6, 9, 12, 18, 24, 36, 48, 72, 96, 120, 168, 240, 336, 504, HORIZON_HOURS)
    reached = [1 - exp(-((age / 48.0) ** 0.7)) for age in ages]
    return Curve(tuple(map(float, ages)), tuple(share / reached[-1] for share in reached))


def learn_curve(histories: Iterable[History], horizon: float = HORIZON_HOURS) -> Curve | None:
    """The curve of these stories, by hours; None with fewer than `ENOUGH_STORIES` that were read.

    At each age stands the mean of the stories' shares, each weighed by the
    square root of its total: a share of few reads is mostly noise, and one
    story that everybody read must not be the curve. At ``horizon`` it is 1.
    """
    weighed: dict[float, list[float]] = {}
    stories = 0
    for history in histories:
        if history.total <= 0:
            continue
        stories += 1
        weight = history.total**0.5
        for age, reads in history.steps:
            if 0 < age < horizon:
                sums = weighed.setdefault(round(age, 1), [0.0, 0.0])
                sums[0] += weight * min(1.0, reads / history.total)
                sums[1] += weight
    if stories < ENOUGH_STORIES:
        return None
    ages = sorted(weighed)
    shares = _isotonic(
        [weighed[age][0] / weighed[age][1] for age in ages], [weighed[age][1] for age in ages]
    )
    return Curve((*ages, horizon), (*shares, 1.0))


def _isotonic(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The never falling sequence nearest to ``values`` by weighted squares."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        count = 1
        while blocks and blocks[-1][0] >= value:
            before, its_weight, its_count = blocks.pop()
            value = (before * its_weight + value * weight) / (its_weight + weight)
            weight += its_weight
            count += its_count
        blocks.append((value, weight, count))
    return [value for value, _, count in blocks for _ in range(count)]
