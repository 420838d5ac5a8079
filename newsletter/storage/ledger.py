"""The ledger over SQL: every call is one transaction.

The moves are those of `delivery.states`, written as guarded updates in
`ledger_statements`.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import Delivery, DeliveryState, Mailing, Outcome, OutcomeKind
from newsletter.delivery.ports import Ledger
from newsletter.errors import InvalidTransition, NotFound
from newsletter.issues.model import IssueState
from newsletter.log import get_logger, mask_address
from newsletter.storage import ledger_statements as statements
from newsletter.storage import tables as t
from newsletter.storage.changes import ChangeLog
from newsletter.storage.database import Database
from newsletter.storage.documents import mailing_from_document

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
        """As the port says; of several issues that are sending, the earliest goes first."""
        values = {"worker_name": worker, "now": now, "lease": lease_until}
        with self._database.write() as transaction:
            connection = transaction.connection
            claimed = _claim(connection, statements.CLAIM_SYSTEM, values, limit)
            if len(claimed) < limit:
                for issue in connection.scalars(statements.SENDING_ISSUES).all():
                    values["issue_row"] = issue
                    left = limit - len(claimed)
                    claimed += _claim(connection, statements.CLAIM_ISSUE, values, left)
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
            if transaction.connection.execute(statements.HAND_OVER, row).rowcount:
                return True
            transaction.connection.execute(statements.RETURN_CLAIMED, row)
            return False

    def record(self, delivery: Delivery, worker: str, outcome: Outcome, now: datetime) -> None:
        """As the port says. A row in doubt is queued once more, as `recover` does it.

        An outcome for a row that is no longer the worker's is logged and
        dropped, unless it settles a doubt. InvalidTransition where a message
        that was never handed over is said to have been taken.
        """
        row = {"row": delivery.id, "worker_name": worker}
        with self._database.write() as transaction:
            written = transaction.connection.execute(
                statements.RECORD[outcome.kind], row | _parameters(outcome, now)
            ).rowcount
            if written:
                return
            state = transaction.connection.scalar(
                sa.select(t.delivery.c.state).where(
                    t.delivery.c.id == delivery.id, t.delivery.c.worker == worker
                )
            )
        if state == DeliveryState.CLAIMED:
            raise InvalidTransition(
                f"delivery {delivery.id} was never handed over and can't be {outcome.kind}",
                subject=str(delivery.id),
            )
        log.warning("outcome_too_late", delivery=delivery.id, outcome=str(outcome.kind))

    def renew(self, worker: str, lease_until: datetime) -> None:
        with self._database.write() as transaction:
            transaction.connection.execute(
                statements.RENEW, {"worker_name": worker, "lease": lease_until}
            )

    def release(self, worker: str) -> int:
        with self._database.write() as transaction:
            return transaction.connection.execute(
                statements.RELEASE, {"worker_name": worker}
            ).rowcount

    def recover(self, now: datetime, *, all_workers: bool) -> tuple[int, int]:
        """As the port says; the first figure counts every row that is queued again,
        the second those that stay uncertain."""
        values = {"now": now, "all_workers": all_workers}
        with self._database.write() as transaction:
            connection = transaction.connection
            claimed = connection.execute(statements.RECOVER_CLAIMED, values).rowcount
            states = connection.scalars(statements.RECOVER_HANDED_OVER, values).all()
        uncertain = states.count(DeliveryState.UNCERTAIN.value)
        return claimed + len(states) - uncertain, uncertain

    def next_due(self, now: datetime) -> datetime | None:
        """As the port says; ``now`` where something is due already."""
        with self._database.read() as transaction:
            dues = transaction.connection.scalars(statements.NEXT_DUE).all()
        waiting = [due for due in dues if due is not None]
        return max(now, min(waiting)) if waiting else None

    def close_finished(self, now: datetime) -> Sequence[str]:
        finished = statements.FINISHED_ISSUES
        # Asked after every run: a look that finds nothing must not wait to write.
        with self._database.read() as transaction:
            if transaction.connection.execute(finished).first() is None:
                return []
        with self._database.write() as transaction:
            closed = transaction.connection.scalars(
                sa.update(t.issue)
                .where(t.issue.c.id.in_(finished))
                .values(state=IssueState.SENT.value, changed_at=now)
                .returning(t.issue.c.public_id)
            ).all()
            changes = ChangeLog(transaction.connection)
            for public_id in closed:
                changes.record(now, "delivery", "issue", public_id, IssueState.SENT.value)
        return closed


def _claim(
    connection: Connection, statement: sa.Executable, values: dict[str, Any], limit: int
) -> list[Delivery]:
    """Claim until ``limit`` rows are there or none is due; skipped rows don't count."""
    claimed: list[Delivery] = []
    while len(claimed) < limit:
        wanted = limit - len(claimed)
        rows = connection.execute(statement, values | {"wanted": wanted}).all()
        found = [
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
        ]
        claimed += sorted(found, key=lambda delivery: delivery.id)
        if len(rows) < wanted:
            break
    return claimed


def _parameters(outcome: Outcome, now: datetime) -> dict[str, Any]:
    """What is kept of an outcome; of the server's words no address."""
    decided = outcome.kind in (OutcomeKind.ACCEPTED, OutcomeKind.REFUSED)
    masked = _ADDRESS.sub(lambda found: mask_address(found[0]), outcome.reply.text)
    return {
        "now": now,
        "due": outcome.retry_at or now,
        # A server that put us off was tried, even where it hung up without a word.
        "tried": int(outcome.kind is OutcomeKind.DEFERRED or (decided and outcome.reply.code > 0)),
        "its_reason": outcome.reason,
        "its_fault": outcome.sender_fault,
        "its_relay": outcome.relay,
        "its_code": outcome.reply.code,
        "its_enhanced": outcome.reply.enhanced,
        "its_text": masked[:_REPLY_LENGTH],
    }
