"""Subscribers, subscriptions, suppressions, and being forgotten."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.delivery.model import DeliveryState, LedgerCounts
from newsletter.errors import NotFound
from newsletter.storage.database import Database
from newsletter.storage.tables import metadata
from newsletter.subscribers.model import Subscriber, Subscription, SubscriptionState
from newsletter.subscribers.model import SuppressionReason as Reason
from tests.contracts.nouns import (
    ACCEPTED,
    DEFERRED,
    LEASE,
    NOW,
    a_consent,
    add_reader,
    add_system_mail,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers

PENDING, ACTIVE = SubscriptionState.PENDING, SubscriptionState.ACTIVE
PAUSED, UNSUBSCRIBED = SubscriptionState.PAUSED, SubscriptionState.UNSUBSCRIBED


def test_a_subscriber_is_added_once(database: Database) -> None:
    first = Subscriber("reader1", "lilit@reader.example", NOW, "Lilit", "hy")
    second = Subscriber("reader2", "lilit@reader.example", NOW, "Somebody")
    with database.write() as tx:
        assert tx.subscribers.add(first, "hash") == first
        assert tx.subscribers.add(second, "hash") == first
        assert tx.subscribers.find("lilit@reader.example") == first
        assert tx.subscribers.by_id("reader1") == first
        assert tx.subscribers.by_id("reader2") is None
        assert tx.subscribers.find("nobody@reader.example") is None


def test_subscribing_keeps_the_evidence(database: Database) -> None:
    later = NOW + timedelta(days=1)
    with database.write() as tx:
        reader = add_reader(tx, 1, PENDING)
        expected = Subscription(reader, "weekly", PENDING, a_consent(), NOW)
        assert tx.subscribers.subscription("reader1", "weekly") == expected
        assert tx.subscribers.subscription("reader1", "daily") is None
        tx.subscribers.subscribe("reader1", "weekly", ACTIVE, a_consent("editor"), later, "anna")
        tx.subscribers.subscribe("reader1", "daily", PENDING, a_consent(), later, "reader")
        assert tx.subscribers.subscriptions("reader1") == [
            Subscription(reader, "daily", PENDING, a_consent(), later),
            Subscription(reader, "weekly", ACTIVE, a_consent("editor"), later),
        ]
        changes = tx.changes.of("subscription", "reader1")
    assert [(c.act, c.actor, c.detail["newsletter"], c.detail.get("from")) for c in changes] == [
        ("pending", "reader", "weekly", None),
        ("active", "anna", "weekly", "pending"),
        ("pending", "reader", "daily", None),
    ]


def test_what_is_in_another_state_is_not_subscribed_over(database: Database) -> None:
    consent, over = a_consent("api"), (PENDING,)
    with database.write() as tx:
        for number, state in enumerate((PENDING, UNSUBSCRIBED, ACTIVE, None)):
            add_reader(tx, number, state)
        done = [
            tx.subscribers.subscribe(
                f"reader{number}", "weekly", PENDING, consent, NOW, "reader", over=over
            )
            for number in range(4)
        ]
        found = [tx.subscribers.subscriptions(f"reader{number}")[0] for number in range(4)]
    assert done == [True, False, False, True]
    assert [one.state for one in found] == [PENDING, UNSUBSCRIBED, ACTIVE, PENDING]
    assert [one.consent.how for one in found] == ["api", "form", "form", "api"]


def test_subscribing_what_is_not_there(database: Database) -> None:
    with database.write() as tx:
        add_reader(tx, 1, None)
        with pytest.raises(NotFound, match="subscriber"):
            tx.subscribers.subscribe("none", "weekly", ACTIVE, a_consent(), NOW, "x")
        with pytest.raises(NotFound, match='"none"'):
            tx.subscribers.subscribe("reader1", "none", ACTIVE, a_consent(), NOW, "x")


def test_moves_are_guarded_and_logged(database: Database) -> None:
    later = NOW + timedelta(days=1)
    with database.write() as tx:
        add_reader(tx, 1)
        add_reader(tx, 1, ACTIVE, "daily")
        move = tx.subscribers.move
        assert not move("reader1", "weekly", {PENDING}, ACTIVE, later, "reader")
        assert move("reader1", "weekly", {ACTIVE, PAUSED}, UNSUBSCRIBED, later, "reader", "button")
        assert not move("reader1", "weekly", {ACTIVE, PAUSED}, UNSUBSCRIBED, later, "reader")
        assert not move("none", "weekly", {ACTIVE}, UNSUBSCRIBED, later, "reader")
        daily, weekly = tx.subscribers.subscriptions("reader1")
        change = tx.changes.of("subscription", "reader1")[-1]
    assert (daily.state, weekly.state, weekly.changed_at) == (ACTIVE, UNSUBSCRIBED, later)
    assert weekly.consent == a_consent()
    assert (change.act, change.detail) == (
        "unsubscribed",
        {"newsletter": "weekly", "placement": "front page", "reason": "button"},
    )


@pytest.mark.parametrize("left", [ACTIVE, PAUSED, PENDING])
def test_a_goodbye_is_undone_only_to_the_state_that_was_left(
    database: Database, left: SubscriptionState
) -> None:
    later = NOW + timedelta(days=1)
    undo = ("reader1", "weekly", {ACTIVE, PAUSED}, later, "reader")
    with database.write() as tx:
        add_reader(tx, 1, left)
        assert tx.subscribers.come_back(*undo) is None
        tx.preferences.end_pause_at("reader1", "weekly", later)
        leaving = ({left}, UNSUBSCRIBED, NOW, "reader", "button")
        assert tx.subscribers.move("reader1", "weekly", *leaving)
        gone = tx.subscribers.subscription("reader1", "weekly")
        came = [tx.subscribers.come_back(*undo) for _ in range(2)]
        back = tx.subscribers.subscription("reader1", "weekly")
        change = tx.changes.of("subscription", "reader1")[-1]
    assert gone is not None
    assert back is not None
    assert gone.left_from is left
    if left is PENDING:
        assert came == [None, None]
        assert back == gone
        return
    assert came == [left, None]
    assert (back.state, back.left_from, back.changed_at) == (left, None, later)
    assert back.paused_until == (later if left is PAUSED else None)
    assert (change.act, change.detail["reason"]) == (left, "undo")


def test_the_strongest_suppression_stands(database: Database) -> None:
    with database.write() as tx:
        assert tx.subscribers.suppression("hash1") is None
        for reason, standing in (
            (Reason.BOUNCED, Reason.BOUNCED),
            (Reason.COMPLAINT, Reason.COMPLAINT),
            (Reason.FORGOTTEN, Reason.COMPLAINT),
            (Reason.COMPLAINT, Reason.COMPLAINT),
            (Reason.LEGAL, Reason.LEGAL),
        ):
            tx.subscribers.suppress("hash1", reason, NOW, "feedback")
            assert tx.subscribers.suppression("hash1") is standing
        assert tx.subscribers.suppression("hash2") is None
        assert tx.subscribers.unsuppress("hash1", NOW, "anna")
        assert not tx.subscribers.unsuppress("hash1", NOW, "anna")
        assert tx.subscribers.suppression("hash1") is None
        acts = [(c.act, c.detail["reason"]) for c in tx.changes.of("suppression", "hash1")]
    assert acts == [
        ("suppressed", "bounced"),
        ("suppressed", "complaint"),
        ("suppressed", "legal"),
        ("lifted", "legal"),
    ]


def test_counts_and_audience(database: Database) -> None:
    with database.write() as tx:
        for number, state in enumerate([ACTIVE, ACTIVE, ACTIVE, PENDING, PAUSED, UNSUBSCRIBED]):
            add_reader(tx, number, state)
        add_reader(tx, 0, ACTIVE, "daily")
        tx.subscribers.suppress("hash2", Reason.BOUNCED, NOW, "feedback")
        assert tx.subscribers.counts("weekly") == {
            PENDING: 1,
            ACTIVE: 3,
            PAUSED: 1,
            UNSUBSCRIBED: 1,
        }
        assert tx.subscribers.counts("daily") == {PENDING: 0, ACTIVE: 1, PAUSED: 0, UNSUBSCRIBED: 0}
        assert tx.subscribers.audience_size("weekly") == 2
        assert tx.subscribers.audience_size("daily") == 1


def test_each_goes_by_address(database: Database) -> None:
    with database.write() as tx:
        for number in (3, 1, 2):
            add_reader(tx, number, PAUSED)
        add_reader(tx, 2, ACTIVE, "daily")
    with database.read() as tx:
        weekly = [found.subscriber.public_id for found in tx.subscribers.each("weekly")]
        everything = [(f.subscriber.public_id, f.newsletter) for f in tx.subscribers.each(None)]
    assert weekly == ["reader1", "reader2", "reader3"]
    assert everything == [
        ("reader1", "weekly"),
        ("reader2", "daily"),
        ("reader2", "weekly"),
        ("reader3", "weekly"),
    ]


def all_text(database: Database) -> str:
    with database.read() as tx:
        return "\n".join(
            repr(tuple(row))
            for table in metadata.sorted_tables
            for row in tx.connection.execute(sa.select(table))
        )


def test_the_forgotten_leave_no_trace_but_the_totals(database: Database, ledger: Workers) -> None:
    issue = start_sending(database, 4)
    add_system_mail(database, 1)
    for delivery in ledger.claim("w", NOW, LEASE, 2):
        assert ledger.hand_over(delivery, "w", NOW)
        ledger.record(delivery, "w", ACCEPTED, NOW)
    (deferred,) = ledger.claim("w", NOW, LEASE, 1)
    ledger.record(deferred, "w", DEFERRED, NOW)
    assert "reader001" in all_text(database)
    with database.write() as tx:
        before = tx.mailings.counts(issue.public_id)
        for number in (0, 1):
            tx.subscribers.forget(f"reader{number}", NOW, "reader")
        after = tx.mailings.counts(issue.public_id)
        assert tx.subscribers.by_id("reader1") is None
        assert tx.subscribers.subscriptions("reader1") == []
        assert tx.subscribers.counts("weekly")[ACTIVE] == 2
        with pytest.raises(NotFound):
            tx.subscribers.forget("reader1", NOW, "reader")
    assert before == LedgerCounts(accepted=1, deferred=1, queued=2)
    assert after == LedgerCounts(accepted=1, skipped=1, queued=2)
    text = all_text(database)
    for trace in ("reader000@", "reader001@", "Reader 1", "Dear reader1"):
        assert trace not in text
    assert "reader002@reader.example" in text


def test_mail_to_several_is_kept_when_one_is_forgotten(database: Database) -> None:
    with database.write() as tx:
        add_reader(tx, 1)
    add_system_mail(database, 1)
    with database.write() as tx:
        tx.mailings.enqueue("confirm", "editor1", "anna@paper.example", NOW)
        tx.subscribers.forget("reader1", NOW, "reader")
    assert "Dear reader1" in all_text(database)


@pytest.mark.parametrize("handed_over", [True, False])
def test_forgotten_while_a_worker_holds_the_row(
    database: Database, ledger: Workers, handed_over: bool
) -> None:
    issue = start_sending(database, 1)
    (delivery,) = ledger.claim("w", NOW, LEASE, 1)
    if handed_over:
        assert ledger.hand_over(delivery, "w", NOW)
    with database.write() as tx:
        tx.subscribers.forget("reader0", NOW, "reader")
    if not handed_over:
        assert not ledger.hand_over(delivery, "w", NOW)
    ledger.record(delivery, "w", DEFERRED, NOW)
    with database.read() as tx:
        (row,) = tx.mailings.deliveries(issue.public_id)
    assert (row.state, row.address) == (DeliveryState.SKIPPED, "")
    assert ledger.claim("w", NOW + timedelta(days=1), LEASE, 1) == []
