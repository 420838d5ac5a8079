"""Figures of growth from lines of the change log."""

from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from newsletter.subscribers.growth import Growth, Period, count_growth
from newsletter.subscribers.model import ListChange

YEREVAN = ZoneInfo("Asia/Yerevan")
# A Sunday evening in London, and Monday in Yerevan.
SUNDAY = datetime(2025, 8, 31, 21, 0, tzinfo=UTC)


def change(
    act: str, count: int = 1, *, how: str = "", reason: str = "", before: str = ""
) -> ListChange:
    return ListChange(SUNDAY, "weekly", "article", act, how, reason, count, before)


def test_days_are_those_of_the_zone() -> None:
    changes = [change("pending", how="form")]

    def begins(period: Period, zone: ZoneInfo) -> list[date]:
        return [one.begin for one in count_growth(changes, period, zone)]

    assert begins(Period.WEEK, YEREVAN) == [date(2025, 9, 1)]
    assert begins(Period.WEEK, ZoneInfo("UTC")) == [date(2025, 8, 25)]
    assert begins(Period.MONTH, YEREVAN) == [date(2025, 9, 1)]
    assert begins(Period.MONTH, ZoneInfo("UTC")) == [date(2025, 8, 1)]


def test_each_line_counts_as_what_it_is() -> None:
    lines = [
        change("pending", 3, how="form"),
        change("active", 2, reason="confirmed"),
        change("active", 1_000_000, how="import"),
        change("removed", 7, reason="import undone"),
        change("active", reason="undo"),
        change("paused", reason="undo"),
        change("unsubscribed", 2, reason="one-click"),
        change("unsubscribed", reason="page"),
        change("told why", reason="too_much"),
        # Asked for after a goodbye, again, and confirmed.
        change("asked", 4, how="form", before="unsubscribed"),
        change("asked", 2, how="form", before="asked"),
        change("pending", 1, how="form", before="asked"),
        # Neither somebody who came nor somebody who left.
        change("unsubscribed", 5, how="import"),
        change("departments"),
        change("paused", reason="preferences"),
        change("active", reason="preferences"),
    ]
    assert count_growth(lines, Period.MONTH, YEREVAN) == [
        Growth(
            *(date(2025, 9, 1), "weekly", "article"),
            *(7, 2, 1_000_000, 7, 2),
            *(Counter({"one-click": 2, "page": 1}), Counter(too_much=1)),
        )
    ]
    assert count_growth([change("departments")], Period.WEEK, YEREVAN) == []
