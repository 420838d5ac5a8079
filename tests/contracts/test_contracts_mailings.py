"""Mailings and how they are queued."""

from datetime import timedelta

import pytest

from newsletter.delivery.model import DeliveryState, LedgerCounts
from newsletter.errors import NotFound
from newsletter.storage.database import Database
from newsletter.subscribers.model import SubscriptionState, SuppressionReason
from tests.contracts.nouns import (
    LEASE,
    NOW,
    REFUSED,
    a_mailing,
    a_system_mailing,
    add_reader,
    an_issue,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers


def test_a_mailing_is_made_once(database: Database, ledger: Workers) -> None:
    mailing = a_mailing(reply_to="desk@paper.example", html="<p>ա\0</p>\r\n")
    with database.write() as tx:
        tx.issues.create(an_issue(), NOW, "test")
        assert tx.mailings.create(mailing, key="a", issue_id="issue-2025-W32", newsletter="weekly")
        assert not tx.mailings.create(a_mailing("other"), key="a")
        assert not tx.mailings.create(mailing, key="b")
        assert tx.mailings.create(a_mailing("second"), key="c", issue_id="issue-2025-W32")
        assert tx.mailings.of_issue("issue-2025-W32") == [mailing, a_mailing("second")]
        assert tx.mailings.of_issue("none") == []
    assert ledger.mailing("mailing1") == mailing
    with pytest.raises(NotFound):
        ledger.mailing("other")


def test_the_audience_is_who_is_active_and_not_suppressed(database: Database) -> None:
    with database.write() as tx:
        for number, state in enumerate(SubscriptionState):
            add_reader(tx, number, state)
        for number in (10, 11, 12, 13):
            add_reader(tx, number)
        tx.subscribers.suppress("hash10", SuppressionReason.BOUNCED, NOW, "feedback")
        add_reader(tx, 20, newsletter="daily")
        tx.issues.create(an_issue(), NOW, "test")
        tx.mailings.create(a_mailing(), key="a", issue_id="issue-2025-W32")
        assert tx.mailings.enqueue_audience("mailing1", "weekly", NOW) == 4
        assert tx.mailings.enqueue_audience("mailing1", "weekly", NOW) == 0
        rows = list(tx.mailings.deliveries("issue-2025-W32"))
        assert tx.mailings.counts("issue-2025-W32") == LedgerCounts(queued=4)
    assert sorted(row.recipient_id for row in rows) == [
        "reader1",
        "reader11",
        "reader12",
        "reader13",
    ]
    assert {(row.state, row.queued_at, row.due_at) for row in rows} == {
        (DeliveryState.QUEUED, NOW, NOW)
    }
    assert {row.address for row in rows} == {
        f"{row.recipient_id[:6]}{int(row.recipient_id[6:]):03}@reader.example" for row in rows
    }


def test_nobody_gets_two_revisions_of_an_issue(database: Database) -> None:
    issue = start_sending(database, 2)
    with database.write() as tx:
        add_reader(tx, 2)
        tx.mailings.create(a_mailing("revision"), key="r", issue_id=issue.public_id)
        assert tx.mailings.enqueue_audience("revision", "weekly", NOW) == 1
        tx.mailings.enqueue("revision", "reader0", "reader000@reader.example", NOW)
        assert tx.mailings.counts(issue.public_id) == LedgerCounts(queued=3)


def test_a_recipient_is_queued_once(database: Database, ledger: Workers) -> None:
    with database.write() as tx:
        tx.mailings.create(a_system_mailing("notice"), key="n")
        for at in (NOW, NOW + timedelta(days=1)):
            tx.mailings.enqueue("notice", "editor1", "anna@paper.example", at)
    (delivery,) = ledger.claim("w", NOW, LEASE, 10)
    assert (delivery.recipient_id, delivery.address) == ("editor1", "anna@paper.example")
    assert (delivery.mailing_id, delivery.attempts, delivery.first_tried_at) == ("notice", 0, None)


def test_queueing_what_is_not_there(database: Database) -> None:
    with database.write() as tx:
        with pytest.raises(NotFound, match="mailing"):
            tx.mailings.enqueue("none", "editor1", "anna@paper.example", NOW)
        with pytest.raises(NotFound, match="mailing"):
            tx.mailings.enqueue_audience("none", "weekly", NOW)
        with pytest.raises(NotFound, match="issue"):
            tx.mailings.create(a_mailing(), key="a", issue_id="none")


def test_the_report_shows_what_became_of_a_row(database: Database, ledger: Workers) -> None:
    issue = start_sending(database, 1)
    (delivery,) = ledger.claim("w", NOW, LEASE, 1)
    ledger.record(delivery, "w", REFUSED, NOW + timedelta(seconds=1))
    with database.read() as tx:
        (row,) = tx.mailings.deliveries(issue.public_id)
    assert (row.mailing_id, row.recipient_id) == ("mailing-2025-W32", "reader0")
    assert (row.state, row.attempts, row.reason) == (DeliveryState.REFUSED, 1, "unknown_user")
    assert (row.reply_code, row.reply_text) == (550, "5.1.1 no such user")
    assert (row.first_tried_at, row.changed_at, row.due_at) == (
        NOW + timedelta(seconds=1),
        NOW + timedelta(seconds=1),
        None,
    )
