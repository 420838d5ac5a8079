"""The connections of a worker: opened where they pay, watched, and let go."""

import selectors
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from newsletter.clock import Clock
from newsletter.delivery.conversation import Event
from newsletter.delivery.line import Letter, Line
from newsletter.delivery.model import Permit, Relay, RelayState
from newsletter.delivery.openers import Attempt, Opened, Openers, Wake
from newsletter.delivery.pacing import TokenBucket
from newsletter.delivery.route import Route, pick_route
from newsletter.delivery.smtp import Link, TimeLimits
from newsletter.errors import RelayError, RelayRejectedLogin, RelayUnavailable
from newsletter.log import get_logger

log = get_logger(__name__)

# Whom a relay lets wait for so long may go over another (seconds).
_PATIENCE = 2.0


class Switchboard:
    """Routes, and the lines over them. For one thread.

    What the relays wrote, and what became of lines that broke, is in ``heard``
    until somebody takes it.
    """

    def __init__(
        self,
        relays: Sequence[Relay],
        clock: Clock,
        connect: Callable[[Relay], Link],
        times: TimeLimits,
        lasts: Callable[[], bool],
        give_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._times = times
        self._lasts = lasts
        mono = clock.monotonic()
        self.routes = {
            relay.slug: Route(relay, Permit(0), TokenBucket(relay.rate, mono)) for relay in relays
        }
        self.lines: set[Line] = set()
        self.heard: list[tuple[Line, Event]] = []
        self.wake = Wake()
        self._openers = Openers(connect, self.wake, give_up)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.wake, selectors.EVENT_READ, None)

    @property
    def width(self) -> int:
        """How many connections may be open in all."""
        return sum(route.width for route in self.routes.values())

    @property
    def busy(self) -> bool:
        """Whether a message is under way, or a connection being opened."""
        return not self.silent or any(route.awaited for route in self.routes.values())

    @property
    def silent(self) -> bool:
        """Whether nothing is under way, and all that was heard is seen to."""
        return not self.heard and all(line.conversation.idle for line in self.lines)

    def open_routes(self, mono: float, now: datetime, *, issues: bool) -> list[Route]:
        """The relays over which something, or something of an issue, may go now.

        One of weight 0 is among them only where no other is.
        """
        able = [
            route
            for route in self.routes.values()
            if (route.takes_issues(mono, now) if issues else route.is_open(mono, now))
        ]
        return [route for route in able if route.relay.weight] or able

    def urgent_routes(self, mono: float, now: datetime) -> list[Route]:
        """The relays for system mail: those that don't let us wait, where there are such."""
        able = self.open_routes(mono, now, issues=False)
        prompt = [route for route in able if not route.hangs] or [
            route for route in self.routes.values() if route.is_open(mono, now) and not route.hangs
        ]
        return prompt or able

    @property
    def keeps_one(self) -> bool:
        """Whether a connection is kept here for the system mail of all workers."""
        return any(route.permit.kept for route in self.routes.values())

    def share(self, route: Route, permit: Permit, state: RelayState, mono: float) -> None:
        """Go on with another part of a relay's limits, and with what others found out of it."""
        route.share(permit, mono)
        if state.trips > route.state.trips:
            # Another worker, or an earlier run, found out why.
            route.state, route.error = state, RelayError(state.reason, subject=route.slug)
        surplus = route.connections - route.width
        for line in [x for x in self.lines if x.route is route and x.conversation.idle]:
            if surplus > 0:
                surplus -= 1
                self.drop(line)
        # The one to be kept may be another worker's no more.
        for line in sorted(
            [x for x in self.lines if x.route is route and not x.for_system],
            key=lambda line: not line.conversation.idle,
        ):
            over = route.for_issues > route.width_for(system=False)
            if over and route.kept < permit.kept:
                line.for_system = True
                route.kept += 1
        # Where there is room for fewer than before, the one left must not be a kept one.
        for line in [x for x in self.lines if x.route is route and x.for_system]:
            full = route.connections + route.opening >= route.width
            if full and route.for_issues < route.width_for(system=False):
                line.for_system = False
                route.kept -= 1

    def open_more(self, system: int, issues: int, mono: float, now: datetime) -> None:
        """Open connections for the letters that wait, as far as each relay allows.

        One that is long in coming is not counted on: another may be there first.
        """
        # Asked in every round of the engine's loop: mostly all that may be open are.
        if not any(route.has_room(system=bool(system)) for route in self.routes.values()):
            return
        coming = sum(
            mono - attempt.since < _PATIENCE
            for route in self.routes.values()
            for attempt in route.awaited
        )
        for _ in range(max(0, system + issues - coming)):
            able = (
                self.urgent_routes(mono, now)
                if system
                else self.open_routes(mono, now, issues=True)
            )
            route = pick_route([one for one in able if one.has_room(system=bool(system))])
            if route is None:
                if not system:
                    return
                system = 0
                continue
            self._open(route, mono, kept=route.for_issues >= route.width_for(system=False))
            if system:
                system -= 1

    def open_for_utf8(self, mono: float, now: datetime) -> None:
        """Open a connection for an address that is not ASCII, where none is that takes it."""
        able = [r for r in self.utf8_routes() if r.is_open(mono, now)]
        if any(route.connections + route.opening for route in able):
            return
        route = pick_route(able)
        if route is not None:
            self._open(route, mono, kept=False)

    def utf8_routes(self) -> list[Route]:
        """The relays that take addresses that are not ASCII, or may do so."""
        known = [route for route in self.routes.values() if route.utf8]
        return known or [route for route in self.routes.values() if route.utf8 is None]

    def look_around(self, mono: float) -> None:
        """See which relays let us wait."""
        slow = {line.route for line in self.lines if line.waiting(mono) > _PATIENCE}
        for route in self.routes.values():
            late = any(mono - attempt.since > _PATIENCE for attempt in route.awaited)
            route.hangs = late or route in slow

    def hear(self, line: Line, events: Iterable[Event]) -> None:
        """Note what happened on a line."""
        for event in events:
            self.heard.append((line, event))
        if line.blocked and not line.conversation.over:
            self._watch(line, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def wait(self, seconds: float) -> list[Opened]:
        """Wait until a relay wrote something, at most so long.

        Given back are the attempts to connect that were refused for good, such as a login.
        """
        in_process = [line for line in self.lines if line.is_in_process]
        failed: list[Opened] = []
        ready = self._selector.select(0.0 if in_process else seconds)
        mono = self._clock.monotonic()
        for key, _ in ready:
            if key.data is None:
                self.wake.heard()
                failed = self._welcome()
            else:
                self._listen(key.data, mono)
        for line in in_process:
            self._listen(line, mono)
        return failed

    def expire(self, mono: float) -> None:
        """End the lines whose relay has been silent for too long."""
        for line in self.lines:
            if mono > line.deadline and not line.conversation.idle:
                self.hear(line, line.expire())

    def drop_ended(self) -> None:
        """Let go of the lines that are over."""
        for line in [line for line in self.lines if line.conversation.over]:
            self.drop(line)

    def drop(self, line: Line) -> None:
        """Close a line."""
        if line not in self.lines:
            return
        self.lines.discard(line)
        line.route.connections -= 1
        line.route.kept -= line.for_system
        number = line.link.fileno()
        if number is not None:
            self._selector.unregister(number)
        line.say_goodbye()
        line.link.close()

    def take_back(self) -> list[Letter]:
        """Withdraw what is offered and not handed over."""
        return self._take_back(list(self.lines))

    def leave(self, route: Route) -> list[Letter]:
        """End the lines over a relay: at once, or where a message is on its way once it
        is answered. Given back is what was offered and not handed over."""
        lines = [line for line in self.lines if line.route is route]
        letters = self._take_back(lines)
        for line in lines:
            if line.conversation.idle:
                self.drop(line)
            line.conversation.wind_up()
        self.drop_ended()
        return letters

    def take_back_urgent(self, mono: float, now: datetime) -> list[Letter]:
        """Withdraw system mail that a relay lets wait, where another may take it."""
        if all(route.hangs for route in self.urgent_routes(mono, now)):
            return []
        return self._take_back(
            [x for x in self.lines if x.waiting(mono) > _PATIENCE and x.offers_system]
        )

    def _take_back(self, lines: Iterable[Line]) -> list[Letter]:
        letters: list[Letter] = []
        for line in lines:
            letter = line.take_back()
            if letter is not None:
                letters.append(letter)
        self.heard = [(line, event) for line, event in self.heard if _stands(line, event)]
        self.drop_ended()
        return letters

    def hang_up(self) -> None:
        """Close every line."""
        for line in list(self.lines):
            self.drop(line)
        self.heard.clear()

    def close(self) -> None:
        """Close everything, for good."""
        self._openers.close()
        self.hang_up()
        self._selector.close()
        self.wake.close()

    def failure(self, mono: float, now: datetime) -> RelayError | None:
        """Why nothing can go over any relay now, or None where something can."""
        if self.open_routes(mono, now, issues=False):
            return None
        errors = (route.error for route in self.routes.values())
        return next((error for error in errors if error is not None), None)

    def _listen(self, line: Line, mono: float) -> None:
        was_blocked = line.blocked
        self.hear(line, line.go_on(mono))
        if was_blocked and not line.blocked and not line.conversation.over:
            self._watch(line, selectors.EVENT_READ)

    def _watch(self, line: Line, events: int) -> None:
        number = line.link.fileno()
        if number is not None and line in self.lines:
            self._selector.modify(number, events, line)

    def _welcome(self) -> list[Opened]:
        """Take in connections that were opened; those that were refused for good."""
        failed: list[Opened] = []
        mono = self._clock.monotonic()
        for opened in self._openers.opened():
            route = self.routes[opened.relay.slug]
            route.attempts.remove(opened.attempt)
            if opened.attempt.late:
                if not isinstance(opened.result, RelayError):
                    opened.result.close()
                continue
            # Where others are open it works, and allows no more of them.
            full = route.connections > 0 and not isinstance(opened.result, RelayRejectedLogin)
            if isinstance(opened.result, RelayUnavailable) or (
                isinstance(opened.result, RelayError) and full
            ):
                log.warning("connection_failed", relay=route.slug, error=str(opened.result))
                route.failed(opened.result, mono)
            elif isinstance(opened.result, RelayError):
                failed.append(opened)
            else:
                self._add(route, opened.result, mono, for_system=opened.attempt.for_system)
        return failed

    def _open(self, route: Route, mono: float, *, kept: bool) -> None:
        attempt = Attempt(route.relay, kept, mono)
        route.attempts.append(attempt)
        self._openers.open(attempt)

    def _add(self, route: Route, link: Link, mono: float, *, for_system: bool) -> None:
        line = Line(route, link, self._times, self._lasts, for_system=for_system)
        line.deadline = mono + self._times.step
        line.since = mono
        route.utf8 = "smtputf8" in link.offers
        route.connections += 1
        route.kept += for_system
        self.lines.add(line)
        if (number := link.fileno()) is not None:
            self._selector.register(number, selectors.EVENT_READ, line)


def _stands(line: Line, event: Event) -> bool:
    """Whether an event is of a letter that its line still has."""
    return event.delivery.id in line.letters
