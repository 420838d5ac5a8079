"""Mailings: what is sent, queued for whom, and how far it got."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import sqlalchemy as sa

from newsletter.delivery.model import DeliveryState, Hold, Mailing, MailingKind, PlannedWave
from newsletter.issues.model import IssueState, ServedVariant
from newsletter.storage import tables as t
from newsletter.storage.audience import (
    last_wave,
    mailing_of_reader,
    open_waves,
    reader_order,
    room_for_indexes,
    wave_of_reader,
    widen_wave,
)
from newsletter.storage.documents import mailing_document, mailing_from_document
from newsletter.storage.ledger_statements import SLOW_WAVE
from newsletter.storage.ready import ReadyStatement
from newsletter.storage.statements import (
    domain_of,
    find_subscriber_key,
    insert_into,
    insert_or_leave,
    issue_key,
    mailing_key,
    newsletter_key,
)
from newsletter.storage.subscribers import mailable
from newsletter.storage.unserved_rows import UnservedRows
from newsletter.subscribers.model import Segment


@dataclass(frozen=True)
class Fate:
    """What became of a mailing at one address: the relay's last reply, and when it changed."""

    address: str
    state: DeliveryState
    reason: str
    reply_code: int
    reply_text: str
    at: datetime


class MailingRepository(UnservedRows):
    """Mailings and their part of the ledger, until workers take it."""

    def is_known(self, key: str) -> bool:
        """Whether there is a mailing of that ``key``."""
        found = sa.select(t.mailing.c.id).where(t.mailing.c.key == key)
        return self._connection.scalar(found) is not None

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

    def fates(self, mailing_id: str) -> list[Fate]:
        """What became of a test, in the order in which it was queued; nothing of other mailings."""
        row = t.delivery.c
        found = self._connection.execute(
            sa.select(
                sa.func.coalesce(row.address, ""),
                *(row.state, row.reason, row.reply_code, row.reply_text, row.changed_at),
            )
            .join_from(t.delivery, t.mailing, t.mailing.c.id == row.mailing_id)
            .where(
                t.mailing.c.public_id == mailing_id,
                t.mailing.c.kind == MailingKind.TEST.value,
            )
            .order_by(row.id)
        )
        return [Fate(one[0], DeliveryState(one[1]), *one[2:]) for one in found]

    def enqueue_audience(
        self,
        mailing_id: str,
        newsletter: str,
        at: datetime,
        waves: Sequence[PlannedWave] = (),
        variants: Mapping[str, ServedVariant] = MappingProxyType({}),
        segment: Segment | None = None,
    ) -> int:
        """Queue a mailing for every active, not suppressed subscriber; how many were new.

        With ``segment`` only for those in it.

        An issue's readers are served in ``waves`` (without them all at once),
        whose rows follow one another. Once they stand, newcomers join the last.
        With ``variants``, by the public id of their mailing, each gets the one that
        serves their choice, and ``mailing_id`` is that of all others.
        """
        connection = self._connection
        mailing, issue_id = self._mailing(mailing_id)
        newsletter_id = newsletter_key(connection, newsletter)
        plan = (waves if issue_id else ()) or (PlannedWave("all", at, others=True),)
        latest = last_wave(connection, issue_id) if issue_id else None
        number = (
            wave_of_reader(connection, newsletter_id, plan, mailing_id, segment)
            if latest is None
            else sa.literal(latest, sa.Integer)
        )
        rows = (
            mailable(connection, newsletter_id, segment)
            .with_only_columns(
                mailing_of_reader(
                    mailing, {mailing_key(connection, one): v for one, v in variants.items()}
                ),
                sa.literal(issue_id, t.delivery.c.issue_id.type),
                t.subscriber.c.id,
                t.subscriber.c.public_id,
                t.subscriber.c.address,
                domain_of(connection, t.subscriber.c.address),
                number.label("wave"),
                sa.literal(DeliveryState.QUEUED.value, sa.String),
                *(sa.literal(at, t.delivery.c.queued_at.type) for _ in range(3)),
            )
            .order_by(sa.literal_column("wave"), *reader_order(mailing_id))
        )
        columns = ["mailing_id", "issue_id", "subscriber_id", "recipient", "address", "domain"]
        statement = insert_into(connection, t.delivery).from_select(
            [*columns, "wave", "state", "queued_at", "due_at", "changed_at"], rows
        )
        with room_for_indexes(connection):
            queued = connection.execute(
                statement.on_conflict_do_nothing(), execution_options={"preserve_rowcount": True}
            ).rowcount
        if issue_id and latest is None:
            open_waves(connection, issue_id, plan, at)
        elif issue_id and latest is not None and queued:
            widen_wave(connection, issue_id, latest, queued)
        if connection.dialect.name == "postgresql":
            # Or it plans the claims as for an empty queue until it looks by
            # itself: 500 ms each instead of 5 with 100,000 rows (measured).
            connection.exec_driver_sql("ANALYZE delivery")
        return queued

    def enqueue(
        self,
        mailing_id: str,
        recipient_id: str,
        address: str,
        at: datetime,
        *,
        subscriber_id: str | None = None,
        address_hash: str | None = None,
        slow: bool = False,
    ) -> None:
        """Queue a mailing for one recipient, from ``at`` on; a second time does nothing.

        ``slow`` lets it wait behind all other system mail that is due.
        ``subscriber_id`` (public) is looked up by ``recipient_id`` where it is
        left out: mail to a subscriber heeds what forbids it. With ``address_hash`` (keyed)
        system mail heeds what forbids it to that address, and not to the subscriber's.
        """
        mailing, issue_id = self._mailing(mailing_id)
        subscriber = find_subscriber_key(self._connection, subscriber_id or recipient_id)
        wave = last_wave(self._connection, issue_id) if issue_id else None
        queued = insert_or_leave(
            self._connection,
            t.delivery,
            {
                "mailing_id": mailing,
                "issue_id": issue_id,
                "subscriber_id": subscriber,
                "recipient": recipient_id,
                "address": address,
                "domain": address.rpartition("@")[2],
                "address_hash": address_hash,
                "wave": wave or (SLOW_WAVE if slow else 0),
                "state": DeliveryState.QUEUED.value,
                "queued_at": at,
                "due_at": at,
                "changed_at": at,
            },
        )
        if issue_id and wave is not None and queued:
            widen_wave(self._connection, issue_id, wave, queued)

    def went_to(self, issue_id: str, subscriber_id: str) -> bool:
        """Whether an issue was queued for a subscriber (public ids)."""
        found = self._connection.scalar(
            sa.select(t.delivery.c.id)
            .join_from(t.delivery, t.subscriber, t.subscriber.c.id == t.delivery.c.subscriber_id)
            .join(t.issue, t.issue.c.id == t.delivery.c.issue_id)
            .where(t.issue.c.public_id == issue_id, t.subscriber.c.public_id == subscriber_id)
        )
        return found is not None

    def of_issue(self, issue_id: str) -> list[Mailing]:
        """An issue's mailings, the first revision first, of each the canonical variant first."""
        rows = self._connection.scalars(
            sa.select(t.mailing.c.content)
            .join_from(t.mailing, t.issue)
            .where(t.issue.c.public_id == issue_id)
            .order_by(t.mailing.c.id)
        )
        return [mailing_from_document(content) for content in rows]

    def holds(self, now: datetime) -> dict[str, Hold]:
        """Of issues that are sending and can't go on as they are: why, by their public ids."""
        waits = sa.exists().where(
            t.delivery.c.mailing_id == t.mailing.c.id, t.delivery.c.due_at.is_not(None)
        )
        rows = self._connection.execute(
            sa.select(t.issue.c.public_id, t.mailing.c.held_until, t.mailing.c.held_because)
            .join_from(t.mailing, t.issue)
            .where(
                t.mailing.c.held_until > now,
                t.issue.c.state == IssueState.SENDING.value,
                waits,
            )
            .order_by(t.mailing.c.id)
        )
        return {public_id: Hold(until, because) for public_id, until, because in rows}

    def _mailing(self, public_id: str) -> tuple[int, int | None]:
        key = mailing_key(self._connection, public_id)
        issue_id: int | None = _ISSUE_OF.scalar(self._connection, id=key)
        return key, issue_id


_ISSUE_OF = ReadyStatement(
    lambda _: sa.select(t.mailing.c.issue_id).where(t.mailing.c.id == sa.bindparam("id"))
)
