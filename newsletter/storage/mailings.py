"""Mailings: what is sent, queued for whom, and how far it got."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import DeliveryState, LedgerCounts, Mailing
from newsletter.storage import tables as t
from newsletter.storage.documents import mailing_document, mailing_from_document
from newsletter.storage.statements import (
    insert_into,
    insert_or_leave,
    issue_key,
    mailing_key,
    newsletter_key,
)
from newsletter.storage.subscribers import mailable

_HOLDING_ROWS = 1_000


@dataclass(frozen=True)
class DeliveryRow:
    """One row of the ledger, for a report.

    ``address`` is empty once its reader is forgotten; ``reason`` one of our
    words; the reply is the last one, with addresses masked.
    """

    mailing_id: str
    recipient_id: str
    address: str
    state: DeliveryState
    attempts: int
    doubts: int
    reason: str
    sender_fault: bool
    relay: str
    reply_code: int
    reply_enhanced: str
    reply_text: str
    queued_at: datetime
    due_at: datetime | None
    first_tried_at: datetime | None
    handed_over_at: datetime | None
    changed_at: datetime


class MailingRepository:
    """Mailings and their part of the ledger, until workers take it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(
        self,
        mailing: Mailing,
        *,
        key: str,
        issue_id: str | None = None,
        newsletter: str | None = None,
    ) -> bool:
        """Freeze a mailing; False where one of that ``key`` or public id is there already.

        With ``issue_id`` (public) it is the issue's: its rows are claimed only
        while the issue is sending, for readers who are then active. Without,
        they are claimed first and at once.
        """
        return bool(
            insert_or_leave(
                self._connection,
                t.mailing,
                {
                    "public_id": mailing.public_id,
                    "key": key,
                    "kind": mailing.kind.value,
                    "issue_id": issue_key(self._connection, issue_id) if issue_id else None,
                    "newsletter_id": (
                        newsletter_key(self._connection, newsletter) if newsletter else None
                    ),
                    "created_at": mailing.created_at,
                    "content": mailing_document(mailing),
                },
            )
        )

    def enqueue_audience(self, mailing_id: str, newsletter: str, at: datetime) -> int:
        """Queue a mailing for every active, not suppressed subscriber; how many were new."""
        mailing, issue_id = self._mailing(mailing_id)
        audience = mailable(newsletter_key(self._connection, newsletter)).with_only_columns(
            sa.literal(mailing, t.delivery.c.mailing_id.type),
            sa.literal(issue_id, t.delivery.c.issue_id.type),
            t.subscriber.c.id,
            t.subscriber.c.public_id,
            t.subscriber.c.address,
            sa.literal(DeliveryState.QUEUED.value, sa.String),
            *(sa.literal(at, t.delivery.c.queued_at.type) for _ in range(3)),
        )
        columns = ["mailing_id", "issue_id", "subscriber_id", "recipient", "address", "state"]
        statement = insert_into(self._connection, t.delivery).from_select(
            [*columns, "queued_at", "due_at", "changed_at"], audience
        )
        queued = self._connection.execute(
            statement.on_conflict_do_nothing(), execution_options={"preserve_rowcount": True}
        ).rowcount
        if self._connection.dialect.name == "postgresql":
            # Or it plans the claims as for an empty queue until it looks by
            # itself: 500 ms each instead of 5 with 100,000 rows (measured).
            self._connection.exec_driver_sql("ANALYZE delivery")
        return queued

    def enqueue(
        self,
        mailing_id: str,
        recipient_id: str,
        address: str,
        at: datetime,
        *,
        subscriber_id: str | None = None,
    ) -> None:
        """Queue a mailing for one recipient; a second time does nothing.

        ``subscriber_id`` (public) is looked up by ``recipient_id`` where it is
        left out: mail to a subscriber heeds what forbids it.
        """
        mailing, issue_id = self._mailing(mailing_id)
        subscriber = self._connection.scalar(
            sa.select(t.subscriber.c.id).where(
                t.subscriber.c.public_id == (subscriber_id or recipient_id)
            )
        )
        insert_or_leave(
            self._connection,
            t.delivery,
            {
                "mailing_id": mailing,
                "issue_id": issue_id,
                "subscriber_id": subscriber,
                "recipient": recipient_id,
                "address": address,
                "state": DeliveryState.QUEUED.value,
                "queued_at": at,
                "due_at": at,
                "changed_at": at,
            },
        )

    def of_issue(self, issue_id: str) -> list[Mailing]:
        """An issue's mailings, the first revision first."""
        rows = self._connection.scalars(
            sa.select(t.mailing.c.content)
            .join_from(t.mailing, t.issue)
            .where(t.issue.c.public_id == issue_id)
            .order_by(t.mailing.c.id)
        )
        return [mailing_from_document(content) for content in rows]

    def counts(self, issue_id: str) -> LedgerCounts:
        """How many of an issue's deliveries are in each state, over all its mailings."""
        rows = self._connection.execute(
            sa.select(t.delivery.c.state, sa.func.count().label("rows"))
            .join_from(t.delivery, t.mailing, t.mailing.c.id == t.delivery.c.mailing_id)
            .join(t.issue, t.issue.c.id == t.mailing.c.issue_id)
            .where(t.issue.c.public_id == issue_id)
            .group_by(t.delivery.c.state)
        )
        return LedgerCounts(**{row.state: row.rows for row in rows})

    def deliveries(self, issue_id: str) -> Iterator[DeliveryRow]:
        """An issue's ledger rows in the order in which they were queued; streamed."""
        row = t.delivery.c
        # In the order of DeliveryRow.
        rows = self._connection.execute(
            sa.select(
                t.mailing.c.public_id,
                row.recipient,
                sa.func.coalesce(row.address, ""),
                *(row.state, row.attempts, row.doubts, row.reason, row.sender_fault, row.relay),
                *(row.reply_code, row.reply_enhanced, row.reply_text),
                *(row.queued_at, row.due_at, row.first_tried_at, row.handed_over_at),
                row.changed_at,
            )
            .join_from(t.delivery, t.mailing, t.mailing.c.id == row.mailing_id)
            .join(t.issue, t.issue.c.id == t.mailing.c.issue_id)
            .where(t.issue.c.public_id == issue_id)
            .order_by(row.id),
            execution_options={"yield_per": _HOLDING_ROWS},
        )
        for mailing_id, recipient, address, state, *others in rows:
            yield DeliveryRow(mailing_id, recipient, address, DeliveryState(state), *others)

    def _mailing(self, public_id: str) -> tuple[int, int | None]:
        key = mailing_key(self._connection, public_id)
        issue_id = self._connection.scalar(
            sa.select(t.mailing.c.issue_id).where(t.mailing.c.id == key)
        )
        return key, issue_id
