"""What PostgreSQL's errors become, and the launcher of the test server itself."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from newsletter.errors import StorageError
from newsletter.storage.database import Database
from newsletter.storage.engine import Durability
from tests import postgres
from tests.postgres import fresh_database, running_postgres

NOW = datetime(2025, 8, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_postgres() as base_url:
        yield base_url


@pytest.fixture
def database(server: str) -> Iterator[Database]:
    database = Database.open(fresh_database(server))
    yield database
    database.close()


def test_the_server_is_postgresql_and_its_databases_are_apart(server: str) -> None:
    first, second = (Database.open(fresh_database(server)) for _ in range(2))
    for database in (first, second):
        assert not database.pending_migrations()
    with first.write() as tx:
        tx.settings.append({}, "anna", NOW)
        assert tx.connection.scalar(sa.text("SHOW server_encoding")) == "UTF8"
    with second.read() as tx:
        assert tx.settings.latest() is None
    first.close()
    second.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as somebody else")
def test_binaries_that_nobody_can_reach_are_copied(tmp_path: Path) -> None:
    private, folder = tmp_path / "private", tmp_path / "open"
    program = private / "package/pginstall/bin/initdb"
    for made in (program.parent, private / "package.libs", folder):
        made.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    (private / "package.libs/lib.so").write_text("")
    private.chmod(0o700)
    copy = postgres._within_reach(private / "package", folder)
    assert folder in copy.parents
    assert (copy.with_name("package.libs") / "lib.so").exists()
    assert (copy / "pginstall/bin/initdb").stat().st_mode & 0o777 == 0o755


def test_a_database_that_is_not_there(server: str) -> None:
    database = Database.open(f"{server}/nothing")
    with pytest.raises(StorageError, match=r"does not let us in .*nothing.*; check"):
        database.pending_migrations()
    database.close()


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("53100", "the server's disk is full; free some space"),
        ("42P01", "run `newsletter migrate`"),
        ("40P01", "in each other's way; try again"),
        ("55P03", "kept a lock for too long"),
        ("42501", "lacks a right"),
        ("XX000", r"the database failed \(made up\)"),
    ],
)
def test_what_the_server_reports(database: Database, state: str, sentence: str) -> None:
    code = f"DO $$ BEGIN RAISE EXCEPTION 'made up' USING ERRCODE = '{state}'; END $$"
    with pytest.raises(StorageError, match=sentence) as caught, database.write() as tx:
        tx.connection.exec_driver_sql(code)
    assert caught.value.subject.startswith("postgresql://")
    with database.write() as tx:
        tx.settings.append({}, "anna", NOW)


def test_a_connection_that_was_cut_is_replaced(database: Database) -> None:
    with database.read() as tx:
        assert tx.settings.latest() is None
    other = Database.open(database._opening.url.render_as_string(hide_password=False))
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"

    def cut_myself() -> None:
        with database.write() as tx, other.write() as admin:
            mine = admin.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            name = database._opening.url.database
            admin.connection.exec_driver_sql(cut, (name, mine))
            tx.settings.append({}, "anna", NOW)

    with pytest.raises(StorageError, match="is shutting down or starting"):
        cut_myself()
    with database.write() as tx:
        assert tx.settings.append({}, "anna", NOW)
    other.close()


@pytest.mark.parametrize(("durability", "waits"), [("process", "off"), ("full", "on")])
def test_full_durability_waits_for_the_disk_where_the_server_would_not(
    server: str, durability: Durability, waits: str
) -> None:
    url = fresh_database(server)
    name = sa.make_url(url).database
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    database = Database.open(url, durability=durability)
    with database.write() as tx:
        assert tx.connection.scalar(sa.text("SHOW synchronous_commit")) == waits
    connection = database.driver_connection()
    assert connection.execute("SHOW synchronous_commit").fetchone() == (waits,)
    connection.close()
    database.close()
