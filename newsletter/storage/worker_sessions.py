"""Living workers of PostgreSQL: each holds an advisory lock in a session of its own.

The server drops the lock with the session, so that a worker that was killed is
known to be dead long before its lease ends. On SQLite the one sending process
holds a file lock instead, and nothing here holds anything.
"""

import threading
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.errors import StorageError
from newsletter.log import get_logger
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from newsletter.storage.driver_errors import told_plainly

log = get_logger(__name__)

# Of the two numbers of an advisory lock the first says what it is for.
_CLASS = 0x6E6C77
# PostgreSQL's view of all locks: those of advisory locks hold the two numbers.
_locks = sa.table(
    "pg_locks",
    *(sa.column(name, sa.BigInteger) for name in ("database", "classid", "objid", "objsubid")),
    sa.column("locktype", sa.Text),
    sa.column("granted", sa.Boolean),
)
_THIS_DATABASE = sa.text("(SELECT oid FROM pg_database WHERE datname = current_database())")
_HELD = sa.select(_locks.c.objid).where(
    _locks.c.locktype == "advisory",
    _locks.c.database == _THIS_DATABASE,
    _locks.c.classid == sa.literal_column(str(_CLASS)),
    _locks.c.objsubid == sa.literal_column("2"),  # of a lock by two numbers
    _locks.c.granted,
)
_ENDED = t.worker.c.lease_until <= sa.func.clock_timestamp()
_SEEM_DEAD = sa.select(t.worker.c.id, _ENDED.label("ended")).where(
    t.worker.c.lease_until.is_not(None), sa.or_(_ENDED, t.worker.c.id.not_in(_HELD))
)


class WorkerSessions:
    """The sessions of this process's workers. For several threads: `keep` runs in
    the renewing one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        # None where a session broke and could not be opened again yet.
        self._sessions: dict[int, Connection | None] = {}

    def begin(self, row: sa.Executable) -> int:
        """Insert a worker's ``row``, which returns its key, and hold its lock until `end`
        or the death of the process; the key.

        Nobody ever sees the row without its lock.
        """
        if self._database.is_sqlite:
            with self._database.write() as transaction:
                return _key(transaction.connection, row)
        session = self._database.session()
        try:
            with told_plainly(self._database.url):
                worker = _key(session, row)
                _try_lock(session, worker)
        except BaseException:
            _drop(session)
            raise
        with self._guard:
            self._sessions[worker] = session
        return worker

    def keep(self, worker: int) -> None:
        """Look after the session: one that broke is opened again, now or the next time.

        Without it others take the worker for dead, which the next renewal of its
        lease will tell.
        """
        with self._guard:
            if worker not in self._sessions:
                return
            session = self._sessions[worker]
            try:
                if session is not None:
                    session.execute(sa.select(1))
                    session.commit()
                    return
            except sa.exc.SQLAlchemyError as error:
                log.warning("worker_session_broke", worker=worker, error=str(error))
            self._sessions[worker] = None
            if session is not None:
                _drop(session)
            self._sessions[worker] = self._reopened(worker)

    def end(self, worker: int) -> None:
        """Give the lock up."""
        with self._guard:
            session = self._sessions.pop(worker, None)
            if session is not None:
                _drop(session)

    def close(self) -> None:
        """Give up all that are left."""
        for worker in list(self._sessions):
            self.end(worker)

    def seem_dead(self, connection: Connection) -> bool:
        """Whether a worker's session is gone, or its lease has ended; no lock is taken for it."""
        # One's own may break and be opened again.
        return any(
            row.ended or row.id not in self._sessions for row in connection.execute(_SEEM_DEAD)
        )

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

    def _reopened(self, worker: int) -> Connection | None:
        try:
            session = self._database.session()
        except StorageError as error:
            log.warning("worker_session_not_opened", worker=worker, error=str(error))
            return None
        try:
            # Never waited for: the server may not have noticed yet that the old one is gone.
            if _try_lock(session, worker):
                return session
        except sa.exc.SQLAlchemyError as error:
            log.warning("worker_session_not_opened", worker=worker, error=str(error))
        _drop(session)
        return None


def _key(connection: Connection, row: Any) -> int:
    return int(connection.execute(row).scalar_one())


def _try_lock(session: Connection, worker: int) -> bool:
    held = session.scalar(sa.select(sa.func.pg_try_advisory_lock(_CLASS, worker)))
    session.commit()
    return bool(held)


def _drop(session: Connection) -> None:
    """Close for good: back in the pool it would keep its lock."""
    session.invalidate()
    session.close()
