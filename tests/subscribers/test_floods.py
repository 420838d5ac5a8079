from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.subscribers.floods import (
    CALM_AFTER,
    Quotas,
    Trust,
    Verdict,
    judge_posts,
    lane_of,
    sound_alarm,
)
from newsletter.subscribers.model import Alarm, Posts

NOW = datetime(2025, 8, 5, 11, tzinfo=UTC)
QUOTAS = Quotas(network=60, domain=1000, in_all=5000, attack_after=200)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("posts", "verdict"),
    [
        (Posts(60, 1000, 5000, 200), Verdict.WELCOME),
        (Posts(61, 1001, 5001, 0), Verdict.NETWORK_BUSY),
        (Posts(60, 1001, 5001, 0), Verdict.DOMAIN_BUSY),
        (Posts(60, 1000, 5001, 0), Verdict.ALL_BUSY),
    ],
)
def test_what_exceeds_a_quota_is_kept_out(posts: Posts, verdict: Verdict) -> None:
    assert judge_posts(posts, QUOTAS) is verdict
    assert judge_posts(posts, Quotas(0, 0, 0, 0)) is Verdict.WELCOME


def test_an_attack_begins_lasts_and_ends_by_itself() -> None:
    calm, flood = Posts(1, 1, 200, 200), Posts(1, 1, 201, 201)
    assert sound_alarm(Alarm(), calm, QUOTAS, NOW) == Alarm()
    begun = sound_alarm(Alarm(), flood, QUOTAS, NOW)
    assert begun == Alarm(NOW, NOW + CALM_AFTER)
    later = sound_alarm(begun, flood, QUOTAS, NOW + 10 * MINUTE)
    assert later == Alarm(NOW, NOW + 10 * MINUTE + CALM_AFTER)
    # Calm sign-ups do not prolong it.
    assert sound_alarm(later, calm, QUOTAS, NOW + 20 * MINUTE) == later
    assert later.is_on(NOW + 39 * MINUTE)
    assert not later.is_on(NOW + 41 * MINUTE)
    assert sound_alarm(Alarm(), flood, Quotas(0, 0, 0, 0), NOW) == Alarm()


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=60))
def test_an_alarm_is_on_for_as_long_as_a_flood_was_seen_lately(
    steps: list[tuple[int, bool]],
) -> None:
    alarm, now, last = Alarm(), NOW, None
    for minutes, flooded in steps:
        now += minutes * MINUTE
        posts = Posts(1, 1, 1, 999 if flooded else 1)
        alarm = sound_alarm(alarm, posts, QUOTAS, now)
        last = now if flooded else last
        # Within the minute that is not written down.
        if last is not None and abs(now - last - CALM_AFTER) > MINUTE:
            assert alarm.is_on(now) == (now - last < CALM_AFTER)


def test_who_waits_in_which_lane() -> None:
    assert lane_of(Trust.SIGNED, 30, attacked=True) is None
    assert lane_of(Trust.PROVEN, 30, attacked=False) is None
    unproven, proven = (
        lane_of(trust, 30, attacked=True) for trust in (Trust.UNPROVEN, Trust.PROVEN)
    )
    usual = lane_of(Trust.UNPROVEN, 30, attacked=False)
    assert unproven is not None
    assert proven is not None
    assert usual is not None
    assert unproven.name == usual.name != proven.name
    assert proven.gap == usual.gap == timedelta(seconds=2)
    assert unproven.gap == 10 * usual.gap
