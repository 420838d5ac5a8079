"""A ledger in memory that keeps the port's promises, with faults to order."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from newsletter.delivery.model import (
    Delivery,
    DeliveryState,
    Mailing,
    MailingKind,
    Outcome,
    OutcomeKind,
)
from newsletter.delivery.states import move_delivery

_STATES = {
    OutcomeKind.ACCEPTED: DeliveryState.ACCEPTED,
    OutcomeKind.DEFERRED: DeliveryState.DEFERRED,
    OutcomeKind.REFUSED: DeliveryState.REFUSED,
    OutcomeKind.UNCERTAIN: DeliveryState.UNCERTAIN,
    OutcomeKind.REQUEUED: DeliveryState.QUEUED,
}


@dataclass
class Row:
    delivery: Delivery
    state: DeliveryState = DeliveryState.QUEUED
    worker: str = ""
    lease_until: datetime | None = None
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
        self.before: Callable[[str], None] = lambda _: None
        self._lock = threading.RLock()

    def enqueue(self, mailing: Mailing, *addresses: str) -> None:
        for address in addresses:
            number = len(self.rows) + 1
            delivery = Delivery(number, mailing.public_id, f"reader{number:010d}", address)
            self.rows[number] = Row(delivery)

    def states(self) -> dict[str, int]:
        return dict(Counter(row.state.value for row in self.rows.values()))

    def row_of(self, address: str) -> Row:
        return next(row for row in self.rows.values() if row.delivery.address == address)

    def _enter(self, call: str) -> None:
        self.calls[call] += 1
        self.before(call)

    def claim(
        self, worker: str, now: datetime, lease_until: datetime, limit: int
    ) -> Sequence[Delivery]:
        with self._lock:
            self._enter("claim")
            due = [row for row in self.rows.values() if self._is_due(row, now)]
            due.sort(key=lambda row: (not self._is_system(row), row.delivery.id))
            claimed = []
            for row in due:
                if len(claimed) == limit:
                    break
                if row.delivery.address in self.left:
                    row.move(DeliveryState.SKIPPED)
                    continue
                if row.state is DeliveryState.DEFERRED:
                    row.move(DeliveryState.QUEUED)
                row.move(DeliveryState.CLAIMED)
                row.worker, row.lease_until = worker, lease_until
                claimed.append(row.delivery)
            return claimed

    def mailing(self, public_id: str) -> Mailing:
        with self._lock:
            self._enter("mailing")
            return self.mailings[public_id]

    def hand_over(self, delivery: Delivery, worker: str, now: datetime) -> bool:
        with self._lock:
            self._enter("hand_over")
            row = self.rows[delivery.id]
            if row.state is not DeliveryState.CLAIMED or row.worker != worker:
                return False
            if row.lease_until is None or row.lease_until < now:
                return False
            if delivery.address in self.left:
                row.move(DeliveryState.SKIPPED)
                return False
            if not self.sending and not self._is_system(row):
                row.move(DeliveryState.QUEUED)
                return False
            row.move(DeliveryState.HANDED_OVER)
            return True

    def record(self, delivery: Delivery, worker: str, outcome: Outcome, now: datetime) -> None:
        with self._lock:
            self._enter("record")
            row = self.rows[delivery.id]
            assert row.worker == worker
            row.move(_STATES[outcome.kind])
            row.outcomes.append(outcome)
            if outcome.kind is OutcomeKind.DEFERRED:
                assert outcome.retry_at is not None
                row.due = outcome.retry_at
                row.delivery = replace(
                    row.delivery,
                    attempts=row.delivery.attempts + 1,
                    first_tried_at=row.delivery.first_tried_at or now,
                )

    def renew(self, worker: str, lease_until: datetime) -> None:
        with self._lock:
            self._enter("renew")
            for row in self.rows.values():
                if row.worker == worker:
                    row.lease_until = lease_until

    def release(self, worker: str) -> int:
        with self._lock:
            self._enter("release")
            mine = [r for r in self.rows.values() if r.worker == worker and _is_claimed(r)]
            for row in mine:
                row.move(DeliveryState.QUEUED)
            return len(mine)

    def recover(self, now: datetime, *, all_workers: bool) -> tuple[int, int]:
        with self._lock:
            self._enter("recover")
            dead = [r for r in self.rows.values() if all_workers or _is_expired(r, now)]
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

    def next_due(self, now: datetime) -> datetime | None:
        dues = [row.due for row in self.rows.values() if row.due is not None and row.due > now]
        return min(dues, default=None)

    def close_finished(self, now: datetime) -> Sequence[str]:
        self._enter(f"close_finished {now}")
        return ()

    def _is_system(self, row: Row) -> bool:
        return self.mailings[row.delivery.mailing_id].kind is MailingKind.SYSTEM

    def _is_due(self, row: Row, now: datetime) -> bool:
        if not self.sending and not self._is_system(row):
            return False
        if row.state is DeliveryState.DEFERRED:
            return row.due is not None and row.due <= now
        return row.state is DeliveryState.QUEUED


def _is_claimed(row: Row) -> bool:
    return row.state is DeliveryState.CLAIMED


def _is_expired(row: Row, now: datetime) -> bool:
    return row.lease_until is not None and row.lease_until < now
