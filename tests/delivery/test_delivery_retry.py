from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.retry import DELAYS, next_try, retry_delay
from tests.delivery.samples import GIVE_UP, NOW

ATTEMPTS = st.integers(min_value=0, max_value=1000)
REASONS = st.sampled_from(["greylisted", "system", "rate_limited", "mailbox_full", "unknown"])


def test_the_first_wait_suits_greylisting() -> None:
    assert timedelta(minutes=5) <= retry_delay(0, "greylisted") <= timedelta(minutes=15)


def test_a_rate_and_a_full_mailbox_are_given_more_time() -> None:
    assert retry_delay(0, "greylisted") < retry_delay(0, "rate_limited")
    assert retry_delay(0, "rate_limited") < retry_delay(0, "mailbox_full")


@given(ATTEMPTS, REASONS)
def test_waits_grow_and_stay_bounded(attempts: int, reason: str) -> None:
    assert retry_delay(attempts, reason) <= retry_delay(attempts + 1, reason) <= DELAYS[-1]


@given(ATTEMPTS, REASONS, st.timedeltas(timedelta(0), timedelta(days=5)))
def test_the_next_try_lies_ahead_and_within_the_time_for_trying(
    attempts: int, reason: str, tried_for: timedelta
) -> None:
    first = NOW - tried_for
    when = next_try(attempts, reason, first, NOW, GIVE_UP)
    if tried_for >= GIVE_UP:
        assert when is None
    else:
        assert when is not None
        assert NOW < when <= first + GIVE_UP


def test_one_try_falls_on_the_very_end() -> None:
    first = NOW - GIVE_UP + timedelta(minutes=1)
    assert next_try(9, "system", first, NOW, GIVE_UP) == first + GIVE_UP
