from hypothesis import given
from hypothesis import strategies as st

from newsletter.ranking.curve import (
    ENOUGH_STORIES,
    HORIZON_HOURS,
    Curve,
    History,
    learn_curve,
    prior_curve,
)

AGES = st.floats(0, 2 * HORIZON_HOURS)
COUNTS = st.lists(st.integers(0, 1000), min_size=1, max_size=28)


def steps(counts: list[int]) -> History:
    reads, so_far = 0, []
    for day, count in enumerate(counts, 1):
        reads += count
        so_far.append((24.0 * day, float(reads)))
    return History(float(reads), tuple(so_far))


def assert_is_a_curve(curve: Curve, one: float, other: float) -> None:
    younger, older = sorted((one, other))
    assert 0 <= curve.share(younger) <= curve.share(older) <= 1
    assert curve.share(HORIZON_HOURS) == curve.share(10 * HORIZON_HOURS) == 1


@given(AGES, AGES)
def test_the_prior_only_grows(one: float, other: float) -> None:
    assert_is_a_curve(prior_curve(), one, other)


@given(st.lists(COUNTS, min_size=ENOUGH_STORIES, max_size=ENOUGH_STORIES + 9), AGES, AGES)
def test_what_is_learned_only_grows(counts: list[list[int]], one: float, other: float) -> None:
    curve = learn_curve(map(steps, counts))
    read = sum(1 for each in counts if sum(each))
    assert (curve is None) == (read < ENOUGH_STORIES)
    if curve is not None:
        assert_is_a_curve(curve, one, other)


def test_it_is_the_share_that_stories_had() -> None:
    histories = [steps([50, 30, 20])] * ENOUGH_STORIES
    curve = learn_curve(histories)
    assert curve is not None
    assert [round(curve.share(24.0 * day), 6) for day in (0, 1, 2, 3)] == [0, 0.5, 0.8, 1]
    assert round(curve.share(12), 6) == 0.25
    assert learn_curve(histories[1:]) is None


def test_one_story_that_everybody_read_is_not_the_curve() -> None:
    slow = [steps([10, 90])] * ENOUGH_STORIES
    curve = learn_curve([*slow, steps([9_000, 1_000])])
    assert curve is not None
    assert curve.share(24) < 0.3
