"""Catch-ups: which issues there were to miss, who waits, and that nobody is lost in between."""

import threading
from datetime import timedelta

from newsletter.delivery.model import OutcomeKind
from newsletter.issues.model import IssueState, SentIssue
from newsletter.publication.cadence import Edition
from newsletter.storage.database import Database
from newsletter.subscribers.model import Segment, SubscriptionState, Waits
from newsletter.workflows.pauses import resume_subscription
from tests.contracts.nouns import (
    LEASE,
    MINUTE,
    NOW,
    a_mailing,
    a_settings,
    add_reader,
    an_issue,
    an_outcome,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers
from tests.contracts.test_contracts_segments import ZONE

RANGE = "2025-W30..2025-W32"
DAY = timedelta(days=1)
WAITS = Segment(Waits(RANGE), NOW, ZONE)


def test_issues_are_there_to_be_missed_from_their_first_revision_on(database: Database) -> None:
    with database.write() as tx:
        for number, (slot, state, edition) in enumerate(
            [
                ("2025-W28", IssueState.SENT, Edition.REGULAR),
                ("2025-W29", IssueState.SENT, Edition.REGULAR),
                ("2025-W30", IssueState.SENDING, Edition.REGULAR),
                ("2025-W30.x1", IssueState.SENT, Edition.REGULAR),
                ("2025-W31", IssueState.RECALLED, Edition.REGULAR),
                ("2025-W32", IssueState.PAUSED, Edition.REGULAR),
                ("2025-W33", IssueState.DRAFT, Edition.REGULAR),
                ("2025-07", IssueState.SENT, Edition.MONTHLY),
                (RANGE, IssueState.SENT, Edition.CATCH_UP),
            ]
        ):
            issue = an_issue(slot, state=state, edition=edition)
            assert tx.issues.create(issue, NOW, "test")
            for revision in (1, 2):
                tx.mailings.create(
                    a_mailing(
                        f"m{number}r{revision}",
                        revision=revision,
                        created_at=NOW + number * DAY + revision * MINUTE,
                    ),
                    key=f"{number}:{revision}",
                    issue_id=issue.public_id,
                )
        since = NOW + DAY + MINUTE
        found = tx.catch_ups.sent_issues("weekly", Edition.REGULAR, since)
        later = tx.catch_ups.sent_issues("weekly", Edition.REGULAR, since + MINUTE)
        monthly = tx.catch_ups.sent_issues("weekly", Edition.MONTHLY, NOW)
        assert tx.catch_ups.sent_issues("daily", Edition.REGULAR, NOW) == []
    assert sorted(found, key=lambda one: one.slot) == [
        SentIssue("2025-W29", NOW + DAY + MINUTE),
        SentIssue("2025-W30", NOW + 2 * DAY + MINUTE),
    ]
    assert [one.slot for one in later] == ["2025-W30"]
    assert [one.slot for one in monthly] == ["2025-07"]


def test_an_issue_that_a_pause_kept_from_its_reader_was_missed(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 2)
    (copy,) = ledger.claim("w", NOW, LEASE, 1)
    assert copy.recipient_id == "reader0"
    assert ledger.hand_over(copy, "w", NOW)
    ledger.record(copy, "w", an_outcome(OutcomeKind.ACCEPTED), NOW)
    with database.write() as tx:
        for number in range(2):
            assert tx.subscribers.move(
                *(f"reader{number}", "weekly", {SubscriptionState.ACTIVE}),
                *(SubscriptionState.PAUSED, NOW + MINUTE, "reader", "web"),
            )
    assert list(ledger.claim("w", NOW + 2 * MINUTE, LEASE, 1)) == []
    with database.write() as tx:
        later = an_issue("2025-W33", state=IssueState.SENT)
        assert tx.issues.create(later, NOW, "test")
        tx.mailings.create(
            a_mailing("later", created_at=NOW + 7 * DAY), key="later", issue_id=later.public_id
        )
        for number in range(2):
            before = tx.subscribers.subscription(f"reader{number}", "weekly")
            assert before is not None
            assert resume_subscription(tx, a_settings(), before, NOW + 8 * DAY, "reader", "web")
        assert tx.catch_ups.waiting() == [("weekly", "2025-W32..2025-W33")]
        assert tx.holdings.of("reader0", "hash0", "hash0")["catch_ups"] == []


def test_who_waits_is_the_audience_until_it_is_queued(database: Database) -> None:
    with database.write() as tx:
        for number in range(4):
            add_reader(tx, number)
        add_reader(tx, 4, SubscriptionState.UNSUBSCRIBED)
        for number in (1, 2, 4):
            tx.catch_ups.owe(f"reader{number}", "weekly", RANGE, NOW, "reader")
        tx.catch_ups.owe("reader1", "weekly", RANGE, NOW + DAY, "reader")
        tx.catch_ups.owe("reader3", "weekly", "2025-W31..2025-W32", NOW, "reader")
        assert tx.catch_ups.waiting() == [
            ("weekly", RANGE),
            ("weekly", "2025-W31..2025-W32"),
        ]
        assert tx.subscribers.audience_size("weekly", WAITS) == 2
        assert tx.segments.count(WAITS).readers == 3
        (told,) = [c for c in tx.changes.of("subscription", "reader1") if c.act == "catch-up"]
        assert told.detail == {"newsletter": "weekly", "missed": RANGE}
        assert told.actor == "reader"
        (held,) = tx.holdings.of("reader1", "hash1", "hash1")["catch_ups"]
        assert (held["newsletter"], held["slot"], held["since"]) == ("weekly", RANGE, NOW)
        # Who is forgotten waits for nothing.
        tx.subscribers.forget("reader2", NOW, "reader")
        issue = an_issue(RANGE, state=IssueState.SENDING, edition=Edition.CATCH_UP)
        tx.issues.create(issue, NOW, "test")
        tx.mailings.create(a_mailing(), key="k", issue_id=issue.public_id, newsletter="weekly")
        tx.catch_ups.close("weekly", RANGE)
        assert tx.mailings.enqueue_audience("mailing1", "weekly", NOW, segment=WAITS) == 1
        assert tx.catch_ups.settle("weekly", RANGE) == 2
        assert tx.mailings.went_to(issue.public_id, "reader1")
        assert tx.catch_ups.waiting() == [("weekly", "2025-W31..2025-W32")]
        # Whoever comes to wait once more is queued once all the same.
        tx.catch_ups.owe("reader1", "weekly", RANGE, NOW, "reader")
        assert tx.mailings.enqueue_audience("mailing1", "weekly", NOW, segment=WAITS) == 0


def test_who_comes_to_wait_while_it_is_queued_is_served_or_waits_on(database: Database) -> None:
    with database.write() as tx:
        for number in range(2):
            add_reader(tx, number)
        issue = an_issue(RANGE, state=IssueState.SENDING, edition=Edition.CATCH_UP)
        tx.issues.create(issue, NOW, "test")
        tx.mailings.create(a_mailing(), key="k", issue_id=issue.public_id, newsletter="weekly")
        tx.catch_ups.owe("reader0", "weekly", RANGE, NOW, "reader")
    begun = threading.Event()

    def come_to_wait() -> None:
        begun.set()
        with database.write() as tx:
            tx.catch_ups.owe("reader1", "weekly", RANGE, NOW, "reader")

    other = threading.Thread(target=come_to_wait)
    with database.write() as tx:
        tx.catch_ups.close("weekly", RANGE)
        other.start()
        assert begun.wait(10)
        tx.mailings.enqueue_audience("mailing1", "weekly", NOW, segment=WAITS)
        tx.catch_ups.settle("weekly", RANGE)
    other.join()
    with database.read() as tx:
        served = tx.mailings.went_to(issue.public_id, "reader1")
        waits = ("weekly", RANGE) in tx.catch_ups.waiting()
        assert tx.mailings.went_to(issue.public_id, "reader0")
    assert served != waits
