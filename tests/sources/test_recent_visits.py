"""Visits that may be repeated: the same as if every one were kept for ever, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.recent_visits import RecentVisits

HALF_HOUR = 1_800
KEYS = st.sampled_from([b"a", b"b", b"c"])


@given(st.lists(st.tuples(KEYS, st.integers(-5, 4_000)), max_size=60))
def test_a_repeat_is_one_within_half_an_hour(steps: list[tuple[bytes, int]]) -> None:
    recent = RecentVisits(HALF_HOUR)
    last: dict[bytes, int] = {}
    now = 1_000_000
    for key, later in steps:
        # Lines go back by a little.
        at = now + later
        now = max(now, at)
        before = last.get(key)
        assert recent.repeats(key, at) == (before is not None and abs(at - before) < HALF_HOUR)
        last[key] = max(at, before or at)
    expected = {key: at for key, at in last.items() if at > now - HALF_HOUR}
    assert dict(recent.current()) == expected
    again = RecentVisits(HALF_HOUR, recent.current())
    assert dict(again.current()) == expected


def test_memory_is_that_of_half_an_hour() -> None:
    recent = RecentVisits(HALF_HOUR)
    held = []
    for at in range(6 * 3_600):
        assert not recent.repeats(f"visit {at}".encode(), at)
        held.append(len(recent))
    assert max(held) <= 2_400


def test_an_old_log_takes_nothing_from_what_is_new() -> None:
    now = 10_000_000
    recent = RecentVisits(HALF_HOUR, [(b"a", now), (b"b", now - 1_700)])
    for at in range(0, 100_000, 60):
        assert recent.repeats(b"old", at) == (at > 0)
        recent.repeats(f"{at}".encode(), at)
    assert dict(recent.current()) == {b"a": now, b"b": now - 1_700}
    assert recent.repeats(b"a", now + 200)
    assert recent.repeats(b"b", now + 50)
