"""One connection's work: take a row, build, hand over, send, record."""

from collections.abc import Callable
from datetime import timedelta

from newsletter.clock import Clock
from newsletter.delivery.addresses import refuse_address, wire_address
from newsletter.delivery.feed import ClaimFeed
from newsletter.delivery.model import Delivery, Outcome, OutcomeKind, Relay, Reply
from newsletter.delivery.ports import Ledger
from newsletter.delivery.relay_errors import name_relay, show_reply
from newsletter.delivery.replies import judge_reply
from newsletter.delivery.smtp import Transport
from newsletter.delivery.tally import Tally
from newsletter.errors import RelayError, RelayUnavailable, RenderError, StorageError
from newsletter.log import get_logger

log = get_logger(__name__)

# Seconds between tries to record an outcome: a full disk may be cleared meanwhile.
_RECORD_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
# A relay that breaks off this often without deciding anything is not working.
_BREAKS_IN_A_ROW = 5


class Courier:
    """Carries rows over a connection of its own until none is due. For one thread."""

    def __init__(
        self,
        ledger: Ledger,
        relay: Relay,
        clock: Clock,
        feed: ClaimFeed,
        tally: Tally,
        *,
        worker: str,
        give_up_after: timedelta,
        connect: Callable[[Relay], Transport],
    ) -> None:
        self._ledger = ledger
        self._relay = relay
        self._clock = clock
        self._feed = feed
        self._tally = tally
        self._worker = worker
        self._give_up_after = give_up_after
        self._connect = connect
        self._transport: Transport | None = None
        self._breaks = 0

    def run(self) -> None:
        """Work until nothing is due or sending is to stop.

        A relay that can't be reached ends this courier only; everything else
        that is raised (a refused login, a database that is gone) stops the
        feed, so that the other couriers end with it.
        """
        try:
            while (delivery := self._feed.take()) is not None:
                self._carry(delivery)
        except RelayUnavailable:
            raise
        except BaseException:
            self._feed.stop()
            raise
        finally:
            if self._transport is not None:
                self._transport.close()

    def _carry(self, delivery: Delivery) -> None:
        refusal = refuse_address(delivery.address)
        if refusal is not None:
            self._settle(delivery, refusal)
            return
        try:
            template = self._feed.template_of(delivery.mailing_id)
            message = template.build(delivery)
        except RenderError as error:
            log.warning("message_not_built", delivery=delivery.id, error=str(error))
            reply = Reply(code=0, text=str(error))
            self._settle(
                delivery, Outcome(OutcomeKind.REFUSED, "content", reply, sender_fault=True)
            )
            return
        exchange = self._ready_transport(delivery).send(
            template.envelope_sender(delivery),
            wire_address(delivery.address),
            message,
            lambda: self._ledger.hand_over(delivery, self._worker, self._clock.now()),
        )
        if exchange.withheld:
            self._tally.count_skipped()
            return
        now = self._clock.now()
        judged = judge_reply(
            exchange.reply,
            exchange.phase,
            delivery.attempts,
            delivery.first_tried_at,
            now,
            self._give_up_after,
        )
        outcome, leave = self._tally.weigh(delivery, judged, now)
        self._settle(delivery, outcome)
        if leave:
            raise RelayError(
                f"{name_relay(self._relay)} refuses to send for {template.from_address}: "
                f"{show_reply(outcome.reply)}; the readers it concerns stay in the queue, "
                "so send again when the relay's operator, its login or DNS is put right",
                subject=self._relay.slug,
            )
        self._count_break(judged)

    def _ready_transport(self, delivery: Delivery) -> Transport:
        if self._transport is None or not self._transport.usable:
            try:
                self._transport = self._connect(self._relay)
            except RelayUnavailable:
                # Another connection may still work, and take it.
                self._feed.give_back(delivery)
                raise
        return self._transport

    def _settle(self, delivery: Delivery, outcome: Outcome) -> None:
        self._record(delivery, outcome)
        self._tally.count(outcome)
        write = log.debug if outcome.kind is OutcomeKind.ACCEPTED else log.info
        write(
            "delivery_settled",
            delivery=delivery.id,
            relay=self._relay.slug,
            outcome=str(outcome.kind),
            reason=outcome.reason,
            reply=show_reply(outcome.reply),
        )

    def _record(self, delivery: Delivery, outcome: Outcome) -> None:
        """Write the outcome; a database that can't take it just now is asked again for a while.

        A message that the relay has taken and the ledger does not know of would
        be sent once more.
        """
        for pause in _RECORD_PAUSES:
            try:
                self._ledger.record(delivery, self._worker, outcome, self._clock.now())
            except StorageError as error:
                log.warning("outcome_not_recorded", delivery=delivery.id, error=str(error))
                self._clock.sleep(pause)
            else:
                return
        self._ledger.record(delivery, self._worker, outcome, self._clock.now())

    def _count_break(self, judged: Outcome) -> None:
        undecided = judged.kind in (OutcomeKind.REQUEUED, OutcomeKind.UNCERTAIN)
        self._breaks = self._breaks + 1 if undecided else 0
        if self._breaks >= _BREAKS_IN_A_ROW:
            raise RelayUnavailable(
                f"{name_relay(self._relay)} breaks off every conversation "
                f"({show_reply(judged.reply)}); its own log tells why",
                subject=self._relay.slug,
            )
