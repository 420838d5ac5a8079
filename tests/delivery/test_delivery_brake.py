"""When hard refusals stop an issue."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.brake import FEWEST, Brake, find_trip, is_hard
from newsletter.delivery.model import FirstRows, Outcome, OutcomeKind, Reply, Wave

WAVE = Wave("issue", 0, "canary", 1000, datetime(2025, 8, 8, tzinfo=UTC), None, 1)


def refused(count: int, rows: int, share: float = 0.05) -> bool:
    first = FirstRows(rows, rows, 0, {"unknown_user": count})
    return find_trip(Brake(share, 500), WAVE, first) is not None


@pytest.mark.parametrize(
    ("rows", "most"), [(1, 4), (8, 4), (80, 4), (100, 5), (119, 5), (120, 6), (500, 25)]
)
def test_a_few_dead_addresses_on_a_short_list_prove_nothing(rows: int, most: int) -> None:
    assert not refused(most, rows)
    assert refused(most + 1, rows)


@pytest.mark.parametrize(("share", "most"), [(0.29, 29), (0.07, 7), (0.999, 99)])
def test_the_share_is_taken_as_written(share: float, most: int) -> None:
    assert not refused(most, 100, share)
    assert refused(most + 1, 100, share)


@given(st.integers(0, 600), st.integers(0, 600), st.floats(0.001, 1))
def test_it_trips_only_above_the_share_and_on_five_or_more(
    rows: int, count: int, share: float
) -> None:
    if refused(count, rows, share):
        assert count >= FEWEST
        assert count > share * rows - 1e-6
        assert share < 1


def test_a_share_of_one_turns_it_off() -> None:
    assert not refused(500, 500, 1)


def test_figures_say_why() -> None:
    reasons = {"unknown_user": 20, "unknown_host": 6, "mailbox_full": 90, "too_big": 90}
    trip = find_trip(Brake(0.05, 500), WAVE, FirstRows(500, 300, 200, reasons))
    assert trip is not None
    assert trip.sentence() == (
        '26 of the first 500 readers of the wave "canary" were refused for good, more than 5 % of '
        "them (unknown_user 20, unknown_host 6)."
    )
    assert find_trip(Brake(0.05, 500), WAVE, FirstRows(500, 300, 200, {"mailbox_full": 90})) is None


@pytest.mark.parametrize(
    ("kind", "reason", "fault", "hard"),
    [
        (OutcomeKind.REFUSED, "unknown_user", False, True),
        (OutcomeKind.REFUSED, "unknown", False, True),
        (OutcomeKind.REFUSED, "unknown_user", True, False),
        (OutcomeKind.REFUSED, "expired", False, False),
        (OutcomeKind.REFUSED, "mailbox_full", False, False),
        (OutcomeKind.DEFERRED, "unknown_user", False, False),
        (OutcomeKind.ACCEPTED, "", False, False),
    ],
)
def test_what_counts(kind: OutcomeKind, reason: str, fault: bool, hard: bool) -> None:
    assert is_hard(Outcome(kind, reason, Reply(550), sender_fault=fault)) is hard
