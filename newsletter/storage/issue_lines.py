"""Issues as a list shows them, without their stories; and what came of those that are over."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import LedgerCounts
from newsletter.issues.model import IssueState
from newsletter.storage import tables as t
from newsletter.storage.statements import AnyRow, insert_into, issue_key

_S = IssueState
UNDER_WAY = frozenset({_S.DRAFT, _S.APPROVED, _S.HELD, _S.SENDING, _S.PAUSED})
OVER = frozenset({_S.SENT, _S.RECALLED})

_readers = (
    sa.select(sa.func.coalesce(sa.func.sum(t.wave.c.readers), 0))
    .where(t.wave.c.issue_id == t.issue.c.id)
    .scalar_subquery()
)
_LINE = sa.select(
    t.issue.c.public_id,
    t.newsletter.c.slug.label("newsletter"),
    t.issue.c.slot,
    t.issue.c.state,
    t.issue.c.send_at,
    t.issue.c.changed_at,
    t.issue.c.content["title"].as_string().label("title"),
    t.issue.c.content["subject"].as_string().label("subject"),
    t.issue.c.content["language"].as_string().label("language"),
    t.issue.c.held_because,
    t.issue.c.approved_by,
    _readers.label("readers"),
).join_from(t.issue, t.newsletter)


@dataclass(frozen=True)
class IssueLine:
    """An issue in a list. ``readers`` are those it was queued for, 0 before that."""

    public_id: str
    newsletter: str
    slot: str
    state: IssueState
    send_at: datetime
    changed_at: datetime
    title: str
    subject: str
    language: str
    held_because: str
    approved_by: str
    readers: int


class IssueLines:
    """Lists of issues, which read no story."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def under_way(self, most: int) -> list[IssueLine]:
        """Issues that are neither over nor called off, the next to be sent first."""
        return self._lines(UNDER_WAY, most, t.issue.c.send_at, t.issue.c.id)

    def count_under_way(self) -> int:
        """How many of them there are."""
        found = self._connection.scalar(
            sa.select(sa.func.count()).select_from(t.issue).where(_in_states(UNDER_WAY))
        )
        return int(found or 0)

    def over(self, most: int) -> list[IssueLine]:
        """Issues that were sent, at least to some, the newest first."""
        return self._lines(OVER, most, t.issue.c.send_at.desc(), t.issue.c.id.desc())

    def newest(self, most: int, before: datetime | None = None) -> list[IssueLine]:
        """Issues of every state by their time of sending, the newest first."""
        where = sa.true() if before is None else t.issue.c.send_at < before
        rows = self._connection.execute(
            _LINE.where(where).order_by(t.issue.c.send_at.desc(), t.issue.c.id.desc()).limit(most)
        )
        return [_line(row) for row in rows]

    def by_ids(self, public_ids: Collection[str]) -> dict[str, IssueLine]:
        """Those of these that are there still, by public id."""
        rows = self._connection.execute(_LINE.where(t.issue.c.public_id.in_(sorted(public_ids))))
        return {row.public_id: _line(row) for row in rows}

    def totals(self, line: IssueLine) -> LedgerCounts | None:
        """What was counted of an issue that is over, if it did not change since."""
        totals = t.issue_totals.c
        found = self._connection.scalar(
            sa.select(totals.counts)
            .join_from(t.issue_totals, t.issue)
            .where(t.issue.c.public_id == line.public_id, totals.changed_at == line.changed_at)
        )
        return LedgerCounts(**found) if found is not None else None

    def keep_totals(self, line: IssueLine, counts: LedgerCounts) -> None:
        """Keep what was counted of an issue as it stood then."""
        values = {"changed_at": line.changed_at, "counts": asdict(counts)}
        self._connection.execute(
            insert_into(self._connection, t.issue_totals)
            .values(issue_id=issue_key(self._connection, line.public_id), **values)
            .on_conflict_do_update(index_elements=["issue_id"], set_=values)
        )

    def forget_totals(self, public_id: str) -> None:
        """Let an issue be counted anew: something of its ledger has changed."""
        key = sa.select(t.issue.c.id).where(t.issue.c.public_id == public_id).scalar_subquery()
        self._connection.execute(sa.delete(t.issue_totals).where(t.issue_totals.c.issue_id == key))
        kept = t.kept_figure
        self._connection.execute(sa.delete(kept).where(kept.c.name == f"issue:{public_id}"))

    def _lines(
        self, states: Collection[IssueState], most: int, *order: sa.ColumnElement[object]
    ) -> list[IssueLine]:
        rows = self._connection.execute(
            _LINE.where(_in_states(states)).order_by(*order).limit(most)
        )
        return [_line(row) for row in rows]


def _in_states(states: Collection[IssueState]) -> sa.ColumnElement[bool]:
    return t.issue.c.state.in_([state.value for state in states])


def _line(row: AnyRow) -> IssueLine:
    return IssueLine(
        public_id=row.public_id,
        newsletter=row.newsletter,
        slot=row.slot,
        state=IssueState(row.state),
        send_at=row.send_at,
        changed_at=row.changed_at,
        title=row.title or "",
        subject=row.subject or "",
        language=row.language or "",
        held_because=row.held_because,
        approved_by=row.approved_by,
        readers=int(row.readers),
    )
