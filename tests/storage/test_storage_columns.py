"""The column types: instants keep their meaning, text is made storable."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import given

from newsletter.storage.columns import Instant, PlainText, clean_text

NOON = datetime(2025, 8, 5, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> sa.Engine:
    return sa.create_engine(f"sqlite:///{tmp_path_factory.mktemp('columns')}/columns.db")


def round_trip(engine: sa.Engine, value: datetime) -> datetime:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.cast(sa.literal(value, Instant), Instant)))


def test_a_naive_time_names_no_instant(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.StatementError, match="no time zone"):
        round_trip(engine, NOON.replace(tzinfo=None))


def test_instants_sort_whatever_their_zone(tmp_path: Path) -> None:
    table = sa.Table("at", sa.MetaData(), sa.Column("at", Instant))
    zones = [timezone(timedelta(hours=hours)) for hours in (-11, 0, 14)]
    instants = [NOON.astimezone(zone) + timedelta(minutes=n) for n, zone in enumerate(zones)]
    engine = sa.create_engine(f"sqlite:///{tmp_path}/at.db")
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(sa.insert(table), [{"at": instant} for instant in reversed(instants)])
        found = connection.scalars(sa.select(table.c.at).order_by(table.c.at)).all()
        later = connection.scalars(sa.select(table.c.at).where(table.c.at > instants[1])).all()
    engine.dispose()
    assert found == instants
    assert {instant.tzinfo for instant in found} == {UTC}
    assert later == instants[2:]


@given(st.text(st.characters(codec=None, categories=None), max_size=30))
def test_any_text_becomes_storable(text: str) -> None:
    cleaned = clean_text(text)
    assert "\0" not in cleaned
    cleaned.encode()
    if "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert cleaned == text
    assert clean_text(cleaned) == cleaned


def test_text_is_cleaned_on_its_way_in(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        literal = sa.literal("a\0\udc00b", PlainText)
        assert connection.scalar(sa.select(literal)) == "a��b"
