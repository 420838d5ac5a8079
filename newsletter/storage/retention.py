"""What is older than it may be kept: found, erased, folded into counts, in bounded steps."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import MailingKind
from newsletter.issues.model import IssueState
from newsletter.storage import tables as t
from newsletter.storage.bounces import drop_bounces
from newsletter.storage.documents import mailing_document, mailing_from_document
from newsletter.storage.growth import fold_changes
from newsletter.storage.statements import chunks, insert_into, of_nobody
from newsletter.subscribers.model import SubscriptionState

# Of these the log tells what readers did; of issues and settings it is kept whole.
_OF_READERS = ("subscriber", "subscription", "suppression", "confirmation")
_BLANK = {"subject": "", "html": "", "text": ""}
# The rows of a stopped issue say whether anybody has it: they stay, of nobody.
_STOPPED = (IssueState.RECALLED.value, IssueState.CANCELLED.value)
_ENDED = (IssueState.SENT.value, *_STOPPED)
# What holds a consent.
_AGREED = (t.subscription, t.subscription_wish)
_row = t.delivery.c


class RetentionRepository:
    """Each step takes at most ``limit`` rows, the oldest first, and tells how many it took."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def unconfirmed(self, before: datetime, limit: int) -> list[tuple[str, str]]:
        """(subscriber, newsletter) of sign-ups that nobody confirmed."""
        subscription = t.subscription.c
        rows = self._connection.execute(
            sa.select(t.subscriber.c.public_id, t.newsletter.c.slug)
            .join_from(t.subscription, t.subscriber)
            .join(t.newsletter)
            .where(
                subscription.state == SubscriptionState.PENDING.value,
                subscription.changed_at < before,
            )
            .order_by(subscription.changed_at, subscription.id)
            .limit(limit)
        )
        return [(public_id, slug) for public_id, slug in rows]

    def drop_subscription(self, public_id: str, newsletter: str) -> bool:
        """Drop one subscription; whether its subscriber has none left."""
        key = self._connection.scalar(
            sa.select(t.subscriber.c.id).where(t.subscriber.c.public_id == public_id)
        )
        newsletter_id = sa.select(t.newsletter.c.id).where(t.newsletter.c.slug == newsletter)
        self._connection.execute(
            sa.delete(t.subscription).where(
                t.subscription.c.subscriber_id == key,
                t.subscription.c.newsletter_id.in_(newsletter_id),
            )
        )
        left = sa.select(t.subscription.c.id).where(t.subscription.c.subscriber_id == key).limit(1)
        return self._connection.scalar(left) is None

    def drop_wishes(self, before: datetime, limit: int) -> int:
        """Drop wishes of readers who had left, and never confirmed that they come back."""
        wish = t.subscription_wish.c
        key = (wish.subscriber_id, wish.newsletter_id)
        old = sa.select(*key).where(wish.consent_at < before).limit(limit)
        return self._connection.execute(
            sa.delete(t.subscription_wish).where(sa.tuple_(*key).in_(old))
        ).rowcount

    def count_wishes(self, before: datetime) -> int:
        return self._count(t.subscription_wish, t.subscription_wish.c.consent_at < before)

    def without_subscription(self, before: datetime, limit: int) -> list[str]:
        """Subscribers who were known by then and have no subscription at all."""
        person = t.subscriber.c
        theirs = sa.exists().where(t.subscription.c.subscriber_id == person.id)
        rows = self._connection.execute(
            sa.select(person.public_id)
            .where(person.created_at < before, ~theirs)
            .order_by(person.id)
            .limit(limit)
        )
        return list(rows.scalars())

    def long_gone(self, before: datetime, limit: int) -> list[str]:
        """Subscribers who have left all they had, the last of it long ago, and ask for nothing."""
        subscription = t.subscription.c
        asks = sa.exists().where(t.subscription_wish.c.subscriber_id == t.subscriber.c.id)
        gone = sa.case((subscription.state == SubscriptionState.UNSUBSCRIBED.value, 1), else_=0)
        rows = self._connection.execute(
            sa.select(t.subscriber.c.public_id)
            .join_from(t.subscription, t.subscriber)
            .where(~asks)
            .group_by(t.subscriber.c.id, t.subscriber.c.public_id)
            .having(
                sa.func.min(gone) == 1,
                sa.func.max(subscription.changed_at) < before,
            )
            .order_by(t.subscriber.c.id)
            .limit(limit)
        )
        return list(rows.scalars())

    def drop_wanted_addresses(self, before: datetime, limit: int) -> int:
        """Forget addresses whose mailbox did not answer."""
        old = (
            sa.select(t.address_change.c.subscriber_id)
            .where(t.address_change.c.asked_at < before)
            .limit(limit)
        )
        return self._connection.execute(
            sa.delete(t.address_change).where(t.address_change.c.subscriber_id.in_(old))
        ).rowcount

    def count_wanted_addresses(self, before: datetime) -> int:
        return self._count(t.address_change, t.address_change.c.asked_at < before)

    def drop_previous_addresses(self, before: datetime, limit: int) -> int:
        """Forget the addresses of before a change that can't be taken back any more."""
        kept = t.previous_address.c
        old = sa.select(kept.public_id).where(kept.changed_at < before).limit(limit)
        return self._connection.execute(
            sa.delete(t.previous_address).where(kept.public_id.in_(old))
        ).rowcount

    def count_previous_addresses(self, before: datetime) -> int:
        return self._count(t.previous_address, t.previous_address.c.changed_at < before)

    def drop_networks(self, before: datetime, limit: int) -> int:
        """Empty the hashes of the networks that readers agreed from."""
        emptied = 0
        for table in _AGREED:
            keys = table.primary_key.columns
            old = sa.select(*keys).where(_old_networks(table, before)).limit(limit - emptied)
            emptied += self._connection.execute(
                sa.update(table).where(sa.tuple_(*keys).in_(old)).values(consent_network="")
            ).rowcount
        return emptied

    def count_networks(self, before: datetime) -> int:
        return sum(self._count(table, _old_networks(table, before)) for table in _AGREED)

    def drop_confirmations(self, answered_before: datetime, before: datetime, limit: int) -> int:
        """Drop counts of confirmations: answered ones and those that nobody answered."""
        old = self._old_confirmations(answered_before, before)
        keys = sa.select(t.confirmation_count.c.address_hash).where(old).limit(limit)
        return self._connection.execute(
            sa.delete(t.confirmation_count).where(t.confirmation_count.c.address_hash.in_(keys))
        ).rowcount

    def count_confirmations(self, answered_before: datetime, before: datetime) -> int:
        return self._count(t.confirmation_count, self._old_confirmations(answered_before, before))

    def blank_changes(self, before: datetime, limit: int) -> int:
        """Empty the detail of what the log tells of readers; how many came and left stays."""
        key = t.change_log.c.id
        old = sa.select(key).where(self._old_changes(before)).order_by(key).limit(limit)
        # Whoever does the same meanwhile waits, and finds them emptied.
        keys = self._connection.scalars(old.with_for_update()).all()
        fold_changes(self._connection, keys)
        for chunk in chunks(keys):
            self._connection.execute(
                sa.update(t.change_log).where(key.in_(chunk)).values(detail={})
            )
        return len(keys)

    def count_changes(self, before: datetime) -> int:
        return self._count(t.change_log, self._old_changes(before))

    def drop_clicks(self, before: datetime, limit: int) -> int:
        """Forget who clicked on what; how often an item was clicked on stays."""
        click = t.reader_click.c
        key = (click.subscriber_id, click.link_id)
        old = sa.select(*key).where(click.last_at < before).limit(limit)
        return self._connection.execute(
            sa.delete(t.reader_click).where(sa.tuple_(*key).in_(old))
        ).rowcount

    def count_clicks(self, before: datetime) -> int:
        return self._count(t.reader_click, t.reader_click.c.last_at < before)

    def old_issues(self, before: datetime) -> list[int]:
        """The rows of issues that were sent before then and still have readers in the ledger."""
        of_issue = sa.select(_row.id).where(
            _row.mailing_id == t.mailing.c.id, _row.subscriber_id.is_not(None)
        )
        folded = sa.select(_row.id).where(_row.mailing_id == t.mailing.c.id)
        rows = self._connection.execute(
            sa.select(t.issue.c.id)
            .join_from(t.issue, t.mailing)
            .where(
                t.issue.c.send_at < before,
                sa.or_(
                    sa.and_(t.issue.c.state == IssueState.SENT.value, folded.exists()),
                    sa.and_(t.issue.c.state.in_(_STOPPED), of_issue.exists()),
                ),
            )
            .distinct()
            .order_by(t.issue.c.id)
        )
        return list(rows.scalars())

    def stretches(self, issue_key: int, rows: int) -> list[range]:
        """The keys between which an issue's rows lie in the ledger, in pieces of ``rows``."""
        first, last = self._connection.execute(
            sa.select(sa.func.min(_row.id + 0), sa.func.max(_row.id + 0)).where(
                _row.mailing_id.in_(_mailings_of(issue_key))
            )
        ).one()
        if first is None:
            return []
        return [range(start, start + rows) for start in range(first, last + 1, rows)]

    def fold_stretch(self, issue_key: int, keys: range) -> int:
        """Turn a stretch of an issue's rows into counts; of one that was stopped, into
        rows of nobody. How many rows that were."""
        state = self._connection.scalar(sa.select(t.issue.c.state).where(t.issue.c.id == issue_key))
        mine = sa.and_(
            _row.id.between(keys.start, keys.stop - 1),
            _row.mailing_id.in_(_mailings_of(issue_key)),
        )
        drop_bounces(self._connection, mine)
        if state in _STOPPED:
            return self._connection.execute(
                sa.update(t.delivery)
                .where(mine, _row.subscriber_id.is_not(None))
                .values(**of_nobody(self._connection), reply_text="")
            ).rowcount
        self._add_counts(mine)
        return self._connection.execute(sa.delete(t.delivery).where(mine)).rowcount

    def count_deliveries(self, before: datetime) -> int:
        issues = self.old_issues(before)
        mailings = sa.select(t.mailing.c.id).where(t.mailing.c.issue_id.in_(issues))
        return self._count(t.delivery, _row.mailing_id.in_(mailings)) if issues else 0

    def drop_versions(self, before: datetime, limit: int) -> int:
        """Drop what was saved of issues on their way to what went out, long after they did."""
        old = (
            sa.select(t.issue_version.c.issue_id, t.issue_version.c.number)
            .join_from(t.issue_version, t.issue)
            .where(self._old_issues_versions(before))
            .limit(limit)
        )
        keys = self._connection.execute(old).all()
        for issue_id, number in keys:
            self._connection.execute(
                sa.delete(t.issue_version).where(
                    t.issue_version.c.issue_id == issue_id, t.issue_version.c.number == number
                )
            )
        return len(keys)

    def count_versions(self, before: datetime) -> int:
        return self._count(t.issue_version.join(t.issue), self._old_issues_versions(before))

    def drop_system_mail(self, before: datetime, limit: int) -> int:
        """Drop the ledger's rows of old system mail, and empty what it said."""
        mailings = self._connection.execute(
            sa.select(t.mailing.c.id, t.mailing.c.content)
            .where(self._old_system_mail(before))
            .order_by(t.mailing.c.id)
            .limit(limit)
        ).all()
        for key, content in mailings:
            blank = mailing_document(mailing_from_document(content | _BLANK))
            self._connection.execute(
                sa.update(t.mailing).where(t.mailing.c.id == key).values(content=blank)
            )
        keys = [key for key, _ in mailings]
        drop_bounces(self._connection, _row.mailing_id.in_(keys))
        self._connection.execute(sa.delete(t.delivery).where(_row.mailing_id.in_(keys)))
        return len(keys)

    def count_system_mail(self, before: datetime) -> int:
        return self._count(t.mailing, self._old_system_mail(before))

    def _old_system_mail(self, before: datetime) -> sa.ColumnElement[bool]:
        waits = sa.select(_row.id).where(
            _row.mailing_id == t.mailing.c.id,
            sa.or_(_row.due_at.is_not(None), _row.worker_id.is_not(None)),
        )
        rows = sa.select(_row.id).where(_row.mailing_id == t.mailing.c.id)
        return sa.and_(
            t.mailing.c.kind.in_((MailingKind.SYSTEM.value, MailingKind.TEST.value)),
            t.mailing.c.created_at < before,
            rows.exists(),
            ~waits.exists(),
        )

    def _old_confirmations(
        self, answered_before: datetime, before: datetime
    ) -> sa.ColumnElement[bool]:
        count = t.confirmation_count.c
        return sa.or_(
            sa.and_(count.unanswered == 0, count.last_at < answered_before),
            count.last_at < before,
        )

    def _old_changes(self, before: datetime) -> sa.ColumnElement[bool]:
        log = t.change_log.c
        return sa.and_(
            log.at < before, log.kind.in_(_OF_READERS), sa.cast(log.detail, sa.Text) != "{}"
        )

    def _add_counts(self, mine: sa.ColumnElement[bool]) -> None:
        columns = (_row.mailing_id, _row.issue_id, _row.wave, _row.state, _row.reason, _row.relay)
        found: Sequence[Any] = self._connection.execute(
            sa.select(
                *columns,
                sa.func.count().label("readers"),
                sa.func.sum(sa.case((_row.doubts > 0, 1), else_=0)).label("doubtful"),
            )
            .where(mine)
            .group_by(*columns)
        ).all()
        insert = insert_into(self._connection, t.folded_delivery)
        folded, new = t.folded_delivery.c, insert.excluded
        if not found:
            return
        self._connection.execute(
            insert.on_conflict_do_update(
                index_elements=["mailing_id", "wave", "state", "reason", "relay"],
                set_={
                    "readers": folded.readers + new.readers,
                    "doubtful": folded.doubtful + new.doubtful,
                },
            ),
            [dict(row._mapping) for row in found],
        )

    def _old_issues_versions(self, before: datetime) -> sa.ColumnElement[bool]:
        return sa.and_(t.issue.c.state.in_(_ENDED), t.issue.c.changed_at < before)

    def _count(self, table: sa.FromClause, where: sa.ColumnElement[bool]) -> int:
        return self._connection.execute(
            sa.select(sa.func.count()).select_from(table).where(where)
        ).scalar_one()


def _old_networks(table: sa.Table, before: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.consent_at < before, table.c.consent_network != "")


def _mailings_of(issue_key: int) -> sa.Select[tuple[int]]:
    return sa.select(t.mailing.c.id).where(t.mailing.c.issue_id == issue_key)
