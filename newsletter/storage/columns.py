"""The column types of our own: instants, and text as the outside world writes it."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

# SQLite numbers rows by itself only in columns that are declared INTEGER.
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Document = sa.JSON(none_as_null=True)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware instant, always UTC in Python; a naive one is refused.

    SQLite keeps no zone: there the column holds UTC without one, in a form
    whose text sorts as the instants do.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone and names no instant")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class NameList(sa.types.TypeDecorator[tuple[str, ...]]):
    """Names without ";" in one text, so that rows can be grouped by them."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, _dialect: Dialect) -> str | None:
        return None if value is None else clean_text(";".join(value))

    def process_result_value(self, value: str | None, _dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else tuple(filter(None, value.split(";")))


class PlainText(sa.types.TypeDecorator[str]):
    """Text from outside, of any length.

    PostgreSQL refuses NUL, and no driver takes half of a surrogate pair; one
    such letter in a feed must not cost the whole batch, so it becomes U+FFFD.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        return None if value is None else clean_text(value)


def clean_text(text: str) -> str:
    """``text`` with what no database takes replaced by U+FFFD."""
    if text.isascii():
        return text.replace("\0", "\ufffd")
    # A surrogate can't be encoded; the "replace" of encode() would give "?".
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", "\ufffd")
