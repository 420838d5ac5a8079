"""When hard refusals stop an issue."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.brake import FEWEST, SOFT_REASONS, Brake, find_trip, is_hard
from newsletter.delivery.model import FirstRows, Outcome, OutcomeKind, Reply, Wave
from newsletter.delivery.reply_reasons import READER_REASONS, SENDER_FAULTS

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
        '116 of the first 500 readers of the wave "canary" were refused for good, more than 5 % of '
        "them (too_big 90, unknown_user 20, unknown_host 6)."
    )


@pytest.mark.parametrize("reason", sorted(SOFT_REASONS))
def test_full_mailboxes_and_the_like_stop_it_where_nearly_nothing_else_comes(reason: str) -> None:
    def trips(refused: int, closed: int, rows: int = 500, share: float = 0.05) -> bool:
        first = FirstRows(rows, closed, 0, {reason: refused})
        return find_trip(Brake(share, 500), WAVE, first) is not None

    assert not trips(90, 180)
    assert trips(91, 180)
    assert not trips(19, 19)
    assert trips(20, 20)
    assert trips(20, 39)
    # Of fewer rows fewer are enough, and of the fewest none.
    assert trips(6, 6, rows=10)
    assert not trips(5, 5, rows=10)
    assert not trips(4, 4, rows=5)
    # Who allows more than half means it.
    assert not trips(60, 100, share=0.6)
    assert trips(61, 100, share=0.6)
    assert not trips(500, 500, share=1)


@pytest.mark.parametrize("name", ["staff", "canary"])
def test_a_preview_of_which_everybody_is_refused_stops_it_however_small(name: str) -> None:
    def trips(readers: int, first: FirstRows, name: str = name) -> bool:
        wave = replace(WAVE, name=name, readers=readers)
        return find_trip(Brake(0.05, 500), wave, first) is not None

    assert trips(1, FirstRows(1, 1, 0, {"unknown_user": 1}))
    assert trips(4, FirstRows(4, 4, 0, {"mailbox_full": 3, "expired": 1}))
    assert not trips(4, FirstRows(4, 4, 0, {"unknown_user": 3}))
    # A person has seen these and let the issue go on.
    assert not trips(4, FirstRows(0, 0, 0, {}))
    # One dead address in a zone of its own proves nothing.
    assert not trips(4, FirstRows(4, 4, 0, {"unknown_user": 4}), "UTC+14:00")


REASONS = st.sampled_from(sorted({*SENDER_FAULTS, *READER_REASONS, "too_big", "system", "unknown"}))


@given(st.lists(REASONS, min_size=5, max_size=600), st.floats(0.001, 0.999))
def test_it_bites_wherever_everybody_is_refused(reasons: list[str], share: float) -> None:
    first = FirstRows(len(reasons), len(reasons), 0, Counter(reasons))
    assert find_trip(Brake(share, 500), WAVE, first) is not None


@pytest.mark.parametrize(
    ("kind", "reason", "fault", "hard"),
    [
        (OutcomeKind.REFUSED, "unknown_user", False, True),
        (OutcomeKind.REFUSED, "unknown", False, True),
        (OutcomeKind.REFUSED, "too_big", True, True),
        (OutcomeKind.REFUSED, "content", False, True),
        (OutcomeKind.REFUSED, "policy", True, True),
        (OutcomeKind.REFUSED, "non_ascii_address", False, False),
        (OutcomeKind.REFUSED, "expired", False, False),
        (OutcomeKind.REFUSED, "mailbox_full", False, False),
        (OutcomeKind.DEFERRED, "unknown_user", False, False),
        (OutcomeKind.ACCEPTED, "", False, False),
    ],
)
def test_what_counts(kind: OutcomeKind, reason: str, fault: bool, hard: bool) -> None:
    assert is_hard(Outcome(kind, reason, Reply(550), sender_fault=fault)) is hard
