"""How far logs were read, and who read what within the last half hour."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.sources.model import LogPosition
from newsletter.storage.statements import CHUNK, insert_into, insert_or_leave, source_key
from newsletter.storage.tables import read_log, recent_read


class ReadLogRepository:
    """What log readers and the beacon remember between their calls, by the counter's slug."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def positions(self, slug: str) -> list[LogPosition]:
        """Every file of which something was read."""
        rows = self._connection.execute(
            sa.select(read_log.c.head_hash, read_log.c.head_bytes, read_log.c.position).where(
                read_log.c.reads_id == self._key(slug)
            )
        )
        return [LogPosition(*row) for row in rows]

    def put_position(
        self, slug: str, position: LogPosition, at: datetime, *, instead_of: str = ""
    ) -> None:
        """Remember how far a file was read.

        ``instead_of`` is the hash by which it was known while its head was shorter.
        """
        key = self._key(slug)
        if instead_of and instead_of != position.head_hash:
            self._connection.execute(
                sa.delete(read_log).where(
                    read_log.c.reads_id == key, read_log.c.head_hash == instead_of
                )
            )
        statement = insert_into(self._connection, read_log)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["reads_id", "head_hash"],
                set_={
                    "position": statement.excluded.position,
                    "read_at": statement.excluded.read_at,
                },
            ),
            {
                "reads_id": key,
                "head_hash": position.head_hash,
                "head_bytes": position.head_bytes,
                "position": position.position,
                "read_at": at,
            },
        )

    def recent_visits(self, slug: str) -> Iterator[tuple[str, datetime]]:
        """Visits that may still be repeated, by their hash, with when they last were.

        As they come out of the database: there may be tens of thousands.
        """
        rows = self._connection.execute(
            sa.select(recent_read.c.visit, recent_read.c.at).where(
                recent_read.c.reads_id == self._key(slug)
            )
        )
        for row in rows:
            yield row.visit, row.at

    def replace_recent_visits(self, slug: str, visits: Iterable[tuple[str, datetime]]) -> None:
        """Remember these and no others; they are written some at a time, as they are given."""
        key = self._key(slug)
        self._connection.execute(sa.delete(recent_read).where(recent_read.c.reads_id == key))
        rows = ({"reads_id": key, "visit": visit, "at": at} for visit, at in visits)
        while chunk := list(islice(rows, CHUNK)):
            insert_or_leave(self._connection, recent_read, chunk)

    def begin_visit(self, slug: str, visit: str, at: datetime, since: datetime) -> bool:
        """Note a visit; False where it repeats one that was last seen after ``since``.

        What is older than that is forgotten. One statement decides, so that of
        two processes one counts.
        """
        key = self._key(slug)
        self._connection.execute(
            sa.delete(recent_read).where(recent_read.c.reads_id == key, recent_read.c.at <= since)
        )
        repeated = self._connection.execute(
            sa.update(recent_read)
            .where(recent_read.c.reads_id == key, recent_read.c.visit == visit)
            .values(at=at)
        ).rowcount
        if repeated:
            return False
        row = {"reads_id": key, "visit": visit, "at": at}
        return insert_or_leave(self._connection, recent_read, row) == 1

    def _key(self, slug: str) -> int:
        return source_key(self._connection, "reads", slug)
