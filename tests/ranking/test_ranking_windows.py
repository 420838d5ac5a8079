from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.publication.sections import SectionPlan
from newsletter.ranking.model import Window
from newsletter.ranking.reasons import count_of, ordinal
from newsletter.ranking.windows import latest_window, window_days

NEW_YORK = ZoneInfo("America/New_York")


def plan(window: str) -> SectionPlan:
    return SectionPlan(slug="top", kind="most_read", title="Most read", window=window)


def test_thirty_days_with_today() -> None:
    now = datetime(2025, 8, 4, 20, tzinfo=UTC)
    assert window_days(plan("30 days"), now, NEW_YORK) == (date(2025, 7, 6), date(2025, 8, 4))


@pytest.mark.parametrize(("window", "days"), [("1 day", 1), ("36 hours", 2), ("2 weeks", 14)])
def test_parts_of_days_are_rounded_up(window: str, days: int) -> None:
    first, last = window_days(plan(window), datetime(2025, 8, 4, tzinfo=UTC), ZoneInfo("UTC"))
    assert (last - first).days + 1 == days


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        (datetime(2025, 9, 1, 4, tzinfo=UTC), date(2025, 8, 1), date(2025, 8, 31)),
        # Still August in New York.
        (datetime(2025, 9, 1, 3, 59, tzinfo=UTC), date(2025, 7, 1), date(2025, 7, 31)),
        (datetime(2024, 3, 28, 12, tzinfo=UTC), date(2024, 2, 1), date(2024, 2, 29)),
        (datetime(2025, 1, 15, 12, tzinfo=UTC), date(2024, 12, 1), date(2024, 12, 31)),
    ],
)
def test_last_month_is_the_calendar_month_before(now: datetime, first: date, last: date) -> None:
    assert window_days(plan("last month"), now, NEW_YORK) == (first, last)


@given(
    st.integers(946684800, 2208988800).map(lambda second: datetime.fromtimestamp(second, UTC)),
    st.sampled_from(["America/New_York", "Asia/Yerevan", "Pacific/Apia", "Australia/Lord_Howe"]),
)
def test_days_are_local_whatever_the_clock_does(now: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    first, last = window_days(plan("7 days"), now, zone)
    assert last == now.astimezone(zone).date()
    assert last - first == timedelta(days=6)


def test_latest_begins_where_the_last_issue_ended() -> None:
    now = datetime(2025, 8, 7, 16, tzinfo=UTC)
    cut_off = now - timedelta(days=9)
    assert latest_window(plan("7 days"), cut_off, now) == Window(cut_off, now)
    assert latest_window(plan("14 days"), None, now) == Window(now - timedelta(days=14), now)
    assert latest_window(None, None, now) == Window(now - timedelta(days=7), now)


def test_words_for_numbers() -> None:
    assert [ordinal(n) for n in (1, 9, 10, 11, 21, 22, 103, 1112)] == [
        *("first", "ninth", "10th", "11th", "21st", "22nd", "103rd", "1,112th"),
    ]
    assert [count_of(1, "story"), count_of(4310, "story"), count_of(0, "read")] == [
        *("1 story", "4,310 stories", "0 reads"),
    ]
