"""Goodbyes in the days after an issue."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.issues.model import IssueState
from newsletter.storage import tables as t
from newsletter.storage.issue_lines import OVER
from newsletter.subscribers.model import SubscriptionState

# A goodbye after that is of no issue.
AFTER = timedelta(days=7)
_SENT = tuple(state.value for state in (*OVER, IssueState.SENDING, IssueState.PAUSED))


@dataclass(frozen=True)
class IssueGoodbyes:
    """How many said goodbye after an issue and before the next, within a week."""

    issue_id: str
    slot: str
    readers: int
    left: int


class Goodbyes:
    """By issue."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def after(self, newsletter: str, until: datetime, issues: int) -> list[IssueGoodbyes]:
        """Those of the last ``issues`` issues sent at ``until`` or before, the newest first."""
        readers = (
            sa.select(sa.func.coalesce(sa.func.sum(t.wave.c.readers), 0))
            .where(t.wave.c.issue_id == t.issue.c.id)
            .scalar_subquery()
        )
        sent = (
            sa.select(t.issue.c.public_id, t.issue.c.slot, t.issue.c.send_at, readers)
            .join_from(t.issue, t.newsletter)
            .where(t.newsletter.c.slug == newsletter, t.issue.c.state.in_(_SENT))
        )
        rows = self._connection.execute(
            sent.where(t.issue.c.send_at <= until)
            .order_by(t.issue.c.send_at.desc(), t.issue.c.id.desc())
            .limit(issues)
        ).all()
        following = self._connection.execute(
            sent.where(t.issue.c.send_at > until).order_by(t.issue.c.send_at).limit(1)
        ).one_or_none()
        end = following.send_at if following else until + AFTER
        found = []
        for public_id, slot, send_at, count in rows:
            left = self._left(newsletter, send_at, min(end, send_at + AFTER))
            found.append(IssueGoodbyes(public_id, slot, int(count), left))
            end = send_at
        return found

    def _left(self, newsletter: str, since: datetime, until: datetime) -> int:
        log = t.change_log.c
        return int(
            self._connection.scalar(
                sa.select(sa.func.count()).where(
                    log.kind == "subscription",
                    log.at >= since,
                    log.at < until,
                    log.act == SubscriptionState.UNSUBSCRIBED.value,
                    log.detail["newsletter"].as_string() == newsletter,
                )
            )
            or 0
        )
