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
        # A lag of a cache, and a step too small to be anything else.
        (900, 450, 900, BACK, 0),
        (900, 449, 900, RESET, 449),
        (9, 8, 100, BACK, 0),
        (20, 1, 900, BACK, 0),
        # Beside an evergreen that grows by ten a day.
        (200, 100_000, 10, JUMPED, 99_800),
        (200, 100_000, 0, JUMPED, 99_800),
        (200, 100_000, 9_000, JUMPED, 99_800),
        (200, 100_000, 10_001, GREW, 99_800),
        (0, 1_500, 500, GREW, 1_500),
        (None, 1_500, 0, GREW, 1_500),
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
    ("current", "fallen", "verdict", "reads"),
    [
        (600, 400, RESET, 600),
        (600, 600, RESET, 600),
        (600, None, BACK, 0),
        # Down again: two caches that lag by turns.
        (600, 700, BACK, 0),
        (300, 400, RESET, 300),
        # So near the old total it is the old counter.
        (980, 400, RESET, 980),
        (981, 400, BACK, 0),
        (1_000, 400, GREW, 0),
    ],
)
def test_a_total_that_fell_before(
    current: int, fallen: int | None, verdict: Verdict, reads: int
) -> None:
    assert judge_total(1_000, current, 1_000, fallen) == Growth(verdict, reads)


@pytest.mark.parametrize(
    ("previous", "current", "largest", "usual", "verdict", "reads"),
    [
        (0, 142, 0, 0, GREW, 142),
        (142, 150, 300, 0, GREW, 8),
        (142, 120, 300, 0, BACK, -22),
        (142, 30_000, 300, 0, JUMPED, 29_858),
        (0, 150, 1, 0, GREW, 150),
        (0, 1_000, 1, 0, JUMPED, 1_000),
        # A hundredfold of its own days and tenfold of the best that ever was.
        (3, 40_000, 500, 3, JUMPED, 39_997),
        (0, 40_000, 500, 3, JUMPED, 40_000),
        (3, 4_999, 500, 3, GREW, 4_996),
        (0, 40_000, 500, 450, GREW, 40_000),
        # A story's first day has nothing but the others' to be compared with.
        (0, 40_000, 500, 0, GREW, 40_000),
        (0, 50_000, 500, 0, JUMPED, 50_000),
    ],
)
def test_days(
    previous: int, current: int, largest: int, usual: float, verdict: Verdict, reads: int
) -> None:
    assert judge_day(previous, current, largest, usual) == Growth(verdict, reads)


@given(st.lists(st.integers(500, 1_000), min_size=1))
def test_what_never_falls_below_a_half_counts_no_more_than_its_highest(seen: list[int]) -> None:
    known, counted = None, 0
    for total in seen:
        growth = judge_total(known, total, 1_000)
        counted += growth.reads
        known = total if growth.verdict is GREW else known
    assert counted == max(seen)


@given(st.one_of(st.none(), st.integers(0, 10**7)), st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_total_never_counts_more_than_it_shows(
    previous: int | None, current: int, largest: int
) -> None:
    growth = judge_total(previous, current, largest)
    assert 0 <= growth.reads <= current
    if growth.verdict is GREW:
        assert (previous or 0) + growth.reads == current
