"""What a paper's own history lets expect of a story: the curve, and the mean reads."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from newsletter.ranking.curve import History, learn_curve, prior_curve
from newsletter.ranking.model import PastStory
from newsletter.ranking.score import Expectation

# Ages are told apart by so many hours: a day's reads say no more.
_AGE_STEP = 6.0
_HOURS_A_DAY = 24.0
# Fewer stories say little of a department.
_ENOUGH_OF_A_DEPARTMENT = 10


def expect_reads(past: Sequence[PastStory], present: Iterable[tuple[float, float]]) -> Expectation:
    """The expectation of a paper with these stories behind it.

    With fewer than `curve.ENOUGH_STORIES` that were read, the prior curve stands and
    the mean is that of the stories at hand: ``present`` holds their (reads so
    far, age in hours), and all reads together over all shares together is the
    estimate that weighs each story by how much of it has been seen.
    """
    read = [story for story in past if sum(story.days)]
    curve = learn_curve(map(_history, read))
    if curve is None:
        curve = prior_curve()
        reads = shares = 0.0
        for so_far, age in present:
            reads += so_far
            shares += curve.share(age)
        return Expectation(curve, reads / shares if shares else 0.0)
    return Expectation(curve, _mean(read), _means_by_department(read), learned_from=len(read))


def _history(story: PastStory) -> History:
    total = sum(story.days)
    steps = (
        (_AGE_STEP * round((story.first_hours + _HOURS_A_DAY * at) / _AGE_STEP), float(reads))
        for at, reads in enumerate(accumulate(story.days))
    )
    return History(float(total), tuple(steps))


def _mean(stories: Sequence[PastStory]) -> float:
    return sum(sum(story.days) for story in stories) / len(stories)


def _means_by_department(stories: Sequence[PastStory]) -> Mapping[str, float]:
    by_department: defaultdict[str, list[PastStory]] = defaultdict(list)
    for story in stories:
        by_department[story.department].append(story)
    return {
        name: _mean(its)
        for name, its in by_department.items()
        if name and len(its) >= _ENOUGH_OF_A_DEPARTMENT
    }
