"""A relay as one worker uses it: its part of the limits, its health, its breaker."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from newsletter.delivery.model import Permit, Relay, RelayState
from newsletter.delivery.openers import Attempt
from newsletter.delivery.pacing import TokenBucket
from newsletter.errors import RelayError

# Seconds until a relay that could not be reached is tried again, growing up to the second.
DOWN_SECONDS = (5.0, 300.0)
# How long a tripped breaker stays open, growing up to the second.
OPEN_FOR = (timedelta(minutes=5), timedelta(hours=1))
# A relay that breaks off this often in a row without deciding anything is not working.
_BREAKS_IN_A_ROW = 5
# How many messages a relay may be ahead of its share while a heavier one is able to take more,
# and how many of its own one that was busy or down may catch up on.
_LEAD = 4
_DEBT = 100
_WELL = RelayState()


@dataclass(eq=False)
class Route:
    """Where messages can go. For one thread; times in seconds of the monotonic clock."""

    relay: Relay
    permit: Permit
    bucket: TokenBucket
    state: RelayState = _WELL
    # Messages that may still go today as far as the installation granted them; None: no cap.
    granted: int | None = None
    granted_at: datetime | None = None
    # The day's cap was used up: nothing of an issue goes until then.
    capped_until: datetime | None = None
    connections: int = 0
    # Of them those that are kept for system mail.
    kept: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    # Whether it takes addresses that are not ASCII; None: not asked yet.
    utf8: bool | None = None
    # It lets us wait: somebody who can't wait had better go elsewhere.
    hangs: bool = False
    # Connections that the relay itself allows, where it is fewer than we would open.
    allowed: int | None = None
    # Messages it was given, and those that it may not catch up on.
    assigned: float = 0
    down_until: float = 0.0
    pause: float = DOWN_SECONDS[0]
    breaks: int = 0
    error: RelayError | None = None
    # Whether people know of the last time that it was left.
    told: bool = False
    # Asked for with every message: kept at hand.
    slug: str = field(init=False)

    def __post_init__(self) -> None:
        self.slug = self.relay.slug

    @property
    def width(self) -> int:
        """How many connections may be open."""
        most = self.permit.connections
        if self.state.trips and self.state.paused_until is not None:
            # After a breaker's pause one connection finds out whether it is mended.
            most = min(most, 1)
        return most if self.allowed is None else min(most, self.allowed)

    def width_for(self, *, system: bool) -> int:
        """How many of them may be open for system mail, or for an issue."""
        if system:
            return self.width
        if self.permit.connections <= self.permit.kept:
            return 0
        return max(self.width - self.permit.kept, min(self.width, 1))

    @property
    def opening(self) -> int:
        """Connections that are being opened."""
        return len(self.attempts)

    @property
    def awaited(self) -> list[Attempt]:
        """Those of them that are of use when they end."""
        return [attempt for attempt in self.attempts if not attempt.late]

    @property
    def for_issues(self) -> int:
        """Connections, open or being opened, that an issue may go over."""
        kept = sum(attempt.for_system for attempt in self.attempts)
        return self.connections - self.kept + self.opening - kept

    def has_room(self, *, system: bool) -> bool:
        """Whether another connection may be opened, for system mail or for an issue.

        Those kept for system mail and the others are counted apart: else the one
        kind would take the place of the other.
        """
        if self.connections + self.opening >= self.width:
            return False
        return system or self.for_issues < self.width_for(system=False)

    def is_open(self, mono: float, now: datetime) -> bool:
        """Whether anything may go over this relay now."""
        paused = self.state.paused_until
        return not (
            self.permit.connections < 1
            or self.down_until > mono
            or (paused is not None and paused > now)
        )

    def takes_issues(self, mono: float, now: datetime) -> bool:
        """Whether it is open for more than system mail, which ignores a daily cap."""
        return (
            self.is_open(mono, now) and not self.is_capped(now) and self.width_for(system=False) > 0
        )

    def is_able(self, mono: float, now: datetime) -> bool:
        """Whether it is well and within its limits: more of an issue will go over it soon."""
        return (
            self.error is None
            and not self.hangs
            and self.takes_issues(mono, now)
            and self.bucket.wait(mono) <= 0
            and (self.for_issues > 0 or self.has_room(system=False))
        )

    def is_capped(self, now: datetime) -> bool:
        """Whether its daily cap was used up when it was last asked for."""
        return self.capped_until is not None and now < self.capped_until

    def failed(self, error: RelayError, mono: float) -> None:
        """It could not be reached, or broke off: leave it alone for a while."""
        if self.connections or self.opening:
            # It may allow fewer connections than we open: that is no failure.
            self.allowed = max(1, self.connections + self.opening)
            return
        self.leave(error, mono)

    def leave(self, error: RelayError, mono: float) -> None:
        """Use it no more for a while, whatever is open."""
        self._note_left(error)
        self.breaks = 0
        self.told = False
        self.down_until = mono + self.pause
        self.pause = min(self.pause * 2, DOWN_SECONDS[1])

    @property
    def lasting(self) -> bool:
        """Whether it was left again and again for minutes, and nobody was told since."""
        return self.error is not None and self.pause >= DOWN_SECONDS[1] and not self.told

    def tell(self, mono: float, now: datetime) -> RelayState:
        """What people and other workers are shown of a relay that was left for long."""
        self.told = True
        until = now + timedelta(seconds=max(0.0, self.down_until - mono))
        # A breaker that is open stays so for its own time.
        until = max(until, self.state.paused_until or until)
        self.state = replace(self.state, paused_until=until, reason=str(self.error))
        return self.state

    def tripped(self, error: RelayError, now: datetime) -> RelayState:
        """It refuses us as a sender: the breaker's state, to be shared with all workers."""
        trips = self.state.trips + 1
        pause = min(OPEN_FOR[0] * 2 ** (trips - 1), OPEN_FOR[1])
        self._note_left(error)
        self.state = RelayState(now + pause, str(error), trips, self.state.since or now)
        return self.state

    def accepted(self) -> bool:
        """It took a message: all is well; whether that closes an open breaker."""
        self.breaks, self.pause = 0, DOWN_SECONDS[0]
        self.error = None
        if self.state is _WELL or self.state == _WELL:
            return False
        self.state = _WELL
        return True

    def broke_off(self, *, undecided: bool) -> bool:
        """Count conversations that decided nothing; whether the relay must be left."""
        self.breaks = self.breaks + 1 if undecided else 0
        return self.breaks >= _BREAKS_IN_A_ROW

    def _note_left(self, error: RelayError) -> None:
        self.error = error
        for attempt in self.attempts:
            attempt.late = True

    def share(self, permit: Permit, mono: float) -> None:
        """Go on with another part of the limits."""
        self.permit = permit
        self.bucket.set_rate(permit.rate, mono)
        if self.allowed is not None:
            # Ask for one more now and then: what it allows may have grown.
            self.allowed += 1
            if self.allowed >= permit.connections:
                self.allowed = None

    def try_again(self) -> None:
        """Forget earlier failures: somebody may have mended them."""
        self.down_until, self.pause, self.breaks = 0.0, DOWN_SECONDS[0], 0
        if self.state.paused_until is not None:
            self.state = replace(self.state, paused_until=None)


def all_refuse_since(
    relays: Iterable[str], states: Mapping[str, RelayState], now: datetime
) -> tuple[str, datetime] | None:
    """The relay that was the last to refuse us, and since when, where all are paused for it."""
    since = {}
    for slug in relays:
        state = states.get(slug, _WELL)
        if state.since is None or state.paused_until is None or state.paused_until <= now:
            return None
        since[slug] = state.since
    return max(since.items(), key=lambda item: item[1], default=None)


def pick_route(routes: list[Route]) -> Route | None:
    """The one whose part of the work, by weight, is the furthest behind."""
    return min(routes, key=lambda route: _turn(route, 1), default=None)


def keeps_its_share(route: Route, heavier: Iterable[Route]) -> bool:
    """Whether ``route``, given another message, leaves each of ``heavier`` its part by weight."""
    return all(_turn(route, 1 - _LEAD) <= _turn(other, 1) for other in heavier)


def assign(route: Route, routes: Iterable[Route]) -> None:
    """Count a message that goes over ``route``, one of ``routes``."""
    route.assigned += 1
    for other in routes:
        if other is route:
            continue
        # What others could not take in the meantime they need not make up for.
        least = _turn(route, 0) * _weight(other) - _DEBT
        other.assigned = max(other.assigned, least)


def _turn(route: Route, more: int) -> float:
    return (route.assigned + more) / _weight(route)


def _weight(route: Route) -> int:
    # One of weight 0 is used where no other can.
    return max(route.relay.weight, 1)
