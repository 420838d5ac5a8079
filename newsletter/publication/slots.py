"""Slots: the key of an issue, unique per newsletter.

A slot is computed from ``send_at`` in the newsletter's zone: ``2025-W32`` (ISO
year and week), ``2025-08``, ``2025-08-05``; an extra adds ``.x1``. The best of a
month, which goes out in the next one, has the month that it tells of: ``2025-08``.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.errors import UsageError
from newsletter.publication.cadence import Edition
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.schedule import Moment, Period

_FORM = re.compile(
    r"^(?:(?P<week_year>\d{4})-W(?P<week>\d{2})|(?P<year>\d{4})-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)"
    r"(?:\.x(?P<extra>[1-9]\d?))?\Z",
    re.ASCII,
)
_DAY = timedelta(days=1)
# Between the ends of a range of slots, which is the slot of a catch-up.
BETWEEN = ".."
# Far enough from the calendar's ends for every zone and period.
_YEARS = range(1900, 3000)


@dataclass(frozen=True)
class Slot:
    """An issue's place in time: its key, and the instants of draft and send (UTC)."""

    key: str
    date: date
    draft_at: datetime
    send_at: datetime

    @property
    def is_extra(self) -> bool:
        return is_extra_key(self.key)

    @property
    def week(self) -> int:
        """The ISO week of the issue's date."""
        return self.date.isocalendar().week


def slot_key(period: Period, day: date) -> str:
    """The key of the issue that goes out on the local date ``day``."""
    if period is Period.WEEK:
        iso = day.isocalendar()
        return f"{iso.year:04d}-W{iso.week:02d}"
    return f"{day:%Y-%m}" if period is Period.MONTH else f"{day:%Y-%m-%d}"


def is_extra_key(key: str) -> bool:
    """Whether it is of an issue beside the schedule, made by hand."""
    return ".x" in key


def is_month_key(key: str) -> bool:
    """Whether a key is that of a month, or of an extra to it."""
    match = _FORM.match(key)
    return match is not None and match["month"] is not None and match["day"] is None


def is_range_key(key: str) -> bool:
    """Whether a key is that of a catch-up: a range of slots."""
    return BETWEEN in key


def period_day(newsletter: Newsletter, key: str, day: date) -> date:
    """A day of the period that the issue of that slot and local date is called after.

    The best of a month keeps its month, whenever it goes out.
    """
    match = _FORM.match(key) if newsletter.edition is Edition.MONTHLY else None
    if match is None or not match["month"]:
        return day
    return date(int(match["year"]), int(match["month"]), 1)


def upcoming_slot(newsletter: Newsletter, zone: ZoneInfo, now: datetime) -> Slot:
    """The slot whose send comes next after ``now``."""
    day, send_at = newsletter.send_moment.after(now, zone)
    return _slot(newsletter, zone, day, send_at)


def latest_slot(newsletter: Newsletter, zone: ZoneInfo, now: datetime) -> Slot:
    """The slot whose send came last, at or before ``now``."""
    day, send_at = newsletter.send_moment.at_or_before(now, zone)
    return _slot(newsletter, zone, day, send_at)


def coming_slots(
    newsletter: Newsletter, zone: ZoneInfo, now: datetime, count: int
) -> tuple[Slot, ...]:
    """The next ``count`` slots after ``now``, also those that are skipped."""
    found: list[Slot] = []
    for _ in range(count):
        found.append(upcoming_slot(newsletter, zone, found[-1].send_at if found else now))
    return tuple(found)


def next_slot(
    newsletter: Newsletter, zone: ZoneInfo, now: datetime, skipped: Collection[str]
) -> Slot:
    """The slot whose send comes next and is not skipped."""
    slot = upcoming_slot(newsletter, zone, now)
    while slot.key in skipped:
        slot = upcoming_slot(newsletter, zone, slot.send_at)
    return slot


def named_slot(newsletter: Newsletter, zone: ZoneInfo, key: str) -> Slot:
    """The slot of that key; UsageError where the newsletter has no such slot.

    An extra's instants are those of the regular slot it stands beside.
    """
    match = _FORM.match(key)
    moment = newsletter.send_moment
    day = _day_of(match, moment) if match else None
    if day is not None and newsletter.edition is Edition.MONTHLY:
        # From the month that it tells of to the next one, in which it goes out.
        day = (day.replace(day=28) + 4 * _DAY).replace(day=day.day)
    if day is None:
        example = slot_key(moment.period, date(2025, 8, 5))
        raise UsageError(
            f'"{key}" is no slot of {newsletter.slug}; its slots look like {example} '
            f"or {example}.x1",
            subject=key,
        )
    found = _slot(newsletter, zone, day, moment.instant(day, zone))
    return Slot(key, found.date, found.draft_at, found.send_at)


def _slot(newsletter: Newsletter, zone: ZoneInfo, day: date, send_at: datetime) -> Slot:
    is_best = newsletter.edition is Edition.MONTHLY
    told = day.replace(day=1) - _DAY if is_best else day
    key = slot_key(newsletter.send_moment.period, told)
    draft = newsletter.draft_moment
    # By the wall clock, so that no clock change moves the draft into another
    # period; strictly before the send: equal moments draft one period ahead.
    draft_day = day if draft.at < newsletter.send_moment.at else day - _DAY
    while not draft.falls_on(draft_day):
        draft_day -= _DAY
    # Where the clocks skip the hour between them, both fall together.
    draft_at = min(draft.instant(draft_day, zone), send_at)
    return Slot(key, day, draft_at, send_at)


def _day_of(match: re.Match[str], moment: Moment) -> date | None:
    if int(match["week_year"] or match["year"]) not in _YEARS:
        return None
    try:
        if match["week"]:
            if moment.weekday is None:
                return None
            return date.fromisocalendar(
                int(match["week_year"]), int(match["week"]), moment.weekday + 1
            )
        if match["day"]:
            if moment.period is not Period.DAY:
                return None
            return date(int(match["year"]), int(match["month"]), int(match["day"]))
        if moment.day is None:
            return None
        return date(int(match["year"]), int(match["month"]), moment.day)
    except ValueError:
        return None
