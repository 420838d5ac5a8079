"""Who this installation is: one row, to tell it from a copy of itself."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.errors import StorageError
from newsletter.issues.model import IssueState
from newsletter.storage import tables as t
from newsletter.storage.file_identity import identify_file, is_same_file
from newsletter.storage.statements import AnyRow, insert_or_leave

_ONLY = 1


@dataclass(frozen=True)
class Identity:
    """``generation`` grows whenever something is sent; ``fingerprint`` is of the file or
    database that was sent from. ``hold`` is a sentence while nothing may be sent."""

    instance_id: str
    generation: int
    fingerprint: str
    hold: str = ""


@dataclass(frozen=True)
class WaitingMail:
    """Rows that a sender would send: of an issue on its way, or system mail (no newsletter).

    ``untried_since`` is since when the first of those waits that nobody has
    tried yet, ``tried_since`` of those whose server put us off.
    """

    newsletter: str
    slot: str
    rows: int
    untried_since: datetime | None = None
    tried_since: datetime | None = None


class IdentityRepository:
    """The row of the installation, and what its database is by nature."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def current(self) -> Identity | None:
        """The row, or None before the first send."""
        c = t.installation.c
        row = self._connection.execute(
            sa.select(c.instance_id, c.generation, c.fingerprint, c.hold).where(c.id == _ONLY)
        ).one_or_none()
        return Identity(*row) if row else None

    def fingerprint(self) -> str:
        """What this database is: ``sqlite:INODE:BIRTH``, or ``postgresql:SYSTEM:OID``.

        PostgreSQL's system identifier is given at initdb: a standby that was
        promoted keeps it, a dump that is restored elsewhere gets another. The
        oid names the database within it.
        """
        if self._connection.dialect.name == "sqlite":
            path = Path(str(self._connection.engine.url.database))
            try:
                return f"sqlite:{identify_file(path)}"
            except OSError as error:
                raise StorageError(
                    f"{path} can't be looked at ({error.strerror}); if it was put elsewhere, "
                    "stop the service and change [database] url",
                    subject=str(path),
                ) from error
        oid = "SELECT oid FROM pg_database WHERE datname = current_database()"
        # Some hosting companies keep the function to themselves.
        allowed = "SELECT has_function_privilege('pg_control_system()', 'execute')"
        system = "SELECT system_identifier FROM pg_control_system()"
        known = self._connection.scalar(sa.text(allowed))
        return ":".join(
            (
                "postgresql",
                str(self._connection.scalar(sa.text(system)) if known else ""),
                str(self._connection.scalar(sa.text(oid))),
            )
        )

    def is_at_home(self, identity: Identity) -> bool:
        """Whether this database is the one that ``identity`` was written of."""
        here = self.fingerprint()
        kind, _, file = here.partition(":")
        kind_there, _, file_there = identity.fingerprint.partition(":")
        if kind == kind_there == "sqlite":
            return is_same_file(file, file_there)
        return here == identity.fingerprint

    def is_blank(self) -> bool:
        """Whether nothing was ever drafted or sent from this database."""
        return not any(
            self._connection.scalar(sa.select(sa.exists(sa.select(table.c.id))))
            for table in (t.issue, t.mailing)
        )

    def create(self, identity: Identity, now: datetime) -> bool:
        """Write the row; False where there is one."""
        return bool(insert_or_leave(self._connection, t.installation, _values(identity, now)))

    def replace(self, identity: Identity, now: datetime) -> None:
        """Write the row over what was there, if anything."""
        self._connection.execute(sa.delete(t.installation))
        self.create(identity, now)

    def advance(self, now: datetime) -> bool:
        """Let the generation grow by one; False where sending is held."""
        c = t.installation.c
        return self._change({"generation": c.generation + 1, "changed_at": now})

    def hold(self, reason: str, now: datetime) -> bool:
        """Hold all sending; False where it is held already."""
        return self._change({"hold": reason, "changed_at": now})

    def _change(self, values: dict[str, object]) -> bool:
        c = t.installation.c
        unheld = sa.update(t.installation).where(c.id == _ONLY, c.hold == "")
        return bool(self._connection.execute(unheld.values(values)).rowcount)

    def waiting(self) -> list[WaitingMail]:
        """What would be sent if a worker started now, by issue and wave; system mail first."""
        return [*self._queued(), *self._left_by_workers()]

    def _queued(self) -> list[WaitingMail]:
        row, wave = t.delivery.c, t.wave.c
        untried = row.first_tried_at.is_(None)
        rows = self._connection.execute(
            sa.select(
                t.newsletter.c.slug,
                t.issue.c.slot,
                sa.func.count().label("rows"),
                sa.func.min(sa.case((untried, row.due_at))).label("untried"),
                sa.func.min(sa.case((~untried, row.due_at))).label("tried"),
                sa.func.max(sa.func.coalesce(wave.released_at, wave.starts_at)).label("released"),
            )
            .select_from(
                _with_issue().outerjoin(
                    t.wave, sa.and_(wave.issue_id == row.issue_id, wave.number == row.wave)
                )
            )
            .where(row.due_at.is_not(None), _WOULD_GO)
            .group_by(t.newsletter.c.slug, t.issue.c.slot, row.issue_id, row.wave)
            .order_by(sa.func.coalesce(row.issue_id, 0), row.wave)
        )
        return [
            WaitingMail(
                found.slug or "",
                found.slot or "",
                found.rows,
                _later(found.untried, found.released),
                _later(found.tried, found.released),
            )
            for found in rows
        ]

    def _left_by_workers(self) -> list[WaitingMail]:
        row = t.delivery.c
        rows: list[AnyRow] = list(
            self._connection.execute(
                sa.select(
                    t.newsletter.c.slug,
                    t.issue.c.slot,
                    sa.func.count().label("rows"),
                    sa.func.min(row.changed_at).label("since"),
                )
                .select_from(_with_issue())
                .where(row.worker_id.is_not(None), _WOULD_GO)
                .group_by(t.newsletter.c.slug, t.issue.c.slot)
            )
        )
        return [WaitingMail(r.slug or "", r.slot or "", r.rows, r.since) for r in rows]


_WOULD_GO = sa.or_(t.delivery.c.issue_id.is_(None), t.issue.c.state == IssueState.SENDING.value)


def _with_issue() -> sa.FromClause:
    return t.delivery.outerjoin(t.issue, t.issue.c.id == t.delivery.c.issue_id).outerjoin(
        t.newsletter, t.newsletter.c.id == t.issue.c.newsletter_id
    )


def _later(due: datetime | None, released: datetime | None) -> datetime | None:
    """Rows of a wave fall due with its start."""
    return max(due, released) if due and released else due


def _values(identity: Identity, now: datetime) -> dict[str, object]:
    return {
        "id": _ONLY,
        "instance_id": identity.instance_id,
        "generation": identity.generation,
        "fingerprint": identity.fingerprint,
        "hold": identity.hold,
        "changed_at": now,
    }
