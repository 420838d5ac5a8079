"""Leases: rights that one process has at a time, such as the scheduler's tick."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.statements import insert_into, lease_clock, lease_end


@dataclass(frozen=True)
class Lease:
    """Who has a right, and for how long yet; ``left`` is negative once it has ended."""

    holder: str
    left: timedelta


class LeaseRepository:
    """Leases by name, which go by `lease_clock`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def time(self, now: datetime) -> datetime:
        """The instant by the clock that leases go by."""
        clock: datetime = self._connection.scalars(sa.select(self._clock(now))).one()
        return clock.astimezone(UTC)

    def take(self, name: str, holder: str, now: datetime, lasting: timedelta) -> bool:
        """Take or renew a lease, in one statement; False where somebody else has it."""
        row = insert_into(self._connection, t.lease)
        until = lease_end(self._connection.dialect.name, now, lasting)
        taken = self._connection.execute(
            row.values(name=name, holder=holder, until=until)
            .on_conflict_do_update(
                index_elements=["name"],
                set_={"holder": row.excluded.holder, "until": row.excluded.until},
                where=sa.or_(t.lease.c.holder == holder, t.lease.c.until <= self._clock(now)),
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

    def _clock(self, now: datetime) -> sa.ColumnElement[datetime]:
        return lease_clock(self._connection.dialect.name, now)
