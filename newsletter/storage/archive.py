"""Issues that readers have: what the archive may show, read without their content."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import MailingKind
from newsletter.issues.model import IssueState
from newsletter.publication.cadence import Edition
from newsletter.storage import tables as t

# Of these only the ledger knows whether somebody has them.
_UNDER_WAY_OR_STOPPED = (
    IssueState.SENDING,
    IssueState.PAUSED,
    IssueState.RECALLED,
    IssueState.CANCELLED,
)
# A wave's rows are handed over in the order of their keys, save for those that are
# skipped, refused or put off by their destination: the first one lies near the start.
_NEAR = 40_000


@dataclass(frozen=True)
class ArchivePlace:
    """An issue's place in the archive.

    ``published_at`` is when its sending began, ``changed_at`` when its newest
    revision was frozen, or a link of it corrected after that.
    """

    public_id: str
    newsletter: str
    slot: str
    send_at: datetime
    published_at: datetime
    changed_at: datetime


class Archive:
    """Issues from their first hand-over on, whatever became of them later."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def places(
        self, newsletter: str, *, limit: int | None = None, edition: Edition | None = None
    ) -> list[ArchivePlace]:
        """The newsletter's issues that readers have, the newest first.

        Those of one ``edition``, else all but catch-ups: these tell nothing that the others
        have not told.
        """
        is_catch_up = t.issue.c.edition == Edition.CATCH_UP.value
        wanted = ~is_catch_up if edition is None else t.issue.c.edition == edition.value
        issue, mailing = t.issue.c, t.mailing.c
        corrected = (
            sa.select(sa.func.max(t.link_correction.c.at))
            .where(t.link_correction.c.issue_id == issue.id)
            .correlate(t.issue)
            .scalar_subquery()
        )
        rows = self._connection.execute(
            sa.select(
                *(issue.id, issue.state, corrected),
                *(issue.public_id, t.newsletter.c.slug, issue.slot, issue.send_at),
                *(sa.func.min(mailing.created_at), sa.func.max(mailing.created_at)),
            )
            .join_from(t.issue, t.newsletter)
            .join(t.mailing, mailing.issue_id == issue.id)
            .where(
                t.newsletter.c.slug == newsletter,
                wanted,
                mailing.kind == MailingKind.ISSUE.value,
                issue.state.in_([s.value for s in (IssueState.SENT, *_UNDER_WAY_OR_STOPPED)]),
            )
            .group_by(*(issue.id, issue.state, issue.public_id, t.newsletter.c.slug))
            .group_by(issue.slot, issue.send_at)
            .order_by(issue.send_at.desc(), issue.id.desc())
        )
        found: list[ArchivePlace] = []
        for key, state, corrected_at, *place in rows:
            if state == IssueState.SENT.value or self._was_handed_over(key):
                frozen = ArchivePlace(*place)
                changed_at = max(frozen.changed_at, corrected_at or frozen.changed_at)
                found.append(replace(frozen, changed_at=changed_at))
            if len(found) == limit:
                rows.close()
                break
        return found

    def _was_handed_over(self, issue_key: int) -> bool:
        """Whether the issue was ever handed over to a relay for somebody."""
        return any(self._has_handed(issue_key, first) for first in self._released_waves(issue_key))

    def _released_waves(self, issue_key: int) -> Iterable[int]:
        return self._connection.scalars(
            sa.select(t.wave.c.first_delivery)
            .where(
                t.wave.c.issue_id == issue_key,
                t.wave.c.released_at.is_not(None),
                t.wave.c.first_delivery.is_not(None),
            )
            .order_by(t.wave.c.number)
        ).all()

    def _has_handed(self, issue_key: int, first: int) -> bool:
        # Bounds as numbers: the planners then read along the primary key, in a
        # ledger of any length.
        row = t.delivery.c
        return (
            self._connection.scalar(
                sa.select(row.id)
                .where(
                    row.id.between(first, first + _NEAR),
                    row.issue_id == issue_key,
                    row.handed_over_at.is_not(None),
                )
                .limit(1)
            )
            is not None
        )
