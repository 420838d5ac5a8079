"""Leases: rights that one process has at a time, such as the scheduler's tick."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.columns import Instant
from newsletter.storage.statements import insert_into


@dataclass(frozen=True)
class Lease:
    """Who has a right, and for how long yet; ``left`` is negative once it has ended."""

    holder: str
    left: timedelta


class LeaseRepository:
    """Leases by name. On PostgreSQL all of them go by the server's clock, so that
    a host whose own is wrong neither keeps nor takes what it should not; on
    SQLite, which is one machine's, by the ``now`` that is passed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def time(self, now: datetime) -> datetime:
        """The instant by the clock that leases go by."""
        if self._connection.dialect.name == "sqlite":
            return now
        return self._connection.scalars(sa.select(_server_time())).one().astimezone(UTC)

    def take(self, name: str, holder: str, now: datetime, lasting: timedelta) -> bool:
        """Take or renew a lease, in one statement; False where somebody else has it."""
        clock = self._clock(now)
        row = insert_into(self._connection, t.lease)
        # A span can't be added to an instant in SQLite, nor need it be.
        until = sa.literal(now + lasting, Instant) if self._is_sqlite else clock + lasting
        taken = self._connection.execute(
            row.values(name=name, holder=holder, until=until)
            .on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": row.excluded.holder, "until": row.excluded.until},
                where=sa.or_(t.lease.c.holder == holder, t.lease.c.until <= clock),
            )
            .returning(t.lease.c.name)
        ).first()
        return taken is not None

    def give_up(self, name: str, holder: str) -> bool:
        """End a lease before its time; False where it was no longer ``holder``'s."""
        mine = sa.and_(t.lease.c.name == name, t.lease.c.holder == holder)
        return bool(self._connection.execute(sa.delete(t.lease).where(mine)).rowcount)

    def current(self, name: str, now: datetime) -> Lease | None:
        """The lease of that name, also where it has ended; None where there is none."""
        row = self._connection.execute(
            sa.select(t.lease.c.holder, t.lease.c.until).where(t.lease.c.name == name)
        ).one_or_none()
        return Lease(row.holder, row.until - self.time(now)) if row else None

    @property
    def _is_sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"

    def _clock(self, now: datetime) -> sa.ColumnElement[datetime]:
        return sa.literal(now, Instant) if self._is_sqlite else _server_time()


def _server_time() -> sa.ColumnElement[datetime]:
    return sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
