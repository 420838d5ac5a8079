"""Everything that is held about a reader, row by row, for the reader."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.statements import subscriber_key

# Our own numbers for rows, and what only our machines know each other by.
_INSIDE = frozenset(
    (
        *(
            "id",
            "subscriber_id",
            "newsletter_id",
            "issue_id",
            "mailing_id",
            "import_id",
            "was_import_id",
        ),
        *("worker_id", "handed_by", "recipient", "link_id", "delivery_id", "content"),
    )
)


class HoldingRepository:
    """What is held about one person; plain documents, their instants aware."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, public_id: str, address_hash: str, counted_by: str) -> dict[str, Any]:
        """All rows about a subscriber, by what they are. NotFound.

        ``counted_by`` is the keyed hash that confirmations to their address are counted by.
        """
        key = subscriber_key(self._connection, public_id)
        subscriber, subscription = t.subscriber.c, t.subscription.c
        log = t.change_log.c
        return {
            "subscriber": self._rows(sa.select(t.subscriber).where(subscriber.id == key))[0],
            "subscriptions": self._rows(
                sa.select(t.newsletter.c.slug.label("newsletter"), t.subscription)
                .join_from(t.subscription, t.newsletter)
                .where(subscription.subscriber_id == key)
                .order_by(t.newsletter.c.slug)
            ),
            "wishes": self._rows(
                sa.select(t.newsletter.c.slug.label("newsletter"), t.subscription_wish)
                .join_from(t.subscription_wish, t.newsletter)
                .where(t.subscription_wish.c.subscriber_id == key)
                .order_by(t.newsletter.c.slug)
            ),
            "address_wanted": self._rows(
                sa.select(t.address_change).where(t.address_change.c.subscriber_id == key)
            ),
            "previous_addresses": self._rows(
                sa.select(t.previous_address)
                .where(t.previous_address.c.subscriber_id == key)
                .order_by(t.previous_address.c.changed_at)
            ),
            # How many: nobody can read an address in its hash.
            "former_addresses": self._connection.scalar(
                sa.select(sa.func.count())
                .select_from(t.former_address)
                .where(t.former_address.c.subscriber_id == key)
            ),
            "catch_ups": self._rows(
                sa.select(t.newsletter.c.slug.label("newsletter"), t.catch_up)
                .join_from(t.catch_up, t.newsletter)
                .where(t.catch_up.c.subscriber_id == key)
                .order_by(t.catch_up.c.since)
            ),
            "suppression": self._rows(
                sa.select(t.suppression).where(t.suppression.c.address_hash == address_hash)
            ),
            "confirmations": self._rows(
                sa.select(t.confirmation_count).where(
                    t.confirmation_count.c.address_hash == counted_by
                )
            ),
            "deliveries": self._rows(
                sa.select(
                    t.mailing.c.kind,
                    t.mailing.c.content["subject"].as_string().label("subject"),
                    t.newsletter.c.slug.label("newsletter"),
                    t.issue.c.slot.label("issue"),
                    t.delivery,
                )
                .join_from(t.delivery, t.mailing, t.mailing.c.id == t.delivery.c.mailing_id)
                .join(t.issue, t.issue.c.id == t.delivery.c.issue_id, isouter=True)
                .join(t.newsletter, t.newsletter.c.id == t.mailing.c.newsletter_id, isouter=True)
                .where(t.delivery.c.subscriber_id == key)
                .order_by(t.delivery.c.id)
            ),
            "bounces": self._rows(
                sa.select(t.bounce_report)
                .join_from(
                    t.bounce_report, t.delivery, t.delivery.c.id == t.bounce_report.c.delivery_id
                )
                .where(t.delivery.c.subscriber_id == key)
                .order_by(t.bounce_report.c.delivery_id)
            ),
            "clicks": self._rows(
                sa.select(t.link.c.url, t.issue.c.slot.label("issue"), t.reader_click)
                .join_from(t.reader_click, t.link)
                .join(t.issue)
                .where(t.reader_click.c.subscriber_id == key)
                .order_by(t.reader_click.c.first_at)
            ),
            "imports": self._rows(
                sa.select(
                    t.subscriber_import.c.public_id.label("import"),
                    t.subscriber_import.c.started_at,
                    t.import_trace,
                )
                .join_from(t.import_trace, t.subscriber_import)
                .where(t.import_trace.c.subscriber_id == key)
            ),
            "changes": self._rows(
                sa.select(log.at, log.actor, log.kind, log.act, log.detail)
                .where(log.subject.in_([public_id, address_hash]))
                .order_by(log.id)
            ),
        }

    def _rows(self, select: sa.Select[Any]) -> list[dict[str, Any]]:
        return [
            {name: value for name, value in row.items() if name not in _INSIDE}
            for row in self._connection.execute(select).mappings()
        ]
