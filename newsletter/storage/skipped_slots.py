"""Slots that an editor skips."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.changes import ChangeLog
from newsletter.storage.statements import insert_or_leave, newsletter_key


class SkippedSlots:
    """By newsletter slug and slot key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)

    def of(self, newsletter: str) -> frozenset[str]:
        """The keys of the slots that the newsletter skips."""
        rows = self._connection.scalars(
            sa.select(t.skipped_slot.c.slot)
            .join_from(t.skipped_slot, t.newsletter)
            .where(t.newsletter.c.slug == newsletter)
        )
        return frozenset(rows)

    def skip(self, newsletter: str, slot: str, actor: str, at: datetime) -> bool:
        """Skip a slot; False where it is skipped already."""
        key = newsletter_key(self._connection, newsletter)
        row = {"newsletter_id": key, "slot": slot, "at": at, "actor": actor}
        if not insert_or_leave(self._connection, t.skipped_slot, row):
            return False
        self._changes.record(at, actor, "newsletter", newsletter, "slot skipped", {"slot": slot})
        return True

    def take_in(self, newsletter: str, slot: str, actor: str, at: datetime) -> bool:
        """Skip it no more; False where it was not skipped."""
        key = newsletter_key(self._connection, newsletter)
        gone = self._connection.execute(
            sa.delete(t.skipped_slot).where(
                t.skipped_slot.c.newsletter_id == key, t.skipped_slot.c.slot == slot
            )
        ).rowcount
        if gone:
            detail = {"slot": slot}
            self._changes.record(at, actor, "newsletter", newsletter, "slot taken in", detail)
        return bool(gone)
