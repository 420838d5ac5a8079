"""What is older than it may be kept: found, erased, folded."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from newsletter.delivery.model import Delivery, LedgerCounts
from newsletter.feedback.model import BounceAction, BounceReport
from newsletter.issues.model import IssueState
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from newsletter.subscribers.growth import Growth, Period, count_growth
from newsletter.subscribers.model import AddressChange, SubscriptionState, SubscriptionWish
from tests.contracts.nouns import (
    ACCEPTED,
    LEASE,
    NOW,
    REFUSED,
    a_consent,
    add_reader,
    add_system_mail,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers

DAY = timedelta(days=1)
PENDING, ACTIVE = SubscriptionState.PENDING, SubscriptionState.ACTIVE
UNSUBSCRIBED = SubscriptionState.UNSUBSCRIBED


def test_sign_ups_that_nobody_confirmed_are_dropped(database: Database) -> None:
    with database.write() as tx:
        add_reader(tx, 1, PENDING)
        add_reader(tx, 2, PENDING)
        add_reader(tx, 2, ACTIVE, "daily")
        add_reader(tx, 3, ACTIVE)
        assert tx.retention.unconfirmed(NOW, 9) == []
        found = tx.retention.unconfirmed(NOW + DAY, 9)
        assert tx.retention.unconfirmed(NOW + DAY, 1) == found[:1]
        alone = {who: tx.retention.drop_subscription(who, slug) for who, slug in found}
        assert tx.retention.unconfirmed(NOW + DAY, 9) == []
        left = tx.subscribers.subscriptions("reader2")
    assert alone == {"reader1": True, "reader2": False}
    assert [(one.newsletter, one.state) for one in left] == [("daily", ACTIVE)]


def test_people_without_any_subscription_are_found(database: Database) -> None:
    with database.write() as tx:
        add_reader(tx, 1, None)
        add_reader(tx, 2, None)
        add_reader(tx, 3, PENDING)
        add_reader(tx, 4, UNSUBSCRIBED, "daily")
        assert tx.retention.without_subscription(NOW, 9) == []
        assert tx.retention.without_subscription(NOW + DAY, 9) == ["reader1", "reader2"]
        assert tx.retention.without_subscription(NOW + DAY, 1) == ["reader1"]


def test_counts_of_confirmations_go_answered_or_after_their_time(database: Database) -> None:
    with database.write() as tx:
        for number, name in enumerate(("answered", "waits", "answered late")):
            tx.sign_ups.count_confirmation(name, NOW + number * DAY, quiet=DAY, most=3)
        for name in ("answered", "answered late"):
            tx.sign_ups.answer_confirmation(name)
        for times, due in (((NOW, NOW), 0), ((NOW + DAY, NOW), 1), ((NOW, NOW + 2 * DAY), 2)):
            assert tx.retention.count_confirmations(*times) == due
        assert tx.retention.drop_confirmations(NOW + 9 * DAY, NOW, 1) == 1
        assert tx.retention.drop_confirmations(NOW + 9 * DAY, NOW, 9) == 1
        assert tx.retention.drop_confirmations(NOW + 9 * DAY, NOW + DAY, 9) == 0
        assert tx.retention.drop_confirmations(NOW, NOW + 9 * DAY, 9) == 1


def test_networks_that_readers_agreed_from_are_let_go(database: Database) -> None:
    with database.write() as tx:
        for number, network in ((1, "hashed"), (2, "")):
            add_reader(tx, number, None)
            consent = replace(a_consent(), network=network, at=NOW)
            tx.subscribers.subscribe(f"reader{number}", "weekly", ACTIVE, consent, NOW, "reader")
        assert (tx.retention.count_networks(NOW), tx.retention.drop_networks(NOW, 9)) == (0, 0)
        wish = SubscriptionWish(replace(a_consent(), network="hashed", at=NOW))
        tx.wishes.hold("reader2", "daily", wish, "reader")
        assert tx.retention.count_networks(NOW + DAY) == 2
        assert [tx.retention.drop_networks(NOW + DAY, 1) for _ in range(3)] == [1, 1, 0]
        (subscription,) = tx.subscribers.subscriptions("reader1")
        held = tx.wishes.of("reader2")
    assert subscription.consent == replace(a_consent(), at=NOW)
    assert held == {"daily": SubscriptionWish(replace(a_consent(), at=NOW))}


def test_only_who_left_everything_long_ago_is_long_gone(database: Database) -> None:
    with database.write() as tx:
        for number, states in enumerate(
            [(UNSUBSCRIBED, UNSUBSCRIBED), (UNSUBSCRIBED, ACTIVE), (UNSUBSCRIBED, PENDING)]
        ):
            for state, newsletter in zip(states, ("weekly", "daily"), strict=True):
                add_reader(tx, number, state, newsletter)
        add_reader(tx, 4, ACTIVE)
        tx.subscribers.move("reader4", "weekly", [ACTIVE], UNSUBSCRIBED, NOW + DAY, "reader")
        assert tx.retention.long_gone(NOW, 9) == []
        assert tx.retention.long_gone(NOW + DAY, 9) == ["reader0"]
        assert tx.retention.long_gone(NOW + 2 * DAY, 9) == ["reader0", "reader4"]
        assert tx.retention.long_gone(NOW + 2 * DAY, 1) == ["reader0"]
        # Who asks again has a while to confirm it.
        wish = SubscriptionWish(replace(a_consent(), at=NOW + DAY))
        tx.wishes.hold("reader0", "weekly", wish, "reader")
        assert tx.retention.long_gone(NOW + 2 * DAY, 9) == ["reader4"]
        assert (tx.retention.count_wishes(NOW), tx.retention.drop_wishes(NOW, 9)) == (0, 0)
        assert tx.retention.count_wishes(NOW + 2 * DAY) == 1
        assert tx.retention.drop_wishes(NOW + 2 * DAY, 9) == 1
        assert tx.retention.long_gone(NOW + 2 * DAY, 9) == ["reader0", "reader4"]


def test_the_log_of_readers_loses_its_detail_and_that_of_issues_nothing(
    database: Database,
) -> None:
    with database.write() as tx:
        add_reader(tx, 1)
        tx.changes.record(NOW, "anna", "issue", "issue1", "held", {"because": "late"})
        tx.preferences.ask_address("reader1", AddressChange("wish", "new@other.example", NOW))
        assert tx.retention.blank_changes(NOW, 9) == 0
        assert tx.retention.drop_wanted_addresses(NOW, 9) == 0
        counted = tx.retention.count_changes(NOW + DAY)
        assert (counted, tx.retention.count_wanted_addresses(NOW + DAY)) == (1, 1)
        assert tx.retention.blank_changes(NOW + DAY, 9) == 1
        assert tx.retention.blank_changes(NOW + DAY, 9) == 0
        assert tx.retention.drop_wanted_addresses(NOW + DAY, 9) == 1
        of_reader = tx.changes.of("subscription", "reader1")
        of_issue = tx.changes.of("issue", "issue1")
    assert [(one.act, one.detail) for one in of_reader] == [("active", {})]
    assert [one.detail for one in of_issue] == [{"because": "late"}]


def test_how_the_lists_grew_is_told_the_same_when_the_detail_is_gone(database: Database) -> None:
    zone = ZoneInfo("Asia/Yerevan")

    def told() -> list[Growth]:
        with database.read() as tx:
            return count_growth(tx.growth.since(NOW - DAY), Period.WEEK, zone)

    with database.write() as tx:
        for number in range(3):
            add_reader(tx, number, PENDING)
        tx.subscribers.move("reader1", "weekly", [PENDING], ACTIVE, NOW, "reader")
        tx.subscribers.move("reader1", "weekly", [ACTIVE], UNSUBSCRIBED, NOW, "reader", "page")
        consent = replace(a_consent(), at=NOW)
        tx.subscribers.subscribe("reader0", "weekly", PENDING, consent, NOW + DAY, "reader")
    before = told()
    assert [(one.signed_up, dict(one.left)) for one in before] == [(3, {"page": 1})]
    taken = 1
    while taken:
        with database.write() as tx:
            # One line after the other, each to its hour's count.
            taken = tx.retention.blank_changes(NOW + 2 * DAY, 1)
        assert told() == before
    with database.read() as tx:
        assert tx.retention.count_changes(NOW + 2 * DAY) == 0


def test_deliveries_fold_into_counts_and_every_total_stays(
    database: Database, ledger: Workers
) -> None:
    issue = start_sending(database, 7)
    for number, delivery in enumerate(ledger.claim("w", NOW, LEASE, 7)):
        assert ledger.hand_over(delivery, "w", NOW)
        ledger.record(delivery, "w", REFUSED if number % 3 == 2 else ACCEPTED, NOW)
        note_bounce(database, delivery)
    later = issue.send_at + DAY
    with database.write() as tx:
        assert tx.retention.old_issues(later) == []  # it is still being sent
        tx.issues.move(issue.public_id, (IssueState.SENDING,), IssueState.SENT, "test", NOW)
        before = tx.mailings.counts(issue.public_id), tx.mailings.groups(issue.public_id)
        assert tx.retention.old_issues(issue.send_at) == []
        (key,) = tx.retention.old_issues(later)
        assert tx.retention.count_deliveries(later) == 7
        # A step at a time, and any number of times.
        pieces = tx.retention.stretches(key, 3)
        steps = [tx.retention.fold_stretch(key, piece) for piece in pieces[:2]]
        half = tx.mailings.counts(issue.public_id)
        steps += [tx.retention.fold_stretch(key, piece) for piece in (*pieces[2:], *pieces)]
        assert tx.retention.stretches(key, 3) == []
        after = tx.mailings.counts(issue.public_id), tx.mailings.groups(issue.public_id)
        assert list(tx.mailings.deliveries(issue.public_id)) == []
        assert (tx.retention.old_issues(later), tx.retention.count_deliveries(later)) == ([], 0)
    assert steps == [3, 3, 1, 0, 0, 0]
    assert before == after
    assert half == before[0] == LedgerCounts(accepted=5, refused=2)
    with database.read() as tx:
        for table in (t.delivery, t.bounce_report):
            assert tx.connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_rows_of_a_stopped_issue_stay_but_of_nobody(database: Database, ledger: Workers) -> None:
    issue = start_sending(database, 2)
    for delivery in ledger.claim("w", NOW, LEASE, 2):
        assert ledger.hand_over(delivery, "w", NOW)
        ledger.record(delivery, "w", ACCEPTED, NOW)
        note_bounce(database, delivery)
    later = issue.send_at + DAY
    with database.write() as tx:
        tx.issues.move(issue.public_id, (IssueState.SENDING,), IssueState.RECALLED, "test", NOW)
        (key,) = tx.retention.old_issues(later)
        pieces = tx.retention.stretches(key, 1)
        assert [tx.retention.fold_stretch(key, piece) for piece in pieces * 2] == [1, 1, 0, 0]
        assert tx.retention.old_issues(later) == []
        rows = list(tx.mailings.deliveries(issue.public_id))
    told = [(row.state, row.address, row.domain, row.bounce) for row in rows]
    assert told == [("accepted", "", "", None)] * 2


def test_old_letters_are_emptied_and_their_rows_go(database: Database, ledger: Workers) -> None:
    with database.write() as tx:
        add_reader(tx, 1)
    add_system_mail(database, 1)
    with database.write() as tx:
        # What still waits is not old.
        assert tx.retention.drop_system_mail(NOW + DAY, 9) == 0
    (delivery,) = ledger.claim("w", NOW, LEASE, 1)
    assert ledger.hand_over(delivery, "w", NOW)
    ledger.record(delivery, "w", ACCEPTED, NOW)
    note_bounce(database, delivery)
    with database.write() as tx:
        assert tx.retention.drop_system_mail(NOW, 9) == 0
        assert tx.retention.count_system_mail(NOW + DAY) == 1
        assert tx.retention.drop_system_mail(NOW + DAY, 9) == 1
        assert tx.retention.drop_system_mail(NOW + DAY, 9) == 0
        content = tx.connection.scalar(sa.select(t.mailing.c.content))
        for table in (t.delivery, t.bounce_report):
            assert tx.connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0
    assert content is not None
    assert "Dear" not in str(content)


def note_bounce(database: Database, delivery: Delivery) -> None:
    """A mail server reports that it gave the message up."""
    report = BounceReport(BounceAction.FAILED, 550, "5.1.1", "User unknown")
    with database.write() as tx:
        assert tx.bounces.note(delivery.mailing_id, delivery.recipient_id, report, NOW)
