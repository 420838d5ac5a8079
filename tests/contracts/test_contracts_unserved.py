"""Readers who were not served yet: given a new revision, or called off with their issue."""

from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy as sa

from newsletter.delivery.model import BY_HAND, DeliveryState, LedgerCounts, OnUncertain
from newsletter.issues.model import IssueState, Save, SaveKind
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from newsletter.storage.delivery_rows import DeliveryRow
from tests.contracts.nouns import (
    ACCEPTED,
    DEFERRED,
    LEASE,
    MINUTE,
    NOW,
    REFUSED,
    UNCERTAIN,
    a_mailing,
    add_system_mail,
    an_issue,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers

ISSUE = "issue-2025-W32"


def pause(database: Database) -> None:
    move(database, IssueState.PAUSED)


def resume(database: Database) -> None:
    move(database, IssueState.SENDING)


def move(database: Database, to: IssueState, issue: str = ISSUE) -> None:
    with database.write() as tx:
        assert tx.issues.move(issue, set(IssueState), to, "test", NOW)


def revise(database: Database) -> int:
    """Make the second revision; how many rows get it."""
    with database.write() as tx:
        tx.mailings.take_back(ISSUE, NOW)
        tx.mailings.create(a_mailing("second", revision=2), key="2", issue_id=ISSUE)
        assert tx.mailings.newest_revision(ISSUE) == 2
        return sum(tx.mailings.give_newest(ISSUE, keys) for keys in tx.mailings.stretches(ISSUE))


def rows(database: Database, issue: str = ISSUE) -> dict[str, DeliveryRow]:
    with database.read() as tx:
        return {row.recipient_id: row for row in tx.mailings.deliveries(issue)}


def counts(database: Database, issue: str = ISSUE) -> LedgerCounts:
    with database.read() as tx:
        return tx.mailings.counts(issue)


def skip(database: Database, limit: int = 100) -> int:
    with database.write() as tx:
        return tx.mailings.skip_stopped(NOW + MINUTE, limit)


def has_stopped(database: Database) -> bool:
    with database.read() as tx:
        return tx.mailings.has_stopped()


def test_only_readers_not_served_yet_get_the_new_revision(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 6)
    accepted, refused, doubtful, deferred, claimed = ledger.claim("w", NOW, LEASE, 5)
    for delivery in (accepted, refused, doubtful, deferred):
        assert ledger.hand_over(delivery, "w", NOW)
    ledger.record(accepted, "w", ACCEPTED, NOW)
    ledger.record(refused, "w", REFUSED, NOW)
    ledger.record(doubtful, "w", UNCERTAIN, NOW)
    ledger.record(deferred, "w", DEFERRED, NOW)
    pause(database)
    assert revise(database) == 3
    found = rows(database)
    assert {name: row.revision for name, row in found.items()} == {
        accepted.recipient_id: 1,
        refused.recipient_id: 1,
        doubtful.recipient_id: 1,
        deferred.recipient_id: 2,
        claimed.recipient_id: 2,
        "reader5": 2,
    }
    assert found[doubtful.recipient_id].state is DeliveryState.QUEUED
    assert revise_again(database) == 0
    resume(database)
    # The worker that still holds the first revision's bytes of one can't send them.
    assert not ledger.hand_over(claimed, "w", NOW)
    later = {d.recipient_id: d.mailing_id for d in ledger.claim("w", NOW + 9 * MINUTE, LEASE, 9)}
    assert later == {
        doubtful.recipient_id: "mailing-2025-W32",
        deferred.recipient_id: "second",
        claimed.recipient_id: "second",
        "reader5": "second",
    }


def revise_again(database: Database) -> int:
    with database.write() as tx:
        return sum(tx.mailings.give_newest(ISSUE, keys) for keys in tx.mailings.stretches(ISSUE))


def test_a_revision_leaves_other_issues_alone(database: Database) -> None:
    start_sending(database, 2)
    start_sending(database, 2, "2025-W33")
    pause(database)
    assert revise(database) == 2
    assert {row.revision for row in rows(database, "issue-2025-W33").values()} == {1}


def test_claimed_rows_are_taken_back_from_their_worker(database: Database, ledger: Workers) -> None:
    start_sending(database, 3)
    add_system_mail(database, 9, "confirm")
    system, handed_over, claimed = ledger.claim("w", NOW, LEASE, 3)
    assert ledger.hand_over(handed_over, "w", NOW)
    with database.write() as tx:
        assert tx.mailings.take_back(ISSUE, NOW) == 1
        assert tx.mailings.take_back(ISSUE, NOW) == 0
    assert counts(database) == LedgerCounts(queued=2, handed_over=1)
    assert not ledger.hand_over(claimed, "w", NOW)
    assert ledger.hand_over(system, "w", NOW)


def test_what_is_on_its_way_is_known_as_long_as_its_worker_lives(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 2)
    (delivery,) = ledger.claim("w", NOW, LEASE, 1)

    def in_flight(now: datetime) -> int:
        ledger.turn_to(now)
        with database.read() as tx:
            return tx.mailings.in_flight(ISSUE, now)

    assert in_flight(NOW) == 0
    assert ledger.hand_over(delivery, "w", NOW)
    assert in_flight(NOW) == 1
    assert in_flight(LEASE) == 0
    ledger.record(delivery, "w", ACCEPTED, NOW)
    assert in_flight(NOW) == 0


def test_somebody_is_left_while_a_row_waits_without_doubt(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 2)

    def has_unserved() -> bool:
        with database.read() as tx:
            return tx.mailings.has_unserved(ISSUE)

    assert has_unserved()
    sent, doubtful = ledger.claim("w", NOW, LEASE, 2)
    for delivery in (sent, doubtful):
        assert ledger.hand_over(delivery, "w", NOW)
    ledger.record(sent, "w", ACCEPTED, NOW)
    ledger.record(doubtful, "w", UNCERTAIN, NOW)
    assert not has_unserved()


def test_only_a_paused_issue_is_corrected(database: Database) -> None:
    start_sending(database, 1)
    save = Save(SaveKind.CORRECTED, "revision 2")
    better = an_issue(state=IssueState.PAUSED, subject="Better", note="We erred.")
    for state in IssueState:
        move(database, state)
        with database.write() as tx:
            assert tx.issues.correct(better, 2, "anna", NOW, save) is (state is IssueState.PAUSED)
    pause(database)
    with database.read() as tx:
        assert tx.issues.by_id(ISSUE) == replace(better, version=2)
        (change,) = [c for c in tx.changes.of("issue", ISSUE) if c.act == "corrected"]
        # Where its stories ran stays: some readers have them.
        assert tx.connection.scalar(sa.select(sa.func.count()).select_from(t.item)) == 2
        told = {"version": 2, "told": "revision 2", "changes": []}
        assert (change.actor, change.detail) == ("anna", {"revision": 2, **told})


@pytest.mark.parametrize("to", [IssueState.RECALLED, IssueState.CANCELLED])
def test_who_was_not_served_is_called_off_with_the_issue(
    database: Database, ledger: Workers, to: IssueState
) -> None:
    start_sending(database, 6)
    start_sending(database, 2, "2025-W33")
    add_system_mail(database, 9, "confirm")
    _, accepted, deferred, claimed, flying = ledger.claim("w", NOW, LEASE, 5)
    for delivery in (accepted, deferred, flying):
        assert ledger.hand_over(delivery, "w", NOW)
    ledger.record(accepted, "w", ACCEPTED, NOW)
    ledger.record(deferred, "w", DEFERRED, NOW)
    assert not has_stopped(database)
    assert skip(database) == 0
    move(database, to)
    assert has_stopped(database)
    assert [skip(database, 3), skip(database, 3)] == [3, 1]
    assert not has_stopped(database)
    assert counts(database) == LedgerCounts(accepted=1, handed_over=1, skipped=4)
    found = rows(database)
    skipped = [row for row in found.values() if row.state is DeliveryState.SKIPPED]
    assert {(row.reason, row.due_at) for row in skipped} == {(to.value, None)}
    assert found[claimed.recipient_id] in skipped
    assert not ledger.hand_over(claimed, "w", NOW)
    assert counts(database, "issue-2025-W33") == LedgerCounts(queued=6)
    # The one on its way is put off: it must not wait for ever.
    ledger.record(flying, "w", DEFERRED, NOW)
    assert has_stopped(database)
    assert skip(database) == 1
    assert counts(database) == LedgerCounts(accepted=1, skipped=5)
    assert ledger.close_finished(NOW) == []


def test_a_cancelled_issue_that_somebody_may_have_is_not_drafted_again(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 1)
    (delivery,) = ledger.claim("w", NOW, LEASE, 1)
    assert ledger.hand_over(delivery, "w", NOW)
    ledger.record(delivery, "w", UNCERTAIN, NOW)
    move(database, IssueState.CANCELLED)
    assert skip(database) == 1
    with database.write() as tx:
        assert not tx.issues.create(an_issue(public_id="again"), NOW, "test")
    assert counts(database) == LedgerCounts(skipped=1)


def test_a_doubt_is_settled_by_hand_once(database: Database, ledger: Workers) -> None:
    ledger.groups.on_uncertain = OnUncertain.HOLD
    start_sending(database, 3)
    for delivery in ledger.claim("w", NOW, LEASE, 2):
        assert ledger.hand_over(delivery, "w", NOW)
        ledger.record(delivery, "w", UNCERTAIN, NOW)
    first, second, third = rows(database).values()
    later = NOW + MINUTE
    with database.write() as tx:
        mailings = tx.mailings
        assert mailings.reader(ISSUE, first.address.upper()) == first
        assert mailings.reader(ISSUE, second.recipient_id) == second
        assert mailings.reader(ISSUE, "nobody") is None
        for fresh in (True, False):
            for row, to in ((first, "accepted"), (second, "queued")):
                settled = mailings.settle_doubt(ISSUE, row.recipient_id, DeliveryState(to), later)
                assert settled is fresh
        # Nobody is in doubt about who was not tried.
        assert not mailings.settle_doubt(ISSUE, third.recipient_id, DeliveryState.ACCEPTED, later)
    states = [(row.state.value, row.due_at, row.reason) for row in rows(database).values()]
    assert states[:2] == [("accepted", None, BY_HAND), ("queued", later, second.reason)]
    assert states[2][0] == "queued"
    claimed = [delivery.recipient_id for delivery in ledger.claim("w", later, LEASE, 9)]
    assert claimed == [second.recipient_id, third.recipient_id]
