"""Statements that are compiled once, and then given to the driver as they are.

For what every visitor costs: building a statement anew, finding it among those that
SQLAlchemy compiled before and wrapping its rows takes 60 to 200 µs, the driver itself
3 (measured). They run in the transaction of the connection that they are given; values
and results are converted by the columns' types, as always.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

from newsletter.storage.driver_errors import translate

Convert = Callable[[Any], Any]


class ReadyStatement:
    """``build`` makes the statement for a dialect ("sqlite", "postgresql"), with a
    `sa.bindparam` for each value that differs between executions; none may expand."""

    def __init__(self, build: Callable[[str], Any]) -> None:
        self._build = build
        self._forms: dict[str, _Form] = {}

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """What it gives: tuples whose fields have the columns' names."""
        form = self._form(connection.dialect)
        return form.read(_execute(connection, form, form.bind(values)))

    def first(self, connection: Connection, **values: Any) -> Any:
        """The first row of the same; None where there is none."""
        rows = self.rows(connection, **values)
        return rows[0] if rows else None

    def scalar(self, connection: Connection, **values: Any) -> Any:
        """The first field of the first row; None where there is none."""
        rows = self.rows(connection, **values)
        return rows[0][0] if rows else None

    def change(self, connection: Connection, **values: Any) -> int:
        """How many rows it changed."""
        form = self._form(connection.dialect)
        changed: int = _execute(connection, form, form.bind(values)).rowcount
        return max(0, changed)

    def change_each(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
        """The same, executed for every row of values."""
        form = self._form(connection.dialect)
        changed: int = _execute_each(connection, form, list(map(form.bind, rows))).rowcount
        return max(0, changed)

    def _form(self, dialect: Dialect) -> "_Form":
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = _Form(self._build(dialect.name), dialect)
        return form


def insert_for(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, which SQLAlchemy keeps by dialect."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@lru_cache(maxsize=512)
def ready_insert(table: Table, names: tuple[str, ...], *, leave: bool = False) -> ReadyStatement:
    """An INSERT of those columns; with ``leave`` of what no unique key forbids."""
    given = {name: sa.bindparam(name, type_=table.c[name].type) for name in names}

    def build(dialect: str) -> Any:
        statement = insert_for(dialect, table).values(given | _defaults(table, names))
        return statement.on_conflict_do_nothing() if leave else statement

    return ReadyStatement(build)


def _defaults(table: Table, given: Sequence[str]) -> dict[str, Any]:
    """What columns hold that are not given, as the schema says."""
    return {
        column.name: sa.literal(column.default.arg, column.type)
        for column in table.columns
        if column.name not in given and isinstance(column.default, sa.ColumnDefault)
    }


class _Form:
    """A statement as one driver takes it."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.text = str(compiled)
        binders = {name: _binder(bind.type, dialect) for name, bind in compiled.binds.items()}
        self._wanted = [
            (name, binders[name]) for name, bind in compiled.binds.items() if bind.required
        ]
        self._constants = {
            name: _apply(binders[name], bind.effective_value)
            for name, bind in compiled.binds.items()
            if not bind.required
        }
        self._order = compiled.positiontup
        given = statement.exported_columns
        self._make: Convert = getattr(namedtuple("_Row", given.keys(), rename=True), "_make")  # noqa: B009
        self._readers = [
            (place, reader)
            for place, column in enumerate(given)
            if (reader := column.type.dialect_impl(dialect).result_processor(dialect, None))
        ]

    def bind(self, values: Mapping[str, Any]) -> Any:
        """The parameters of one execution, as the driver wants them."""
        bound = dict(self._constants)
        for name, convert in self._wanted:
            value = values[name]
            bound[name] = convert(value) if convert is not None else value
        return bound if self._order is None else [bound[name] for name in self._order]

    def read(self, cursor: Any) -> list[Any]:
        """All rows of ``cursor``, converted."""
        make = self._make
        if not self._readers:
            return [make(row) for row in cursor]
        converted = []
        for row in cursor:
            fields = list(row)
            for place, reader in self._readers:
                fields[place] = reader(fields[place])
            converted.append(make(fields))
        return converted


def _binder(kind: Any, dialect: Dialect) -> Convert | None:
    convert: Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return convert


def _apply(convert: Convert | None, value: Any) -> Any:
    return convert(value) if convert is not None else value


def _execute(connection: Connection, form: _Form, parameters: Any) -> Any:
    try:
        return _driver_of(connection).execute(form.text, parameters)
    except _errors_of(connection) as error:
        raise translate(connection.engine.url, error) from error


def _execute_each(connection: Connection, form: _Form, parameters: list[Any]) -> Any:
    cursor = _driver_of(connection).cursor()
    try:
        cursor.executemany(form.text, parameters)
    except _errors_of(connection) as error:
        raise translate(connection.engine.url, error) from error
    return cursor


def _driver_of(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _errors_of(connection: Connection) -> type[Exception]:
    driver: Any = connection.dialect.loaded_dbapi
    error: type[Exception] = driver.Error
    return error
