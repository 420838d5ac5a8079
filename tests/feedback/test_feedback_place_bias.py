"""Clicks against the place in the mail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.feedback.place_bias import FEWEST_ISSUES, place_clicks, usual_shares

PAST = [[60, 30, 10]] * FEWEST_ISSUES


def test_a_place_s_usual_share_is_the_mean_over_issues() -> None:
    assert usual_shares([[60, 30, 10], [40, 40, 20], [50, 20, 30]]) == pytest.approx(
        (0.5, 0.3, 0.2)
    )


def test_too_few_or_silent_issues_tell_nothing() -> None:
    assert usual_shares(PAST[1:]) == ()
    assert usual_shares([*PAST[1:], [3, 1, 1]]) == ()
    # The fourth place was there once only.
    assert len(usual_shares([*PAST, [50, 20, 20, 10]])) == 3


def test_what_is_clicked_as_its_place_usually_is_comes_to_one() -> None:
    placed = place_clicks([("a", 6), ("b", 3), ("c", 1), ("d", 0)], PAST)
    assert [one.ratio for one in placed[:3]] == pytest.approx([1, 1, 1])
    assert placed[3].usual is None
    assert placed[3].ratio is None


def test_a_story_low_in_the_mail_may_beat_the_one_on_top() -> None:
    first, _, third = place_clicks([("a", 50), ("b", 20), ("c", 30)], PAST)
    assert first.share > third.share
    assert (first.ratio or 0) < 1 < (third.ratio or 0)


@given(
    st.lists(st.lists(st.integers(0, 500), min_size=1, max_size=20), max_size=8),
    st.lists(st.integers(0, 500), max_size=20),
)
def test_shares_are_shares(past: list[list[int]], clicks: list[int]) -> None:
    placed = place_clicks([(str(n), count) for n, count in enumerate(clicks)], past)
    assert [one.clicks for one in placed] == clicks
    assert sum(one.share for one in placed) == pytest.approx(1 if sum(clicks) else 0)
    assert all(one.usual is None or 0 <= one.usual <= 1 for one in placed)
