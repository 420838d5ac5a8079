"""How long a send will take: rates, connections, caps of a day, warm-up, weights."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.estimate import (
    USUAL_REPLY_SECONDS,
    Capacity,
    capacity_of,
    destination_seconds,
    foresee_sending,
)
from newsletter.delivery.model import Relay, RelayUse

EIGHT = datetime(2025, 8, 8, 8, tzinfo=UTC)


def a_capacity(slug: str = "main", per_second: float = 10.0, **changes: Any) -> Capacity:
    return Capacity(slug, per_second, "its rate", **changes)


def a_relay(**changes: Any) -> Relay:
    return Relay("main", "mail.example", 587, **changes)


@pytest.mark.parametrize(
    ("relay", "use", "per_second", "words"),
    [
        (a_relay(connections=4, rate=5), RelayUse(), 5, "its rate"),
        (a_relay(connections=4), RelayUse(), 3 / USUAL_REPLY_SECONDS, "assumed"),
        (a_relay(connections=1), RelayUse(reply_seconds=0.05), 20, "1 connection, each"),
        (a_relay(connections=3, rate=100), RelayUse(reply_seconds=0.05), 40, "last send"),
        (a_relay(connections=2), RelayUse(reply_seconds=0.0), 1000, "kept for system mail"),
    ],
)
def test_rate_and_connections_set_the_pace(
    relay: Relay, use: RelayUse, per_second: float, words: str
) -> None:
    capacity = capacity_of(relay, use)
    assert capacity.per_second == pytest.approx(per_second)
    assert words in capacity.limit


def test_one_relay_takes_as_long_as_its_rate_says() -> None:
    estimate = foresee_sending(36_000, [a_capacity()], EIGHT)
    assert estimate.ends_at == EIGHT + timedelta(hours=1)
    assert (estimate.seconds, estimate.per_second) == (3600, 10)
    assert [(day.day, day.messages) for day in estimate.days] == [(EIGHT.date(), 36_000)]
    assert estimate.basis == ("main: 10 a second by its rate",)


def test_nothing_to_send_takes_no_time() -> None:
    estimate = foresee_sending(0, [a_capacity()], EIGHT)
    assert (estimate.ends_at, estimate.days) == (EIGHT, ())


def test_without_a_relay_there_is_no_answer() -> None:
    with pytest.raises(ValueError, match="relay"):
        foresee_sending(1, [], EIGHT)


def test_a_daily_cap_waits_for_midnight() -> None:
    used = RelayUse(days=3, granted_today=400)
    capped = a_capacity(daily_cap=1_000, use=used)
    estimate = foresee_sending(1_800, [capped], EIGHT)
    assert [day.messages for day in estimate.days] == [600, 1_000, 200]
    assert estimate.ends_at == datetime(2025, 8, 10, 0, 0, 20, tzinfo=UTC)
    assert "1,000 on the first day at most (400 are taken)" in estimate.basis[0]


def test_the_day_is_that_of_utc() -> None:
    capped = a_capacity(daily_cap=1_000)
    late = datetime(2025, 8, 7, 15, 59, tzinfo=timezone(timedelta(hours=-8)))  # 23:59 UTC
    estimate = foresee_sending(1_000, [capped], late)
    assert [day.messages for day in estimate.days] == [600, 400]


def test_a_warm_up_goes_on_where_it_was() -> None:
    warming = a_capacity(warm_up=(100, 200, 400), daily_cap=1_000, use=RelayUse(days=1))
    estimate = foresee_sending(2_000, [warming], EIGHT)
    assert [day.messages for day in estimate.days] == [200, 400, 1_000, 400]
    assert "day 2 of 3 of its warm-up" in estimate.basis[0]


def test_a_day_begun_with_other_issues_counts_for_the_warm_up() -> None:
    used_up = a_capacity(warm_up=(100, 200), use=RelayUse(granted_today=100))
    estimate = foresee_sending(250, [used_up], EIGHT)
    assert [day.messages for day in estimate.days] == [200, 50]
    assert estimate.days[0].day == (EIGHT + timedelta(days=1)).date()


def test_relays_work_side_by_side_until_one_is_full() -> None:
    relays = [a_capacity("a", 30, daily_cap=300), a_capacity("b", 10)]
    estimate = foresee_sending(1_000, relays, EIGHT)
    assert estimate.by_relay == {"a": 300, "b": 700}
    assert estimate.seconds == pytest.approx(70)
    assert estimate.per_second == 40


def test_a_relay_of_no_weight_stands_by() -> None:
    spare = a_capacity("spare", 1_000, weight=0)
    estimate = foresee_sending(100, [a_capacity(), spare], EIGHT)
    assert estimate.seconds == 10
    assert "spare: not counted on" in estimate.basis[1]
    assert foresee_sending(100, [spare], EIGHT).by_relay == {"spare": 100}


def test_where_we_write_fewer_it_goes_by_weight() -> None:
    relays = [
        a_capacity("a", 1_000, weight=3),
        a_capacity("b", 1_000),
        a_capacity("c", 10, weight=4, by_rate=True),
    ]
    estimate = foresee_sending(9_000, relays, EIGHT, written_per_second=90)
    assert estimate.by_relay == {"a": 6_000, "b": 2_000, "c": 1_000}
    assert estimate.seconds == pytest.approx(100)
    assert "this machine writes 90 a second" in estimate.basis[-1]
    quick = foresee_sending(9_000, relays, EIGHT, written_per_second=9_000)
    assert quick == foresee_sending(9_000, relays, EIGHT)


def test_a_light_relay_takes_its_share_and_no_more() -> None:
    light = a_capacity("light", 1_000)
    estimate = foresee_sending(400, [light, a_capacity("heavy", 30, weight=3)], EIGHT)
    assert estimate.by_relay == {"light": 100, "heavy": 300}
    assert estimate.per_second == 40
    assert "light: 10 a second of it, which is its share by weight" in estimate.basis
    # What goes beyond the rate of the heavy one, or its day, is free.
    limited = a_capacity("heavy", 30, weight=3, by_rate=True)
    assert foresee_sending(400, [light, limited], EIGHT).per_second == 1_030
    capped = a_capacity("heavy", 30, weight=3, daily_cap=30)
    assert foresee_sending(1_040, [light, capped], EIGHT).seconds == pytest.approx(2)


def test_a_destination_of_its_own_limits_may_take_longest() -> None:
    relays = [a_capacity()]
    seconds = destination_seconds(5_000, 1.0, 0, 0.1)
    assert seconds == 5_000
    slow = foresee_sending(9_000, relays, EIGHT, slowest=("mail.example", seconds))
    assert slow.seconds == 5_000
    assert "mail.example" in slow.basis[-1]
    assert foresee_sending(90_000, relays, EIGHT, slowest=("mail.example", 5_000)).seconds == 9_000
    assert destination_seconds(100, 0, 2, 0.1) == 5
    assert destination_seconds(100, 4, 2, 0.1) == 25
    assert destination_seconds(100, 0, 0, 0.1) is None


def test_what_takes_decades_has_no_end() -> None:
    assert foresee_sending(10**7, [a_capacity(daily_cap=1)], EIGHT).ends_at is None
    assert foresee_sending(1, [a_capacity()], EIGHT, slowest=("a.example", 1e15)).seconds is None


CAPACITIES = st.lists(
    st.builds(
        a_capacity,
        st.uuids().map(str),
        st.floats(1, 5_000),
        weight=st.integers(1, 5),
        daily_cap=st.just(0) | st.integers(50, 100_000),
        warm_up=st.lists(st.integers(50, 5_000), max_size=4).map(tuple),
        use=st.builds(RelayUse, st.integers(0, 5), st.integers(0, 200)),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one.slug,
)


@given(
    st.integers(0, 50_000),
    CAPACITIES,
    st.none() | st.floats(1, 10_000),
    st.integers(0, 10**6).map(lambda minutes: EIGHT + timedelta(minutes=minutes)),
)
def test_whatever_the_limits_they_are_kept(
    messages: int, capacities: list[Capacity], written: float | None, starts_at: datetime
) -> None:
    estimate = foresee_sending(messages, capacities, starts_at, written_per_second=written)
    if estimate.ends_at is None or estimate.seconds is None:
        return
    assert sum(estimate.by_relay.values()) == messages
    assert sum(day.messages for day in estimate.days) == messages
    together = sum(one.per_second for one in capacities)
    assert estimate.per_second <= together + 1e-6
    # No pace is better than all of them together.
    assert estimate.seconds * together >= messages - 1
    most = [max((one.daily_cap, *one.warm_up)) for one in capacities]
    if all(one.daily_cap for one in capacities):
        # Parts of a message are rounded to one day or the other.
        assert all(day.messages <= sum(most) + 1 for day in estimate.days)
    more = foresee_sending(messages + 10, capacities, starts_at, written_per_second=written)
    # Instants are kept to the microsecond.
    assert more.seconds is None or more.seconds >= estimate.seconds - 1e-3
