from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import UsageError
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.schedule import Period
from newsletter.publication.slots import latest_slot, named_slot, slot_key, upcoming_slot

NEW_YORK = ZoneInfo("America/New_York")
ZONES = ("America/New_York", "Asia/Yerevan", "Pacific/Apia")
START = datetime(2005, 1, 1, tzinfo=UTC)
YEARS = 40


def newsletter(send_at: str, draft_at: str | None = None) -> Newsletter:
    return Newsletter.model_validate(
        {
            "slug": "weekly",
            "name": "Weekly",
            "from": {"name": "Paper", "address": "weekly@paper.example"},
            "send_at": send_at,
            "draft_at": draft_at or send_at,
            "section": [{"slug": "new", "kind": "latest", "title": "Latest"}],
        }
    )


def test_the_turn_of_the_year_belongs_to_iso_weeks() -> None:
    """29 December to 4 January: the week of the year's first Thursday is the first."""
    known = {
        date(2024, 12, 29): "2024-W52",
        date(2024, 12, 30): "2025-W01",
        date(2025, 12, 28): "2025-W52",
        date(2025, 12, 29): "2026-W01",
        date(2026, 12, 31): "2026-W53",
        date(2027, 1, 3): "2026-W53",
        date(2027, 1, 4): "2027-W01",
        date(2020, 12, 31): "2020-W53",
        date(2021, 1, 1): "2020-W53",
        date(2025, 8, 5): "2025-W32",
    }
    assert {day: slot_key(Period.WEEK, day) for day in known} == known


@pytest.mark.parametrize("year", range(1999, 2060))
def test_every_turn_of_the_year(year: int) -> None:
    fourth = date(year + 1, 1, 4)
    for days in range(7):
        day = date(year, 12, 29) + timedelta(days=days)
        key = slot_key(Period.WEEK, day)
        thursday = day + timedelta(days=3 - day.weekday())
        # The ISO year is the one in which the week's Thursday lies.
        assert key.startswith(f"{thursday.year}-W")
        assert key.endswith(f"{(thursday.timetuple().tm_yday - 1) // 7 + 1:02d}")
    assert slot_key(Period.WEEK, fourth) == f"{year + 1}-W01"


def expected_keys(period: Period, first: date, last: date) -> list[str]:
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return list(dict.fromkeys(slot_key(period, day) for day in days))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("send_at", "period"),
    [
        *(("Fri 07:00", Period.WEEK), ("Sun 01:30", Period.WEEK), ("Sun 02:30", Period.WEEK)),
        *(("daily 01:30", Period.DAY), ("daily 02:30", Period.DAY)),
        *(("day 1 02:30", Period.MONTH), ("day 28 01:30", Period.MONTH)),
    ],
)
def test_no_slot_is_skipped_or_repeated_in_forty_years(
    send_at: str, period: Period, zone: str
) -> None:
    letter, where = newsletter(send_at), ZoneInfo(zone)
    end = START.replace(year=START.year + YEARS)
    keys, days, now = [], [], START
    while now < end:
        slot = upcoming_slot(letter, where, now)
        assert slot.send_at > now
        keys.append(slot.key)
        days.append(slot.date)
        now = slot.send_at
    expected = expected_keys(period, days[0], days[-1])
    if (zone, period) == ("Pacific/Apia", Period.DAY):
        # The day that Samoa skipped to move over the date line.
        expected.remove("2011-12-30")
    assert keys == expected


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("send_at", ["Fri 07:00", "Sun 02:30", "daily 01:30", "day 1 07:00"])
@settings(max_examples=30)
@given(st.integers(1_000_000_000, 3_000_000_000))
def test_latest_upcoming_and_named_agree(send_at: str, zone: str, second: int) -> None:
    letter, where = newsletter(send_at), ZoneInfo(zone)
    now = datetime.fromtimestamp(second, UTC)
    last, coming = latest_slot(letter, where, now), upcoming_slot(letter, where, now)
    assert last.send_at <= now < coming.send_at
    assert latest_slot(letter, where, coming.send_at) == coming
    assert upcoming_slot(letter, where, last.send_at) == coming
    for slot in (last, coming):
        assert named_slot(letter, where, slot.key) == slot
        assert slot.draft_at <= slot.send_at
        extra = named_slot(letter, where, f"{slot.key}.x1")
        assert extra.is_extra
        assert (extra.date, extra.send_at) == (slot.date, slot.send_at)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("draft_at", "send_at", "hours"),
    [
        ("Thu 12:00", "Fri 07:00", 19),
        ("Sun 01:30", "Sun 02:30", 1),
        ("Sun 02:45", "Sun 03:15", 0.5),
        ("daily 02:45", "daily 03:15", 0.5),
        ("daily 23:00", "daily 07:00", 8),
        ("Fri 07:00", "Fri 07:00", 168),
        ("day 28 12:00", "day 1 12:00", 96),
    ],
)
@settings(max_examples=30)
@given(st.integers(1_000_000_000, 3_000_000_000))
def test_a_draft_is_made_within_its_period(
    draft_at: str, send_at: str, hours: float, zone: str, second: int
) -> None:
    """Whatever the clocks do, the draft comes before its send and never a period early."""
    letter, where = newsletter(send_at, draft_at), ZoneInfo(zone)
    slot = upcoming_slot(letter, where, datetime.fromtimestamp(second, UTC))
    ahead = (slot.send_at - slot.draft_at) / timedelta(hours=1)
    if draft_at.startswith("day"):
        # From the 28th to the 1st it is one day in February and four in a long month.
        assert 23 <= ahead <= hours + 1
    elif slot.date not in {date(2011, 12, 30), date(2011, 12, 31)}:
        assert max(0, hours - 1) <= ahead <= hours + 1


def test_a_draft_in_the_skipped_hour_is_not_a_week_old() -> None:
    letter = newsletter("Sun 03:15", "Sun 02:45")
    slot = named_slot(letter, NEW_YORK, "2027-W10")
    assert slot.date == date(2027, 3, 14)
    assert slot.draft_at == slot.send_at == datetime(2027, 3, 14, 7, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "key",
    [
        *("", "2025-W54", "2025-W00", "2025-W53", "2025-08", "2025-08-05", "2025-w32", "W32"),
        *("2025-W32.x", "2025-W32.x0", "2025-W32.x100", "2025-W32\n", "２０２５-W32"),
        *("0001-W01", "9999-W52"),
    ],
)
def test_what_is_no_slot_of_a_weekly(key: str) -> None:
    with pytest.raises(UsageError, match=r"its slots look like 2025-W32 or 2025-W32\.x1"):
        named_slot(newsletter("Fri 07:00"), NEW_YORK, key)


@given(st.text(alphabet="0123456789-W.x", max_size=14))
def test_any_key_is_a_slot_or_a_usage_error(key: str) -> None:
    for send_at in ("Fri 07:00", "daily 07:00", "day 1 07:00"):
        try:
            slot = named_slot(newsletter(send_at), NEW_YORK, key)
        except UsageError:
            continue
        assert slot.key == key
