"""Waves: who of an issue's audience is served when, and whether a wave may begin."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.delivery.brake import Brake, find_trip
from newsletter.delivery.model import (
    ALL,
    CANARY,
    REST,
    STAFF,
    FirstRows,
    PlannedWave,
    Wave,
)
from newsletter.errors import AddressError
from newsletter.publication.newsletters import Waves
from newsletter.publication.zones import find_zone
from newsletter.subscribers.address import normalise_address

# Where readers' servers only put us off, no more is learned by waiting longer.
PATIENCE = timedelta(minutes=10)
# The easternmost zone there is (Kiritimati); no reader's clock is ahead of it.
_EASTERNMOST = timedelta(hours=14)


@dataclass(frozen=True)
class WaveResult:
    """A released wave, and what became of its first rows."""

    wave: Wave
    first: FirstRows


def local_instant(send_at: datetime, home: ZoneInfo, zone: ZoneInfo) -> datetime:
    """When the wall clock of ``zone`` shows what that of ``home`` shows at ``send_at``; in UTC.

    As in `publication.schedule`, a time that the clocks skip is taken as the
    same distance after the gap's start, and of one that they repeat the first.
    """
    return send_at.astimezone(home).replace(tzinfo=zone).astimezone(UTC)


def earliest_start(waves: Waves, send_at: datetime, home: ZoneInfo) -> datetime:
    """The first instant at which any reader, wherever they live, may be due."""
    if not waves.local_time:
        return send_at
    wall = send_at.astimezone(home).replace(tzinfo=UTC)
    return min(send_at, wall - _EASTERNMOST) - _preview_time(waves)


def first_start(
    waves: Waves, send_at: datetime, home: ZoneInfo, zones: Iterable[str | None]
) -> datetime:
    """When the sending of an issue begins, for readers in ``zones`` (their names).

    With local time that is when the easternmost reader's time comes, less the
    wait where staff and canary go ahead: nobody but they is served off time.
    """
    if not waves.local_time:
        return send_at
    due = (local_instant(send_at, home, _zone_of(name, home)) for name in zones)
    return min(due, default=send_at) - _preview_time(waves)


def plan_waves(
    waves: Waves, send_at: datetime, home: ZoneInfo, zones: Collection[str | None], now: datetime
) -> tuple[PlannedWave, ...]:
    """The waves of an issue whose sending begins ``now``, in their order.

    ``zones`` are the readers' zones by name, the most frequent first; one that
    is None or unknown counts as ``home``, the newsletter's. Where a wave's time
    has passed it starts at once.
    """
    planned = []
    if waves.staff:
        addresses, domains = _staff(waves.staff)
        planned.append(PlannedWave(STAFF, now, addresses=addresses, domains=domains))
    if waves.canary > 0:
        planned.append(PlannedWave(CANARY, now, share=waves.canary))
    others_from = now + _preview_time(waves)
    if not waves.local_time:
        return (*planned, PlannedWave(REST if planned else ALL, others_from, others=True))
    return (*planned, *_zone_waves(send_at, home, zones, others_from))


def wait_after(wave: Wave, following: Wave, waves: Waves) -> timedelta:
    """How long ``following`` waits after the release of ``wave``, at least."""
    return waves.wait_length if wave.is_preview and following.name != CANARY else timedelta()


def held_back(wave: Wave, now: datetime, before: WaveResult | None, brake: Brake) -> str:
    """Why ``wave`` of an issue that is sending may not begin yet; empty where it may.

    ``before`` is the wave before it. Half of that one's first rows must have
    come to an end, or all have been tried and some time gone by.
    """
    if now < wave.starts_at:
        return f"its time is {wave.starts_at:%Y-%m-%d %H:%M} UTC"
    if before is None:
        return ""
    if before.wave.released_at is None:
        return f'the wave "{before.wave.name}" has not begun'
    first = before.first
    if (trip := find_trip(brake, before.wave, first)) is not None:
        return trip.sentence()
    settled = first.closed * 2 >= first.rows
    all_tried = first.untried == 0 and now >= before.wave.released_at + PATIENCE
    if settled or all_tried:
        return ""
    return (
        f'only {first.closed} of the first {first.rows} readers of the wave "{before.wave.name}" '
        "are settled"
    )


def _preview_time(waves: Waves) -> timedelta:
    return waves.wait_length if waves.has_preview else timedelta()


def _zone_waves(
    send_at: datetime, home: ZoneInfo, zones: Collection[str | None], not_before: datetime
) -> list[PlannedWave]:
    """One wave for each offset from UTC that the readers' clocks show, from east to west."""
    wall = send_at.astimezone(home).replace(tzinfo=UTC)
    by_instant: dict[datetime, list[str]] = {}
    for name in zones:
        zone = _zone_of(name, home)
        names = by_instant.setdefault(local_instant(send_at, home, zone), [])
        if name is not None and zone.key == name:
            names.append(name)
    by_instant.setdefault(send_at, [])
    ranks = {instant: rank for rank, instant in enumerate(by_instant)}
    return [
        PlannedWave(
            offset_name(wall - instant),
            max(instant, not_before),
            zones=tuple(names),
            rank=ranks[instant],
            # The wave at home takes all whom no other takes, wherever they are.
            others=instant == send_at,
        )
        for instant, names in sorted(by_instant.items())
    ]


def offset_name(offset: timedelta) -> str:
    """An offset from UTC as people write it: ``UTC+05:30``."""
    minutes = round(offset.total_seconds() / 60)
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _zone_of(name: str | None, home: ZoneInfo) -> ZoneInfo:
    return (find_zone(name) if name else None) or home


def _staff(patterns: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(addresses, domains), in the form in which readers' are stored."""
    addresses, domains = [], []
    for pattern in patterns:
        local, _, _ = pattern.rpartition("@")
        whole = _normal(pattern if local else f"anybody{pattern}")
        if local:
            addresses.append(whole)
        else:
            domains.append(whole.rpartition("@")[2])
    return tuple(addresses), tuple(domains)


def _normal(address: str) -> str:
    try:
        return normalise_address(address)
    except AddressError:
        # Nobody can subscribe by it, so it fits no reader; the others still count.
        return address.lower()
