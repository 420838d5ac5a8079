import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.ranking.curve import HORIZON_HOURS, Curve
from newsletter.ranking.expect import expect_reads
from newsletter.ranking.model import PastStory
from newsletter.ranking.score import (
    Expectation,
    Score,
    are_tied,
    score_story,
    take_next,
    value_story,
)

# Half of a story's reads come on its first day, all within two.
CURVE = Curve((24.0, 48.0), (0.5, 1.0))
EXPECTATION = Expectation(CURVE, mean=100.0, means={"Sports": 300.0})


def test_reads_are_smoothed_by_what_is_expected_at_an_age() -> None:
    # (n + c mean) / (F + c) with c = 0.1: (100 + 10) / (0.5 + 0.1).
    score = score_story(100, 24, EXPECTATION, mix=1)
    assert round(score.expected, 6) == round(110 / 0.6, 6)
    assert score.value == score.expected
    assert score.reached == 0.5
    # The department's mean stands where it is known: (100 + 30) / 0.6.
    assert round(score_story(100, 24, EXPECTATION, department="Sports", mix=1).expected, 6) == (
        round(130 / 0.6, 6)
    )


def test_the_mix_goes_from_the_best_of_the_week_to_what_is_still_rising() -> None:
    old, young = (200.0, 48.0), (100.0, 24.0)
    best = [score_story(*story, EXPECTATION, mix=1).value for story in (old, young)]
    rising = [score_story(*story, EXPECTATION, mix=0).value for story in (old, young)]
    assert best[0] > best[1]
    assert rising[0] == 0 < rising[1]
    halves = [score_story(*story, EXPECTATION).value for story in (old, young)]
    assert halves == [(a + b) / 2 for a, b in zip(best, rising, strict=True)]


def test_the_band_is_that_of_the_counts() -> None:
    few, many = (score_story(n, 48, Expectation(CURVE), mix=1) for n in (16, 10_000))
    # Of Gamma(16, 1.1) the central 95 % run from 8.3 to 22.5, of Gamma(10,000, 1.1) to about 2 %.
    assert abs(few.at_least - 8.31) < 0.1
    assert abs(few.at_most - 22.5) < 0.2
    assert abs(many.at_most / many.expected - 1.0197) < 0.001


@given(st.integers(0, 10**6), st.floats(0, 3 * HORIZON_HOURS), st.floats(0, 1))
def test_more_reads_never_score_less(reads: int, age: float, mix: float) -> None:
    score = score_story(reads, age, EXPECTATION, mix=mix)
    assert score_story(reads + 1, age, EXPECTATION, mix=mix).value >= score.value >= 0
    assert 0 <= score.low <= score.value * 1.0001
    assert score.value <= score.high * 1.0001


def scored(value: float, low: float) -> Score:
    return Score(value, low, 2 * value, value, low, 2 * value, 0.5)


def test_ties_within_the_band_are_broken_by_preference() -> None:
    order = [("a", scored(100, 80)), ("b", scored(91, 75)), ("c", scored(85, 60))]
    assert are_tied(order[0][1], order[1][1])
    # Within the band, but more than a tenth below.
    assert not are_tied(order[0][1], order[2][1])
    # Less than a tenth below, but so many reads leave no doubt.
    assert not are_tied(scored(100, 99.5), scored(99, 98))
    preferred = {"a": 2, "b": 1, "c": 0}
    taken = [take_next(order, lambda e: e[1], lambda e: preferred[e[0]])[0] for _ in range(3)]
    assert taken == ["b", "a", "c"]


def past(total: int, department: str = "News") -> PastStory:
    return PastStory(department, 12.0, (total // 2, total - total // 2, *[0] * 26))


def test_a_papers_own_history_takes_the_place_of_the_prior() -> None:
    learned = expect_reads([past(100)] * 49 + [past(400, "Sports")] * 12, [])
    assert learned.learned_from == 61
    assert learned.mean == (49 * 100 + 12 * 400) / 61
    assert learned.means == {"News": 100, "Sports": 400}
    assert learned.curve.share(12) == 0.5
    assert learned.curve.share(36) == 1


def test_until_then_the_stories_at_hand_tell_the_mean() -> None:
    young = expect_reads([past(100)] * 49, [(30, 24.0), (60, 48.0), (0, 1.0)])
    assert young.learned_from == 0
    shares = sum(young.curve.share(age) for age in (24.0, 48.0, 1.0))
    assert young.mean == 90 / shares
    assert expect_reads([], []).mean == 0


@given(st.floats(0, 1e6), st.floats(0, 1e4), st.floats(0, 1e5), st.floats(0, 1))
def test_the_value_alone_is_that_of_the_score(
    reads: float, age: float, mean: float, mix: float
) -> None:
    expectation = Expectation(mean=mean, means={"Arts": 2 * mean})
    for department in ("", "Arts"):
        whole = score_story(reads, age, expectation, department=department, mix=mix)
        value = value_story(reads, age, expectation, department=department, mix=mix)
        assert value == pytest.approx(whole.value)
