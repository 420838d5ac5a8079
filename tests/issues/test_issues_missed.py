"""Ranges of missed issues: the same for all who missed the same, and for nobody else."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.issues.missed import (
    first_of_range,
    in_order,
    missed_range,
    within_range,
)
from newsletter.issues.model import SentIssue
from newsletter.publication.slots import is_range_key

BEGIN = datetime(2025, 1, 3, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


def issue(week: int, hours: int | None = None) -> SentIssue:
    after = timedelta(weeks=week) if hours is None else hours * HOUR
    return SentIssue(f"2025-W{week:02}", BEGIN + after)


YEAR = [issue(week) for week in range(1, 31)]
# A pause is an hour of the year and how long it lasts, to three months.
pauses = st.tuples(st.integers(0, 5000), st.integers(0, 2200)).map(
    lambda p: (BEGIN + p[0] * HOUR, BEGIN + (p[0] + p[1]) * HOUR)
)


def missed(pause: tuple[datetime, datetime]) -> list[str]:
    since, until = pause
    return [one.slot for one in YEAR if since <= one.began_at < until]


@given(pauses, pauses, st.integers(1, 4))
def test_who_missed_the_same_shares_a_key_and_nobody_else(
    one: tuple[datetime, datetime], other: tuple[datetime, datetime], least: int
) -> None:
    keys = [missed_range(YEAR, *pause, least) for pause in (one, other)]
    for key, pause in zip(keys, (one, other), strict=True):
        assert (key is None) == (len(missed(pause)) < least)
    if all(keys):
        assert (keys[0] == keys[1]) == (missed(one) == missed(other))


@given(pauses, st.randoms())
def test_a_key_names_what_was_missed_whatever_the_order(
    pause: tuple[datetime, datetime], shuffle: st.DataObject
) -> None:
    shuffled = list(YEAR)
    shuffle.shuffle(shuffled)  # type: ignore[attr-defined]
    key = missed_range(shuffled, *pause, 1)
    if key is None:
        assert missed(pause) == []
        return
    assert is_range_key(key)
    assert [found.slot for found in within_range(key, shuffled)] == missed(pause)
    assert first_of_range(key) == missed(pause)[0]
    # What goes out later changes nothing of it.
    later = [*shuffled, SentIssue("2026-W01", BEGIN + timedelta(days=400))]
    assert within_range(key, later) == within_range(key, YEAR)


def test_an_issue_that_began_as_the_pause_did_was_missed_and_one_at_its_end_not() -> None:
    since, until = YEAR[4].began_at, YEAR[7].began_at
    assert missed_range(YEAR, since, until, 2) == "2025-W05..2025-W07"
    assert missed_range(YEAR, since, until, 4) is None
    # Nothing at all where it is switched off.
    assert missed_range(YEAR, since, until, 0) is None
    assert missed_range([], since, until, 1) is None


def test_issues_that_began_at_once_have_one_order() -> None:
    twins = [issue(2, 5), issue(1, 5)]
    assert [one.slot for one in in_order(twins)] == ["2025-W01", "2025-W02"]
    assert missed_range(twins, BEGIN, BEGIN + 9 * HOUR, 2) == "2025-W01..2025-W02"


def test_a_key_whose_ends_are_gone_names_nothing() -> None:
    assert within_range("2025-W03..2025-W99", YEAR) == ()
    assert within_range("2025-W03", YEAR) == ()
    assert not is_range_key("2025-W03.x1")
