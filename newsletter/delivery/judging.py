"""From an answer to what is recorded, and to what follows for relay and destination."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.delivery.conversation import Exchange
from newsletter.delivery.line import Letter, Line
from newsletter.delivery.model import (
    Delivery,
    Outcome,
    OutcomeKind,
    Phase,
    RelayState,
    Reply,
    Settlement,
)
from newsletter.delivery.pacing import DestinationPace
from newsletter.delivery.ports import Ledger
from newsletter.delivery.relay_errors import (
    destination_given_up,
    destination_refuses_us,
    destination_takes_nothing,
    name_relay,
    refuses_us,
    show_reply,
)
from newsletter.delivery.replies import judge_reply
from newsletter.delivery.route import Route
from newsletter.delivery.tally import Blame, Tally
from newsletter.errors import RelayError, RelayUnavailable, StorageError
from newsletter.log import get_logger

log = get_logger(__name__)

# A destination that refuses us, not its readers, is left alone this long (seconds).
_DESTINATION_PAUSE = 3600.0
# One that has taken nothing for so long (seconds) is told of.
_LASTING = 300.0
# Where there are more of them it is the relay's trouble, and told of once.
_OF_THEIR_OWN = 3


@dataclass(frozen=True)
class Alert:
    """Something the editors should know: ``key`` names it, ``sentence`` says it with its mend.

    ``waiting``: the readers it concerns are still to be served.
    """

    key: str
    sentence: str
    waiting: bool = True


class Judge:
    """Judges answers, and opens and closes what they call in question. For one thread."""

    def __init__(
        self,
        ledger: Ledger,
        tally: Tally,
        pace: DestinationPace,
        give_up_after: timedelta,
        resend_after: timedelta,
        on_alert: Callable[[Alert], None],
    ) -> None:
        self._ledger = ledger
        self._tally = tally
        self._pace = pace
        self._give_up_after = give_up_after
        self._resend_after = resend_after
        self._on_alert = on_alert

    def judge(
        self, line: Line, letter: Letter, exchange: Exchange, now: datetime, mono: float
    ) -> tuple[Settlement, RelayError | None]:
        """What to record of a letter, and why the relay must be left, if it must."""
        delivery, route = letter.delivery, line.route
        judged = judge_reply(
            exchange.reply,
            exchange.phase,
            delivery.attempts,
            delivery.first_tried_at,
            now,
            self._give_up_after,
        )
        if judged.kind is OutcomeKind.ACCEPTED:
            return self._note_accepted(line, letter, judged, now, mono), None
        if _closes_after_work(line, exchange):
            # It takes so many messages a connection, and has done its work.
            self._tally.count(judged)
            self._pace.end(letter.group, mono)
            return Settlement(delivery.id, judged, route.slug), None
        in_trouble = self._pace.troubled_for(letter.group, mono) is not None
        verdict = self._tally.weigh(
            delivery, route.slug, letter.group, judged, now, in_trouble=in_trouble
        )
        outcome = verdict.outcome
        if outcome.kind is OutcomeKind.UNCERTAIN:
            outcome = outcome._replace(retry_at=now + self._resend_after)
        elif verdict.blame is not Blame.RELAY:
            outcome = self._end_in_time(delivery, letter.group, outcome, now, mono)
        self._tally.count(outcome)
        self._set_pace(route, letter.group, outcome, exchange, now, mono)
        settlement = Settlement(delivery.id, outcome, route.slug)
        undecided = judged.kind in (OutcomeKind.REQUEUED, OutcomeKind.UNCERTAIN)
        # A destination that goes on complaining says nothing new of the relay.
        broken = not (in_trouble and _complains_of_pace(judged, exchange)) and route.broke_off(
            undecided=undecided
        )
        if verdict.blame is Blame.RELAY:
            return settlement, refuses_us(route.relay, letter.sender, outcome)
        if verdict.blame is Blame.DESTINATION:
            self._close_destination(route, letter, outcome, now, mono)
        elif _throttles(exchange, judged):
            return settlement, RelayUnavailable(
                f"{name_relay(route.relay)} takes no more for now "
                f"({show_reply(judged.reply)}); where it says so often, give it a lower rate",
                subject=route.slug,
            )
        elif broken:
            return settlement, RelayUnavailable(
                f"{name_relay(route.relay)} breaks off every conversation "
                f"({show_reply(judged.reply)}); its own log tells why",
                subject=route.slug,
            )
        return settlement, None

    def _note_accepted(
        self, line: Line, letter: Letter, outcome: Outcome, now: datetime, mono: float
    ) -> Settlement:
        """All is well with relay and destination, whatever was before."""
        route, group = line.route, letter.group
        self._tally.count(outcome)
        self._tally.note_accepted(route.slug, group)
        if self._pace.took(group):
            self._tell_workers(group, lambda: self._ledger.destination_takes(group))
        self._pace.end(group, mono)
        line.accepted += 1
        if route.accepted():
            self._ledger.set_relay_state(route.slug, RelayState(), now)
        return Settlement(letter.delivery.id, outcome, route.slug)

    def leave(self, route: Route, error: RelayError, now: datetime, mono: float) -> None:
        """Use a relay no more for a while: it is unreachable, or refuses us."""
        if not route.is_open(mono, now):
            return
        if isinstance(error, RelayUnavailable):
            route.leave(error, mono)
            log.warning("relay_left", relay=route.slug, error=str(error))
            return
        state = route.tripped(error, now)
        self._tally.forget_faults(route.slug)
        self._ledger.set_relay_state(route.slug, state, now)
        log.error("relay_paused", relay=route.slug, until=state.paused_until, error=str(error))
        self._on_alert(Alert(f"relay:{route.slug}", str(error)))

    def tell_of_lasting(self, routes: Iterable[Route], now: datetime, mono: float) -> None:
        """Tell of relays that could not be used for minutes: all their mail waits."""
        for route in routes:
            if route.lasting:
                state = route.tell(mono, now)
                self._ledger.set_relay_state(route.slug, state, now)
                log.error("relay_out_of_use", relay=route.slug, error=state.reason)
                self._on_alert(Alert(f"relay:{route.slug}", state.reason))

    def give_up(
        self, delivery: Delivery, group: str, now: datetime, mono: float
    ) -> Settlement | None:
        """What becomes of a row whose destination must wait, where both have waited too long.

        Of many readers few are tried where all are refused: each by himself would hold
        an issue open for weeks.
        """
        end = self._end_with(delivery, group, now, mono)
        if end is None or now < end:
            return None
        reply = Reply(0, f"not tried, for {group} has taken nothing for that long")
        outcome = self._expire(group, reply, now, mono)
        self._tally.count(outcome)
        return Settlement(delivery.id, outcome)

    def _end_in_time(
        self, delivery: Delivery, group: str, outcome: Outcome, now: datetime, mono: float
    ) -> Outcome:
        """The outcome of a row that is to wait on, or its end with its destination's."""
        if outcome.kind not in (OutcomeKind.DEFERRED, OutcomeKind.REQUEUED):
            return outcome
        end = self._end_with(delivery, group, now, mono)
        if end is None:
            return outcome
        if now >= end:
            return self._expire(group, outcome.reply, now, mono)
        retry_at = outcome.retry_at
        return outcome if retry_at is None else outcome._replace(retry_at=min(retry_at, end))

    def _expire(self, group: str, reply: Reply, now: datetime, mono: float) -> Outcome:
        since = now - timedelta(seconds=self._pace.troubled_for(group, mono) or 0.0)
        sentence = destination_given_up(group, since)
        self._on_alert(Alert(f"given-up:{group}", sentence, waiting=False))
        return Outcome(OutcomeKind.REFUSED, "expired", reply, sender_fault=True)

    def _end_with(
        self, delivery: Delivery, group: str, now: datetime, mono: float
    ) -> datetime | None:
        """When a row is given up together with its destination, where that takes nothing."""
        troubled_for = self._pace.troubled_for(group, mono)
        if troubled_for is None or delivery.queued_at is None:
            return None
        return max(now - timedelta(seconds=troubled_for), delivery.queued_at) + self._give_up_after

    def _set_pace(
        self,
        route: Route,
        group: str,
        outcome: Outcome,
        exchange: Exchange,
        now: datetime,
        mono: float,
    ) -> None:
        if _complains_of_pace(outcome, exchange):
            if self._pace.slow_down(group, mono):
                self._tell_workers(group, lambda: self._slow_down(group, now, mono))
                log.warning("destination_slowed", group=group, reply=show_reply(exchange.reply))
                self._tell_of_lasting_trouble(route, group, exchange.reply, now, mono)
            return
        self._pace.end(group, mono)

    def _tell_of_lasting_trouble(
        self, route: Route, group: str, reply: Reply, now: datetime, mono: float
    ) -> None:
        lasts = self._pace.troubled_for(group, mono)
        if lasts is None or lasts < _LASTING:
            return
        since = now - timedelta(seconds=lasts)
        sentence = destination_takes_nothing(route.relay, group, reply, since, self._give_up_after)
        few = self._pace.troubled(_LASTING, mono) <= _OF_THEIR_OWN
        key = f"destination:{group}" if few else f"relay:{route.slug}"
        log.error("destination_takes_nothing", group=group, since=since, reply=show_reply(reply))
        self._on_alert(Alert(key, sentence))

    def _slow_down(self, group: str, now: datetime, mono: float) -> None:
        self._ledger.slow_down(self._pace.slowdown(group, mono, now))

    def _tell_workers(self, group: str, tell: Callable[[], None]) -> None:
        try:
            tell()
        except StorageError as error:
            # Other workers find out by themselves: no reason to lose the answers at hand.
            log.warning("pace_not_told", group=group, error=str(error))

    def _close_destination(
        self, route: Route, letter: Letter, outcome: Outcome, now: datetime, mono: float
    ) -> None:
        group = letter.group
        self._pace.close(group, mono, _DESTINATION_PAUSE)
        self._tell_workers(group, lambda: self._slow_down(group, now, mono))
        sentence = destination_refuses_us(route.relay, group, outcome)
        log.error("destination_paused", group=group, reply=show_reply(outcome.reply))
        self._on_alert(Alert(f"destination:{group}", sentence))


def _complains_of_pace(outcome: Outcome, exchange: Exchange) -> bool:
    reply = exchange.reply
    if exchange.phase not in (Phase.RCPT, Phase.DATA, Phase.DOT):
        # Before a recipient is named it is the relay that complains.
        return False
    if outcome.reason == "rate_limited":
        return reply.code >= 400
    # A 421 once a recipient is named is his server's; 4.3.x says that it is the
    # relay itself that goes down (RFC 3463 section 3.4).
    return reply.code == 421 and not reply.enhanced.startswith("4.3.")


def _closes_after_work(line: Line, exchange: Exchange) -> bool:
    """Whether a relay that has taken messages over a connection closes it before the next."""
    return line.accepted > 0 and exchange.phase is Phase.MAIL and exchange.reply.code == 421


def _throttles(exchange: Exchange, judged: Outcome) -> bool:
    """Whether the relay says that all of our mail comes too fast."""
    return (
        exchange.phase is Phase.MAIL
        and judged.kind is OutcomeKind.REQUEUED
        and judged.reason == "rate_limited"
        and exchange.reply.code != 421
    )
