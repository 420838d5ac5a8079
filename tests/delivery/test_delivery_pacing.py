"""Rates, and what destinations bear, in simulated time."""

import heapq
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.delivery.model import Slowdown
from newsletter.delivery.pacing import (
    CLEAN_SECONDS,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    LONGEST_SPREAD,
    REMEMBERED,
    DestinationPace,
    TokenBucket,
)
from tests.delivery.samples import NOW

GMAIL = "google.example"
# Of seconds: what sums of binary fractions may be off.
EPSILON = 1e-6


@given(
    st.floats(0.01, 500),
    st.lists(st.tuples(st.floats(0, 5), st.booleans(), st.none() | st.floats(0.01, 500))),
)
def test_a_bucket_never_lets_more_through_than_its_rate_and_a_seconds_worth(
    rate: float, steps: list[tuple[float, bool, float | None]]
) -> None:
    now, bucket = 1000.0, TokenBucket(rate, 1000.0)
    began, allowance, taken, highest = now, 0.0, 0, rate
    for seconds, greedy, new_rate in steps:
        # As slow as its caller likes, or waiting exactly as long as it is told.
        passing = seconds + (bucket.wait(now) if greedy else 0.0)
        now += passing
        allowance += passing * bucket.rate
        while bucket.wait(now) <= 0:
            bucket.take(now)
            taken += 1
        burst = max(1.0, highest)
        assert taken <= allowance + burst + EPSILON * (1 + now - began)
        if new_rate is not None:
            bucket.set_rate(new_rate, now)
            highest = max(highest, new_rate)


@given(st.floats(0.01, 500), st.floats(0, 100))
def test_whoever_waits_as_long_as_told_gets_through(rate: float, seconds: float) -> None:
    bucket = TokenBucket(rate, 0.0)
    bucket.take(0.0)
    now = seconds
    wait = bucket.wait(now)
    assert wait <= 1 / rate + EPSILON
    assert bucket.wait(now + wait + EPSILON) <= EPSILON


def test_a_rate_of_none_is_no_limit() -> None:
    bucket = TokenBucket(0.0, 0.0)
    for _ in range(1000):
        assert bucket.wait(0.0) == 0.0
        bucket.take(0.0)


def test_an_unknown_destination_may_be_written_to_at_once() -> None:
    assert DestinationPace(0, 0.0).wait("reader.example", 5.0) == 0.0


def test_only_so_many_connections_go_to_one_destination() -> None:
    pace = DestinationPace(2, 0.0)
    for _ in range(2):
        assert pace.wait(GMAIL, 0.0) == 0.0
        pace.start(GMAIL, 0.0)
    assert pace.wait(GMAIL, 0.0) == float("inf")
    assert pace.wait("reader.example", 0.0) == 0.0
    pace.end(GMAIL, 1.0)
    assert pace.wait(GMAIL, 1.0) == 0.0


@pytest.mark.parametrize(
    ("workers", "parts"), [(1, [5]), (2, [3, 2]), (4, [2, 1, 1, 1]), (7, [1] * 7)]
)
def test_workers_share_what_a_destination_bears(workers: int, parts: list[int]) -> None:
    for place, part in enumerate(parts):
        pace = DestinationPace(5, 0.0)
        # Also of a destination that was written to before the others came.
        pace.start(GMAIL, 0.0)
        pace.share(workers, place, 0.0)
        for _ in range(part - 1):
            assert pace.wait(GMAIL, 0.0) == 0.0
            pace.start(GMAIL, 0.0)
        assert pace.wait(GMAIL, 0.0) == float("inf")


def test_workers_share_a_destinations_rate_and_get_it_back() -> None:
    pace = DestinationPace(0, 4.0)
    pace.start(GMAIL, 0.0)
    assert pace.wait(GMAIL, 0.0) == pytest.approx(1 / 4)
    pace.share(4, 3, 0.0)
    assert pace.wait(GMAIL, 0.0) == pytest.approx(1)
    pace.start("reader.example", 0.0)
    assert pace.wait("reader.example", 0.0) == pytest.approx(1)
    pace.share(1, 0, 0.0)
    assert pace.wait(GMAIL, 0.0) == pytest.approx(1 / 4)


def test_a_part_that_grows_forgets_no_complaint() -> None:
    pace = DestinationPace(8, 0.0)
    pace.share(2, 0, 0.0)
    for _ in range(4):
        pace.start(GMAIL, 0.0)
    pace.slow_down(GMAIL, 0.0)
    pace.share(1, 0, 0.0)
    taken, now = 3, FIRST_PAUSE + 1
    while pace.wait(GMAIL, now) != float("inf"):
        now += pace.wait(GMAIL, now) + 1
        taken += 1
        pace.start(GMAIL, now)
    assert taken < 5


def test_a_complaint_stops_the_destination_for_a_while_and_others_go_on() -> None:
    pace = DestinationPace(0, 0.0)
    for _ in range(10):
        pace.start(GMAIL, 0.0)
    assert pace.slow_down(GMAIL, 1.0)
    assert pace.wait(GMAIL, 1.0) == FIRST_PAUSE
    assert pace.wait("reader.example", 1.0) == 0.0
    # What was under way complains as well: that is the same news.
    assert not pace.slow_down(GMAIL, 1.5)
    assert pace.wait(GMAIL, 1.5) == pytest.approx(FIRST_PAUSE - 0.5)


def test_who_complains_again_and_again_is_left_alone_longer_and_longer() -> None:
    pace, now, pauses = DestinationPace(0, 0.0), 0.0, []
    for _ in range(8):
        pace.start(GMAIL, now)
        assert pace.slow_down(GMAIL, now)
        pauses.append(pace.wait(GMAIL, now))
        now += pauses[-1] + 1
    assert pauses[:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE


def test_a_complaint_after_clean_time_is_no_repetition() -> None:
    pace, now = DestinationPace(0, 0.0), 0.0
    pace.start(GMAIL, now)
    pace.slow_down(GMAIL, now)
    # It grows again, and what comes of that long after is a first complaint.
    for _ in range(5):
        now += CLEAN_SECONDS + FIRST_PAUSE
        pace.start(GMAIL, now)
        pace.end(GMAIL, now)
    pace.start(GMAIL, now)
    assert pace.slow_down(GMAIL, now)
    assert pace.wait(GMAIL, now) == FIRST_PAUSE


def test_a_destination_that_is_content_for_long_is_free_again() -> None:
    pace = DestinationPace(4, 0.0)
    pace.start(GMAIL, 0.0)
    pace.slow_down(GMAIL, 0.0)
    now, grown = FIRST_PAUSE, 0
    while pace.wait(GMAIL, now) != 0.0 or grown < 200:
        now += CLEAN_SECONDS
        if pace.wait(GMAIL, now) == 0.0:
            pace.start(GMAIL, now)
            pace.end(GMAIL, now)
        grown += 1
    for _ in range(4):
        assert pace.wait(GMAIL, now) == 0.0
        pace.start(GMAIL, now)
    assert pace.wait(GMAIL, now) == float("inf")


def test_a_configured_rate_is_the_most_that_it_grows_to() -> None:
    pace, now = DestinationPace(0, 2.0), 0.0
    pace.start(GMAIL, now)
    pace.slow_down(GMAIL, now)
    now, sent = now + FIRST_PAUSE, 0
    for _ in range(20_000):
        now += 0.1
        if pace.wait(GMAIL, now) == 0.0:
            pace.start(GMAIL, now)
            pace.end(GMAIL, now)
            sent += 1
    assert sent <= 2.0 * (now - FIRST_PAUSE) + 2
    began, before = now, sent
    while now < began + 100:
        now += 0.1
        if pace.wait(GMAIL, now) == 0.0:
            pace.start(GMAIL, now)
            pace.end(GMAIL, now)
            sent += 1
    assert sent - before >= 190


def test_what_is_put_off_comes_back_one_after_the_other() -> None:
    pace = DestinationPace(0, 2.0)
    pace.start(GMAIL, 0.0)
    pace.slow_down(GMAIL, 0.0)
    turns = [pace.put_off(GMAIL, 0.0) for _ in range(20)]
    assert turns[0] >= FIRST_PAUSE
    assert all(later > earlier for earlier, later in pairwise(turns))
    # At half a message a second.
    assert turns[-1] - turns[0] >= 19 / 0.5 - EPSILON


@pytest.mark.parametrize("closed", [True, False])
def test_however_many_are_put_off_all_come_back_soon_after_the_pause(closed: bool) -> None:
    pace, now = DestinationPace(0, 0.0), 1_000.0
    pace.start(GMAIL, now)
    pause = FIRST_PAUSE
    if closed:
        pause = 3600.0
        pace.end(GMAIL, now)
        pace.close(GMAIL, now, pause)
    else:
        pace.slow_down(GMAIL, now)
    turns = [pace.put_off(GMAIL, now) for _ in range(10_000)]
    assert min(turns) >= pause
    assert max(turns) <= pause + LONGEST_SPREAD
    # Not all at once: no second of it has more than a fiftieth of them.
    assert max(Counter(int(turn) for turn in turns).values()) <= (2_000 if closed else 200)


def test_who_is_put_off_again_after_the_pause_is_put_off_from_then() -> None:
    pace = DestinationPace(0, 0.0)
    pace.start(GMAIL, 0.0)
    pace.slow_down(GMAIL, 0.0)
    for _ in range(5_000):
        pace.put_off(GMAIL, 0.0)
    later = FIRST_PAUSE + LONGEST_SPREAD + 100
    assert 0 < pace.put_off(GMAIL, later) <= LONGEST_SPREAD


def test_a_destination_closed_for_another_reason_waits_that_long() -> None:
    pace = DestinationPace(0, 0.0)
    pace.close(GMAIL, 10.0, 3600.0)
    assert pace.wait(GMAIL, 10.0) == 3600.0
    assert pace.wait(GMAIL, 3610.0) == 0.0


def test_after_a_run_nothing_is_under_way_and_complaints_are_remembered() -> None:
    pace = DestinationPace(1, 0.0)
    pace.start(GMAIL, 0.0)
    pace.start("busy.example", 0.0)
    pace.slow_down("busy.example", 0.0)
    pace.forget_in_flight(0.0)
    assert pace.wait(GMAIL, 0.0) == 0.0
    assert pace.wait("busy.example", 0.0) == FIRST_PAUSE


@dataclass
class Gmail:
    """Takes ``quota`` messages in each minute, and answers 421 4.7.28 to the others."""

    quota: int
    taken: Counter[int] = field(default_factory=Counter)
    complaints: Counter[int] = field(default_factory=Counter)

    def takes(self, now: float) -> bool:
        minute = int(now // 60)
        if self.taken[minute] < self.quota:
            self.taken[minute] += 1
            return True
        self.complaints[minute] += 1
        return False


def send_all(
    pace: DestinationPace, gmail: Gmail, messages: int, *, connections: int, seconds: float
) -> tuple[float, float]:
    """Send with so many connections and so long an answer; when it was over, and the longest
    time without a try."""
    now, waiting, last_try, longest = 0.0, messages, 0.0, 0.0
    under_way: list[float] = []
    while waiting or under_way:
        wait = pace.wait(GMAIL, now) if waiting else float("inf")
        if wait <= 0 and len(under_way) < connections:
            pace.start(GMAIL, now)
            heapq.heappush(under_way, now + seconds)
            longest, last_try = max(longest, now - last_try), now
            waiting -= 1
            continue
        if len(under_way) >= connections:
            wait = float("inf")
        if under_way and under_way[0] <= now + wait:
            now = heapq.heappop(under_way)
            if gmail.takes(now):
                pace.end(GMAIL, now)
            else:
                pace.slow_down(GMAIL, now)
                waiting += 1
        else:
            assert wait < float("inf"), "nothing under way, and nothing may go"
            # A clock's step: sums of fractions must not make it stand still.
            now += max(wait, 1e-4)
    return now, longest


@settings(max_examples=15)
@given(
    quota=st.integers(10, 200),
    connections=st.integers(1, 20),
    seconds=st.sampled_from([0.005, 0.05, 0.5]),
)
def test_under_a_quota_a_minute_all_arrive_without_hot_retries(
    quota: int, connections: int, seconds: float
) -> None:
    gmail = Gmail(quota)
    messages = quota * 30
    took, longest = send_all(
        DestinationPace(0, 0.0), gmail, messages, connections=connections, seconds=seconds
    )
    assert sum(gmail.taken.values()) == messages
    # A complaint ends the minute for us: only what was under way is refused besides.
    assert all(count <= connections for count in gmail.complaints.values())
    # It learns: few tries of all are in vain, and it never gives up for long.
    assert sum(gmail.complaints.values()) <= max(messages // 10, 8 * connections)
    assert longest <= LONGEST_PAUSE + 120
    # At best it takes 30 minutes. To find the quota costs some pauses, and to keep
    # to it from below a part of it.
    assert took <= max(1.5 * 30 * 60, messages * seconds / connections) + 4200


def complained(pace: DestinationPace, at: float) -> Slowdown:
    """The destination complains after 60 messages in a minute, of which one is under way."""
    for second in range(60):
        pace.start(GMAIL, at - 60 + second)
        if second < 59:
            pace.end(GMAIL, at - 60 + second)
    assert pace.slow_down(GMAIL, at)
    return pace.slowdown(GMAIL, at, NOW)


def test_what_one_worker_learns_holds_for_all_of_them() -> None:
    first, second = DestinationPace(8, 0), DestinationPace(8, 0)
    first.share(2, 0, 0.0)
    second.share(2, 1, 0.0)
    told = complained(first, 1_000.0)
    assert told == Slowdown(
        *(GMAIL, pytest.approx(1.0, rel=0.05), 2.0, FIRST_PAUSE),
        *(NOW + timedelta(minutes=1), NOW, NOW),
    )
    # The other one's monotonic clock began elsewhere, and it hears of it three seconds later.
    second.learn(told, 77.0, NOW + timedelta(seconds=3))
    assert second.wait(GMAIL, 77.0) == pytest.approx(FIRST_PAUSE - 3)
    begin = 77.0 + FIRST_PAUSE - 3 + EPSILON
    second.start(GMAIL, begin)
    assert second.wait(GMAIL, begin) == float("inf")
    second.end(GMAIL, begin)
    assert 1.0 < second.wait(GMAIL, begin) <= 2.1
    # Its own complaint right after that is the second one.
    second.start(GMAIL, begin)
    assert second.slow_down(GMAIL, begin)
    assert second.slowdown(GMAIL, begin, NOW).pause == 2 * FIRST_PAUSE


def test_to_hear_of_a_complaint_again_changes_nothing() -> None:
    first, second = DestinationPace(0, 0), DestinationPace(0, 0)
    told = complained(first, 1_000.0)
    for pace in (first, second):
        for seconds in (0, 5, 10):
            pace.learn(told, 1_000.0 + seconds, NOW + timedelta(seconds=seconds))
        told_again = pace.slowdown(GMAIL, 1_010.0, NOW + timedelta(seconds=10))
        assert told_again == replace(told, changed_at=NOW + timedelta(seconds=10))


def test_a_pace_has_grown_while_nobody_was_at_work() -> None:
    told = complained(DestinationPace(0, 0), 1_000.0)
    soon, later, late = DestinationPace(0, 0), DestinationPace(0, 0), DestinationPace(0, 0)
    rates = []
    for pace, minutes in ((soon, 1), (later, 11)):
        pace.learn(told, 0.0, NOW + timedelta(minutes=minutes))
        rates.append(pace.slowdown(GMAIL, 0.0, NOW).rate)
        assert pace.wait(GMAIL, 0.0) == 0
    assert rates == [told.rate, pytest.approx(told.rate * 1.25**10)]
    late.learn(told, 0.0, NOW + timedelta(hours=2))
    for _ in range(100):
        late.start(GMAIL, 0.0)
    assert late.wait(GMAIL, 0.0) == 0


def test_a_learned_pace_is_shared_anew_with_the_workers_there_are() -> None:
    pace = DestinationPace(0, 0)
    told = complained(pace, 1_000.0)
    pace.share(4, 0, 1_000.0)
    assert pace.slowdown(GMAIL, 1_000.0, NOW).rate == pytest.approx(told.rate)
    after = 1_000.0 + FIRST_PAUSE + 1
    pace.end(GMAIL, after)
    pace.start(GMAIL, after)
    pace.end(GMAIL, after)
    assert pace.wait(GMAIL, after) > 3 / told.rate


def complain(pace: DestinationPace, at: float, name: str = GMAIL) -> None:
    pace.start(name, at)
    pace.slow_down(name, at)


def test_since_when_a_destination_takes_nothing_is_known_until_it_takes_something() -> None:
    pace, begin = DestinationPace(0, 0), 1_000.0
    assert pace.troubled_for(GMAIL, begin) is None
    for minutes in (0, 10, 90, 200):
        complain(pace, begin + 60 * minutes)
        assert pace.troubled_for(GMAIL, begin + 60 * minutes) == 60 * minutes
    pace.close(GMAIL, begin + 60 * 210, 3600)
    assert pace.troubled_for(GMAIL, begin + 60 * 220) == 60 * 220
    assert pace.troubled(300, begin + 60 * 220) == 1
    later = begin + 60 * 300
    pace.start(GMAIL, later)
    assert pace.took(GMAIL)
    assert not pace.took(GMAIL)
    pace.end(GMAIL, later)
    assert pace.troubled_for(GMAIL, later) is None
    assert pace.troubled(300, later) == 0
    pace.close(GMAIL, later, 3600)
    assert pace.troubled_for(GMAIL, later + 60) == 60


def test_a_destination_that_was_not_asked_for_long_is_in_no_trouble() -> None:
    pace, begin = DestinationPace(0, 0), 1_000.0
    pace.close(GMAIL, begin, 60)
    late = begin + REMEMBERED + 1
    assert pace.troubled_for(GMAIL, late) is None
    pace.close(GMAIL, late, 60)
    assert pace.troubled_for(GMAIL, late + 5) == 5


@pytest.mark.parametrize("closed", [True, False])
def test_that_a_destination_takes_nothing_is_known_to_who_comes_later(closed: bool) -> None:
    first, second = DestinationPace(0, 0), DestinationPace(0, 0)
    complain(first, 1_000.0)
    if closed:
        first.close(GMAIL, 4_000.0, 60)
    else:
        complain(first, 4_000.0)
    told = first.slowdown(GMAIL, 4_000.0, NOW)
    assert told.since == NOW - timedelta(seconds=3_000)
    # Long after the pause, when its pace is no limit any more, and again and again.
    hour = NOW + timedelta(hours=1)
    for seconds in (0, 5):
        second.learn(told, 77.0 + seconds, hour + timedelta(seconds=seconds))
        second.forget_in_flight(77.0 + seconds)
        assert second.troubled_for(GMAIL, 77.0 + seconds) == 6_600 + seconds
    # An older complaint is no news; that it has taken something is.
    second.close(GMAIL, 90.0, 60)
    second.learn(replace(told, since=None), 91.0, hour + timedelta(seconds=14))
    assert second.troubled_for(GMAIL, 91.0) == 6_614
    content = replace(second.slowdown(GMAIL, 90.0, hour), since=None)
    second.learn(content, 91.0, hour + timedelta(seconds=1))
    assert second.troubled_for(GMAIL, 91.0) is None
