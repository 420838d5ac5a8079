"""The database: opened once, read and written in transactions."""

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.driver_errors import busy, told_plainly
from newsletter.storage.engine import Durability, Opening, open_engine, parse_url
from newsletter.storage.kept_connections import KeptConnections
from newsletter.storage.transaction import Transaction

_BUSY_SECONDS = 10.0


class Database:
    """One database, for any number of threads.

    Every driver error leaves as StorageError, or as Conflict where a unique
    key was taken: one sentence that names the file or server and the mend.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._engine = open_engine(opening)
        self.dialect: sa.Dialect = self._engine.dialect
        self.url: sa.URL = opening.url
        self.is_sqlite: bool = self.dialect.name == "sqlite"
        self._turn = _Turn(opening) if self.is_sqlite else nullcontext()
        # Both share the engine's pool.
        self._writer = self._engine.execution_options(writes=True)
        self._reader = (
            self._engine.execution_options(writes=False)
            if self.is_sqlite
            else self._engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        )
        self._kept: tuple[KeptConnections, ...] = ()
        self._begin_read: Callable[[], AbstractContextManager[Connection]] = self._reader.begin
        self._begin_write: Callable[[], AbstractContextManager[Connection]] = self._writer.begin
        if self.is_sqlite:
            reading = KeptConnections(self._engine, writes=False)
            writing = KeptConnections(self._engine, writes=True)
            self._kept = (reading, writing)
            self._begin_read, self._begin_write = reading.transaction, writing.transaction

    @classmethod
    def open(
        cls, url: str, *, durability: Durability = "process", busy_seconds: float = _BUSY_SECONDS
    ) -> "Database":
        """Open ``sqlite:///path`` or ``postgresql://...``; nothing is migrated.

        ``durability`` ("process" or "full") says whether a power cut may cost
        the last commits; SQLite only. ``busy_seconds`` is how long a writer of
        SQLite waits for another one.
        """
        return cls(Opening(parse_url(url), durability, busy_seconds))

    def migrate(self) -> None:
        """Bring the schema to this version; any number of processes may call it at once."""
        # Alembic takes as long to import as all else at a start (0.4 s measured),
        # and is wanted once a version.
        run = importlib.import_module("newsletter.storage.migrations.run")
        engine = open_engine(replace(self._opening, foreign_keys=False), pooled=False)
        with told_plainly(self._opening.url):
            with engine.execution_options(writes=True).begin() as connection:
                run.migrate(connection)
            self.close()

    def pending_migrations(self) -> bool:
        """Whether the schema is of another version than this program."""
        with told_plainly(self._opening.url), self._reader.begin() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return True
            versions = connection.scalars(sa.text("SELECT version_num FROM alembic_version")).all()
            return versions != [t.SCHEMA_REVISION]

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that sees one moment of the database and cannot write."""
        with told_plainly(self._opening.url), self._begin_read() as connection:
            yield Transaction(connection)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that commits at its end, or rolls back on an error.

        Never open one inside another: on SQLite it would wait for itself.
        """
        url = self._opening.url
        with self.own_turn(), told_plainly(url), self._begin_write() as connection:
            yield Transaction(connection)

    def beside(self, suffix: str) -> Path:
        """A path beside the file of an SQLite database, whatever links lead to it."""
        return Path(f"{Path(self.url.database or '').resolve()}{suffix}")

    def session(self) -> sa.Connection:
        """A connection of one's own, for what must live as long as it: session locks."""
        with told_plainly(self._opening.url):
            return self._writer.connect()

    def driver_connection(self) -> Any:
        """The driver's own connection, set up to write, for one thread that will close it."""
        with told_plainly(self._opening.url):
            pooled = self._engine.raw_connection()
            connection = pooled.driver_connection
            pooled.detach()
        if self.is_sqlite and connection is not None:
            connection.execute("PRAGMA query_only = OFF")
        return connection

    def make_durable(self) -> None:
        """See that what was committed until now survives the loss of power as well.

        Only SQLite with durability "process" needs asking: its commits reach the
        disk with a checkpoint, which waits for nobody.
        """
        if self.is_sqlite and self._opening.durability == "process":
            with self.session() as session, told_plainly(self._opening.url):
                # On the driver's own connection: no checkpoint runs in a transaction.
                driver = session.connection.driver_connection
                if driver is not None:
                    driver.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Close the connections that nobody uses; the next transaction opens another."""
        for kept in self._kept:
            kept.close()
        self._engine.dispose()

    def own_turn(self) -> AbstractContextManager[None]:
        """Let the threads of this process write to SQLite one after the other."""
        return self._turn


class _Turn:
    """One thread's turn to write.

    SQLite itself would let them poll for it, up to 100 ms at a time and in no order.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=self._opening.busy_seconds):
            raise busy(self._opening.url)

    def __exit__(self, *_: object) -> None:
        self._lock.release()
