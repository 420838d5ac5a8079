"""People's clicks on an issue's stories, in the order in which these stand in the mail."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.issues import STARTED
from newsletter.storage.statements import issue_key


class StoryClicks:
    """By issue; nothing of issues whose links are not ours."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, issue_id: str) -> list[tuple[str, int]]:
        """The stories of an issue, as their links stand in the mail, and their clicks."""
        key = issue_key(self._connection, issue_id)
        return self._found([key]).get(key, [])

    def before(self, newsletter: str, before: datetime, issues: int) -> list[list[int]]:
        """The clicks by place of the last ``issues`` issues that were sent before that time."""
        keys = self._connection.scalars(
            sa.select(t.issue.c.id)
            .join_from(t.issue, t.newsletter)
            .where(
                t.newsletter.c.slug == newsletter,
                t.issue.c.send_at < before,
                t.issue.c.state.in_([state.value for state in STARTED]),
            )
            .order_by(t.issue.c.send_at.desc(), t.issue.c.id.desc())
            .limit(issues)
        ).all()
        return [[count for _, count in found] for found in self._found(keys).values()]

    def _found(self, issues: Collection[int]) -> dict[int, list[tuple[str, int]]]:
        link, day = t.link.c, t.click_day.c
        first = sa.func.min(link.id)
        rows = self._connection.execute(
            sa.select(link.issue_id, link.story, sa.func.coalesce(sa.func.sum(day.clicks), 0))
            .select_from(t.link)
            .outerjoin(t.click_day, day.link_id == link.id)
            .where(link.issue_id.in_(issues))
            .group_by(link.issue_id, link.story)
            .order_by(link.issue_id, first)
        )
        found: dict[int, list[tuple[str, int]]] = {}
        for issue, story, clicks in rows:
            found.setdefault(issue, []).append((story, int(clicks)))
        return found
