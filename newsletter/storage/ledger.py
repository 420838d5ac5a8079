"""The ledger over SQL: every call is one transaction.

The moves are those of `delivery.states`, written as guarded updates; a row
that is claimed or handed over has a lease, one that waits has a due time.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import (
    Delivery,
    DeliveryState,
    Mailing,
    Outcome,
    OutcomeKind,
)
from newsletter.delivery.ports import Ledger
from newsletter.errors import InvalidTransition, NotFound
from newsletter.issues.model import IssueState
from newsletter.log import get_logger, mask_address
from newsletter.storage import tables as t
from newsletter.storage.changes import ChangeLog
from newsletter.storage.database import Database
from newsletter.storage.documents import mailing_from_document
from newsletter.storage.ledger_statements import (
    CLAIM_ISSUE,
    CLAIM_SYSTEM,
    FINISHED_ISSUES,
    HAND_OVER,
    NEXT_DUE,
    RECOVER_CLAIMED,
    RECOVER_HANDED_OVER,
    RETURN_CLAIMED,
    SENDING_ISSUES,
    doubted,
    requeued,
)

log = get_logger(__name__)

_ADDRESS = re.compile(r"(?:\"[^\"@]*\"|[^\s<>\"'(),;:@\[\]\\]+)@[^\s<>\"'(),;:@\[\]\\]+")
# Replies run over a few lines at most; what comes after helps nobody.
_REPLY_LENGTH = 1_000


class SqlLedger(Ledger):
    """All deliveries, one row a mailing and recipient, in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(
        self, worker: str, now: datetime, lease_until: datetime, limit: int
    ) -> Sequence[Delivery]:
        claimed: list[Delivery] = []
        values = {"worker_name": worker, "now": now, "lease": lease_until}
        with self._database.write() as transaction:
            connection = transaction.connection
            claimed += _claim(connection, CLAIM_SYSTEM, values, limit)
            issues = connection.scalars(SENDING_ISSUES).all() if len(claimed) < limit else ()
            for issue in issues:
                left = limit - len(claimed)
                claimed += _claim(connection, CLAIM_ISSUE, values | {"issue": issue}, left)
        return claimed

    def mailing(self, public_id: str) -> Mailing:
        with self._database.read() as transaction:
            content = transaction.connection.scalar(
                sa.select(t.mailing.c.content).where(t.mailing.c.public_id == public_id)
            )
        if content is None:
            raise NotFound("there is no such mailing any more", subject=public_id)
        return mailing_from_document(content)

    def hand_over(self, delivery: Delivery, worker: str, now: datetime) -> bool:
        row = {"row": delivery.id, "worker_name": worker, "now": now}
        with self._database.write() as transaction:
            if transaction.connection.execute(HAND_OVER, row).rowcount:
                return True
            transaction.connection.execute(RETURN_CLAIMED, row)
            return False

    def record(self, delivery: Delivery, worker: str, outcome: Outcome, now: datetime) -> None:
        row = t.delivery.c
        held = row.state.in_([state.value for state in _MAY_BECOME[outcome.kind]])
        with self._database.write() as transaction:
            written = transaction.connection.execute(
                sa.update(t.delivery)
                .where(
                    row.id == delivery.id,
                    row.worker == worker,
                    sa.or_(held, _LATE_NEWS) if outcome.kind in _DECIDED else held,
                )
                .values(**_of_kind(outcome, now), **_reply(outcome), changed_at=now)
            ).rowcount
            if written:
                return
            state = transaction.connection.scalar(
                sa.select(row.state).where(row.id == delivery.id, row.worker == worker)
            )
        if state == DeliveryState.CLAIMED:
            raise InvalidTransition(
                f"delivery {delivery.id} was never handed over and can't be {outcome.kind}",
                subject=str(delivery.id),
            )
        log.warning("outcome_too_late", delivery=delivery.id, outcome=str(outcome.kind))

    def renew(self, worker: str, lease_until: datetime) -> None:
        row = t.delivery.c
        with self._database.write() as transaction:
            transaction.connection.execute(
                sa.update(t.delivery)
                .where(row.worker == worker, row.lease_until.is_not(None))
                .values(lease_until=lease_until)
            )

    def release(self, worker: str) -> int:
        row = t.delivery.c
        with self._database.write() as transaction:
            return transaction.connection.execute(
                sa.update(t.delivery)
                .where(
                    row.worker == worker,
                    row.lease_until.is_not(None),
                    row.state == DeliveryState.CLAIMED.value,
                )
                .values(requeued(row.queued_at))
            ).rowcount

    def recover(self, now: datetime, *, all_workers: bool) -> tuple[int, int]:
        values = {"now": now, "all_workers": all_workers}
        with self._database.write() as transaction:
            claimed = transaction.connection.execute(RECOVER_CLAIMED, values).rowcount
            states = transaction.connection.scalars(RECOVER_HANDED_OVER, values).all()
        uncertain = states.count(DeliveryState.UNCERTAIN.value)
        return claimed + len(states) - uncertain, uncertain

    def next_due(self, now: datetime) -> datetime | None:
        with self._database.read() as transaction:
            dues = transaction.connection.scalars(NEXT_DUE).all()
        return max(now, min(waiting)) if (waiting := [due for due in dues if due]) else None

    def close_finished(self, now: datetime) -> Sequence[str]:
        closed: list[str] = []
        with self._database.read() as transaction:
            candidates = transaction.connection.scalars(FINISHED_ISSUES).all()
        if not candidates:
            return closed
        with self._database.write() as transaction:
            closed += transaction.connection.scalars(
                sa.update(t.issue)
                .where(t.issue.c.id.in_(FINISHED_ISSUES.with_only_columns(t.issue.c.id)))
                .values(state=IssueState.SENT.value, changed_at=now)
                .returning(t.issue.c.public_id)
            )
            changes = ChangeLog(transaction.connection)
            for public_id in closed:
                changes.record(now, "delivery", "issue", public_id, IssueState.SENT.value)
        return closed


# From which states each kind of outcome may be written.
_MAY_BECOME = {
    OutcomeKind.ACCEPTED: (DeliveryState.HANDED_OVER,),
    OutcomeKind.UNCERTAIN: (DeliveryState.HANDED_OVER,),
    OutcomeKind.DEFERRED: (DeliveryState.CLAIMED, DeliveryState.HANDED_OVER),
    OutcomeKind.REFUSED: (DeliveryState.CLAIMED, DeliveryState.HANDED_OVER),
    OutcomeKind.REQUEUED: (DeliveryState.CLAIMED, DeliveryState.HANDED_OVER),
}
_DECIDED = (OutcomeKind.ACCEPTED, OutcomeKind.REFUSED)
# A worker that was taken for dead tells in the end what became of a row in
# doubt: better late than a second copy. Such a row keeps its worker's name
# until the next one claims it.
_LATE_NEWS = sa.and_(
    t.delivery.c.doubts > 0,
    t.delivery.c.state.in_([DeliveryState.QUEUED.value, DeliveryState.UNCERTAIN.value]),
)


def _claim(
    connection: Connection, statement: sa.Executable, values: dict[str, Any], limit: int
) -> list[Delivery]:
    """Claim until ``limit`` rows are there or none is due; skipped rows don't count."""
    claimed: list[Delivery] = []
    while len(claimed) < limit:
        wanted = limit - len(claimed)
        rows = connection.execute(statement, values | {"wanted": wanted}).all()
        claimed += sorted(
            (
                Delivery(
                    id=row.id,
                    mailing_id=row.mailing,
                    recipient_id=row.recipient,
                    address=row.address,
                    attempts=row.attempts,
                    first_tried_at=row.first_tried_at,
                )
                for row in rows
                if row.state == DeliveryState.CLAIMED
            ),
            key=lambda delivery: delivery.id,
        )
        if len(rows) < wanted:
            break
    return claimed


def _of_kind(outcome: Outcome, now: datetime) -> dict[str, Any]:
    """The state that an outcome leads to, and the times that go with it."""
    row = t.delivery.c
    # A server that put us off was tried, even where it hung up without a word.
    tried = outcome.kind is OutcomeKind.DEFERRED or (
        outcome.kind in _DECIDED and outcome.reply.code > 0
    )
    values: dict[str, Any] = {}
    if tried:
        values["attempts"] = row.attempts + 1
        values["first_tried_at"] = sa.func.coalesce(
            row.first_tried_at, sa.literal(now, row.first_tried_at.type)
        )
    if outcome.kind is OutcomeKind.REQUEUED:
        return values | requeued(now)
    if outcome.kind is OutcomeKind.DEFERRED:
        return values | requeued(outcome.retry_at or now, state=DeliveryState.DEFERRED)
    if outcome.kind is OutcomeKind.UNCERTAIN:
        return values | doubted(outcome.retry_at or now)
    return values | {"state": outcome.kind.value, "due_at": None, "lease_until": None}


def _reply(outcome: Outcome) -> dict[str, Any]:
    """What is kept of the server's words: no address in them."""
    masked = _ADDRESS.sub(lambda found: mask_address(found[0]), outcome.reply.text)
    return {
        "reason": outcome.reason,
        "sender_fault": outcome.sender_fault,
        "relay": outcome.relay,
        "reply_code": outcome.reply.code,
        "reply_enhanced": outcome.reply.enhanced,
        "reply_text": masked[:_REPLY_LENGTH],
    }
