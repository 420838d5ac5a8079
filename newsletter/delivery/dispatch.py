"""Which letter goes over which connection, and when another connection pays."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from newsletter.delivery.addresses import refuse_address
from newsletter.delivery.line import Letter, Line
from newsletter.delivery.model import Reply, Settlement
from newsletter.delivery.outbox import Outbox
from newsletter.delivery.ports import Ledger
from newsletter.delivery.relay_errors import message_too_big
from newsletter.delivery.replies import defer_or_expire
from newsletter.delivery.route import Route, assign, keeps_its_share, pick_route
from newsletter.delivery.switchboard import Switchboard
from newsletter.errors import RelayError

# Messages of a daily cap that a worker takes at once.
_GRANT = 100
# How long a used-up cap is left alone, where the day does not end before.
_ASK_AGAIN = timedelta(minutes=10)


@dataclass(frozen=True)
class TooSmall:
    """A relay that takes no message as large as one of ``mailing_id``.

    ``leave``: another takes it. ``hold``: none does, nor any message like it.
    """

    route: Route
    error: RelayError
    mailing_id: str
    leave: bool
    hold: bool


class Dispatch:
    """Gives letters to lines as the relays' limits allow. For one thread."""

    def __init__(
        self, ledger: Ledger, board: Switchboard, outbox: Outbox, give_up_after: timedelta
    ) -> None:
        self._ledger = ledger
        self._board = board
        self._outbox = outbox
        self._give_up_after = give_up_after
        self._refused: list[Settlement] = []
        self._too_small: list[TooSmall] = []
        # The mailings of which a relay that names a limit takes at least some messages.
        self._fitting: set[tuple[str, str]] = set()
        # Of those the ones of which somebody was told that it does not take all.
        self._told: set[tuple[str, str]] = set()

    def offer(self, mono: float, now: datetime) -> None:
        """Give letters to the connections that can take one, and open more where it pays."""
        if not len(self._outbox):
            return
        for line in list(self._board.lines):
            if line.conversation.may_offer:
                letter = self.take_for(line, mono, now)
                if letter is not None:
                    self._board.hear(line, line.offer(letter, mono))
        if self._outbox.aside:
            self._place_aside(mono, now)
        self._board.open_more(self._outbox.system, self._outbox.issues, mono, now)

    def take_for(self, line: Line, mono: float, now: datetime) -> Letter | None:
        """The next letter that may go over ``line`` now."""
        route = line.route
        if not route.is_open(mono, now):
            return None
        if self._too_small and any(one.route is route for one in self._too_small):
            return None
        if route.connections > route.width:
            if line.conversation.idle:
                self._board.drop(line)
            return None
        if route.bucket.wait(mono) > 0:
            return None
        letter = self._take_aside(line, mono, now) if self._outbox.aside else None
        if letter is None:
            letter = self._take(line, mono, now)
        if letter is None or (line.largest and not self._fits(line, letter, mono, now)):
            return None
        route.bucket.take(mono)
        assign(route, self._board.routes.values())
        if route.granted and not letter.delivery.is_system:
            route.granted -= 1
        return letter

    def refused(self) -> list[Settlement]:
        """Letters that no relay can take, or not now, since the last call."""
        refused, self._refused = self._refused, []
        return refused

    def too_small(self) -> list[TooSmall]:
        """Relays that could not be given a letter for its size, since the last call."""
        too_small, self._too_small = self._too_small, []
        return too_small

    def give_back_grants(self) -> None:
        """Return what was granted of the relays' days and not used."""
        for route in self._board.routes.values():
            self._give_back(route)

    def ask_grants(self, mono: float, now: datetime) -> None:
        """Learn which relays' days have room, before anything is claimed or opened for them."""
        for route in self._board.routes.values():
            if route.takes_issues(mono, now):
                self._has_grant(route, now)

    def _take(self, line: Line, mono: float, now: datetime) -> Letter | None:
        if not self._is_its_turn(line.route, mono, now):
            return None
        issues = not line.for_system and self._has_grant(line.route, now)
        letter = self._outbox.take(mono, issues=issues)
        while letter is not None and letter.utf8 and not line.route.utf8:
            self._outbox.set_aside(letter, mono)
            letter = self._outbox.take(mono, issues=issues)
        return letter

    def _fits(self, line: Line, letter: Letter, mono: float, now: datetime) -> bool:
        """Whether a relay takes a message of this size; where not, the letter is seen to.

        A relay is left for it only where another can take it: else its mailing waits, save
        where others of it were taken, and all other mail goes on.
        """
        route, delivery, octets = line.route, letter.delivery, letter.message.octets
        mailing = (route.slug, delivery.mailing_id)
        if octets <= line.largest:
            if not delivery.is_system:
                self._fitting.add(mailing)
            return True
        error = message_too_big(route.relay, letter.sender, octets, line.largest)
        self._outbox.give_back(letter, mono)
        elsewhere = any(
            other.is_open(mono, now) if delivery.is_system else other.takes_issues(mono, now)
            for other in self._board.routes.values()
            if other is not route
        )
        if not elsewhere:
            # Later than those like it, which would wait behind it for ever.
            self._outbox.let_go(delivery)
            outcome = defer_or_expire(
                Reply(
                    0,
                    f"{octets:,} octets, of {line.largest:,} at most (SIZE)",
                    "5.3.4",
                ),
                "too_big",
                delivery.attempts,
                delivery.first_tried_at,
                now,
                self._give_up_after,
            )
            settlement = Settlement(delivery.id, outcome._replace(sender_fault=True), route.slug)
            self._refused.append(settlement)
        hold = not (elsewhere or delivery.is_system or mailing in self._fitting)
        if elsewhere or hold or mailing not in self._told:
            self._told.add(mailing)
            self._too_small.append(TooSmall(route, error, delivery.mailing_id, elsewhere, hold))
        return False

    def _take_aside(self, line: Line, mono: float, now: datetime) -> Letter | None:
        if not line.route.utf8:
            return None
        issues = not line.for_system and self._has_grant(line.route, now)
        return self._outbox.take_aside(mono, issues=issues)

    def _place_aside(self, mono: float, now: datetime) -> None:
        """See to letters whose address is no ASCII, of which some relay takes none."""
        routes = self._board.utf8_routes()
        if any(route.is_open(mono, now) for route in routes):
            self._board.open_for_utf8(mono, now)
            return
        for letter in self._outbox.give_up_aside():
            delivery = letter.delivery
            if routes:
                # The one that may take it is down: it may be well again.
                outcome = defer_or_expire(
                    Reply(0, "no relay that takes an address like this can be used now"),
                    "network",
                    delivery.attempts,
                    delivery.first_tried_at,
                    now,
                    self._give_up_after,
                )
                self._refused.append(Settlement(delivery.id, outcome))
            elif refusal := refuse_address(delivery.address, utf8=False):
                # No server of ours takes it (RFC 6531 section 3.2).
                self._refused.append(Settlement(delivery.id, refusal))

    def _is_its_turn(self, route: Route, mono: float, now: datetime) -> bool:
        """Whether no other relay that could take the next letter comes first by its weight.

        Of an issue one gets no more than its share while a heavier one is able to take
        its own, though that may have to be waited for: weights are there to keep mail
        from a relay as well. Nobody waits for a lighter one.
        """
        if len(self._board.routes) == 1:
            return True
        urgent = self._outbox.system > 0
        open_now = (
            self._board.urgent_routes(mono, now)
            if urgent
            else self._board.open_routes(mono, now, issues=True)
        )
        if route not in open_now:
            return False
        weight = route.relay.weight
        heavier = (r for r in open_now if r.relay.weight > weight and r.is_able(mono, now))
        if not urgent and not keeps_its_share(route, heavier):
            return False
        # A line kept for system mail, a relay whose day is full and one that only stands
        # in wait for nothing here.
        able = {id(route): route} | {
            id(line.route): line.route
            for line in self._board.lines
            if line.conversation.may_offer
            and not line.for_system
            and line.route.takes_issues(mono, now)
            and line.route.bucket.wait(mono) <= 0
            and line.route in open_now
        }
        return pick_route(list(able.values())) is route

    def _has_grant(self, route: Route, now: datetime) -> bool:
        """Whether the relay's day has room for one more of an issue."""
        if not route.relay.daily_cap and not route.relay.warm_up:
            return True
        if route.granted_at is not None and _day(route.granted_at) != _day(now):
            self._give_back(route)
        if not route.granted and not route.is_capped(now):
            route.granted = self._ledger.grant(route.relay, _GRANT, now)
            route.granted_at = now
            if not route.granted:
                # Asked again before: another worker may have given some back.
                tomorrow = datetime.combine(_day(now) + timedelta(days=1), time(), UTC)
                route.capped_until = min(now + _ASK_AGAIN, tomorrow)
        return bool(route.granted)

    def _give_back(self, route: Route) -> None:
        """Return what was granted and not used, to the day of which it was granted."""
        if route.granted and route.granted_at is not None:
            self._ledger.give_back(route.relay, route.granted, route.granted_at)
        route.granted = route.granted_at = None


def _day(instant: datetime) -> date:
    return instant.astimezone(UTC).date()
