"""What the change log says of subscriptions, summed up where many changed at once.

Lines whose detail is no longer kept are counted by the hour before that goes; who it
was is then told nowhere, and how many came and left for as long as the paper is.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.statements import chunks, insert_into
from newsletter.subscribers.model import ListChange

_ROWS = 1_000
_TOLD = ("newsletter", "placement", "act", "how", "reason", "before")


class GrowthRepository:
    """Changes of the lists; an import of a million readers is one row."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def since(self, at: datetime) -> Iterator[ListChange]:
        """What changed from ``at`` on, the earliest first; what is folded to the hour.

        The placement is that of the consent at the time; of lines that did not keep
        it yet, that of the consent as it stands, empty once a reader is forgotten.
        """
        folded = t.folded_change.c
        columns = [folded[name] for name in ("at", *_TOLD, "changes")]
        yield from self._changes(sa.select(*columns).where(folded.at >= at).order_by(*columns))
        yield from self._changes(_summed(t.change_log.c.at >= at))

    def _changes(self, select: sa.Select[tuple[Any, ...]]) -> Iterator[ListChange]:
        for row in self._connection.execute(select, execution_options={"yield_per": _ROWS}):
            yield ListChange(
                at=row.at,
                newsletter=row.newsletter,
                placement=row.placement,
                act=row.act,
                how=row.how,
                reason=row.reason,
                count=row.changes,
                before=row.before,
            )


def fold_changes(connection: Connection, keys: Sequence[int]) -> None:
    """Count some lines of the log, whose detail is about to go, by the hour."""
    counts: Counter[tuple[datetime, ...]] = Counter()
    for chunk in chunks(keys):
        for at, *told, changes in connection.execute(_summed(t.change_log.c.id.in_(chunk))):
            counts[at.replace(minute=0, second=0, microsecond=0), *told] += changes
    if not counts:
        return
    insert = insert_into(connection, t.folded_change)
    names = ("at", *_TOLD)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=list(names),
            set_={"changes": t.folded_change.c.changes + insert.excluded.changes},
        ),
        [dict(zip(names, key, strict=True)) | {"changes": n} for key, n in counts.items()],
    )


def _summed(narrowed: sa.ColumnElement[bool]) -> sa.Select[tuple[Any, ...]]:
    """Lines of the log that say of which newsletter, those that say the same as one."""
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
            told("from").label("before"),
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
        .where(log.kind == "subscription", narrowed)
        .subquery()
    )
    return (
        sa.select(*rows.c, sa.func.count().label("changes"))
        .where(rows.c.newsletter.is_not(None))
        .group_by(*rows.c)
        .order_by(*rows.c)
    )
