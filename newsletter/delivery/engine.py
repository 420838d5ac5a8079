"""Delivering what is due: one thread drives all connections of a worker.

Each round of the loop takes what the relays answered, writes all of it to the
ledger in one transaction together with the hand-overs of the messages that may
go next, and only then puts those on the wire. So a message costs a share of a
transaction, and a crash leaves at most one doubtful row a connection.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from newsletter.clock import Clock
from newsletter.delivery.conversation import Exchange
from newsletter.delivery.dialling import Doors
from newsletter.delivery.dispatch import Dispatch
from newsletter.delivery.judging import Alert, Judge
from newsletter.delivery.lease import LEASE, Lease
from newsletter.delivery.line import Letter, Line
from newsletter.delivery.model import (
    Delivery,
    DeliverySummary,
    Outcome,
    OutcomeKind,
    Phase,
    Relay,
    RelayState,
    Reply,
    Settlement,
)
from newsletter.delivery.outbox import Outbox, PutOff
from newsletter.delivery.pacing import REMEMBERED, DestinationPace
from newsletter.delivery.ports import Ledger
from newsletter.delivery.relay_errors import mailing_not_built, relay_given_up, show_reply
from newsletter.delivery.route import Route, all_refuse_since
from newsletter.delivery.smtp import Link, TimeLimits, open_connection
from newsletter.delivery.switchboard import Switchboard
from newsletter.delivery.tally import Tally
from newsletter.delivery.writing import LetterWriter
from newsletter.errors import NewsletterError, RelayError, StorageError
from newsletter.log import get_logger

log = get_logger(__name__)

# How often, in seconds, what is not a message is looked after: system mail that
# came in between, limits, breakers, silent connections.
_BEAT = 1.0
_LIMITS_EVERY = 5.0
# How far back others' complaints are read once more, for clocks differ and transactions
# take their time.
_OVERLAP = timedelta(minutes=1)
_PROGRESS_SECONDS = 0.2
_LEFT_TO_OTHERS = timedelta(seconds=2)
_LONGEST_WAIT = 0.5
# How often, and each time how long (seconds), an engine that fails listens for last answers.
_LAST_LOOKS, _LOOK_SECONDS = 20, 0.1
# Rows claimed at once, at first and at most, and how many may be left when more are claimed.
_SMALL_BATCH = 50
_BATCH = 300
_LOW_WATER = 100
# What is claimed should last so long (seconds): what a worker holds another can't send.
_BATCH_SECONDS = 0.1
_SIGNING_THREADS = 2
# How long (seconds) an issue waits of which no message can be written, or none taken.
_HOLD = 3_600.0
# Rows given up in one transaction.
_GIVEN_UP_AT_ONCE = 1_000
# Seconds between tries to write the ledger: a full disk or a restarted server comes back.
_LEDGER_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Callbacks:
    """What a worker's owner wants to be asked and told, always from the calling thread."""

    should_stop: Callable[[], bool] = lambda: False
    on_progress: Callable[[DeliverySummary], None] = lambda _: None
    # About once a second.
    on_beat: Callable[[], None] = lambda: None
    # Ledger rows refused for good.
    on_refusals: Callable[[Sequence[int]], None] = lambda _: None
    on_alert: Callable[[Alert], None] = lambda _: None


@dataclass(frozen=True)
class Limits:
    """How the engine goes about it; limits of 0 are none.

    ``resend_after`` is how long a message that may have been taken waits for
    news of it. ``signs``: messages are written in threads, for that takes longer
    than sending them.
    """

    give_up_after: timedelta
    resend_after: timedelta = timedelta(0)
    domain_connections: int = 0
    domain_rate: float = 0.0
    signs: bool = False
    lease: timedelta = LEASE
    times: TimeLimits = field(default_factory=TimeLimits)


class Engine:
    """One worker: its lease, its connections, its part of the relays' limits.

    `run` may be called again and again; `close` gives everything back.
    """

    def __init__(
        self,
        ledger: Ledger,
        relays: Sequence[Relay],
        writer: LetterWriter,
        clock: Clock,
        limits: Limits,
        callbacks: Callbacks,
        *,
        name: str,
        connect: Callable[[Relay], Link] | None = None,
    ) -> None:
        self._ledger = ledger
        self._writer = writer
        self._clock = clock
        self._callbacks = callbacks
        self._give_up_after = limits.give_up_after
        pace = DestinationPace(limits.domain_connections, limits.domain_rate)
        self._pace = pace
        self._tally = Tally(limits.give_up_after)
        self._judge = Judge(
            ledger,
            self._tally,
            pace,
            limits.give_up_after,
            limits.resend_after,
            callbacks.on_alert,
        )
        self._lease = Lease(ledger, clock, name, limits.lease)
        doors = Doors()
        self._board = Switchboard(
            relays,
            clock,
            connect or partial(_open_link, doors, limits.times),
            limits.times,
            lambda: self._lease.lasts,
            doors.close,
        )
        self._pool = ThreadPoolExecutor(_SIGNING_THREADS, "signing") if limits.signs else None
        self._outbox = Outbox(
            writer.write, pace, self._pool, self._board.wake.ring, writer.group_of
        )
        self._dispatch = Dispatch(ledger, self._board, self._outbox, limits.give_up_after)
        self._settled: list[Settlement] = []
        # Mailings of issues of which something was settled that was not handed over.
        self._unguarded: set[str] = set()
        # Mailings that can't go: until when (monotonic), and why.
        self._held: dict[str, tuple[float, NewsletterError]] = {}
        self._more_due = True
        self._batch, self._claimed_at = _SMALL_BATCH, 0.0
        self._learned_at: datetime | None = None
        self._next_beat = self._next_limits = self._next_progress = 0.0

    def run(self) -> DeliverySummary:
        """Send what is due until nothing is, or nothing can go now; what became of it.

        Raises what the ledger raises when it can't be written for a while, and
        StorageError where the lease was lost. Rows that were not sent are back
        in the queue then, unless the ledger itself fails.
        """
        self._tally.start_run()
        self._more_due = True
        self._next_beat = self._next_limits = 0.0
        try:
            self._loop()
        except BaseException as cause:
            # The first error is the one to tell of; the lease ends by itself.
            try:
                if not isinstance(cause, StorageError):
                    self._hear_the_last()
                self._give_back()
            except StorageError as error:
                log.warning("rows_not_released", worker=self._lease.worker, error=str(error))
            raise
        self._give_back()
        self._callbacks.on_progress(self._tally.summary())
        return self._tally.summary()

    @property
    def failure(self) -> NewsletterError | None:
        """Why nothing can go over any relay now, or an issue can't go; None where all can."""
        mono = self._clock.monotonic()
        held = (error for until, error in self._held.values() if until > mono)
        return self._board.failure(mono, self._clock.now()) or next(held, None)

    def try_again(self) -> None:
        """Forget what went wrong with relays and issues: somebody says that it is mended."""
        states = self._ledger.relay_states()
        self._held.clear()
        for route in self._board.routes.values():
            route.try_again()
            state = states.get(route.slug, RelayState())
            if state.paused_until is not None:
                mended = replace(state, paused_until=None)
                self._ledger.set_relay_state(route.slug, mended, self._clock.now())
        self._ledger.forget_holds()

    def close(self) -> None:
        """End the worker: nothing is left claimed."""
        self._board.close()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        if self._lease.lost:
            self._lease.stop()
        else:
            self._lease.end()

    def _loop(self) -> None:
        while True:
            if self._lease.lost:
                raise StorageError(
                    "another worker has taken this one's place, for its lease had run out: "
                    "it starts anew",
                    subject="lease",
                )
            mono, now = self._clock.monotonic(), self._clock.now()
            self._lease.heed(now)
            if mono >= self._next_beat:
                self._beat(mono, now)
            if self._callbacks.should_stop():
                self._withdraw(mono)
            elif not self._board.heard:
                # What was heard comes first, and takes what follows by itself.
                self._fill(mono, now)
                self._dispatch.offer(mono, now)
            if self._settle(now):
                continue
            if self._is_over(mono, now):
                return
            for failed in self._board.wait(self._patience(mono)):
                if isinstance(failed.result, RelayError):
                    route = self._board.routes[failed.relay.slug]
                    self._leave(route, failed.result, mono, now)

    def _is_over(self, mono: float, now: datetime) -> bool:
        """Whether nothing is under way, and nothing can follow."""
        if self._callbacks.should_stop():
            # A connection that is long in coming would only be closed.
            return self._board.silent
        return not self._board.busy and not self._may_go_on(mono, now)

    def _may_go_on(self, mono: float, now: datetime) -> bool:
        """Whether there is something to send, and a way."""
        if not len(self._outbox):
            return self._more_due and bool(self._board.open_routes(mono, now, issues=True))
        return bool(self._board.open_routes(mono, now, issues=not self._outbox.system))

    def _patience(self, mono: float) -> float:
        """How long nothing needs to be done but to hear the relays, in seconds."""
        waits = [_LONGEST_WAIT, self._next_beat - mono]
        if len(self._outbox):
            # Where the rate would let one go now, something else is waited for.
            turns = (route.bucket.wait(mono) for route in self._board.routes.values())
            waits += [turn for turn in turns if turn > 0]
        if (turn := self._outbox.shortest_wait(mono)) is not None:
            waits.append(max(turn, 0.001))
        return max(0.0, min(waits))

    # What there is to send

    def _beat(self, mono: float, now: datetime) -> None:
        """What is looked after now and then, in the middle of a send as well."""
        self._next_beat = mono + _BEAT
        if mono >= self._next_limits:
            self._next_limits = mono + _LIMITS_EVERY
            states = self._ledger.relay_states()
            for route in self._board.routes.values():
                in_use = route.connections + route.opening
                permit = self._ledger.share(self._lease.worker, route.relay, in_use, now)
                state = states.get(route.slug, RelayState())
                self._board.share(route, permit, state, mono)
                self._pace.share(permit.workers, permit.place, mono)
            since = (
                self._learned_at - _OVERLAP
                if self._learned_at
                else now - timedelta(seconds=REMEMBERED)
            )
            for slowdown in self._ledger.slowdowns(since):
                self._pace.learn(slowdown, mono, now)
            self._learned_at = now
            self._give_up_refused(states, now)
        self._board.expire(mono)
        self._board.look_around(mono)
        self._judge.tell_of_lasting(self._board.routes.values(), now, mono)
        for letter in self._board.take_back_urgent(mono, now):
            self._outbox.give_back(letter, mono)
        stopping = self._callbacks.should_stop()
        if not stopping and self._board.open_routes(mono, now, issues=False):
            room = _SMALL_BATCH - self._outbox.system
            if room > 0:
                # Who keeps no connection for it leaves it for a while to the one who does.
                busy = self._outbox.issues and not self._board.keeps_one
                until = now - _LEFT_TO_OTHERS if busy else now
                self._outbox.add(self._ledger.claim_system(self._lease.worker, until, room), mono)
        self._more_due = True
        self._callbacks.on_beat()

    def _give_up_refused(self, states: Mapping[str, RelayState], now: datetime) -> None:
        """Let those go who have waited for too long for relays that all refuse us."""
        last = all_refuse_since(self._board.routes, states, now)
        if last is None or now - last[1] < self._give_up_after:
            return
        sentence = relay_given_up(*last)
        words = f"not tried: {sentence}"
        outcome = Outcome(OutcomeKind.REFUSED, "expired", Reply(0, words), sender_fault=True)
        before = now - self._give_up_after
        while not self._callbacks.should_stop():
            rows = self._ledger.give_up(before, last[0], words, now, _GIVEN_UP_AT_ONCE)
            if not rows:
                return
            for _ in rows:
                self._tally.count(outcome)
            log.error("readers_given_up", relay=last[0], since=last[1], rows=len(rows))
            self._callbacks.on_refusals(rows)
            self._callbacks.on_alert(Alert(f"given-up:{last[0]}", sentence, waiting=False))

    def _fill(self, mono: float, now: datetime) -> None:
        """Claim rows of issues where few are left and they can go."""
        if not self._more_due or self._outbox.issues > _LOW_WATER:
            return
        self._dispatch.ask_grants(mono, now)
        if not self._board.open_routes(mono, now, issues=True):
            return
        soon = mono - self._claimed_at < _BATCH_SECONDS
        self._batch = min(self._batch * 2, _BATCH) if soon else max(self._batch // 2, _SMALL_BATCH)
        self._claimed_at = mono
        wanted = min(_BATCH, max(self._batch, 4 * self._board.width))
        claimed = self._ledger.claim_issues(self._lease.worker, now, wanted)
        self._more_due = bool(claimed)
        if self._held:
            held = {one for one, (until, _) in self._held.items() if until > mono}
            self._put_off_held([row.id for row in claimed if row.mailing_id in held], now)
            claimed = [row for row in claimed if row.mailing_id not in held]
        self._outbox.add(claimed, mono)

    # What comes back

    def _settle(self, now: datetime) -> bool:
        """Write what was answered and who goes next, then put those messages on the wire.

        Whether there was anything to do.
        """
        for settlement in (*self._writer.refused(), *self._dispatch.refused()):
            self._tally.count(settlement.outcome)
            claim = self._outbox.forget(settlement.delivery_id)
            if claim is not None:
                self._note_unguarded(claim)
            self._settled.append(settlement)
        heard, self._board.heard = self._board.heard, []
        ready: list[tuple[Line, Letter]] = []
        too_small = self._dispatch.too_small()
        leaving = [(one.route, one.error) for one in too_small if one.leave]
        mono = self._clock.monotonic()
        for line, event in heard:
            if isinstance(event, Exchange):
                letter = line.letters.pop(event.delivery.id)
                self._outbox.let_go(event.delivery)
                settlement, error = self._judge.judge(line, letter, event, now, mono)
                self._settled.append(settlement)
                if event.phase is not Phase.DOT:
                    self._note_unguarded(event.delivery)
                if error is not None:
                    leaving.append((line.route, error))
            else:
                ready.append((line, line.letters[event.delivery.id]))
        for route, error in leaving:
            self._leave(route, error, mono, now)
        # Lines may have ended, or their offers been taken back, by what others heard.
        ready = [(line, letter) for line, letter in ready if _still_waits(line, letter)]
        self._board.drop_ended()
        if self._settled or ready:
            self._commit(ready, now)
        put_off, self._outbox.put_off = self._outbox.put_off, []
        if put_off:
            self._put_off(put_off, now, mono)
        for one in too_small:
            if one.hold:
                self._hold(one.mailing_id, one.error, mono, now)
            if not one.leave:
                alert = Alert(f"size:{one.route.slug}", str(one.error))
                self._callbacks.on_alert(alert)
        broken = self._writer.broken()
        for mailing_id, cause in broken.items():
            told = mailing_not_built(cause)
            if self._hold(mailing_id, told, mono, now):
                self._callbacks.on_alert(Alert(f"mailing:{mailing_id}", str(told)))
        return bool(heard or put_off or too_small or broken)

    def _hold(self, mailing_id: str, error: NewsletterError, mono: float, now: datetime) -> bool:
        """Let an issue wait that can't go, before readers lose it; whether that is news."""
        offered = {row for line in self._board.lines for row in line.letters}
        self._put_off_held(self._outbox.drop(mailing_id, offered), now)
        until, _ = self._held.get(mailing_id, (mono, error))
        if until > mono:
            return False  # threads were still writing of it
        self._held[mailing_id] = (mono + _HOLD, error)
        self._ledger.hold_mailing(mailing_id, now + timedelta(seconds=_HOLD), str(error))
        log.error("mailing_held", mailing=mailing_id, error=str(error))
        return True

    def _put_off_held(self, rows: Sequence[int], now: datetime) -> None:
        if rows:
            due = now + timedelta(seconds=_HOLD)
            self._ledger.put_off(self._lease.worker, dict.fromkeys(rows, due))

    def _commit(self, ready: list[tuple[Line, Letter]], now: datetime) -> None:
        settled, self._settled = self._settled, []
        claims = [letter.delivery for _, letter in ready if self._outbox.holds(letter.delivery)]
        rows = self._write_ledger(settled, [claim.id for claim in claims], now)
        # By claim, not by row: see the outbox.
        granted = {id(claim) for claim in claims if claim.id in rows}
        if len(granted) != len(ready):
            self._put_back_like(
                [x.delivery for _, x in ready if id(x.delivery) not in granted], now
            )
        mono = self._clock.monotonic()
        others = [one for one in settled if one.outcome.kind is not OutcomeKind.ACCEPTED]
        if any(one.outcome.kind is OutcomeKind.REQUEUED for one in others):
            # They are due again at once: look for them, system mail included.
            self._more_due, self._next_beat = True, mono
        stopping = self._callbacks.should_stop()
        for line, letter in ready:
            if id(letter.delivery) not in granted:
                # The server waits for a message that never comes: the line must end.
                line.take_back()
                self._pace.end(letter.group, mono)
                self._tally.count_skipped()
                continue
            following = None
            if not stopping and line.pipelines:
                following = self._dispatch.take_for(line, mono, now)
            self._board.hear(line, line.finish(letter, following, mono))
        self._board.drop_ended()
        self._tell(others, mono)
        self._drop_called_off(now)

    def _put_off(self, rows: Sequence[PutOff], now: datetime, mono: float) -> None:
        """Let rows wait for their destination, or give them up with it."""
        dues: dict[int, datetime] = {}
        for delivery, group, seconds in rows:
            given_up = self._judge.give_up(delivery, group, now, mono)
            if given_up is None:
                dues[delivery.id] = now + timedelta(seconds=seconds)
            else:
                # Written in the next round.
                self._note_unguarded(delivery)
                self._settled.append(given_up)
        self._ledger.put_off(self._lease.worker, dues)

    def _note_unguarded(self, claim: Delivery) -> None:
        if not claim.is_system:
            self._unguarded.add(claim.mailing_id)

    def _drop_called_off(self, now: datetime) -> None:
        """Put back what is at hand of issues that are not sending any more.

        A hand-over asks for that, but where recipients are refused none comes.
        """
        if not self._unguarded:
            return
        unguarded, self._unguarded = self._unguarded, set()
        self._drop(self._ledger.called_off(unguarded), now)

    def _put_back_like(self, refused: list[Delivery], now: datetime) -> None:
        """Let go of claims that must not be handed over, and of all at hand like them.

        As a rule their issue was paused or recalled: to find that out of each
        letter at the price of a connection would take long.
        """
        for claim in refused:
            self._outbox.let_go(claim)
        self._drop({claim.mailing_id for claim in refused}, now)

    def _drop(self, mailings: Collection[str], now: datetime) -> None:
        """Give the rows of some mailings back, but for those that are on offer."""
        offered = {row for line in self._board.lines for row in line.letters}
        for mailing_id in mailings:
            rows = self._outbox.drop(mailing_id, offered)
            self._ledger.put_back(self._lease.worker, rows, now)
            self._more_due = True

    def _tell(self, others: list[Settlement], mono: float) -> None:
        """Tell of what was not accepted, and how far we are."""
        for one in others:
            _log_outcome(one)
        refusals = [one.delivery_id for one in others if one.outcome.kind is OutcomeKind.REFUSED]
        if refusals:
            self._callbacks.on_refusals(refusals)
        if mono >= self._next_progress:
            self._next_progress = mono + _PROGRESS_SECONDS
            self._callbacks.on_progress(self._tally.summary())

    def _write_ledger(
        self, settled: list[Settlement], rows: list[int], now: datetime
    ) -> frozenset[int]:
        """Commit; a ledger that can't be written just now is asked again for a while.

        A message that the relay has taken and the ledger does not know of would
        be sent once more.
        """
        for pause in _LEDGER_PAUSES:
            try:
                return frozenset(self._ledger.commit(self._lease.worker, settled, rows, now))
            except StorageError as error:
                log.warning("ledger_not_written", outcomes=len(settled), error=str(error))
                self._clock.sleep(pause)
        return frozenset(self._ledger.commit(self._lease.worker, settled, rows, now))

    # What goes wrong, and the end

    def _leave(self, route: Route, error: RelayError, mono: float, now: datetime) -> None:
        self._judge.leave(route, error, now, mono)
        if not route.is_open(mono, now):
            for letter in self._board.leave(route):
                self._outbox.give_back(letter, mono)

    def _withdraw(self, mono: float) -> None:
        """Take back what is offered and not handed over."""
        for letter in self._board.take_back():
            self._outbox.give_back(letter, mono)

    def _hear_the_last(self) -> None:
        """Learn what becomes of the messages on the wire, for a moment: else they are in doubt."""
        callbacks, self._callbacks = self._callbacks, Callbacks(should_stop=lambda: True)
        try:
            self._withdraw(self._clock.monotonic())
            for _ in range(_LAST_LOOKS):
                if self._board.silent:
                    return
                self._board.wait(_LOOK_SECONDS)
                self._settle(self._clock.now())
        finally:
            self._callbacks = callbacks

    def _give_back(self) -> None:
        """End a run: connections say goodbye, rows that were not sent go back to the queue."""
        self._board.hang_up()
        self._pace.forget_in_flight(self._clock.monotonic())
        self._settled.clear()
        self._outbox.clear()
        if not self._lease.lost:
            self._ledger.release(self._lease.worker)
        self._dispatch.give_back_grants()


def _open_link(doors: Doors, limits: TimeLimits, relay: Relay) -> Link:
    with doors.watching() as watch:
        return open_connection(relay, limits=limits, watch=watch)


def _still_waits(line: Line, letter: Letter) -> bool:
    return not line.conversation.over and letter.delivery.id in line.letters


def _log_outcome(settlement: Settlement) -> None:
    outcome = settlement.outcome
    log.info(
        "delivery_settled",
        delivery=settlement.delivery_id,
        relay=settlement.relay,
        outcome=str(outcome.kind),
        reason=outcome.reason,
        reply=show_reply(outcome.reply),
    )
