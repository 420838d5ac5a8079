"""What the repositories of imports share: keys, names, and how their statements are planned."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t


def import_key(connection: Connection, public_id: str) -> int:
    """The row of an import."""
    return import_place(connection, public_id)[0]


def import_place(connection: Connection, public_id: str) -> tuple[int, int, str]:
    """The row of an import, that of its newsletter, and that one's slug."""
    row = connection.execute(
        sa.select(
            t.subscriber_import.c.id, t.subscriber_import.c.newsletter_id, t.newsletter.c.slug
        )
        .join_from(t.subscriber_import, t.newsletter)
        .where(t.subscriber_import.c.public_id == public_id)
    ).one()
    return row[0], row[1], row[2]


def reader_names(connection: Connection, keys: Collection[int]) -> dict[int, str]:
    """Public ids of readers by their rows."""
    person = t.subscriber.c
    rows = connection.execute(sa.select(person.id, person.public_id).where(person.id.in_(keys)))
    return {key: name for key, name in rows}  # noqa: C416 (rows are no tuples to mypy)


def walk_indexes(connection: Connection) -> None:
    """Let PostgreSQL go through no whole table, which grows faster than its statistics,
    nor compile a statement because of what it then believes that to cost."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(
            "SELECT set_config(name, 'off', true) FROM unnest(ARRAY["
            "'enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit']) AS name"
        )
