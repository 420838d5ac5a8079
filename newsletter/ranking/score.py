"""A story's score: what it will be read in all, weighed by how much of that is to come.

Reads are smoothed by what is expected at a story's age. With n reads so far, a
share F of the curve behind it and a mean of ``mean`` reads a story (its
department's), reads in all are taken to be Poisson of a rate that is Gamma with
shape c * mean and rate c. The posterior is Gamma(n + c * mean, F + c); its mean
is (n + c * mean) / (F + c).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any, TypeVar

from newsletter.ranking.curve import Curve, prior_curve

# The prior weighs as much as a tenth of a story's life.
PRIOR_WEIGHT = 0.1
# 1: the best of the week; 0: what is still rising.
DEFAULT_MIX = 0.5
# Scores no further apart than this may be a tie.
TIE_SHARE = 0.1
T = TypeVar("T")
# 95 % of a normal distribution.
_Z = 1.959964


@dataclass(frozen=True)
class Score:
    """A story's score and what it rests on.

    ``value`` orders stories; ``low`` and ``high`` are its 95 % band.
    ``expected`` is the reads in all by the end of its life, with its own band
    in ``at_least`` and ``at_most``; ``reached`` is the share of them that is
    expected by its age.
    """

    value: float
    low: float
    high: float
    expected: float
    at_least: float
    at_most: float
    reached: float


@dataclass(frozen=True)
class Expectation:
    """What a paper's history lets expect: the curve, and mean reads a story.

    ``means`` by department; ``mean`` for all others. ``learned_from`` is the
    number of stories behind the curve, 0 for the prior one.
    """

    curve: Curve = field(default_factory=prior_curve)
    mean: float = 0.0
    means: Mapping[str, float] = field(default_factory=dict)
    learned_from: int = 0


def score_story(
    reads: float,
    age: float,
    expectation: Expectation,
    *,
    department: str = "",
    mix: float = DEFAULT_MIX,
    weight: float = 1.0,
) -> Score:
    """The score of a story of ``age`` hours with ``reads`` so far.

    ``mix`` is between the best of the week (1: reads in all) and still rising
    (0: those to come). ``weight`` scales the whole, such as that of a
    syndicated story.
    """
    shape, rate, reached = _posterior(reads, age, expectation, department)
    at_least, at_most = (_gamma_quantile(shape, rate, z) for z in (-_Z, _Z))
    factor = weight * _weight_of(reached, mix)
    return Score(
        value=factor * shape / rate,
        low=factor * at_least,
        high=factor * at_most,
        expected=shape / rate,
        at_least=at_least,
        at_most=at_most,
        reached=reached,
    )


def value_story(
    reads: float, age: float, expectation: Expectation, *, department: str, mix: float
) -> float:
    """The value of `score_story` alone, for the very many that are no candidates."""
    shape, rate, reached = _posterior(reads, age, expectation, department)
    return _weight_of(reached, mix) * shape / rate


def _posterior(
    reads: float, age: float, expectation: Expectation, department: str
) -> tuple[float, float, float]:
    """Shape and rate of the posterior of all reads, and the share that is behind the story."""
    reached = expectation.curve.share(age)
    mean = expectation.means.get(department, expectation.mean)
    return reads + PRIOR_WEIGHT * mean, reached + PRIOR_WEIGHT, reached


def _weight_of(reached: float, mix: float) -> float:
    return mix + (1 - mix) * (1 - reached)


def are_tied(better: Score, other: Score) -> bool:
    """Whether ``other``, not above ``better``, can't be told from it by reads.

    It lies within the error band, and at most `TIE_SHARE` below. The second is
    for few reads: there a band is so wide that almost all would be tied, and
    choosing by date alone costs reads. Measured by `python -m bench ranking`, a
    tenth gains reads to come (0.7 of a hundredth beside a fiftieth) for 0.2 of a
    hundredth of the eventual ones, which stay above those of "total so far".
    """
    return other.value >= max(better.low, (1 - TIE_SHARE) * better.value)


def take_next(
    order: list[T], score: Callable[[T], Score | None], preference: Callable[[T], Any]
) -> T:
    """Take the next of ``order`` out of it: the first, or the most preferred of its ties.

    ``order`` is by score, the highest first, and not empty; the preferred has
    the least ``preference``. Without a score nothing is tied.
    """
    best = score(order[0])
    tied = 1
    if best is not None:
        while tied < len(order):
            other = score(order[tied])
            if other is None or not are_tied(best, other):
                break
            tied += 1
    at = min(range(tied), key=lambda at: preference(order[at]))
    return order.pop(at)


def _gamma_quantile(shape: float, rate: float, z: float) -> float:
    """The quantile of Gamma(shape, rate) at the normal's ``z`` (Wilson and Hilferty, 1931).

    Good to about a percent from a shape of 3 on; below, the lower one errs towards 0.
    """
    if shape <= 0:
        return 0.0
    cube = 1 - 1 / (9 * shape) + z / (3 * sqrt(shape))
    return shape / rate * max(0.0, cube) ** 3
