"""The migrations make the tables of storage/tables.py, on both databases."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from newsletter.errors import StorageError
from newsletter.sources.model import GONE, ReadKind
from newsletter.storage import migrations
from newsletter.storage.database import Database
from newsletter.storage.migrations.run import alembic_config
from newsletter.storage.tables import SCHEMA_REVISION, TITLE_WORDS_INDEX, metadata
from tests.postgres import empty_database

Opener = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgresql"])
def open_empty(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens one and the same database, which starts without a table."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/empty.db"
    else:
        url = empty_database(request.getfixturevalue("postgresql_server"))
    return lambda: Database.open(url)


def test_migrations_and_tables_are_the_same(database: Database) -> None:
    with database.read() as tx:
        # Alembic can't compare an index of an expression.
        opts: dict[str, Any] = {
            "target_metadata": metadata,
            "include_name": lambda name, kind, _: (kind, name) != ("index", TITLE_WORDS_INDEX),
        }
        context = MigrationContext.configure(tx.connection, opts=opts)
        assert compare_metadata(context, metadata) == []


def test_postgresql_has_an_index_of_headlines_words(database: Database) -> None:
    with database.read() as tx:
        names = {one["name"] for one in sa.inspect(tx.connection).get_indexes("story")}
    assert (TITLE_WORDS_INDEX in names) is not database.is_sqlite


def test_partial_indexes_have_their_condition(database: Database) -> None:
    # Alembic does not compare conditions.
    with database.read() as tx:
        indexes = {
            index["name"]: index["dialect_options"]
            for index in sa.inspect(tx.connection).get_indexes("delivery")
        }
    for name, column in (("ix_delivery_waiting", "due_at"), ("ix_delivery_held", "worker_id")):
        (condition,) = [v for k, v in indexes[name].items() if k.endswith("_where")]
        assert f"{column} IS NOT NULL" in str(condition)


def test_the_revision_constant_is_the_newest_file() -> None:
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert script.get_heads() == [SCHEMA_REVISION]


def test_an_empty_database_is_pending_and_says_what_to_run(open_empty: Opener) -> None:
    database = open_empty()
    assert database.pending_migrations()
    with pytest.raises(StorageError, match="newsletter migrate"), database.read() as tx:
        tx.settings.latest()
    database.migrate()
    assert not database.pending_migrations()
    with database.read() as tx:
        assert tx.settings.latest() is None
    database.migrate()
    assert not database.pending_migrations()
    database.close()


def test_two_that_migrate_at_once(open_empty: Opener) -> None:
    databases = [open_empty() for _ in range(3)]
    barrier = threading.Barrier(len(databases))

    def migrate(database: Database) -> None:
        barrier.wait()
        database.migrate()

    with ThreadPoolExecutor(len(databases)) as pool:
        list(pool.map(migrate, databases))
    for database in databases:
        assert not database.pending_migrations()
        database.close()


def test_a_later_version_is_refused_and_left_alone(open_empty: Opener) -> None:
    database = open_empty()
    database.migrate()
    with database.write() as tx:
        tx.connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    assert database.pending_migrations()
    with pytest.raises(StorageError, match="later version"):
        database.migrate()
    with database.read() as tx:
        version = tx.connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    assert version == "9999"
    database.close()


def test_totals_of_before_are_of_the_kind_of_their_days(open_empty: Opener) -> None:
    """A counter of visitors would else start anew, and count its young stories twice."""
    database = open_empty()
    with database.write() as tx:
        command.upgrade(alembic_config(tx.connection), "0002")
        for statement in _COUNTERS_OF_BEFORE:
            tx.connection.execute(sa.text(statement))
    database.migrate()
    with database.read() as tx:
        assert tx.reads.last_totals("visitors", ReadKind.VISITORS) == {"story1": 90}
        assert tx.reads.last_totals("visitors") == {}
        assert tx.reads.last_totals("views") == {"story1": 142}
        assert tx.reads.kind_of("visitors") is ReadKind.VISITORS
        assert tx.reads.kind_of("views") is ReadKind.VIEWS
    database.close()


def test_stories_hidden_as_deleted_are_gone(open_empty: Opener) -> None:
    database = open_empty()
    with database.write() as tx:
        command.upgrade(alembic_config(tx.connection), "0006")
        for statement in (*_A_STORY_OF_BEFORE, *_DELETED_OF_BEFORE):
            tx.connection.execute(sa.text(statement))
    database.migrate()
    with database.read() as tx:
        (story,) = tx.stories.by_ids(["story1"])
        trail = [(entry.before, entry.after) for entry in tx.stories.trail(["story1"])]
    database.close()
    assert story.hidden == GONE
    assert trail == [("", GONE), (GONE, ""), ("deleted", "Deleted scenes")]


_A_STORY_OF_BEFORE = (
    "INSERT INTO source (id, role, slug, configured, last_error, failures) "
    "VALUES (1, 'source', 'site', true, '', 0)",
    "INSERT INTO story (id, public_id, source_id, url, title, published_at, first_seen_at, "
    "title_key, published_on, byline, house_author, departments, tags, excerpt, words, "
    "published_known, hidden, syndicated_from, syndicated_url) VALUES (1, 'story1', 1, "
    "'https://paper.example/1', 'One', '2025-08-04 12:00:00.000000', "
    "'2025-08-04 12:00:00.000000', 'one', '2025-08-04', '', '', '[]', '[]', '', 1, true, "
    "'deleted', '', '')",
)
_DELETED_OF_BEFORE = tuple(
    'INSERT INTO story_trail (story_id, at, source, kind, "before", "after") VALUES '
    f"(1, '2025-08-05 12:00:00.000000', 'site', '{kind}', '{before}', '{after}')"
    for kind, before, after in (
        ("hidden", "", "deleted"),
        ("shown", "deleted", ""),
        ("retitled", "deleted", "Deleted scenes"),
    )
)
_COUNTERS_OF_BEFORE = (
    *(
        f"INSERT INTO source (id, role, slug, configured, last_error) "
        f"VALUES ({key}, '{role}', '{slug}', true, '')"
        for key, role, slug in (
            (1, "source", "site"),
            (2, "reads", "visitors"),
            (3, "reads", "views"),
        )
    ),
    "INSERT INTO story (id, public_id, source_id, url, title, published_at, first_seen_at, "
    "title_key, published_on, byline, house_author, departments, tags, excerpt, words, "
    "published_known, hidden) VALUES (1, 'story1', 1, 'https://paper.example/1', 'One', "
    "'2025-08-04 12:00:00.000000', '2025-08-04 12:00:00.000000', 'one', '2025-08-04', '', '', "
    "'[]', '[]', '', 1, true, '')",
    "INSERT INTO read_day VALUES (2, '2025-08-05', 'visitors', 1, 90)",
    "INSERT INTO read_point (reads_id, story_id, taken_at, total) "
    "VALUES (2, 1, '2025-08-05 12:00:00.000000', 90), (3, 1, '2025-08-05 12:00:00.000000', 142)",
)
