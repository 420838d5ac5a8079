"""Which local days, and which instants, a section looks at."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.publication.sections import SectionPlan
from newsletter.ranking.model import Window

_DAY = timedelta(days=1)


def window_days(plan: SectionPlan, now: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """The first and last of the local days whose reads count, both inclusive.

    They are the last days of the plan's window, with today as far as it has
    come; a window that is no whole number of days is rounded up. "Last month" are the
    days of the calendar month before. Days are
    dates in ``zone``, so that a clock change makes none longer or shorter.
    """
    today = now.astimezone(zone).date()
    if plan.is_last_month:
        last = today.replace(day=1) - _DAY
        return last.replace(day=1), last
    return today - timedelta(days=count_days(plan) - 1), today


def count_days(plan: SectionPlan) -> int:
    """How many local days the plan's window spans, at least one."""
    return max(1, -(-plan.window_length // _DAY))


def latest_window(plan: SectionPlan | None, covers_from: datetime | None, now: datetime) -> Window:
    """The instants of a `latest` section: from the previous issue's end up to ``now``.

    The first issue of all reaches back by the window of ``plan``, or 7 days.
    """
    if covers_from is not None:
        return Window(covers_from, now)
    return Window(now - (plan.window_length if plan else timedelta(days=7)), now)
