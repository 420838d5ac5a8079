"""How SQLite and PostgreSQL are opened.

A connection is marked as reading or writing by the option ``writes``; on
SQLite a writer begins with BEGIN IMMEDIATE, so that it waits for its turn at
once and never finds in the middle that somebody else was quicker. With ``begun``
the transaction has begun already.
"""

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from newsletter.errors import ConfigError
from newsletter.storage.driver_errors import check_folder

Durability = Literal["process", "full"]

# "process": what was committed survives a crash of the service, not always a
# power cut; "full": it survives that too, for an fsync a commit.
_SYNCHRONOUS = {"process": "NORMAL", "full": "FULL"}
_CONNECT_SECONDS = 10
_LOCK_SECONDS = 30
_WAL_TRY_MS = 50
# What a large transaction leaves of the write-ahead log is cut to this size.
_WAL_KEPT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Opening:
    """How to open a database. ``foreign_keys`` is off only while migrating SQLite."""

    url: URL
    durability: Durability
    busy_seconds: float
    foreign_keys: bool = True


def parse_url(text: str) -> URL:
    """The address of a database we can use; ConfigError says how to write one."""
    help_ = "write sqlite:///newsletter.db or postgresql://user:password@host/name"
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError as error:
        raise ConfigError(f"[database] url is no address; {help_}", subject="url") from error
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise ConfigError(
            f'[database] url: there is no support for "{url.drivername}"; {help_}', subject="url"
        )
    # In memory every thread would get an empty database of its own.
    if url.database in (None, "", ":memory:") or str(url.database).startswith("file:"):
        raise ConfigError(f"[database] url names no file; {help_}", subject="url")
    return url


def open_engine(opening: Opening, *, pooled: bool = True) -> Engine:
    """An engine for ``opening``; StorageError where an SQLite file has no place to be."""
    if opening.url.get_backend_name() == "sqlite":
        return _open_sqlite(opening, pooled=pooled)
    return _open_postgresql(opening, pooled=pooled)


def _open_sqlite(opening: Opening, *, pooled: bool) -> Engine:
    path = Path(str(opening.url.database))
    check_folder(path)
    if not path.exists():
        # It will hold addresses; SQLite gives its other files the same mode.
        path.touch(mode=0o600)
    pool: dict[str, Any] = {"max_overflow": -1} if pooled else {"poolclass": NullPool}
    arguments = {"timeout": opening.busy_seconds}
    engine = sa.create_engine(opening.url, connect_args=arguments, hide_parameters=True, **pool)

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: object) -> None:
        # The driver must not begin transactions by itself: `_begin` does.
        connection.isolation_level = None
        _enter_wal(connection, opening.busy_seconds)
        for pragma in (
            f"synchronous = {_SYNCHRONOUS[opening.durability]}",
            f"foreign_keys = {'ON' if opening.foreign_keys else 'OFF'}",
            f"journal_size_limit = {_WAL_KEPT_BYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("begun"):
            return
        writes = bool(options.get("writes"))
        driver: Any = connection.connection.driver_connection
        if connection.info.get("writes") != writes:
            driver.execute(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
            connection.info["writes"] = writes
        driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _enter_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Turn on the write-ahead log, which stays on for the file's life.

    Of two processes that meet in this first change, one must look again rather
    than wait: the other keeps a lock on the file for as long as it is open.
    """
    connection.execute(f"PRAGMA busy_timeout = {_WAL_TRY_MS}")
    for _ in range(max(1, int(busy_seconds * 1000 / _WAL_TRY_MS))):
        try:
            if connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",):
                break
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise
        time.sleep(_WAL_TRY_MS / 1000)
    connection.execute(f"PRAGMA busy_timeout = {round(busy_seconds * 1000)}")


def _open_postgresql(opening: Opening, *, pooled: bool) -> Engine:
    url = opening.url
    arguments: dict[str, Any] = {}
    if "connect_timeout" not in url.query:
        arguments["connect_timeout"] = _CONNECT_SECONDS
    if "application_name" not in url.query:
        arguments["application_name"] = "newsletter"
    pool: dict[str, Any] = (
        {"pool_pre_ping": True, "pool_size": 5, "max_overflow": 15, "pool_timeout": _LOCK_SECONDS}
        if pooled
        else {"poolclass": NullPool}
    )
    # Addresses are among the parameters: no error may carry them into a log.
    engine = sa.create_engine(url, connect_args=arguments, hide_parameters=True, **pool)
    if opening.durability == "full":
        sa.event.listen(engine, "connect", _wait_for_the_disk)
    return engine


def _wait_for_the_disk(connection: Any, _record: object) -> None:
    """Let no commit be answered before it is on the disk, on a server that is told not to wait.

    Its other settings wait for that at least, and are left alone.
    """
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()
