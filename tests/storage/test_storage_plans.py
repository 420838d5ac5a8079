"""What is asked of a large list on SQLite is found by an index, without a look at every row."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import Segment
from newsletter.subscribers.segments import Scope, parse_segment
from tests.contracts.nouns import a_settings

NOW = datetime(2025, 8, 5, 12, tzinfo=UTC)


def segment(text: str) -> Segment:
    return Segment(parse_segment(text, Scope.of(a_settings())), NOW, ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda tx: tx.subscribers.find("lilit@reader.example"), "INDEX sqlite_autoindex"),
        (
            lambda tx: list(tx.growth.since(NOW - timedelta(days=30))),
            "SEARCH change_log USING INDEX ix_change_log_kind_at",
        ),
        (
            lambda tx: tx.segments.count(segment("newsletter = weekly and state = active")),
            "USING COVERING INDEX ix_subscription_audience",
        ),
        (
            lambda tx: tx.segments.count(segment("signed_up >= 30d ago")),
            "USING COVERING INDEX ix_subscription_audience",
        ),
    ],
)
def test_an_index_answers(tmp_path: Path, ask: Callable[[Transaction], object], index: str) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/newsletter.sqlite")
    database.migrate()
    asked: list[str] = []
    with database.read() as tx:
        driver = tx.connection.connection.driver_connection
        assert driver is not None
        driver.set_trace_callback(asked.append)
        ask(tx)
        driver.set_trace_callback(None)
        plans = [
            [step[3] for step in driver.execute(f"EXPLAIN QUERY PLAN {sql}")]
            for sql in asked
            if sql.startswith("SELECT") and ("subscri" in sql or "change_log" in sql)
        ]
    database.close()
    assert plans
    assert any(index in step for plan in plans for step in plan), plans
