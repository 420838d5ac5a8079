"""What a counter's numbers mean beside the ones before them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.growth import Growth, Verdict, judge_day, judge_total

GREW, BACK, RESET, JUMPED = Verdict.GREW, Verdict.BACK, Verdict.RESET, Verdict.JUMPED


@pytest.mark.parametrize(
    ("previous", "current", "largest", "verdict", "reads"),
    [
        (None, 5, 0, GREW, 5),
        (3, 5, 900, GREW, 2),
        (5, 5, 900, GREW, 0),
        (142, 140, 900, BACK, 0),
        (900, 4, 900, RESET, 4),
        (142, 14_200, 900, JUMPED, 14_058),
        (142, 14_199, 900, GREW, 14_057),
        # A story that breaks the paper's record is no jump as long as it is no hundredfold.
        (3, 950, 900, GREW, 947),
        (None, 950, 900, GREW, 950),
        (None, 90_000, 900, JUMPED, 90_000),
        # A hundredfold of little is every story's first morning, where others have more.
        (2, 1_100, 2_000, GREW, 1_098),
    ],
)
def test_running_totals(
    previous: int | None, current: int, largest: int, verdict: Verdict, reads: int
) -> None:
    assert judge_total(previous, current, largest) == Growth(verdict, reads)


@pytest.mark.parametrize(
    ("previous", "current", "largest", "verdict", "reads"),
    [
        (0, 142, 0, GREW, 142),
        (142, 150, 300, GREW, 8),
        (142, 120, 300, BACK, -22),
        (142, 30_000, 300, JUMPED, 29_858),
        (0, 150, 1, GREW, 150),
        (0, 1_000, 1, JUMPED, 1_000),
    ],
)
def test_days(previous: int, current: int, largest: int, verdict: Verdict, reads: int) -> None:
    assert judge_day(previous, current, largest) == Growth(verdict, reads)


@given(st.one_of(st.none(), st.integers(0, 10**7)), st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_total_never_counts_more_than_it_shows(
    previous: int | None, current: int, largest: int
) -> None:
    growth = judge_total(previous, current, largest)
    assert 0 <= growth.reads <= current
    if growth.verdict is GREW:
        assert (previous or 0) + growth.reads == current
