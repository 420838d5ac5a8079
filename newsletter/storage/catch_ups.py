"""Catch-ups: which issues there were to miss, and who waits for the best of them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import DeliveryState
from newsletter.issues.model import IssueState, SentIssue
from newsletter.publication.cadence import Edition
from newsletter.storage import tables as t
from newsletter.storage.changes import ChangeLog
from newsletter.storage.statements import (
    insert_or_leave,
    lock_name,
    newsletter_key,
    share_name,
    subscriber_key,
)

# What was called off, or may still be, nobody missed.
_TO_BE_MISSED = (IssueState.SENDING, IssueState.SENT)
_BEGAN_AT = sa.func.min(t.mailing.c.created_at)


class CatchUpRepository:
    """Readers whose pause is over, by the slot of the catch-up that they wait for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)

    def sent_issues(self, newsletter: str, edition: Edition, since: datetime) -> list[SentIssue]:
        """The issues of an edition, without extras, whose sending began at ``since`` or later."""
        rows = self._connection.execute(
            _missable(newsletter, edition)
            .with_only_columns(t.issue.c.slot, _BEGAN_AT)
            .having(since <= _BEGAN_AT)
        )
        return [SentIssue(slot, at) for slot, at in rows]

    def first_skipped(
        self, public_id: str, newsletter: str, edition: Edition, since: datetime
    ) -> datetime | None:
        """When the first issue began that was on its way at ``since`` and skipped a reader then.

        As one does that goes out in waves, or whose copy waited at the reader's server.
        """
        row = t.delivery.c
        began_at: datetime | None = self._connection.scalar(
            _missable(newsletter, edition)
            .join(t.delivery, row.issue_id == t.issue.c.id)
            .with_only_columns(_BEGAN_AT)
            .where(
                row.subscriber_id == subscriber_key(self._connection, public_id),
                row.state == DeliveryState.SKIPPED.value,
                row.changed_at >= since,
            )
            .order_by(_BEGAN_AT)
            .limit(1)
        )
        return began_at

    def owe(self, public_id: str, newsletter: str, slot: str, at: datetime, actor: str) -> None:
        """Note that a reader waits for a catch-up; a second time does nothing."""
        share_name(self._connection, _name(newsletter, slot))
        noted = insert_or_leave(
            self._connection,
            t.catch_up,
            {
                "newsletter_id": newsletter_key(self._connection, newsletter),
                "slot": slot,
                "subscriber_id": subscriber_key(self._connection, public_id),
                "since": at,
            },
        )
        if noted:
            detail = {"newsletter": newsletter, "missed": slot}
            self._changes.record(at, actor, "subscription", public_id, "catch-up", detail)

    def waiting(self) -> list[tuple[str, str]]:
        """(newsletter, slot) of the catch-ups that somebody waits for."""
        rows = self._connection.execute(
            sa.select(t.newsletter.c.slug, t.catch_up.c.slot)
            .join_from(t.catch_up, t.newsletter)
            .distinct()
            .order_by(t.newsletter.c.slug, t.catch_up.c.slot)
        )
        return [(slug, slot) for slug, slot in rows]

    def close(self, newsletter: str, slot: str) -> None:
        """Let nobody come to wait for a catch-up until this transaction ends: before its
        readers are queued and `settle` lets them go."""
        lock_name(self._connection, _name(newsletter, slot))

    def settle(self, newsletter: str, slot: str) -> int:
        """Nobody waits for a catch-up any more; how many did."""
        self.close(newsletter, slot)
        return self._connection.execute(
            sa.delete(t.catch_up).where(
                t.catch_up.c.newsletter_id == newsletter_key(self._connection, newsletter),
                t.catch_up.c.slot == slot,
            )
        ).rowcount


def _missable(newsletter: str, edition: Edition) -> sa.Select[Any]:
    """The issues of an edition that readers have, without extras, each as one group."""
    return (
        sa.select(t.issue)
        .join_from(t.issue, t.newsletter)
        .join(t.mailing, t.mailing.c.issue_id == t.issue.c.id)
        .where(
            t.newsletter.c.slug == newsletter,
            t.issue.c.edition == edition.value,
            t.issue.c.state.in_([state.value for state in _TO_BE_MISSED]),
            t.issue.c.slot.not_like("%.x%"),
        )
        .group_by(t.issue.c.id, t.issue.c.slot)
    )


def _name(newsletter: str, slot: str) -> str:
    return f"catch-up {newsletter} {slot}"
