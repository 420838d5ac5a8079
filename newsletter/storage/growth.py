"""What the change log says of subscriptions, summed up where many changed at once."""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.subscribers.model import ListChange

_ROWS = 1_000


class GrowthRepository:
    """Changes of the lists; an import of a million readers is one row."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def since(self, at: datetime) -> Iterator[ListChange]:
        """What changed from ``at`` on, the earliest first.

        The placement is that of the consent at the time; of lines that did not keep
        it yet, that of the consent as it stands, empty once a reader is forgotten.
        """
        log = t.change_log.c

        def told(*names: str) -> sa.ColumnElement[str]:
            return sa.func.coalesce(*(log.detail[name].as_string() for name in names), "")

        slug = log.detail["newsletter"].as_string()
        placement = sa.func.coalesce(
            log.detail["placement"].as_string(), t.subscription.c.consent_placement, ""
        )
        rows = (
            sa.select(
                log.at,
                slug.label("newsletter"),
                placement.label("placement"),
                log.act,
                told("how").label("how"),
                told("reason", "because", "cadence").label("reason"),
            )
            .select_from(t.change_log)
            .outerjoin(t.subscriber, t.subscriber.c.public_id == log.subject)
            .outerjoin(t.newsletter, t.newsletter.c.slug == slug)
            .outerjoin(
                t.subscription,
                sa.and_(
                    t.subscription.c.subscriber_id == t.subscriber.c.id,
                    t.subscription.c.newsletter_id == t.newsletter.c.id,
                ),
            )
            .where(log.kind == "subscription", log.at >= at)
            .subquery()
        )
        summed = (
            sa.select(*rows.c, sa.func.count().label("changes"))
            .where(rows.c.newsletter.is_not(None))
            .group_by(*rows.c)
            .order_by(*rows.c)
        )
        for row in self._connection.execute(summed, execution_options={"yield_per": _ROWS}):
            yield ListChange(
                at=row.at,
                newsletter=row.newsletter,
                placement=row.placement,
                act=row.act,
                how=row.how,
                reason=row.reason,
                count=row.changes,
            )
