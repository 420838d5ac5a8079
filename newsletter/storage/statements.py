"""Pieces of SQL that several repositories need."""

import json
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY

from newsletter.errors import NotFound
from newsletter.storage import tables as t
from newsletter.storage.columns import Instant
from newsletter.storage.ready import ReadyStatement, insert_for, ready_insert

T = TypeVar("T")
AnyRow = Row[*tuple[Any, ...]]

# PostgreSQL takes 65,535 parameters a statement, SQLite 32,766.
CHUNK = 1_000


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """As `insert_for`, for the dialect of a connection."""
    return insert_for(connection.dialect.name, table)


def insert_or_leave(
    connection: Connection, table: Table, rows: dict[str, Any] | list[dict[str, Any]]
) -> int:
    """Insert what no unique key forbids; how many rows that were. All rows have the same keys."""
    if not rows:
        return 0
    if isinstance(rows, dict):
        return ready_insert(table, tuple(rows), leave=True).change(connection, **rows)
    return ready_insert(table, tuple(rows[0]), leave=True).change_each(connection, rows)


def chunks(values: Collection[T]) -> Iterator[list[T]]:
    """``values`` in lists that fit one statement."""
    listed = list(values)
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]


def _key_by(table: Table, *columns: str) -> ReadyStatement:
    """The key of the row that has these values, each a parameter of its column's name."""
    wanted = [table.c[name] == sa.bindparam(name, type_=table.c[name].type) for name in columns]
    return ReadyStatement(lambda _: sa.select(table.c.id).where(*wanted))


_SOURCE = _key_by(t.source, "role", "slug")
_NEWSLETTER = _key_by(t.newsletter, "slug")
_SUBSCRIBER = _key_by(t.subscriber, "public_id")
_HOLD_READER = ReadyStatement(
    lambda _: (
        sa.select(t.subscriber.c.id)
        .where(t.subscriber.c.public_id == sa.bindparam("public_id"))
        .with_for_update(key_share=True)
    )
)
_ISSUE = _key_by(t.issue, "public_id")
_MAILING = _key_by(t.mailing, "public_id")


def source_key(connection: Connection, role: str, slug: str) -> int:
    """The row of the source (or counter, role "reads") of that slug; NotFound."""
    key = _SOURCE.scalar(connection, role=role, slug=slug)
    if key is None:
        word = "counter" if role == "reads" else "source"
        raise NotFound(f'no {word} called "{slug}" is configured', subject=slug)
    return int(key)


def newsletter_key(connection: Connection, slug: str) -> int:
    """The row of the newsletter of that slug; NotFound."""
    key = _NEWSLETTER.scalar(connection, slug=slug)
    if key is None:
        raise NotFound(f'there is no newsletter "{slug}"', subject=slug)
    return int(key)


def subscriber_key(connection: Connection, public_id: str) -> int:
    """The row of a subscriber; NotFound."""
    key = find_subscriber_key(connection, public_id)
    if key is None:
        raise NotFound("there is no such subscriber any more", subject=public_id)
    return key


def find_subscriber_key(connection: Connection, public_id: str) -> int | None:
    """The same; None where there is none."""
    key: int | None = _SUBSCRIBER.scalar(connection, public_id=public_id)
    return key


def issue_key(connection: Connection, public_id: str) -> int:
    """The row of an issue; NotFound."""
    key = _ISSUE.scalar(connection, public_id=public_id)
    if key is None:
        raise NotFound("there is no such issue any more", subject=public_id)
    return int(key)


def mailing_key(connection: Connection, public_id: str) -> int:
    """The row of a mailing; NotFound."""
    key = _MAILING.scalar(connection, public_id=public_id)
    if key is None:
        raise NotFound("there is no such mailing any more", subject=public_id)
    return int(key)


def domain_of(connection: Connection, address: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """What stands after an address's only @."""
    if connection.dialect.name == "sqlite":
        return sa.func.substr(address, sa.func.instr(address, "@") + 1)
    return sa.func.split_part(address, "@", 2)


def lease_clock(dialect: str, now: datetime | None = None) -> sa.ColumnElement[Any]:
    """The instant that leases go by: on PostgreSQL the server's own, so that a host
    whose clock is wrong neither keeps nor takes what it should not; on SQLite,
    which is one machine's, ``now``, or the statement's parameter of that name."""
    if dialect != "sqlite":
        return sa.func.clock_timestamp(type_=sa.DateTime(timezone=True))
    return sa.bindparam("now", type_=Instant) if now is None else sa.literal(now, Instant)


def lease_end(dialect: str, now: datetime, lasting: timedelta) -> sa.ColumnElement[Any]:
    """When a lease ends that is taken or renewed now."""
    if dialect != "sqlite":
        return lease_clock(dialect) + lasting
    # A span can't be added to an instant in SQLite, nor need it be.
    return sa.literal(now + lasting, Instant)


# Of the two numbers of PostgreSQL's advisory locks the first says what it is for.
_NAMED_LOCK = 0x6E6C6E
_FENCE = (0x6E6C66, 0)


def fence(connection: Connection) -> None:
    """Wait until no hand-over is between its guard and its commit, and let none begin.

    For what takes away the right to mail somebody: a goodbye, a suppression, a
    pause, a lost lease. PostgreSQL only, until the transaction ends; on SQLite
    there is one writer at a time anyway.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(*_FENCE)))


# The other side of `fence`, for hand-overs: what they see stands until they commit.
SHARE_FENCE = sa.select(
    sa.func.pg_advisory_xact_lock_shared(*(sa.literal_column(str(n)) for n in _FENCE))
)


def of_nobody(connection: Connection) -> dict[str, Any]:
    """What a ledger row holds whose reader is known no more.

    The recipient's id stands in every link of the mails they had: it gives way to a
    random one of the row's own, by which nothing leads from such a link to the row.
    """
    lot: sa.ColumnElement[str]
    if connection.dialect.name == "sqlite":
        lot = sa.func.lower(sa.func.hex(sa.func.randomblob(16)))
    else:
        lot = sa.func.replace(sa.cast(sa.func.gen_random_uuid(), sa.Text), "-", "")
    return {
        "address": None,
        "domain": "",
        "address_hash": None,
        "subscriber_id": None,
        "recipient": lot,
    }


def hold_reader(connection: Connection, public_id: str) -> None:
    """Let nobody else change a reader's address, subscriptions or wishes until the transaction
    ends: held after `fence` and before any of these, so that no two wait for each other.

    PostgreSQL only, as SQLite has one writer at a time; rows that name the reader may still come.
    """
    if connection.dialect.name != "sqlite":
        _HOLD_READER.rows(connection, public_id=public_id)


def share_name(connection: Connection, name: str) -> None:
    """Let any number of transactions run that share a name, and none that locks it."""
    if connection.dialect.name != "sqlite":
        key = sa.func.hashtext(name)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_NAMED_LOCK, key)))


def among_texts(
    connection: Connection, column: sa.ColumnElement[Any], values: Collection[str]
) -> sa.ColumnElement[bool]:
    """Whether ``column`` is among any number of texts, as one parameter."""
    dialect = connection.dialect.name
    return _among(dialect, column, sa.literal(among_values(connection, values), _texts(dialect)))


def among_parameter(
    dialect: str, column: sa.ColumnElement[Any], name: str
) -> sa.ColumnElement[bool]:
    """The same for a ready statement, whose parameter ``name`` is to be `among_values`."""
    return _among(dialect, column, sa.bindparam(name, type_=_texts(dialect)))


def among_values(connection: Connection, values: Collection[str]) -> Any:
    """Texts as one parameter."""
    listed = list(values)
    if connection.dialect.name == "sqlite":
        return json.dumps(listed, ensure_ascii=False)
    return listed


def _texts(dialect: str) -> sa.types.TypeEngine[Any]:
    return sa.String() if dialect == "sqlite" else ARRAY(sa.String)


def _among(
    dialect: str, column: sa.ColumnElement[Any], texts: sa.ColumnElement[Any]
) -> sa.ColumnElement[bool]:
    if dialect == "sqlite":
        return column.in_(sa.select(sa.func.json_each(texts).table_valued("value").c.value))
    return column == sa.any_(texts)


def lock_name(connection: Connection, name: str) -> None:
    """Let one transaction of that name run at a time (on SQLite they do)."""
    if connection.dialect.name != "sqlite":
        key = sa.func.hashtext(name)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_NAMED_LOCK, key)))
