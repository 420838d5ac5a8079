"""Living workers of PostgreSQL: each holds an advisory lock in a session of its own.

The server drops the lock with the session, so that a worker that was killed is
known to be dead long before its lease ends. On SQLite the one sending process
holds a file lock instead, and nothing here does anything.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage.database import Database

# Of the two numbers of an advisory lock the first says what it is for.
_CLASS = 0x6E6C77


class WorkerSessions:
    """The sessions of this process's workers. `keep` runs in the renewing thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sessions: dict[int, Connection] = {}

    def begin(self, worker: int) -> None:
        """Take the worker's lock, and hold it until `end` or the death of the process."""
        if self._database.is_sqlite:
            return
        session = self._database.session()
        session.execute(sa.select(sa.func.pg_advisory_lock(_CLASS, worker)))
        session.commit()
        self._sessions[worker] = session

    def keep(self, worker: int) -> None:
        """Look after the session: one that broke is opened again."""
        session = self._sessions.get(worker)
        if session is None:
            return
        try:
            session.execute(sa.select(1))
            session.commit()
        except sa.exc.DBAPIError:
            session.invalidate()
            session.close()
            self.begin(worker)

    def end(self, worker: int) -> None:
        """Give the lock up."""
        session = self._sessions.pop(worker, None)
        if session is not None:
            session.invalidate()
            session.close()

    def close(self) -> None:
        """Give up all that are left."""
        for worker in list(self._sessions):
            self.end(worker)

    def dead_among(self, connection: Connection, workers: Sequence[int]) -> list[int]:
        """Those whose session is gone; their locks are held until ``connection`` commits."""
        if self._database.is_sqlite:
            return []
        free = sa.func.pg_try_advisory_xact_lock
        return [
            worker
            for worker in workers
            if worker not in self._sessions and connection.scalar(sa.select(free(_CLASS, worker)))
        ]
