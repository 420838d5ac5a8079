"""Databases at this version, copied from one: all migrations take longer than most tests."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from newsletter.storage.database import Database


def place_database(path: Path) -> None:
    """Put a migrated SQLite file that holds nothing at ``path``, where none is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(_empty())


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "newsletter.sqlite")
        database = Database.open(f"sqlite:///{path}")
        database.migrate()
        database.close()
        return path.read_bytes()
