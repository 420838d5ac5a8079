"""What a report asks of the ledger: groups, domains and rows, which always add up."""

from dataclasses import asdict
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.delivery.model import DeliveryState, LedgerCounts
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from newsletter.storage.delivery_rows import DeliveryGroup, DomainCounts
from tests.contracts.nouns import (
    ACCEPTED,
    NOW,
    REFUSED,
    UNCERTAIN,
    a_mailing,
    add_reader,
    add_system_mail,
    an_issue,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers

ISSUE = "issue-2025-W32"
LEASE = NOW + timedelta(minutes=10)
DOMAINS = ("mail.example", "post.example", "reader.example", "")


@pytest.fixture(params=[2, 20_000])
def stretch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Rows a piece: an issue in one, and in many."""
    monkeypatch.setattr("newsletter.storage.delivery_rows._STRETCH_ROWS", request.param)
    return request.param


@pytest.mark.usefixtures("stretch")
def test_readers_are_grouped_by_what_became_of_them(database: Database, ledger: Workers) -> None:
    start_sending(database, 5)
    add_system_mail(database, 0)
    ledger.claim("w", NOW, LEASE, 1)  # the system mail goes first, and is nobody's of the issue
    first, second, third = ledger.claim("w", NOW, LEASE, 3)
    for delivery in (first, second, third):
        assert ledger.hand_over(delivery, "w", NOW)
    ledger.record(first, "w", ACCEPTED, NOW)
    ledger.record(second, "w", REFUSED, NOW)
    ledger.record(third, "w", UNCERTAIN, NOW)
    with database.read() as tx:
        groups = tx.mailings.groups(ISSUE)
        assert tx.mailings.counts(ISSUE) == LedgerCounts(queued=3, accepted=1, refused=1)
        assert tx.mailings.settled_since(ISSUE, NOW) == (2, NOW)
        assert tx.mailings.settled_since(ISSUE, LEASE) == (0, NOW)
        assert tx.mailings.settled_since("issue-of-nobody", NOW) == (0, None)
    assert groups == [
        DeliveryGroup(1, 0, DeliveryState.ACCEPTED, ACCEPTED.reason, "", 1, 0, "en"),
        DeliveryGroup(1, 0, DeliveryState.QUEUED, "", "", 2, 0, "en"),
        DeliveryGroup(1, 0, DeliveryState.QUEUED, UNCERTAIN.reason, "", 1, 1, "en"),
        DeliveryGroup(1, 0, DeliveryState.REFUSED, REFUSED.reason, "", 1, 0, "en"),
    ]


def test_an_issue_that_was_never_queued_has_no_readers(database: Database) -> None:
    with database.write() as tx:
        tx.issues.create(an_issue(), NOW, "test")
    with database.read() as tx:
        for issue in (ISSUE, "none"):
            assert tx.mailings.counts(issue) == LedgerCounts()
            assert tx.mailings.groups(issue) == []
            assert tx.mailings.domains(issue, 9) == []
            assert tx.mailings.doubtful(issue, 9) == []
            assert list(tx.mailings.deliveries(issue)) == []
            assert tx.mailings.newest_revision(issue) == 0
            assert tx.mailings.wave_names(issue) == {}


def test_the_largest_domains_come_first(database: Database) -> None:
    start_sending(database, 3)
    with database.write() as tx:
        tx.mailings.enqueue("mailing-2025-W32", "guest", "guest@mail.example", NOW)
    with database.read() as tx:
        largest, other = tx.mailings.domains(ISSUE, 9)
        assert tx.mailings.domains(ISSUE, 1) == [largest]
        assert tx.mailings.wave_names(ISSUE) == {0: "all"}
    assert largest == DomainCounts("reader.example", LedgerCounts(queued=3))
    assert other == DomainCounts("mail.example", LedgerCounts(queued=1))


def test_two_issues_are_never_mixed(database: Database, ledger: Workers) -> None:
    start_sending(database, 2)
    start_sending(database, 2, "2025-W33")
    with database.write() as tx:
        # Queued long after its issue, beyond the rows of the other one.
        tx.mailings.enqueue("mailing-2025-W32", "guest", "guest@mail.example", NOW)
    ledger.claim("w", NOW, LEASE, 9)
    with database.read() as tx:
        for slot, readers in (("2025-W32", 3), ("2025-W33", 2)):
            issue = f"issue-{slot}"
            assert tx.mailings.counts(issue) == LedgerCounts(claimed=readers)
            assert sum(group.readers for group in tx.mailings.groups(issue)) == readers
            assert sum(one.counts.total for one in tx.mailings.domains(issue, 9)) == readers
            rows = list(tx.mailings.deliveries(issue))
            assert {row.mailing_id for row in rows} == {f"mailing-{slot}"}
            assert len(rows) == readers


def test_doubtful_rows_are_found_whatever_became_of_them(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 3)
    for delivery in ledger.claim("w", NOW, LEASE, 2):
        assert ledger.hand_over(delivery, "w", NOW)
        ledger.record(delivery, "w", UNCERTAIN, NOW)
    again = ledger.claim("w", NOW, LEASE, 9)
    (resent,) = [delivery for delivery in again if delivery.recipient_id == "reader0"]
    assert ledger.hand_over(resent, "w", NOW)
    ledger.record(resent, "w", ACCEPTED, NOW)
    with database.read() as tx:
        rows = tx.mailings.doubtful(ISSUE, 9)
        assert tx.mailings.doubtful(ISSUE, 1) == rows[:1]
    assert [(row.recipient_id, row.doubts, row.reply_text) for row in rows] == [
        ("reader0", 1, ACCEPTED.reply.text),
        ("reader1", 1, ""),
    ]


A_ROW = st.fixed_dictionaries(
    {
        "state": st.sampled_from([state.value for state in DeliveryState]),
        "reason": st.sampled_from(["", "network", "unknown_user", "left"]),
        "relay": st.sampled_from(["", "main", "spare"]),
        "domain": st.sampled_from(DOMAINS),
        "wave": st.integers(0, 2),
        "doubts": st.integers(0, 2),
        "revision": st.integers(1, 2),
        "forgotten": st.booleans(),
    }
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readers=st.lists(A_ROW, max_size=12), limit=st.integers(1, 4))
def test_every_breakdown_adds_up_to_the_audience(
    database: Database, readers: list[dict[str, object]], limit: int
) -> None:
    with database.write() as tx:
        for table in reversed(t.metadata.sorted_tables):
            if table not in (t.newsletter, t.settings, t.source, t.section):
                tx.connection.execute(table.delete())
        tx.issues.create(an_issue(), NOW, "test")
        for number in (1, 2):
            mailing = a_mailing(f"revision{number}", revision=number)
            tx.mailings.create(mailing, key=str(number), issue_id=ISSUE)
        for number, reader in enumerate(readers):
            add_reader(tx, number)
            tx.mailings.enqueue(
                f"revision{reader['revision']}", f"reader{number}", f"r@{reader['domain']}", NOW
            )
            values = {name: reader[name] for name in reader if name in t.delivery.c}
            tx.connection.execute(
                sa.update(t.delivery)
                .where(t.delivery.c.recipient == f"reader{number}")
                .values(**values, due_at=None)
            )
        for number, reader in enumerate(readers):
            if reader["forgotten"]:
                tx.subscribers.forget(f"reader{number}", NOW, "reader")
    with database.read() as tx:
        counts = tx.mailings.counts(ISSUE)
        groups = tx.mailings.groups(ISSUE)
        domains = tx.mailings.domains(ISSUE, len(DOMAINS))
        named = tx.mailings.domains(ISSUE, limit)
        rows = list(tx.mailings.deliveries(ISSUE))
    assert counts.total == len(readers) == len(rows)
    parts = counts.accepted + counts.refused + counts.uncertain + counts.skipped + counts.open
    assert parts == len(readers)
    for state, number in asdict(counts).items():
        assert sum(group.readers for group in groups if group.state == state) == number
        assert sum(asdict(one.counts)[state] for one in domains) == number
        assert sum(row.state == state for row in rows) == number
    assert sum(group.doubtful for group in groups) == sum(row.doubts > 0 for row in rows)
    assert named == domains[:limit]
    for number in (1, 2):
        asked = sum(reader["revision"] == number for reader in readers)
        assert sum(group.readers for group in groups if group.revision == number) == asked
        assert sum(row.revision == number for row in rows) == asked
