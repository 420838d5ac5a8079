"""When each part of an audience is served, and whether its turn has come."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.delivery.brake import Brake
from newsletter.delivery.model import FirstRows, PlannedWave, Wave
from newsletter.delivery.waves import (
    PATIENCE,
    WaveResult,
    earliest_start,
    first_start,
    held_back,
    local_instant,
    offset_name,
    plan_waves,
    wait_after,
)
from newsletter.publication.newsletters import Waves

NOW = datetime(2025, 8, 8, 11, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOME = ZoneInfo("America/New_York")
# Fri 07:00 in New York, which is at UTC-04:00 then.
SEND_AT = NOW
LOCAL = Waves(local_time=True)
ZONES = sorted(zone for zone in available_timezones() if "/" in zone)
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.integers(0, 18 * 365 * 24 * 12).map(
    lambda steps: datetime(2020, 1, 1, tzinfo=UTC) + steps * 5 * MINUTE
)


def names(planned: tuple[PlannedWave, ...]) -> list[tuple[str, datetime]]:
    return [(wave.name, wave.starts_at) for wave in planned]


def test_without_wishes_there_is_one_wave() -> None:
    assert plan_waves(Waves(), SEND_AT, HOME, (), NOW) == (PlannedWave("all", NOW, others=True),)


def test_staff_and_canary_go_ahead_of_the_rest() -> None:
    waves = Waves(staff=("@Paper.Example", "Anna@x.example"), canary=0.05, wait="45 minutes")
    assert plan_waves(waves, SEND_AT, HOME, (), NOW) == (
        PlannedWave("staff", NOW, addresses=("anna@x.example",), domains=("paper.example",)),
        PlannedWave("canary", NOW, share=0.05),
        PlannedWave("the rest", NOW + 45 * MINUTE, others=True),
    )


def test_staff_patterns_are_written_as_addresses_are_stored() -> None:
    waves = Waves(staff=("@Թերթ.example", "nobody..at@all", "@LOCALHOST"))
    (staff, _) = plan_waves(waves, SEND_AT, HOME, (), NOW)
    assert staff.domains == ("xn--29ahb5g.example", "localhost")
    assert staff.addresses == ("nobody..at@all",)


def test_each_offset_is_served_by_its_own_clock_from_east_to_west() -> None:
    readers = [
        *("America/Los_Angeles", "Asia/Yerevan", "Pacific/Kiritimati", "Pacific/Niue", None),
        *("Asia/Kolkata", "Asia/Dubai", "America/Detroit", "Mars/Base", "America/New_York"),
    ]
    begins = first_start(LOCAL, SEND_AT, HOME, readers)
    assert begins == datetime(2025, 8, 7, 17, 0, tzinfo=UTC)
    planned = plan_waves(LOCAL, SEND_AT, HOME, readers, begins)
    assert names(planned) == [
        ("UTC+14:00", begins),
        ("UTC+05:30", datetime(2025, 8, 8, 1, 30, tzinfo=UTC)),
        ("UTC+04:00", datetime(2025, 8, 8, 3, 0, tzinfo=UTC)),
        ("UTC-04:00", SEND_AT),
        ("UTC-07:00", datetime(2025, 8, 8, 14, 0, tzinfo=UTC)),
        ("UTC-11:00", datetime(2025, 8, 8, 18, 0, tzinfo=UTC)),
    ]
    assert planned[2].zones == ("Asia/Yerevan", "Asia/Dubai")
    assert [wave.others for wave in planned] == [False, False, False, True, False, False]


def test_whose_time_has_passed_gets_it_at_once() -> None:
    planned = plan_waves(LOCAL, SEND_AT, HOME, ["Asia/Yerevan", "America/Los_Angeles"], NOW)
    assert names(planned) == [
        ("UTC+04:00", NOW),
        ("UTC-04:00", NOW),
        ("UTC-07:00", NOW + 3 * 60 * MINUTE),
    ]


def test_staff_and_canary_go_so_early_that_the_first_zone_is_in_time() -> None:
    waves = Waves(local_time=True, canary=0.1, wait="2 hours")
    begins = first_start(waves, SEND_AT, HOME, ["Asia/Yerevan"])
    assert begins == datetime(2025, 8, 8, 1, 0, tzinfo=UTC)
    assert names(plan_waves(waves, SEND_AT, HOME, ["Asia/Yerevan"], begins)) == [
        ("canary", begins),
        ("UTC+04:00", begins + timedelta(hours=2)),
        ("UTC-04:00", SEND_AT),
    ]


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        # The clocks of Berlin skip 02:00 to 03:00 on 30 March 2025, and repeat it on 26 October.
        ("Europe/Berlin", "2025-03-30 02:30", "2025-03-30 01:30"),
        ("Europe/Berlin", "2025-10-26 02:30", "2025-10-26 00:30"),
        # Lord Howe moves by half an hour.
        ("Australia/Lord_Howe", "2025-10-05 02:15", "2025-10-04 15:45"),
        ("Asia/Kathmandu", "2025-10-05 07:00", "2025-10-05 01:15"),
        ("Pacific/Kiritimati", "2025-01-01 07:00", "2024-12-31 17:00"),
        ("Pacific/Pago_Pago", "2025-01-01 07:00", "2025-01-01 18:00"),
    ],
)
def test_clocks_that_change(zone: str, wall: str, instant: str) -> None:
    send_at, expected = (datetime.fromisoformat(f"{text}+00:00") for text in (wall, instant))
    assert local_instant(send_at, ZoneInfo("UTC"), ZoneInfo(zone)) == expected


@given(instants, zones, zones)
def test_the_wall_clock_shows_the_time_of_the_newsletter(
    send_at: datetime, home: ZoneInfo, zone: ZoneInfo
) -> None:
    instant = local_instant(send_at, home, zone)
    wall = send_at.astimezone(home).replace(tzinfo=None)
    late = instant.astimezone(zone).replace(tzinfo=None) - wall
    # More than nothing only where the clocks skip this time: nowhere by over an hour, save
    # where a country changes sides of the date line.
    assert timedelta() <= late <= timedelta(hours=1)
    assert abs(instant - send_at) <= timedelta(hours=26)


@given(
    instants,
    zones,
    st.lists(st.sampled_from([*ZONES, None, "Mars/Base"]), max_size=8),
    st.integers(-60, 60),
    st.booleans(),
    st.sampled_from([0, 0.05]),
)
def test_every_reader_is_in_one_wave_and_none_is_served_early(
    send_at: datetime,
    home: ZoneInfo,
    readers: list[str | None],
    late: int,
    staff: bool,
    canary: float,
) -> None:
    waves = Waves(local_time=True, staff=("@paper.example",) if staff else (), canary=canary)
    begins = first_start(waves, send_at, home, readers)
    assert earliest_start(waves, send_at, home) <= begins <= send_at + timedelta(hours=26)
    now = begins + late * MINUTE
    planned = plan_waves(waves, send_at, home, readers, now)
    previews = sum((staff, canary > 0))
    assert [w.name for w in planned[:previews]] == ["staff"] * staff + ["canary"] * (canary > 0)
    by_zone = planned[previews:]
    assert sum(wave.others for wave in by_zone) == 1
    assert [w.starts_at for w in by_zone] == sorted(w.starts_at for w in by_zone)
    assert len({wave.name for wave in by_zone}) == len(by_zone)
    for reader in readers:
        mine = [wave for wave in by_zone if reader in wave.zones]
        wave = mine[0] if mine else next(wave for wave in by_zone if wave.others)
        known = ZoneInfo(reader) if reader in ZONES else home
        due = local_instant(send_at, home, known)
        assert len(mine) <= 1
        assert wave.starts_at >= due
        # On time, unless sending began late or staff and canary take their turn first.
        assert wave.starts_at in (due, now + waves.wait_length * (previews > 0))


@pytest.mark.parametrize(
    ("minutes", "name"),
    [
        (840, "UTC+14:00"),
        (-660, "UTC-11:00"),
        (0, "UTC+00:00"),
        (345, "UTC+05:45"),
        (-210, "UTC-03:30"),
    ],
)
def test_offsets_are_named(minutes: int, name: str) -> None:
    assert offset_name(minutes * MINUTE) == name


BRAKE = Brake(0.05, 500)


def a_wave(name: str = "the rest", number: int = 1, **changes: object) -> Wave:
    values: dict[str, object] = {
        "issue_id": "issue",
        "number": number,
        "name": name,
        "readers": 1000,
        "starts_at": NOW,
        "released_at": None,
        "first_delivery": 1,
    }
    return Wave(**(values | changes))  # type: ignore[arg-type]


def before(rows: int, closed: int, untried: int, refused: int = 0) -> WaveResult:
    released = a_wave("canary", 0, released_at=NOW)
    return WaveResult(released, FirstRows(rows, closed, untried, {"unknown_user": refused}))


@pytest.mark.parametrize(
    ("now", "result", "may"),
    [
        (NOW, None, True),
        (NOW - MINUTE, None, False),
        (NOW - MINUTE, before(10, 10, 0), False),
        (NOW, before(500, 250, 250), True),
        (NOW, before(500, 249, 251), False),
        (NOW, before(500, 300, 200, 26), False),
        (NOW, before(500, 300, 200, 25), True),
        (NOW, before(0, 0, 0), True),
        (NOW, before(1, 0, 1), False),
        # The only reader's server puts us off: a whole issue does not wait for it.
        (NOW + PATIENCE - MINUTE, before(1, 0, 0), False),
        (NOW + PATIENCE, before(1, 0, 0), True),
        (NOW + PATIENCE, before(500, 100, 1), False),
        (NOW, WaveResult(a_wave("staff", 0), FirstRows(9, 9, 0, {})), False),
    ],
)
def test_whether_a_wave_may_begin(now: datetime, result: WaveResult | None, may: bool) -> None:
    assert bool(held_back(a_wave(), now, result, BRAKE)) is not may


@pytest.mark.parametrize(
    ("one", "following", "waits"),
    [
        ("staff", "canary", False),
        ("staff", "the rest", True),
        ("canary", "UTC+14:00", True),
        ("UTC+14:00", "UTC+13:00", False),
    ],
)
def test_only_staff_and_canary_are_waited_after(one: str, following: str, waits: bool) -> None:
    wait = wait_after(a_wave(one, 0), a_wave(following), Waves(wait="20 minutes"))
    assert wait == (20 * MINUTE if waits else timedelta())
