"""Every test here runs twice: on an SQLite file and on a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.storage.database import Database
from newsletter.storage.tables import metadata
from tests.contracts.nouns import NOW, a_settings
from tests.contracts.one_at_a_time import Workers
from tests.postgres import fresh_database, running_postgres
from tests.web.site import SETTINGS, Site, serve_site


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    with running_postgres() as base_url:
        yield base_url


@pytest.fixture(scope="session")
def postgresql_database(postgresql_server: str) -> Iterator[Database]:
    database = Database.open(fresh_database(postgresql_server))
    yield database
    database.close()


@pytest.fixture(scope="session")
def sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database.open(f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/newsletter.db")
    database.migrate()
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database whose settings name the paper's sources and newsletters.

    One for all tests, emptied before each: statements are compiled once.
    """
    database: Database = request.getfixturevalue(f"{request.param}_database")
    with database.write() as tx:
        for table in reversed(metadata.sorted_tables):
            tx.connection.execute(table.delete())
        tx.settings.register(a_settings(), NOW)
    return database


@pytest.fixture
def ledger(database: Database) -> Iterator[Workers]:
    workers = Workers(database)
    yield workers
    workers.close()


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Iterator[Site]:
    """The pages for readers over each database."""
    with database.write() as tx:
        tx.settings.register(SETTINGS, NOW)
    with serve_site(tmp_path, database) as site:
        yield site
