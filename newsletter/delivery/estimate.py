"""How long a send will take, foreseen from what the relays allow.

Messages are taken as a fluid: every relay takes what its rate and its
connections let through, all at the same time, until its cap of the day (UTC)
is reached; then it waits for midnight.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import floor
from typing import TypeVar

from newsletter.delivery.model import Relay, RelayUse

# Where no earlier send tells how long a relay's answer takes: one over the
# internet, with a scan for viruses before the answer.
USUAL_REPLY_SECONDS = 0.1
_QUICKEST_REPLY_SECONDS = 0.001
# Beyond this nobody plans.
MOST_DAYS = 3_650
_EPSILON = 1e-6
_DAY_SECONDS = 86_400

K = TypeVar("K")


@dataclass(frozen=True)
class Capacity:
    """What a relay takes of an issue: ``per_second``, and how much of it each day (0: no cap).

    ``limit`` says in words what makes it so; ``by_rate``: it is its rate. ``use`` counts
    the days on which it was used for capped mail, for its warm-up, and what it took today.
    """

    slug: str
    per_second: float
    limit: str
    weight: int = 1
    daily_cap: int = 0
    warm_up: tuple[int, ...] = ()
    use: RelayUse = field(default_factory=RelayUse)
    by_rate: bool = False

    def cap_after(self, days: int) -> int:
        """The cap of a day that comes after so many days of sending; 0 for none."""
        if days < len(self.warm_up):
            step = self.warm_up[days]
            return min(step, self.daily_cap) if self.daily_cap else step
        return self.daily_cap


@dataclass(frozen=True)
class Day:
    """What the relays take on one day (UTC)."""

    day: date
    messages: int


@dataclass(frozen=True)
class Estimate:
    """When a send that begins at ``starts_at`` ends; None where that is years away.

    ``per_second`` is the pace while no cap stops a relay. ``days`` are those on
    which something is sent. ``by_relay`` is how many messages each takes.
    ``basis`` says in sentences what it was reckoned from.
    """

    starts_at: datetime
    ends_at: datetime | None
    per_second: float
    days: tuple[Day, ...]
    by_relay: Mapping[str, int]
    basis: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """From the first message to the last."""
        return (self.ends_at - self.starts_at).total_seconds() if self.ends_at else None


def capacity_of(relay: Relay, use: RelayUse) -> Capacity:
    """What ``relay`` takes of an issue, after what is known of it."""
    # As `route.width_for`: of several connections one is kept for system mail.
    connections = max(relay.connections - 1, 1)
    kept = f" (one of {relay.connections} is kept for system mail)" if relay.connections > 1 else ""
    known = use.reply_seconds is not None
    reply = max(use.reply_seconds or 0.0, _QUICKEST_REPLY_SECONDS) if known else USUAL_REPLY_SECONDS
    by_connections = connections / reply
    by_rate = 0 < relay.rate <= by_connections
    if by_rate:
        per_second, limit = relay.rate, "its rate"
    else:
        how = "as in the last send" if known else "which is assumed"
        noun = "connection" if connections == 1 else "connections"
        per_second = by_connections
        limit = f"{connections} {noun}{kept}, each answer after {reply * 1000:,.0f} ms, {how}"
    return Capacity(
        relay.slug, per_second, limit, relay.weight, relay.daily_cap, relay.warm_up, use, by_rate
    )


def foresee_sending(
    messages: int,
    capacities: Sequence[Capacity],
    starts_at: datetime,
    *,
    written_per_second: float | None = None,
    slowest: tuple[str, float] | None = None,
) -> Estimate:
    """When ``messages`` will have been handed to the relays, if nothing is put off.

    ``written_per_second`` is how many this machine can write, where that is
    known; ``slowest`` a destination with limits of its own, and the seconds that
    its readers alone take. Relays of weight 0 are not counted on, unless there
    is no other. ValueError without a relay.
    """
    counted = [one for one in capacities if one.weight > 0] or list(capacities)
    if not counted:
        raise ValueError("nothing is sent without a relay")
    starts_at = starts_at.astimezone(UTC)
    fluid = _Fluid(counted, written_per_second)
    ends_at = fluid.pour(messages, starts_at)
    basis = _basis(counted, capacities, written_per_second)
    if slowest is not None and ends_at is not None:
        name, seconds = slowest
        if seconds > (ends_at - starts_at).total_seconds():
            planned = seconds <= MOST_DAYS * _DAY_SECONDS
            ends_at = starts_at + timedelta(seconds=seconds) if planned else None
            basis.append(f"the readers at {name} take longest, by the limits of a destination")
    return Estimate(
        starts_at,
        ends_at,
        sum(fluid.shares(counted).values()),
        tuple(Day(day, count) for day, count in _whole(fluid.by_day).items() if count),
        _whole(fluid.by_relay),
        tuple(basis),
    )


def destination_seconds(
    readers: int, rate: float, connections: int, reply_seconds: float
) -> float | None:
    """How long the readers of one destination take by its own limits (0: none); None without."""
    by_connections = connections / max(reply_seconds, _QUICKEST_REPLY_SECONDS)
    limits = [limit for limit in (rate, by_connections) if limit > 0]
    return readers / min(limits) if limits else None


class _Fluid:
    """Pours messages into relays, from cap to cap and from day to day."""

    def __init__(self, capacities: Sequence[Capacity], most: float | None) -> None:
        self._capacities = capacities
        self._most = most
        self._days = {one.slug: one.use.days for one in capacities}
        self.by_relay = {one.slug: 0.0 for one in capacities}
        self.by_day: dict[date, float] = {}

    def pour(self, messages: int, starts_at: datetime) -> datetime | None:
        """When the last one is through."""
        at, left = starts_at.astimezone(UTC), float(messages)
        used = {one.slug: float(one.use.granted_today) for one in self._capacities}
        for _ in range(MOST_DAYS):
            midnight = datetime.combine(at.date() + timedelta(days=1), time(), UTC)
            at, left = self._pour_day(at, midnight, left, used)
            if left <= _EPSILON:
                return at
            for slug, count in used.items():
                self._days[slug] += count > _EPSILON
            at, used = midnight, dict.fromkeys(used, 0.0)
        return None

    def _pour_day(
        self, at: datetime, midnight: datetime, left: float, used: dict[str, float]
    ) -> tuple[datetime, float]:
        caps = {one.slug: one.cap_after(self._days[one.slug]) for one in self._capacities}
        room = {slug: cap - used[slug] if cap else left for slug, cap in caps.items()}
        elapsed, whole_day = 0.0, (midnight - at).total_seconds()
        while left > _EPSILON and elapsed < whole_day - _EPSILON:
            speeds = self.shares([one for one in self._capacities if room[one.slug] > _EPSILON])
            if not speeds:
                break
            step = min(
                left / sum(speeds.values()),
                whole_day - elapsed,
                *(room[slug] / speed for slug, speed in speeds.items()),
            )
            elapsed += step
            for slug, speed in speeds.items():
                poured = speed * step
                room[slug] -= poured
                used[slug] += poured
                self.by_relay[slug] += poured
                self.by_day[at.date()] = self.by_day.get(at.date(), 0.0) + poured
                left -= poured
        return at + timedelta(seconds=elapsed), left

    def shares(self, capacities: Sequence[Capacity]) -> dict[str, float]:
        """Messages a second of each: as much as it takes beside heavier ones, or by weight
        where we write fewer."""
        able = _beside_heavier(capacities)
        most = self._most
        if most is None or sum(able.values()) <= most:
            return able
        shares: dict[str, float] = {}
        waiting, left = list(capacities), most
        while waiting:
            unit = left / sum(max(one.weight, 1) for one in waiting)
            full = [one for one in waiting if able[one.slug] <= unit * max(one.weight, 1)]
            if not full:
                return shares | {one.slug: unit * max(one.weight, 1) for one in waiting}
            for one in full:
                shares[one.slug] = able[one.slug]
                left -= able[one.slug]
                waiting.remove(one)
        return shares


def _beside_heavier(capacities: Sequence[Capacity]) -> dict[str, float]:
    """Messages a second of each by slug: none gets more than its share by weight beside a
    heavier one that is not held back by its own rate (`dispatch.Dispatch`)."""
    able: dict[str, float] = {}
    for one in sorted(capacities, key=lambda one: -one.weight):
        shares = [
            able[other.slug] * max(one.weight, 1) / other.weight
            for other in capacities
            if other.weight > one.weight and not other.by_rate
        ]
        able[one.slug] = min([one.per_second, *shares])
    return able


def _basis(
    counted: Sequence[Capacity], capacities: Sequence[Capacity], written: float | None
) -> list[str]:
    sentences = []
    able = _beside_heavier(counted)
    for one in counted:
        caps = []
        days = one.use.days
        if days < len(one.warm_up):
            caps.append(f"; day {days + 1} of {len(one.warm_up)} of its warm-up")
        if cap := one.cap_after(days):
            taken = f" ({one.use.granted_today:,} are taken)" if one.use.granted_today else ""
            caps.append(f"; {cap:,} on the first day at most{taken}")
        sentences.append(
            f"{one.slug}: {one.per_second:,.4g} a second by {one.limit}{''.join(caps)}"
        )
    sentences += [
        f"{one.slug}: {able[one.slug]:,.4g} a second of it, which is its share by weight"
        for one in counted
        if able[one.slug] < one.per_second
    ]
    sentences += [
        f"{one.slug}: not counted on, for its weight is 0"
        for one in capacities
        if one not in counted
    ]
    if written is not None and written < sum(able.values()):
        sentences.append(f"this machine writes {written:,.0f} a second, which is less")
    return sentences


def _whole(parts: Mapping[K, float]) -> dict[K, int]:
    """The parts as whole numbers that add up to the whole."""
    whole, given = 0.0, 0
    numbers = {}
    for key, part in parts.items():
        whole += part
        numbers[key] = floor(whole + 0.5 + _EPSILON) - given
        given += numbers[key]
    return numbers
