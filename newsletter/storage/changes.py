"""The change log: who did what to which thing, append-only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage.ready import ready_insert
from newsletter.storage.tables import HOUSE_CHANGES, change_log


def change_detail(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What changed, for a line's ``detail``: of ``before`` and ``after`` what differs.

    A key that one of them lacks is left out on that side.
    """
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {
        side: {key: values[key] for key in keys if key in values}
        for side, values in (("before", before), ("after", after))
    }


_APPEND = ready_insert(change_log, ("at", "actor", "kind", "subject", "act", "detail"))


@dataclass(frozen=True)
class Change:
    """One line of the log. ``subject`` is a public id (or a keyed hash), never an address."""

    at: datetime
    actor: str
    kind: str
    subject: str
    act: str
    detail: dict[str, Any]


class ChangeLog:
    """Written in the transaction of the change itself."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def record(
        self,
        at: datetime,
        actor: str,
        kind: str,
        subject: str,
        act: str,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Append a line; ``detail`` holds plain JSON values."""
        _APPEND.change(
            self._connection,
            at=at,
            actor=actor,
            kind=kind,
            subject=subject,
            act=act,
            detail=detail or {},
        )

    def record_all(self, changes: Iterable[Change]) -> None:
        """Append lines by the thousand."""
        rows = [
            {
                "at": change.at,
                "actor": change.actor,
                "kind": change.kind,
                "subject": change.subject,
                "act": change.act,
                "detail": change.detail,
            }
            for change in changes
        ]
        if rows:
            _APPEND.change_each(self._connection, rows)

    def of(self, kind: str, subject: str) -> list[Change]:
        """What happened to one thing, the oldest first."""
        log = change_log.c
        rows = self._connection.execute(
            sa.select(log.at, log.actor, log.kind, log.subject, log.act, log.detail)
            .where(log.kind == kind, log.subject == subject)
            .order_by(log.id)
        )
        return [Change(*row) for row in rows]

    def latest(
        self,
        most: int,
        *,
        before: int | None = None,
        kind: str = "",
        subject: str = "",
        actor: str = "",
    ) -> list[tuple[int, Change]]:
        """What was done to the paper, the newest first, each with its number in the log.

        Without what readers did, and was done to them. ``before`` is the number to go
        on from; the others narrow it to one kind, thing or person.
        """
        log = change_log.c
        narrowed = [
            column == wanted
            for column, wanted in ((log.kind, kind), (log.subject, subject), (log.actor, actor))
            if wanted
        ]
        if before is not None:
            narrowed.append(log.id < before)
        rows = self._connection.execute(
            sa.select(log.id, log.at, log.actor, log.kind, log.subject, log.act, log.detail)
            .where(sa.text(HOUSE_CHANGES), *narrowed)
            .order_by(log.id.desc())
            .limit(most)
        )
        return [(row.id, Change(*row[1:])) for row in rows]

    def last_number(self) -> int:
        """The number of the newest line; 0 where there is none."""
        return self._connection.scalar(sa.select(sa.func.max(change_log.c.id))) or 0

    def moves_readers(self, after: int, most: int) -> bool:
        """Whether lines after that number may move more than ``most`` readers to or from a list.

        A rule of a domain, and settings, may move any number.
        """
        log = change_log.c
        newer = sa.select(log.kind, log.subject).where(log.id > after).order_by(log.id)
        lines = self._connection.execute(newer.limit(most + 1)).all()
        for kind, subject in lines:
            if kind == "settings" or (kind == "suppression" and subject.startswith(("@", "*."))):
                return True
        return len(lines) > most
