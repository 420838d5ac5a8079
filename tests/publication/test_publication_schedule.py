from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.publication.durations import parse_duration
from newsletter.publication.schedule import Moment, Period, parse_moment

ZONES = st.sampled_from(
    [
        *("America/New_York", "Asia/Yerevan", "Pacific/Apia", "UTC", "Australia/Lord_Howe"),
        *("America/St_Johns", "Africa/Cairo", "Pacific/Kiritimati", "America/Sao_Paulo"),
    ]
).map(ZoneInfo)
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
MOMENTS = (
    st.builds(Moment, st.just(Period.DAY), TIMES)
    | st.builds(Moment, st.just(Period.WEEK), TIMES, weekday=st.integers(0, 6))
    | st.builds(Moment, st.just(Period.MONTH), TIMES, day=st.integers(1, 28))
)
INSTANTS = st.integers(0, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
NEW_YORK = ZoneInfo("America/New_York")


def instant(text: str, day: date, zone: ZoneInfo = NEW_YORK) -> str:
    return parse_moment(text).instant(day, zone).isoformat()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Fri 07:00", Moment(Period.WEEK, time(7), weekday=4)),
        ("thursday 7:05", Moment(Period.WEEK, time(7, 5), weekday=3)),
        ("Tues 23:59", Moment(Period.WEEK, time(23, 59), weekday=1)),
        (" daily 00:00 ", Moment(Period.DAY, time(0))),
        ("Day 28 12:30", Moment(Period.MONTH, time(12, 30), day=28)),
    ],
)
def test_moments_as_people_write_them(text: str, moment: Moment) -> None:
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        *("", "Fri", "07:00", "Fri 24:00", "Fri 7", "Friend 07:00", "Monkey 07:00", "fr 07:00"),
        *("day 0 07:00", "day 29 07:00", "day 07:00", "Fri 07:60", "Fri 07:00 08:00", "daily"),
    ],
)
def test_what_is_no_moment_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no moment; write|must be 1 to 28"):
        parse_moment(text)


@given(st.text())
def test_any_text_is_a_moment_or_a_value_error(text: str) -> None:
    try:
        moment = parse_moment(text)
    except ValueError:
        return
    assert moment.period in Period


def test_spring_skips_the_hour_and_the_moment_comes_an_hour_later() -> None:
    gap = date(2027, 3, 14)
    assert instant("Sun 01:30", gap) == "2027-03-14T06:30:00+00:00"
    # 02:30 does not exist; the clocks show 03:30 then.
    assert instant("Sun 02:30", gap) == "2027-03-14T07:30:00+00:00"
    assert instant("Sun 03:30", gap) == "2027-03-14T07:30:00+00:00"
    assert instant("Sun 02:30", gap + timedelta(days=7)) == "2027-03-21T06:30:00+00:00"


def test_autumn_repeats_the_hour_and_the_first_one_counts() -> None:
    fold = date(2027, 11, 7)
    assert instant("Sun 01:30", fold) == "2027-11-07T05:30:00+00:00"
    assert instant("Sun 02:30", fold) == "2027-11-07T07:30:00+00:00"


def test_a_repeated_hour_brings_the_moment_once() -> None:
    moment = parse_moment("daily 01:30")
    first = datetime(2027, 11, 7, 5, 30, tzinfo=UTC)
    assert moment.after(first - timedelta(seconds=1), NEW_YORK) == (date(2027, 11, 7), first)
    day, following = moment.after(first, NEW_YORK)
    assert (day, following) == (date(2027, 11, 8), datetime(2027, 11, 8, 6, 30, tzinfo=UTC))
    second_half_past_one = datetime(2027, 11, 7, 6, 30, tzinfo=UTC)
    assert moment.at_or_before(second_half_past_one, NEW_YORK) == (date(2027, 11, 7), first)


def test_the_wall_time_is_kept_over_the_year() -> None:
    assert instant("Thu 06:00", date(2027, 3, 11)) == "2027-03-11T11:00:00+00:00"
    assert instant("Thu 06:00", date(2027, 3, 18)) == "2027-03-18T10:00:00+00:00"
    yerevan = ZoneInfo("Asia/Yerevan")
    assert instant("Fri 07:00", date(2027, 3, 12), yerevan) == "2027-03-12T03:00:00+00:00"
    # Armenia kept summer time until 2011.
    assert instant("Sun 02:30", date(2011, 3, 27), yerevan) == "2011-03-26T22:30:00+00:00"


def test_samoa_had_no_30_december_2011() -> None:
    apia = ZoneInfo("Pacific/Apia")
    before = datetime(2011, 12, 30, 0, tzinfo=UTC)
    assert parse_moment("daily 07:00").after(before, apia)[0] == date(2011, 12, 31)
    # That week's Friday came on Saturday; the weekly paper keeps its number.
    day, moment = parse_moment("Fri 07:00").after(before, apia)
    assert day == date(2011, 12, 30)
    assert moment.astimezone(apia) == datetime(2011, 12, 31, 7, tzinfo=apia)


@given(MOMENTS, INSTANTS, ZONES)
@example(
    Moment(Period.DAY, time(7)), datetime(2011, 12, 30, 17, tzinfo=UTC), ZoneInfo("Pacific/Apia")
)
def test_before_and_after_meet(moment: Moment, now: datetime, zone: ZoneInfo) -> None:
    last_day, last = moment.at_or_before(now, zone)
    next_day, following = moment.after(now, zone)
    assert last <= now < following
    assert last_day < next_day
    assert moment.at_or_before(last, zone) == (last_day, last)
    assert moment.after(last, zone) == (next_day, following)
    assert moment.at_or_before(following, zone) == (next_day, following)
    assert moment.falls_on(last_day)
    assert moment.falls_on(next_day)


@given(MOMENTS, INSTANTS, ZONES)
def test_an_instant_shows_its_wall_time_but_in_a_gap(
    moment: Moment, now: datetime, zone: ZoneInfo
) -> None:
    day, found = moment.after(now, zone)
    local = found.astimezone(zone)
    if (local.date(), local.time()) != (day, moment.at):
        wanted = datetime.combine(day, moment.at)
        late = local.replace(tzinfo=None) - wanted
        assert timedelta(0) < late <= timedelta(days=1)
        # No instant of the zone shows the wanted time.
        folds = (wanted.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        assert all(each.astimezone(zone).replace(tzinfo=None) != wanted for each in folds)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30 days", timedelta(days=30)),
        ("1 day", timedelta(days=1)),
        (" 12 hours ", timedelta(hours=12)),
        ("90 minutes", timedelta(minutes=90)),
        ("2 weeks", timedelta(days=14)),
        ("99999 weeks", timedelta(weeks=99999)),
    ],
)
def test_durations(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "days", "30", "-1 days", "1.5 hours", "3 months", "100000 days", "30days"]
)
def test_what_is_no_duration_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match="is no length of time; write"):
        parse_duration(text)


@given(st.text() | st.from_regex(r"\d{1,6} (minute|hour|day|week)s?", fullmatch=True))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        length = parse_duration(text)
    except ValueError:
        return
    assert timedelta(0) <= length <= timedelta(weeks=99999)
