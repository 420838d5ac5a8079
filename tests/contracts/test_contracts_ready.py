"""Statements that go to the driver as they are: the same values in and out as by SQLAlchemy."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.errors import Conflict, StorageError
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from newsletter.storage.ready import ReadyStatement, ready_insert
from tests.contracts.nouns import NOW

_PERSON = {
    "public_id": "p" * 16,
    "address": "lilit\0@reader.example",
    "address_hash": "h" * 52,
    "name": "Lilit \ud800 Հակոբյան",
    "attributes": {"town": "Գյումրի", "visits": 3, "tags": ["a", "b"], "paper": None},
    "created_at": NOW + timedelta(microseconds=7),
}
_ADD = ready_insert(t.subscriber, tuple(_PERSON))
_ALL = ReadyStatement(lambda _: sa.select(t.subscriber).order_by(t.subscriber.c.id))


def test_values_come_back_as_sqlalchemy_gives_them(database: Database) -> None:
    with database.write() as tx:
        assert _ADD.change(tx.connection, **_PERSON) == 1
    with database.read() as tx:
        (row,) = _ALL.rows(tx.connection)
        expected = tx.connection.execute(sa.select(t.subscriber)).one()
    assert tuple(row) == tuple(expected)
    assert row.created_at == _PERSON["created_at"]
    assert row.attributes == _PERSON["attributes"]
    assert (row.language, row.domain_suppressed) == (None, False)
    assert (row.name, row.address) == ("Lilit \ufffd Հակոբյան", "lilit\ufffd@reader.example")


def test_many_rows_are_counted_and_left_where_a_key_is_taken(database: Database) -> None:
    leaving = ready_insert(t.spent_proof, ("id", "expires_at"), leave=True)
    rows = [{"id": name, "expires_at": NOW} for name in ("a", "b", "a", "c")]
    with database.write() as tx:
        assert leaving.change_each(tx.connection, rows[:2]) == 2
        assert leaving.change_each(tx.connection, rows) == 1
        assert leaving.change(tx.connection, id="c", expires_at=NOW) == 0


def test_a_taken_key_and_a_forbidden_write_are_told_as_always(database: Database) -> None:
    with database.write() as tx:
        _ADD.change(tx.connection, **_PERSON)
    with pytest.raises(Conflict), database.write() as tx:
        _ADD.change(tx.connection, **_PERSON)
    with pytest.raises(StorageError), database.read() as tx:
        _ADD.change(tx.connection, **_PERSON | {"address": "other@reader.example"})
    with database.read() as tx:
        assert len(_ALL.rows(tx.connection)) == 1


def test_what_a_statement_wrote_goes_with_its_transaction(database: Database) -> None:
    def add_and_fail() -> None:
        with database.write() as tx:
            _ADD.change(tx.connection, **_PERSON)
            raise RuntimeError("changed our mind")

    with pytest.raises(RuntimeError, match="changed our mind"):
        add_and_fail()
    with database.read() as tx:
        assert _ALL.first(tx.connection) is None
        assert _ALL.scalar(tx.connection) is None
