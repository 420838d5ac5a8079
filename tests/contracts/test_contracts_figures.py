"""Figures that are kept, and what long lists are known by, in both databases."""

from datetime import timedelta

from newsletter.storage.database import Database
from newsletter.subscribers.model import SuppressionReason
from tests.contracts.nouns import NOW


def test_figures_are_kept_until_the_next(database: Database) -> None:
    with database.read() as tx:
        assert tx.figures.kept("readers") is None
    for day in (0, 1):
        with database.write() as tx:
            tx.figures.keep("readers", {"day": day, "name": "Երևան"}, NOW + timedelta(days=day))
            tx.figures.keep("other", {}, NOW)
    with database.read() as tx:
        assert tx.figures.kept("readers") == (
            NOW + timedelta(days=1),
            {"day": 1, "name": "Երևան"},
        )


def test_short_lists_are_told_from_long_ones(database: Database) -> None:
    with database.read() as tx:
        assert tx.figures.lists_fit(0, 0)
    with database.write() as tx:
        for number in range(3):
            tx.changes.record(NOW, "test", "issue", f"i{number}", "edited")
    with database.read() as tx:
        assert tx.figures.lists_fit(0, 10**9)
        assert not tx.figures.lists_fit(0, 2)


def test_suppressions_are_counted_by_reason(database: Database) -> None:
    with database.write() as tx:
        for number, reason in enumerate(
            (SuppressionReason.LEGAL, SuppressionReason.LEGAL, SuppressionReason.BOUNCED)
        ):
            tx.subscribers.suppress(f"hash{number}", reason, NOW, "test")
    with database.read() as tx:
        assert tx.figures.suppressed() == {
            SuppressionReason.BOUNCED: 1,
            SuppressionReason.FORGOTTEN: 0,
            SuppressionReason.COMPLAINT: 0,
            SuppressionReason.LEGAL: 2,
        }
