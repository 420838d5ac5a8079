"""A newsletter's rhythm: moments in the paper's zone, and the instants they fall on.

Local times are resolved once a date: a time that the spring change skips is
taken as the same distance after the gap's start, and a time that autumn
repeats is its first occurrence, so that every date has exactly one instant.
All stepping is done over dates, never by adding to an aware local time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)"
_WEEKLY = re.compile(rf"^(?P<weekday>[a-z]{{3,9}}) {_CLOCK}$", re.IGNORECASE)
_MONTHLY = re.compile(rf"^day (?P<day>\d{{1,2}}) {_CLOCK}$", re.IGNORECASE)
_HELP = 'write "Fri 07:00", "daily 07:00" or "day 1 07:00"'


class Period(StrEnum):
    """How often a newsletter comes."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Moment:
    """A repeating local time. ``weekday`` counts from Monday = 0; ``day`` is 1 to 28."""

    period: Period
    at: time
    weekday: int | None = None
    day: int | None = None

    def falls_on(self, day: date) -> bool:
        """Whether the moment comes on that local date."""
        if self.weekday is not None:
            return day.weekday() == self.weekday
        return self.day is None or day.day == self.day

    def instant(self, day: date, zone: ZoneInfo) -> datetime:
        """The instant, in UTC, at which the moment comes on ``day`` in ``zone``."""
        return datetime.combine(day, self.at, tzinfo=zone).astimezone(UTC)

    def at_or_before(self, instant: datetime, zone: ZoneInfo) -> tuple[date, datetime]:
        """The latest date and instant of the moment that is not after ``instant``."""
        return next(
            (day, moment) for day, moment in self._from(instant, zone, step=-1) if moment <= instant
        )

    def after(self, instant: datetime, zone: ZoneInfo) -> tuple[date, datetime]:
        """The first date and instant of the moment that is after ``instant``."""
        return next(
            (day, moment) for day, moment in self._from(instant, zone, step=1) if moment > instant
        )

    def _from(
        self, instant: datetime, zone: ZoneInfo, *, step: int
    ) -> Iterator[tuple[date, datetime]]:
        # One day of margin: a local date may start up to 14 hours away from UTC's.
        day = instant.astimezone(zone).date() - timedelta(days=step)
        while True:
            if self.falls_on(day) and self._has(day, zone):
                yield day, self.instant(day, zone)
            day += timedelta(days=step)

    def _has(self, day: date, zone: ZoneInfo) -> bool:
        # A country that moves across the date line skips a whole day (Samoa,
        # 30 December 2011). A daily moment does not come on it; a week or month
        # keeps its only one, which then falls on the next day.
        if self.period is not Period.DAY:
            return True
        return self.instant(day, zone).astimezone(zone).date() == day


def parse_moment(text: str) -> Moment:
    """The moment that ``text`` names; ValueError says how to write one."""
    words = text.strip()
    if match := _MONTHLY.match(words):
        day = int(match["day"])
        if not 1 <= day <= 28:
            raise ValueError(
                f'"{text}": the day of the month must be 1 to 28, which every month has'
            )
        return Moment(Period.MONTH, _time(match), day=day)
    if match := _WEEKLY.match(words):
        name = match["weekday"].lower()
        if name == "daily":
            return Moment(Period.DAY, _time(match))
        for weekday, full_name in enumerate(_WEEKDAYS):
            if full_name.startswith(name):
                return Moment(Period.WEEK, _time(match), weekday=weekday)
    raise ValueError(f'"{text}" is no moment; {_HELP}')


def _time(match: re.Match[str]) -> time:
    return time(int(match["hour"]), int(match["minute"]))
