"""A ledger in memory that keeps the port's promises, with faults to order."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from newsletter.delivery.model import (
    Delivery,
    DeliveryState,
    Mailing,
    MailingKind,
    Outcome,
    OutcomeKind,
    Permit,
    Relay,
    RelayState,
    Reply,
    Settlement,
    Slowdown,
)
from newsletter.delivery.states import move_delivery

_STATES = {
    OutcomeKind.ACCEPTED: DeliveryState.ACCEPTED,
    OutcomeKind.DEFERRED: DeliveryState.DEFERRED,
    OutcomeKind.REFUSED: DeliveryState.REFUSED,
    OutcomeKind.UNCERTAIN: DeliveryState.UNCERTAIN,
    OutcomeKind.REQUEUED: DeliveryState.QUEUED,
}


_OPEN = {
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.HANDED_OVER,
    DeliveryState.DEFERRED,
}


@dataclass
class Row:
    delivery: Delivery
    state: DeliveryState = DeliveryState.QUEUED
    worker: int = 0
    due: datetime | None = None
    doubts: int = 0
    outcomes: list[Outcome] = field(default_factory=list)

    def move(self, to: DeliveryState) -> None:
        self.state = move_delivery(self.state, to)


class MemoryLedger:
    """Obeys `newsletter.delivery.ports.Ledger`; every move is checked by the table."""

    def __init__(self, *mailings: Mailing) -> None:
        self.mailings = {mailing.public_id: mailing for mailing in mailings}
        self.rows: dict[int, Row] = {}
        self.sending = True
        self.left: set[str] = set()  # addresses of readers who left
        self.calls: Counter[str] = Counter()
        self.groups: list[int] = []  # how many rows each commit was about
        self.before: Callable[[str], None] = lambda _: None
        self.leases: dict[int, datetime | None] = {}
        self.states_of_relays: dict[str, RelayState] = {}
        self.slowed: list[Slowdown] = []
        self.holds: dict[str, tuple[datetime, str]] = {}
        self.granted: Counter[str] = Counter()
        self.granted_on: Counter[tuple[str, str]] = Counter()
        self.permits: Callable[[Relay], Permit] = lambda r: Permit(
            r.connections, r.rate, kept=int(r.connections > 1)
        )
        self._lock = threading.RLock()

    def enqueue(self, mailing: Mailing, *addresses: str) -> None:
        for address in addresses:
            number = len(self.rows) + 1
            delivery = Delivery(
                number,
                mailing.public_id,
                f"reader{number:010d}",
                address,
                domain=address.rpartition("@")[2],
                is_system=mailing.kind is MailingKind.SYSTEM,
                queued_at=mailing.created_at,
            )
            self.rows[number] = Row(delivery)

    def states(self) -> dict[str, int]:
        return dict(Counter(row.state.value for row in self.rows.values()))

    @property
    def is_settled(self) -> bool:
        """Whether nobody waits any more."""
        return not {row.state for row in self.rows.values()} & _OPEN

    def row_of(self, address: str) -> Row:
        return next(row for row in self.rows.values() if row.delivery.address == address)

    def _enter(self, call: str) -> None:
        self.calls[call] += 1
        self.before(call)

    def enroll(self, name: str, now: datetime, lasting: timedelta) -> int:
        with self._lock:
            assert name
            worker = len(self.leases) + 1
            self.leases[worker] = now + lasting
            return worker

    def renew(self, worker: int, now: datetime, lasting: timedelta) -> bool:
        with self._lock:
            self._enter("renew")
            if self.leases[worker] is None:
                return False
            self.leases[worker] = now + lasting
            return True

    def release(self, worker: int) -> int:
        with self._lock:
            self._enter("release")
            mine = [r for r in self.rows.values() if r.worker == worker and _is_claimed(r)]
            for row in mine:
                row.move(DeliveryState.QUEUED)
            return len(mine)

    def retire(self, worker: int) -> int:
        with self._lock:
            self.leases[worker] = None
            return self.release(worker)

    def claim_system(self, worker: int, now: datetime, limit: int) -> Sequence[Delivery]:
        with self._lock:
            self._enter("claim_system")
            return self._claim(worker, now, limit, system=True)

    def claim_issues(self, worker: int, now: datetime, limit: int) -> Sequence[Delivery]:
        with self._lock:
            self._enter("claim_issues")
            return self._claim(worker, now, limit, system=False)

    def mailing(self, public_id: str) -> Mailing:
        with self._lock:
            self._enter("mailing")
            return self.mailings[public_id]

    def commit(
        self,
        worker: int,
        settled: Sequence[Settlement],
        handing_over: Sequence[int],
        now: datetime,
    ) -> set[int]:
        with self._lock:
            self._enter("commit")
            self.groups.append(len(settled) + len(handing_over))
            for one in settled:
                self._record(worker, one.delivery_id, one.outcome, now)
            return {number for number in handing_over if self._hand_over(worker, number, now)}

    def put_back(self, worker: int, rows: Sequence[int], now: datetime) -> None:
        with self._lock:
            self._enter("put_back")
            assert now
            for number in rows:
                row = self.rows[number]
                if row.worker == worker and _is_claimed(row):
                    row.move(DeliveryState.QUEUED)

    def put_off(self, worker: int, dues: Mapping[int, datetime]) -> None:
        with self._lock:
            self._enter("put_off")
            for number, due in dues.items():
                assert self.rows[number].worker == worker
                self.rows[number].move(DeliveryState.QUEUED)
                self.rows[number].due = due

    def give_up(
        self, queued_before: datetime, relay: str, words: str, now: datetime, limit: int
    ) -> Sequence[int]:
        with self._lock:
            self._enter("give_up")
            given_up = [
                number
                for number, row in self.rows.items()
                if self._is_due(row, now)
                and row.delivery.queued_at is not None
                and row.delivery.queued_at <= queued_before
            ][:limit]
            for number in given_up:
                row, reply = self.rows[number], Reply(0, words)
                row.move(DeliveryState.REFUSED)
                row.outcomes.append(Outcome(OutcomeKind.REFUSED, "expired", reply, True))
                row.delivery = row.delivery._replace(relay=row.delivery.relay or relay)
            return given_up

    def hold_mailing(self, mailing_id: str, until: datetime, because: str) -> None:
        with self._lock:
            self._enter("hold_mailing")
            self.holds[mailing_id] = (until, because)

    def forget_holds(self) -> None:
        self.holds.clear()

    def called_off(self, mailings: Collection[str]) -> Collection[str]:
        with self._lock:
            self._enter("called_off")
            issues = {m for m in mailings if self.mailings[m].kind is MailingKind.ISSUE}
            return set() if self.sending else issues

    def recover(self, now: datetime, *, all_workers: bool) -> tuple[int, int]:
        with self._lock:
            self._enter("recover")
            for worker, until in self.leases.items():
                if all_workers or (until is not None and until <= now):
                    self.leases[worker] = None
            dead = [r for r in self.rows.values() if self.leases.get(r.worker) is None]
            claimed = [row for row in dead if row.state is DeliveryState.CLAIMED]
            doubtful = [row for row in dead if row.state is DeliveryState.HANDED_OVER]
            for row in claimed:
                row.move(DeliveryState.QUEUED)
            for row in doubtful:
                row.move(DeliveryState.UNCERTAIN)
                row.doubts += 1
                if row.doubts == 1:
                    row.move(DeliveryState.QUEUED)
            return len(claimed), len(doubtful)

    def has_dead_workers(self, now: datetime) -> bool:
        return any(until is not None and until <= now for until in self.leases.values())

    def next_due(self, now: datetime) -> datetime | None:
        dues = [row.due for row in self.rows.values() if row.due is not None and row.due > now]
        return min(dues, default=None)

    def share(self, worker: int, relay: Relay, in_use: int, now: datetime) -> Permit:
        with self._lock:
            self._enter("share")
            assert self.leases[worker] is not None
            assert now
            assert in_use >= 0
            return self.permits(relay)

    def grant(self, relay: Relay, wanted: int, now: datetime) -> int:
        with self._lock:
            self._enter(f"grant on {now:%Y-%m-%d}")
            left = relay.daily_cap - self.granted[relay.slug]
            given = max(0, min(wanted, left))
            self.granted[relay.slug] += given
            self.granted_on[relay.slug, f"{now:%Y-%m-%d}"] += given
            return given

    def give_back(self, relay: Relay, unused: int, now: datetime) -> None:
        with self._lock:
            self._enter(f"give back on {now:%Y-%m-%d}")
            self.granted[relay.slug] -= unused
            self.granted_on[relay.slug, f"{now:%Y-%m-%d}"] -= unused

    def slowdowns(self, since: datetime) -> Sequence[Slowdown]:
        return [one for one in self.slowed if one.changed_at > since]

    def slow_down(self, slowdown: Slowdown) -> None:
        self.slowed.append(slowdown)

    def destination_takes(self, group: str) -> None:
        self.slowed = [
            replace(one, since=None) if one.group == group else one for one in self.slowed
        ]

    def relay_states(self) -> Mapping[str, RelayState]:
        return self.states_of_relays

    def set_relay_state(self, relay: str, state: RelayState, now: datetime) -> None:
        assert now
        self.states_of_relays[relay] = state

    def _claim(self, worker: int, now: datetime, limit: int, *, system: bool) -> Sequence[Delivery]:
        claimed: list[Delivery] = []
        for row in self.rows.values():
            if len(claimed) == limit:
                break
            if row.delivery.is_system != system or not self._is_due(row, now):
                continue
            if row.delivery.address in self.left:
                row.move(DeliveryState.SKIPPED)
                continue
            if row.state is DeliveryState.DEFERRED:
                row.move(DeliveryState.QUEUED)
            row.move(DeliveryState.CLAIMED)
            row.worker, row.due = worker, None
            claimed.append(row.delivery)
        return claimed

    def _hand_over(self, worker: int, number: int, now: datetime) -> bool:
        row = self.rows[number]
        lease = self.leases[worker]
        if row.state is not DeliveryState.CLAIMED or row.worker != worker:
            return False
        if row.delivery.address in self.left:
            row.move(DeliveryState.SKIPPED)
            return False
        stopped = not self.sending and not row.delivery.is_system
        if stopped or lease is None or lease <= now:
            row.move(DeliveryState.QUEUED)
            return False
        row.move(DeliveryState.HANDED_OVER)
        return True

    def _record(self, worker: int, number: int, outcome: Outcome, now: datetime) -> None:
        row = self.rows[number]
        assert row.worker == worker
        row.move(_STATES[outcome.kind])
        row.outcomes.append(outcome)
        if outcome.kind is OutcomeKind.DEFERRED:
            assert outcome.retry_at is not None
            row.due = outcome.retry_at
            attempts, first = row.delivery.attempts, row.delivery.first_tried_at
            row.delivery = row.delivery._replace(
                attempts=attempts + 1, first_tried_at=first if attempts and first else now
            )
        elif outcome.kind is OutcomeKind.REQUEUED and not outcome.sender_fault:
            first = row.delivery.first_tried_at
            row.delivery = row.delivery._replace(first_tried_at=first or now)

    def _is_due(self, row: Row, now: datetime) -> bool:
        if not self.sending and not row.delivery.is_system:
            return False
        if row.state in (DeliveryState.DEFERRED, DeliveryState.QUEUED):
            return row.due is None or row.due <= now
        return False


def _is_claimed(row: Row) -> bool:
    return row.state is DeliveryState.CLAIMED
