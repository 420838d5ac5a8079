"""What Alembic runs: our one connection, inside its own transaction.

Only `migrations.run` comes here; it passes the connection in.
"""

from alembic import context

from newsletter.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can't alter most of a table: batch mode copies it.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
