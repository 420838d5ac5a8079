"""Figures that take long to count on a long list: kept, with when they were counted."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.statements import insert_into
from newsletter.subscribers.model import SuppressionReason


class FigureRepository:
    """Documents of figures by name, and how long the lists are."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, name: str, document: dict[str, Any], at: datetime) -> None:
        """Keep figures in place of those kept before."""
        values = {"at": at, "document": document}
        self._connection.execute(
            insert_into(self._connection, t.kept_figure)
            .values(name=name, **values)
            .on_conflict_do_update(index_elements=["name"], set_=values)
        )

    def kept(self, name: str) -> tuple[datetime, dict[str, Any]] | None:
        """When the figures of that name were counted, and they; None where none are kept."""
        row = self._connection.execute(
            sa.select(t.kept_figure.c.at, t.kept_figure.c.document).where(
                t.kept_figure.c.name == name
            )
        ).one_or_none()
        return (row.at, row.document) if row else None

    def lists_fit(self, subscriptions: int, changes: int) -> bool:
        """Whether no more of both were ever made: what is told at once, by two looks."""
        made = self._connection.execute(
            sa.select(
                sa.select(sa.func.max(t.subscription.c.id)).scalar_subquery(),
                sa.select(sa.func.max(t.change_log.c.id)).scalar_subquery(),
            )
        ).one()
        return (made[0] or 0) <= subscriptions and (made[1] or 0) <= changes

    def suppressed(self) -> dict[SuppressionReason, int]:
        """How many addresses may not be mailed, by reason, zero included."""
        reason = t.suppression.c.reason
        rows = self._connection.execute(sa.select(reason, sa.func.count()).group_by(reason))
        return dict.fromkeys(SuppressionReason, 0) | {SuppressionReason(r): n for r, n in rows}
