"""Every test here runs twice: on an SQLite file and on a real PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.storage.database import Database
from newsletter.storage.ledger import SqlLedger
from newsletter.storage.tables import metadata
from tests.contracts.nouns import NOW, a_settings
from tests.postgres import fresh_database, running_postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with running_postgres() as base_url:
        yield base_url


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[Database]:
    database = Database.open(fresh_database(postgres_server))
    yield database
    database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path
) -> Iterator[Database]:
    """A migrated database whose settings name the paper's sources and newsletters."""
    if request.param == "sqlite":
        shutil.copy(sqlite_template, tmp_path / "newsletter.db")
        database = Database.open(f"sqlite:///{tmp_path}/newsletter.db")
    else:
        database = request.getfixturevalue("postgres_database")
    with database.write() as tx:
        for table in reversed(metadata.sorted_tables):
            tx.connection.execute(table.delete())
        tx.settings.register(a_settings(), NOW)
    yield database
    if request.param == "sqlite":
        database.close()


@pytest.fixture
def ledger(database: Database) -> SqlLedger:
    return SqlLedger(database)
