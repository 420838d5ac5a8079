"""What mail servers told of messages that ours had taken."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.feedback.model import Bounce, BounceAction, BounceReport
from newsletter.storage import tables as t
from newsletter.storage.statements import insert_into

_row = t.delivery.c
_told = t.bounce_report.c
# In the order in which `bounce_of` reads them.
BOUNCE_COLUMNS = (_told.at, _told.action, _told.code, _told.enhanced, _told.text)


class BounceReports:
    """One a message, the newest; a failure is not told over."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, mailing_id: str, recipient_id: str, report: BounceReport, at: datetime) -> bool:
        """Keep a report of the message that its return path names.

        False where there is no such message any more, or its reader was forgotten.
        """
        key = self._connection.scalar(
            sa.select(_row.id)
            .join_from(t.delivery, t.mailing, t.mailing.c.id == _row.mailing_id)
            .where(
                t.mailing.c.public_id == mailing_id,
                _row.recipient == recipient_id,
                _row.address.is_not(None),
            )
        )
        if key is None:
            return False
        insert = insert_into(self._connection, t.bounce_report)
        new = insert.excluded
        told = {column.key: new[column.key] for column in BOUNCE_COLUMNS}
        failed = BounceAction.FAILED.value
        self._connection.execute(
            insert.on_conflict_do_update(
                index_elements=["delivery_id"],
                set_=told,
                where=sa.or_(_told.action != failed, new.action == failed),
            ),
            {
                "delivery_id": key,
                "at": at,
                "action": report.action.value,
                "code": report.code,
                "enhanced": report.enhanced,
                "text": report.text,
            },
        )
        return True


def drop_bounces(connection: Connection, deliveries: sa.ColumnElement[bool]) -> None:
    """Drop what was told of these rows of the ledger, before they go or lose their reader."""
    keys = sa.select(_row.id).where(deliveries)
    connection.execute(sa.delete(t.bounce_report).where(_told.delivery_id.in_(keys)))


def bounce_of(
    at: datetime | None, action: str, code: int, enhanced: str, text: str
) -> Bounce | None:
    """From `BOUNCE_COLUMNS`; None where nothing was told."""
    if at is None:
        return None
    return Bounce(BounceReport(BounceAction(action), code, enhanced, text), at)
