"""Opening a database, and what it says when it can't be used."""

import os
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.errors import ConfigError, Conflict, StorageError
from newsletter.storage.database import Database
from newsletter.storage.tables import subscriber

NOW = datetime(2025, 8, 5, 12, 0, tzinfo=UTC)
# The discard port: nothing listens there.
NOBODY = "postgresql://editor:s3cret@127.0.0.1:9/paper"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "newsletter.db"
    database = Database.open(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture
def path(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template, tmp_path / "newsletter.db"))


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database.open(f"sqlite:///{path}", busy_seconds=0.1)
    yield database
    database.close()


def pragma(database: Database, name: str) -> object:
    with database.read() as tx:
        return tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("newsletter.db", "is no address"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:x?mode=memory&uri=true", "names no file"),
        ("mysql://root@localhost/paper", 'no support for "mysql"'),
        ("postgresql+asyncpg://localhost/paper", "no support"),
    ],
)
def test_an_address_that_is_none(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        Database.open(url)
    assert "sqlite:///newsletter.db" in str(caught.value)


@pytest.mark.parametrize(("durability", "synchronous"), [("process", 1), ("full", 2)])
def test_how_sqlite_is_set_up(path: Path, durability: str, synchronous: int) -> None:
    database = Database.open(f"sqlite:///{path}", durability=durability)
    assert database.is_sqlite
    assert pragma(database, "journal_mode") == "wal"
    assert pragma(database, "synchronous") == synchronous
    assert pragma(database, "foreign_keys") == 1
    assert pragma(database, "busy_timeout") == 10_000
    database.close()


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/new.db")
    database.migrate()
    with database.read() as tx:
        assert tx.settings.latest() is None
        files = [tmp_path / "new.db", tmp_path / "new.db-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    database.close()


def test_many_threads(path: Path) -> None:
    database = Database.open(f"sqlite:///{path}")

    def write(number: int) -> None:
        with database.write() as tx:
            tx.changes.record(NOW, "thread", "count", "x", str(number))
        with database.read() as tx:
            assert str(number) in {change.act for change in tx.changes.of("count", "x")}

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(write, range(60)))
    with database.read() as tx:
        assert len(tx.changes.of("count", "x")) == 60
    database.close()


def test_a_transaction_inside_another_is_refused_in_time(database: Database) -> None:
    locked = pytest.raises(StorageError, match="kept the database locked")
    with locked, database.write(), database.write():
        pass
    with database.write() as tx:
        tx.settings.append({}, "anna", NOW)


def test_many_that_open_a_new_file_at_once(tmp_path: Path) -> None:
    def start(_: int) -> str:
        database = Database.open(f"sqlite:///{tmp_path}/new.db")
        database.migrate()
        mode = str(pragma(database, "journal_mode"))
        database.close()
        return mode

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(start, range(6))) == ["wal"] * 6


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=f"no folder {tmp_path}/none .*create it"):
        Database.open(f"sqlite:///{tmp_path}/none/newsletter.db")


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is a folder"):
        Database.open(f"sqlite:///{tmp_path}")


def test_a_folder_that_must_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write anywhere, so the answer of the system is made up.
    monkeypatch.setattr(os, "access", lambda found, _mode: Path(found) != tmp_path)
    with pytest.raises(StorageError, match=f"the folder {tmp_path} can't be written"):
        Database.open(f"sqlite:///{tmp_path}/newsletter.db")


def test_a_file_that_must_not_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda found, _mode: Path(found) != path)
    with pytest.raises(StorageError, match=f"{path} can't be read and written"):
        Database.open(f"sqlite:///{path}")


def test_a_folder_that_vanishes(database: Database, path: Path) -> None:
    shutil.rmtree(path.parent)
    with pytest.raises(StorageError, match="no folder"), database.read() as tx:
        tx.settings.latest()


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "newsletter.db").write_text("Dear readers, " * 1_000)
    database = Database.open(f"sqlite:///{tmp_path}/newsletter.db", busy_seconds=0.1)
    with pytest.raises(StorageError, match=r"newsletter.db is no SQLite database"):
        database.pending_migrations()
    with pytest.raises(StorageError, match=r"newsletter.db is no SQLite database"):
        database.migrate()
    assert (tmp_path / "newsletter.db").read_text().startswith("Dear readers")


def test_a_file_that_another_program_locks(database: Database, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    locked = pytest.raises(StorageError, match=r"newsletter.db: another program kept")
    with locked, database.write():
        pass
    # Readers go on.
    with database.read() as tx:
        assert tx.settings.latest() is None
    other.execute("ROLLBACK")
    other.close()
    with database.write() as tx:
        tx.settings.append({}, "anna", NOW)


def test_a_key_that_is_taken(database: Database) -> None:
    values = {"public_id": "a", "address_hash": "h", "created_at": NOW}

    def add_twice() -> None:
        with database.write() as tx:
            for address in ("lilit@reader.example", "ani@reader.example"):
                tx.connection.execute(sa.insert(subscriber).values(address=address, **values))

    with pytest.raises(Conflict) as caught:
        add_twice()
    assert "lilit" not in str(caught.value)


def test_every_way_of_a_full_disk_is_said_plainly(database: Database, path: Path) -> None:
    with database.write() as tx:
        tx.settings.append({"before": True}, "anna", NOW)
        pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar()
    database.close()

    def fill() -> None:
        with database.write() as tx:
            tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
            tx.settings.append({"text": "x" * 1_000_000}, "anna", NOW)

    with pytest.raises(StorageError) as caught:
        fill()
    assert str(caught.value) == (
        f"{path}: the disk is full; free some space and try again; what was stored before is "
        "unharmed"
    )
    with database.read() as tx:
        latest = tx.settings.latest()
    assert latest is not None
    assert latest.document == {"before": True}


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """In a file system of 2 MB; the old data is intact and the work goes on once there is room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system of its own needs root; the test above stands in")
    try:
        database = Database.open(f"sqlite:///{disk}/newsletter.db")
        database.migrate()
        with database.write() as tx:
            tx.settings.append({"before": True}, "anna", NOW)
        (disk / "ballast").write_bytes(b"x" * (shutil.disk_usage(disk).free - 8_192))

        def fill() -> None:
            for _ in range(200):
                with database.write() as tx:
                    tx.settings.append({"text": "x" * 20_000}, "anna", NOW)

        with pytest.raises(StorageError, match=r"newsletter.db: the disk is full.* unharmed"):
            fill()
        with database.read() as tx:
            assert tx.connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            assert tx.settings.latest() is not None
        (disk / "ballast").unlink()
        with database.write() as tx:
            assert tx.settings.append({"after": True}, "anna", NOW) > 1
        database.close()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_server_that_does_not_answer() -> None:
    database = Database.open(NOBODY)
    assert not database.is_sqlite
    for act in (database.pending_migrations, database.migrate):
        with pytest.raises(StorageError, match=r"127\.0\.0\.1:9/paper can't be reached") as caught:
            act()
        assert "s3cret" not in str(caught.value)
    with pytest.raises(StorageError, match="can't be reached"), database.write():
        pass
    database.close()
