"""The audience read without queueing it, and what relays were used for."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from newsletter.delivery.model import Delivery, OutcomeKind, Relay, RelayUse, Settlement
from newsletter.issues.model import Choice
from newsletter.storage import tables as t
from newsletter.storage.audience_rows import AudienceDomains, AudiencePlace, AudienceRow
from newsletter.storage.database import Database
from newsletter.subscribers.model import SubscriptionState, SuppressionReason
from tests.contracts.nouns import LEASE, NOW, a_mailing, add_reader, an_outcome, start_sending
from tests.contracts.one_at_a_time import Workers


def read_all(database: Database, key: str, looked_at: int) -> list[AudienceRow]:
    rows: list[AudienceRow] = []
    place: AudiencePlace | None = AudiencePlace(key)
    while place is not None:
        with database.read() as tx:
            found, place = tx.audience.page("weekly", place, looked_at)
        assert len(found) <= looked_at
        rows += found
    return rows


def add_audience(database: Database) -> None:
    """Readers 0 to 12, of whom 3 left, 5 is suppressed, 7 reads another newsletter, 9 none."""
    with database.write() as tx:
        for number in range(13):
            newsletter = "daily" if number == 7 else "weekly"
            state = SubscriptionState.UNSUBSCRIBED if number == 3 else SubscriptionState.ACTIVE
            add_reader(tx, number, None if number == 9 else state, newsletter)
        tx.subscribers.suppress("hash5", SuppressionReason.BOUNCED, NOW, "bounces")
        tx.connection.execute(
            sa.update(t.subscriber)
            .where(t.subscriber.c.public_id.in_(["reader1", "reader2", "reader5"]))
            .values(address=sa.func.replace(t.subscriber.c.address, "@reader", "@other"))
        )


@pytest.mark.parametrize("looked_at", [1, 3, 13, 1_000])
@pytest.mark.parametrize("key", ["a", "reader11", "reader4", "z"])
def test_it_is_read_in_the_order_in_which_it_is_queued(
    database: Database, key: str, looked_at: int
) -> None:
    add_audience(database)
    rows = read_all(database, key, looked_at)
    with database.write() as tx:
        assert tx.mailings.create(a_mailing(key), key=key, newsletter="weekly")
        assert tx.mailings.enqueue_audience(key, "weekly", NOW) == len(rows) == 9
        queued = tx.connection.execute(
            sa.select(t.delivery.c.recipient, t.delivery.c.address, t.delivery.c.domain).order_by(
                t.delivery.c.id
            )
        ).all()
    assert rows == [AudienceRow(*row, Choice("en")) for row in queued]


def test_the_largest_domains_and_the_rest(database: Database) -> None:
    with database.read() as tx:
        assert tx.audience.domains("weekly", 5) == AudienceDomains()
    assert read_all(database, "a", 10) == []
    add_audience(database)
    with database.read() as tx:
        found = tx.audience.domains("weekly", 5)
        assert found.named == (("reader.example", 7), ("other.example", 2))
        assert (found.others, found.readers) == (0, 9)
        first = tx.audience.domains("weekly", 1)
    assert (first.named, first.others, first.readers) == ((("reader.example", 7),), 2, 9)


def test_a_relay_that_was_not_used(database: Database) -> None:
    with database.read() as tx:
        assert tx.relay_uses.of("main", NOW) == RelayUse()


def test_days_and_todays_grants(database: Database, ledger: Workers) -> None:
    relay = Relay("main", "mail.example", 25, daily_cap=1_000)
    other = Relay("other", "mail.example", 25, daily_cap=1_000)
    for days_ago, wanted in ((3, 40), (1, 0), (0, 70)):
        ledger.groups.grant(relay, wanted, NOW - timedelta(days=days_ago))
    ledger.groups.grant(other, 5, NOW)
    with database.read() as tx:
        assert tx.relay_uses.of("main", NOW) == RelayUse(1, 70)
        late = datetime(2025, 8, 5, 23, 59, 59, tzinfo=UTC)
        assert tx.relay_uses.of("main", late) == RelayUse(1, 70)
        assert tx.relay_uses.of("main", late + timedelta(seconds=1)) == RelayUse(2, 0)


def test_how_long_answers_took(database: Database, ledger: Workers) -> None:
    start_sending(database, 5)
    rows = ledger.claim("w", NOW, LEASE, 5)
    worker = ledger.number("w")

    def answer(row: Delivery, kind: OutcomeKind, code: int, seconds: int) -> None:
        assert ledger.hand_over(row, "w", NOW)
        settled = Settlement(row.id, an_outcome(kind, code), "main")
        ledger.groups.commit(worker, [settled], [], NOW + timedelta(seconds=seconds))

    for row, seconds in zip(rows[:3], (1, 2, 9), strict=True):
        answer(row, OutcomeKind.ACCEPTED, 250, seconds)
    answer(rows[3], OutcomeKind.REFUSED, 550, 3_600)
    with database.read() as tx:
        assert tx.relay_uses.of("main", NOW).reply_seconds == 2
        assert tx.relay_uses.of("other", NOW).reply_seconds is None
