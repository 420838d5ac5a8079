"""What was saved of issues: each version with its content, the newest of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.issues.model import PartChange, Save, SaveKind, Version
from newsletter.storage import tables as t

# An issue of thirty stories is some 60 KB: of one that is edited all week no more
# than this is kept.
VERSIONS_KEPT = 200
_row = t.issue_version.c


class VersionRepository:
    """Versions by the row of their issue, or by its public id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        issue_id: int,
        number: int,
        at: datetime,
        actor: str,
        save: Save,
        content: Mapping[str, Any],
    ) -> None:
        """Keep a version; the oldest beyond `VERSIONS_KEPT` goes, but never the draft."""
        self._connection.execute(
            sa.insert(t.issue_version).values(
                issue_id=issue_id,
                number=number,
                at=at,
                actor=actor,
                kind=save.kind.value,
                told=save.told,
                changes=[[one.part, one.before, one.after] for one in save.changes],
                touched=sorted(save.touched),
                of_version=save.of,
                content=content,
            )
        )
        # Counted, not reckoned by their numbers: what is typed leaves gaps in these.
        newer = (
            sa.select(_row.number)
            .where(_row.issue_id == issue_id)
            .order_by(_row.number.desc())
            .limit(VERSIONS_KEPT)
        )
        oldest = min(self._connection.scalars(newer))
        self._connection.execute(
            sa.delete(t.issue_version).where(
                _row.issue_id == issue_id,
                _row.number < oldest,
                _row.kind != SaveKind.DRAFTED.value,
            )
        )

    def absorb(self, issue_id: int, number: int) -> None:
        """Let a version go whose text the next one goes on with."""
        self._connection.execute(
            sa.delete(t.issue_version).where(_row.issue_id == issue_id, _row.number == number)
        )

    def has(self, issue_id: int, number: int) -> bool:
        """Whether that version is kept."""
        found = self._connection.scalar(
            sa.select(_row.number).where(_row.issue_id == issue_id, _row.number == number)
        )
        return found is not None

    def of_issue(self, public_id: str) -> list[Version]:
        """What was saved of an issue, the oldest first."""
        rows = self._connection.execute(
            sa.select(
                _row.number,
                _row.at,
                _row.actor,
                _row.kind,
                _row.told,
                _row.changes,
                _row.touched,
                _row.of_version,
            )
            .join_from(t.issue_version, t.issue)
            .where(t.issue.c.public_id == public_id)
            .order_by(_row.number)
        )
        return [
            Version(
                row.number,
                row.at,
                row.actor,
                Save(
                    SaveKind(row.kind),
                    row.told,
                    tuple(PartChange(*change) for change in row.changes),
                    frozenset(row.touched),
                    row.of_version,
                ),
            )
            for row in rows
        ]

    def content(self, public_id: str, number: int) -> tuple[int, dict[str, Any]] | None:
        """The issue's content as it was saved then, or last before that, with its number;
        None where neither is kept."""
        row = self._connection.execute(
            sa.select(_row.number, _row.content)
            .join_from(t.issue_version, t.issue)
            .where(t.issue.c.public_id == public_id, _row.number <= number)
            .order_by(_row.number.desc())
            .limit(1)
        ).one_or_none()
        return (row.number, row.content) if row else None
