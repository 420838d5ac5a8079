"""Bringing a database to this version."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from newsletter.errors import StorageError

# Any number that nobody else uses: PostgreSQL's advisory locks have no names.
_LOCK = 0x6E657773


def migrate(connection: Connection) -> None:
    """Run what is missing, all or nothing, in the transaction that ``connection`` has begun.

    On SQLite that transaction holds the write lock already, and foreign keys
    must be off, for a copied table drops its original. StorageError where the
    database is of a later version than this program.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    config = alembic_config(connection)
    _refuse_later_version(connection, ScriptDirectory.from_config(config))
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise StorageError(
                f"the migration would leave {broken[0]} with rows that point nowhere; nothing was "
                "changed: restore the last backup, and report this",
                subject=str(broken[0]),
            )


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings, without a file."""
    config = Config(attributes={"connection": connection})
    # Alembic interpolates percent signs in its options.
    folder = str(Path(__file__).parent).replace("%", "%%")
    config.set_main_option("script_location", folder)
    return config


def _refuse_later_version(connection: Connection, scripts: ScriptDirectory) -> None:
    for revision in MigrationContext.configure(connection).get_current_heads():
        try:
            scripts.get_revision(revision)
        except CommandError as error:
            raise StorageError(
                f"the database is of a later version ({revision}) than this program: install the "
                "newer program again, or restore the backup made before it",
                subject=revision,
            ) from error
