"""The ledger: every call of the port, on both databases."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from newsletter.delivery.model import (
    Delivery,
    Hold,
    LedgerCounts,
    Outcome,
    OutcomeKind,
    Reply,
    Settlement,
)
from newsletter.errors import InvalidTransition
from newsletter.issues.model import IssueState
from newsletter.storage.database import Database
from newsletter.storage.delivery_rows import DeliveryRow
from newsletter.storage.statements import fence
from newsletter.subscribers.model import DomainRule, SubscriptionState, SuppressionReason
from tests.contracts.nouns import (
    ACCEPTED,
    DEFERRED,
    LEASE,
    MINUTE,
    NOW,
    REFUSED,
    REQUEUED,
    UNCERTAIN,
    a_system_mailing,
    add_reader,
    add_system_mail,
    an_issue,
    an_outcome,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers

STATES = tuple(SubscriptionState)
SENDING = IssueState.SENDING


def rows(database: Database) -> list[DeliveryRow]:
    with database.read() as tx:
        return list(tx.mailings.deliveries("issue-2025-W32"))


def states(database: Database) -> list[str]:
    return [row.state.value for row in rows(database)]


def counts(database: Database) -> LedgerCounts:
    with database.read() as tx:
        return tx.mailings.counts("issue-2025-W32")


def move_issue(database: Database, to: IssueState) -> None:
    with database.write() as tx:
        assert tx.issues.move("issue-2025-W32", set(IssueState), to, "test", NOW)


def move_reader(database: Database, number: int, to: SubscriptionState) -> None:
    with database.write() as tx:
        assert tx.subscribers.move(f"reader{number}", "weekly", STATES, to, NOW, "reader")


def suppress(database: Database, number: int, reason: SuppressionReason) -> None:
    with database.write() as tx:
        tx.subscribers.suppress(f"hash{number}", reason, NOW, "feedback")


def claim_all(ledger: Workers, worker: str = "w", now: datetime = NOW) -> list[Delivery]:
    return list(ledger.claim(worker, now, now + 10 * MINUTE, 100))


def hand_over_one(ledger: Workers) -> Delivery:
    (delivery,) = ledger.claim("w", NOW, LEASE, 1)
    assert ledger.hand_over(delivery, "w", NOW)
    return delivery


def test_claims_go_on_until_nothing_is_due(database: Database, ledger: Workers) -> None:
    start_sending(database, 5)
    first = ledger.claim("w", NOW, LEASE, 3)
    second = ledger.claim("w", NOW, LEASE, 3)
    assert [delivery.recipient_id for delivery in [*first, *second]] == [
        f"reader{number}" for number in range(5)
    ]
    assert {delivery.mailing_id for delivery in first} == {"mailing-2025-W32"}
    assert ledger.claim("w", NOW, LEASE, 3) == []
    assert ledger.claim("w", NOW, LEASE, 0) == []
    assert counts(database) == LedgerCounts(claimed=5)


def test_nothing_is_due_before_its_time(database: Database, ledger: Workers) -> None:
    start_sending(database, 1)
    assert ledger.claim("w", NOW - MINUTE, LEASE, 1) == []
    assert ledger.next_due(NOW - MINUTE) == NOW
    assert ledger.next_due(NOW + MINUTE) == NOW + MINUTE


@pytest.mark.parametrize("state", sorted(set(IssueState) - {SENDING}))
def test_only_issues_that_are_sending_are_claimed(
    database: Database, ledger: Workers, state: IssueState
) -> None:
    start_sending(database, 1)
    move_issue(database, state)
    assert claim_all(ledger) == []
    assert ledger.next_due(NOW) is None
    assert states(database) == ["queued"]


def test_system_mail_goes_first_and_then_the_earlier_issue(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 1, "2025-W33")
    with database.write() as tx:
        later = an_issue("2025-W33", send_at=NOW + timedelta(days=10))
        assert tx.issues.move("issue-2025-W33", {SENDING}, IssueState.HELD, "test", NOW)
        assert tx.issues.replace(later, "test", NOW)
        assert tx.issues.move("issue-2025-W33", {IssueState.HELD}, SENDING, "test", NOW)
    start_sending(database, 2)
    add_system_mail(database, 0)
    claimed = [ledger.claim("w", NOW, LEASE, 1)[0].mailing_id for _ in range(2)]
    claimed += [delivery.mailing_id for delivery in claim_all(ledger)]
    assert claimed == ["confirm", "mailing-2025-W32", "mailing-2025-W32", "mailing-2025-W33"]


@pytest.mark.parametrize(
    "leave",
    [
        lambda database: move_reader(database, 1, SubscriptionState.UNSUBSCRIBED),
        lambda database: move_reader(database, 1, SubscriptionState.PAUSED),
        lambda database: move_reader(database, 1, SubscriptionState.PENDING),
        lambda database: suppress(database, 1, SuppressionReason.BOUNCED),
        lambda database: suppress(database, 1, SuppressionReason.COMPLAINT),
    ],
)
def test_who_left_is_skipped_at_the_claim_and_at_the_hand_over(
    database: Database, ledger: Workers, leave: Callable[[Database], None]
) -> None:
    start_sending(database, 3)
    early = ledger.claim("w", NOW, LEASE, 2)
    leave(database)
    assert [ledger.hand_over(delivery, "w", NOW) for delivery in early] == [True, False]
    assert states(database) == ["handed_over", "skipped", "queued"]
    assert rows(database)[1].reason in ("left", "suppressed")


def test_a_later_claim_does_not_speak_for_the_readers_of_an_earlier_one(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 4)
    first, second, third = ledger.claim("w", NOW, LEASE, 3)
    assert ledger.hand_over(first, "w", NOW)
    move_reader(database, 1, SubscriptionState.UNSUBSCRIBED)
    (fourth,) = ledger.claim("w", NOW, LEASE, 1)
    together = [second.id, third.id, fourth.id]
    assert ledger.groups.commit(ledger.number("w"), [], together, NOW) == {third.id, fourth.id}
    assert states(database) == ["handed_over", "skipped", "handed_over", "handed_over"]


def test_a_claim_fills_up_behind_those_who_left(database: Database, ledger: Workers) -> None:
    start_sending(database, 6)
    for number in (0, 1, 3):
        move_reader(database, number, SubscriptionState.UNSUBSCRIBED)
    claimed = ledger.claim("w", NOW, LEASE, 2)
    assert [delivery.recipient_id for delivery in claimed] == ["reader2", "reader4"]
    assert counts(database) == LedgerCounts(queued=1, claimed=2, skipped=3)
    assert {row.reason for row in rows(database) if row.state == "skipped"} == {"left"}


@pytest.mark.parametrize("state", [None, *SubscriptionState])
def test_system_mail_does_not_ask_for_a_subscription(
    database: Database, ledger: Workers, state: SubscriptionState | None
) -> None:
    with database.write() as tx:
        add_reader(tx, 1, state)
    add_system_mail(database, 1)
    (delivery,) = claim_all(ledger)
    assert ledger.hand_over(delivery, "w", NOW)


@pytest.mark.parametrize("reason", SuppressionReason)
def test_only_a_complaint_or_the_law_stops_a_confirmation(
    database: Database, ledger: Workers, reason: SuppressionReason
) -> None:
    with database.write() as tx:
        add_reader(tx, 1, SubscriptionState.PENDING)
        add_reader(tx, 2, SubscriptionState.PENDING)
    add_system_mail(database, 1)
    add_system_mail(database, 2, "confirm2")
    (second,) = [d for d in claim_all(ledger) if d.mailing_id == "confirm2"]
    assert ledger.release("w") == 2
    suppress(database, 1, reason)
    goes = not reason.blocks_confirmation
    claimed = claim_all(ledger)
    assert [delivery.mailing_id for delivery in claimed] == ["confirm"] * goes + ["confirm2"]
    suppress(database, 2, reason)
    assert ledger.hand_over(second, "w", NOW) is goes


@pytest.mark.parametrize(
    ("pattern", "goes"),
    [
        ("@mail.other.example", False),
        ("*.other.example", False),
        ("*.example", False),
        ("@other.example", True),
        ("*.mail.other.example", True),
        ("*.er.example", True),
        ("*.far.longer.than.mail.other.example", True),
        ("@reader.example", True),
    ],
)
def test_a_letter_heeds_the_rules_for_the_domain_it_goes_to(
    database: Database, ledger: Workers, pattern: str, goes: bool
) -> None:
    """To another address of a reader than the one we know them by."""
    add_letter(database)
    (delivery,) = claim_all(ledger)
    with database.write() as tx:
        rule = DomainRule(pattern, SuppressionReason.LEGAL, NOW, "anna")
        tx.suppressions.add_rules([rule], "anna")
    assert ledger.hand_over(delivery, "w", NOW) is goes


@pytest.mark.parametrize("reason", SuppressionReason)
@pytest.mark.parametrize("mailbox", ["hash1", "letterhash"])
def test_a_letter_heeds_what_forbids_mail_to_its_address_not_to_its_reader(
    database: Database, ledger: Workers, mailbox: str, reason: SuppressionReason
) -> None:
    add_letter(database)
    (delivery,) = claim_all(ledger)
    with database.write() as tx:
        tx.subscribers.suppress(mailbox, reason, NOW, "feedback")
    goes = mailbox == "hash1" or not reason.blocks_confirmation
    assert ledger.hand_over(delivery, "w", NOW) is goes


def add_letter(database: Database) -> None:
    with database.write() as tx:
        add_reader(tx, 1)
        tx.mailings.create(a_system_mailing("letter"), key="letter", newsletter="weekly")
        tx.mailings.enqueue(
            *("letter", "reader1", "lilit@mail.other.example", NOW), address_hash="letterhash"
        )


@pytest.mark.parametrize("state", [IssueState.PAUSED, IssueState.RECALLED, IssueState.CANCELLED])
def test_no_hand_over_once_the_issue_is_stopped(
    database: Database, ledger: Workers, state: IssueState
) -> None:
    start_sending(database, 1)
    (delivery,) = claim_all(ledger)
    move_issue(database, state)
    assert not ledger.hand_over(delivery, "w", NOW)
    assert states(database) == ["queued"]
    move_issue(database, SENDING)
    assert len(claim_all(ledger)) == 1


@pytest.mark.parametrize("state", sorted(set(IssueState)))
def test_mailings_of_issues_that_are_not_sending_are_called_off(
    database: Database, ledger: Workers, state: IssueState
) -> None:
    start_sending(database, 1)
    start_sending(database, 1, "2025-W33")
    add_system_mail(database, 0)
    move_issue(database, state)
    asked = ["mailing-2025-W32", "mailing-2025-W33", "confirm", "unheard-of"]
    found = list(ledger.groups.called_off(asked))
    assert found == ([] if state is SENDING else ["mailing-2025-W32"])
    assert list(ledger.groups.called_off(["mailing-2025-W33"])) == []


def test_no_hand_over_without_a_lease(database: Database, ledger: Workers) -> None:
    start_sending(database, 2)
    first, second = claim_all(ledger)
    assert not ledger.hand_over(first, "other", NOW)
    assert states(database) == ["claimed", "claimed"]
    assert not ledger.hand_over(first, "w", LEASE)
    assert states(database) == ["queued", "claimed"]
    ledger.renew("w", LEASE, LEASE + MINUTE)
    assert ledger.hand_over(second, "w", LEASE)
    # Twice is refused as well: the first hand-over may have been sent.
    assert not ledger.hand_over(second, "w", LEASE + timedelta(seconds=1))
    assert states(database) == ["queued", "handed_over"]


def test_a_commit_whose_answer_was_lost_may_be_asked_for_again(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 2)
    first, second = claim_all(ledger)
    assert ledger.hand_over(first, "w", NOW)
    settled = [Settlement(first.id, ACCEPTED)]
    for _ in range(2):
        later = NOW + MINUTE
        ledger.turn_to(later)
        assert ledger.groups.commit(ledger.number("w"), settled, [second.id], later) == {second.id}
        assert states(database) == ["accepted", "handed_over"]
    assert not ledger.hand_over(second, "w", NOW + 2 * MINUTE)


def test_no_hand_over_of_a_row_that_another_worker_took(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 1)
    (delivery,) = claim_all(ledger, "stalled")
    assert ledger.recover(LEASE, all_workers=False) == (1, 0)
    (again,) = claim_all(ledger, "quick", LEASE)
    assert not ledger.hand_over(delivery, "stalled", LEASE)
    assert ledger.hand_over(again, "quick", LEASE)


def test_those_who_have_waited_for_too_long_are_given_up(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 6)
    answered, _ = ledger.claim("w", NOW, LEASE, 2)
    no = Reply(550, "no mail of yours", "5.7.1")
    refusal = Outcome(OutcomeKind.REQUEUED, "policy", no, sender_fault=True)
    ledger.record(answered, "w", refusal, NOW, relay="first")
    move_reader(database, 2, SubscriptionState.UNSUBSCRIBED)
    add_system_mail(database, 0)

    def give_up(before: datetime, limit: int = 9) -> int:
        return len(ledger.groups.give_up(before, "main", "not tried", NOW + MINUTE, limit))

    assert give_up(NOW - MINUTE) == 0
    move_issue(database, IssueState.PAUSED)
    assert give_up(NOW) == 1  # the system mail
    assert counts(database).refused == 0
    move_issue(database, SENDING)
    assert give_up(NOW, 1) == 1
    assert give_up(NOW) == 3
    assert give_up(NOW) == 0
    # A row that is claimed comes back before it is given up.
    assert counts(database) == LedgerCounts(claimed=1, refused=4, skipped=1)
    told = {
        (row.reason, row.relay, row.reply_code, row.reply_text, row.sender_fault)
        for row in rows(database)
        if row.state.value == "refused"
    }
    assert told == {
        ("expired", "first", 550, "no mail of yours", True),
        ("expired", "main", 0, "not tried", True),
    }


def test_a_mailing_that_can_not_go_is_shown_until_it_may_be_mended(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 1)

    def held(now: datetime = NOW) -> dict[str, Hold]:
        with database.read() as tx:
            return tx.mailings.holds(now)

    hold = Hold(NOW + MINUTE, "too big")
    ledger.groups.hold_mailing("mailing-2025-W32", hold.until, hold.because)
    assert held() == {"issue-2025-W32": hold}
    assert held(NOW + MINUTE) == {}
    move_issue(database, IssueState.PAUSED)
    assert held() == {}
    move_issue(database, SENDING)
    ledger.groups.forget_holds()
    assert held() == {}
    ledger.groups.hold_mailing("mailing-2025-W32", hold.until, hold.because)
    ledger.claim("w", NOW, LEASE, 1)
    assert held() == {}, "nobody waits for it"


@pytest.mark.parametrize(
    ("outcome", "after"),
    [(ACCEPTED, "accepted"), (REFUSED, "refused"), (DEFERRED, "deferred"), (REQUEUED, "queued")],
)
def test_outcomes_of_a_hand_over(
    database: Database, ledger: Workers, outcome: Outcome, after: str
) -> None:
    start_sending(database, 1)
    delivery = hand_over_one(ledger)
    ledger.record(delivery, "w", outcome, NOW + MINUTE)
    (row,) = rows(database)
    assert row.state == after
    assert row.attempts == (after != "queued")
    assert row.first_tried_at == NOW + MINUTE
    assert row.handed_over_at == NOW


def test_a_claim_tells_since_when_its_row_waits_and_was_tried(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 1)
    blames_us = REQUEUED._replace(sender_fault=True)
    told = []
    outcomes = (blames_us, REQUEUED, REQUEUED, DEFERRED._replace(retry_at=NOW), REQUEUED, DEFERRED)
    for minutes, outcome in enumerate(outcomes, 1):
        (delivery,) = claim_all(ledger, now=NOW + minutes * MINUTE)
        told.append((delivery.attempts, delivery.first_tried_at))
        ledger.record(delivery, "w", outcome, NOW + minutes * MINUTE)
        assert delivery.queued_at == NOW
    (row,) = rows(database)
    told.append((row.attempts, row.first_tried_at))
    # From the first time that it came back undecided, and anew from the first try that counts.
    second, fourth = NOW + 2 * MINUTE, NOW + 4 * MINUTE
    assert told == [
        *((0, None), (0, None), (0, second), (0, second)),
        *((1, fourth), (1, fourth), (2, fourth)),
    ]


@pytest.mark.parametrize(
    ("outcome", "after"), [(REFUSED, "refused"), (DEFERRED, "deferred"), (REQUEUED, "queued")]
)
def test_outcomes_before_the_hand_over(
    database: Database, ledger: Workers, outcome: Outcome, after: str
) -> None:
    start_sending(database, 1)
    (delivery,) = claim_all(ledger)
    ledger.record(delivery, "w", outcome, NOW)
    assert states(database) == [after]


@pytest.mark.parametrize("outcome", [ACCEPTED, UNCERTAIN])
def test_nothing_is_taken_that_was_not_handed_over(
    database: Database, ledger: Workers, outcome: Outcome
) -> None:
    start_sending(database, 1)
    (delivery,) = claim_all(ledger)
    with pytest.raises(InvalidTransition, match="never handed over"):
        ledger.record(delivery, "w", outcome, NOW)
    assert states(database) == ["claimed"]


@pytest.mark.parametrize("outcome", [ACCEPTED, REFUSED, DEFERRED, REQUEUED, UNCERTAIN])
def test_outcomes_of_somebody_else_change_nothing(
    database: Database, ledger: Workers, outcome: Outcome
) -> None:
    start_sending(database, 2)
    handed_over = hand_over_one(ledger)
    ledger.record(handed_over, "other", outcome, NOW)
    assert states(database) == ["handed_over", "queued"]
    ledger.record(handed_over, "w", ACCEPTED, NOW)
    ledger.record(handed_over, "w", outcome, NOW)
    assert states(database) == ["accepted", "queued"]


def test_a_deferred_row_waits_and_remembers(database: Database, ledger: Workers) -> None:
    start_sending(database, 1)
    (delivery,) = claim_all(ledger)
    ledger.record(delivery, "w", DEFERRED, NOW)
    assert claim_all(ledger, now=NOW + 4 * MINUTE) == []
    assert ledger.next_due(NOW) == NOW + 5 * MINUTE
    (again,) = claim_all(ledger, now=NOW + 5 * MINUTE)
    assert again == delivery._replace(attempts=1, first_tried_at=NOW)
    ledger.record(again, "w", DEFERRED._replace(retry_at=NOW + 20 * MINUTE), NOW + 5 * MINUTE)
    (row,) = rows(database)
    assert (row.attempts, row.first_tried_at, row.due_at) == (2, NOW, NOW + 20 * MINUTE)
    move_reader(database, 0, SubscriptionState.UNSUBSCRIBED)
    assert claim_all(ledger, now=NOW + 20 * MINUTE) == []
    assert states(database) == ["skipped"]


def test_replies_are_kept_without_addresses(database: Database, ledger: Workers) -> None:
    start_sending(database, 1)
    delivery = hand_over_one(ledger)
    text = (
        "5.1.1 <reader000@reader.example>: gone; see postmaster@mail.example, "
        '"a b"@reader.example\0\ud800\n' + "x" * 5_000
    )
    reply = Reply(550, text, "5.1.1")
    ledger.record(delivery, "w", REFUSED._replace(reply=reply, sender_fault=True), NOW, "main")
    (row,) = rows(database)
    assert "reader000@" not in row.reply_text
    assert "a b" not in row.reply_text
    assert row.reply_text.startswith(
        '5.1.1 <r…@reader.example>: gone; see p…@mail.example, "…@reader.example��\n'
    )
    assert len(row.reply_text) == 1_000
    assert (row.reply_enhanced, row.sender_fault, row.relay) == ("5.1.1", True, "main")


def test_in_doubt_once_it_is_tried_again_and_then_stays_uncertain(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 1)
    ledger.record(hand_over_one(ledger), "w", UNCERTAIN, NOW)
    assert [(row.state, row.doubts) for row in rows(database)] == [("queued", 1)]
    ledger.record(hand_over_one(ledger), "w", UNCERTAIN, NOW)
    assert [(row.state, row.doubts) for row in rows(database)] == [("uncertain", 2)]
    assert claim_all(ledger) == []
    assert ledger.recover(NOW, all_workers=True) == (0, 0)


def test_recovering_from_a_crash(database: Database, ledger: Workers) -> None:
    start_sending(database, 3)
    hand_over_one(ledger)
    ledger.claim("w", NOW, LEASE, 1)
    assert ledger.recover(NOW, all_workers=False) == (0, 0)
    assert ledger.recover(NOW, all_workers=True) == (2, 0)
    assert states(database) == ["queued", "queued", "queued"]
    assert [row.doubts for row in rows(database)] == [1, 0, 0]
    assert ledger.recover(NOW, all_workers=True) == (0, 0)
    first = claim_all(ledger)[0]
    assert ledger.hand_over(first, "w", NOW)
    assert ledger.recover(LEASE + MINUTE, all_workers=False) == (2, 1)
    assert states(database) == ["uncertain", "queued", "queued"]


def test_only_leases_that_ended_are_recovered(database: Database, ledger: Workers) -> None:
    start_sending(database, 2)
    ledger.claim("dead", NOW, LEASE, 1)
    ledger.claim("alive", NOW, LEASE, 1)
    ledger.renew("alive", NOW, LEASE + MINUTE)
    assert ledger.recover(LEASE, all_workers=False) == (1, 0)
    assert states(database) == ["queued", "claimed"]


def test_whether_somebody_died_is_seen_while_hand_overs_are_held_up(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 2)
    ledger.claim("dead", NOW, LEASE, 1)
    ledger.claim("alive", NOW, LEASE, 1)
    ledger.renew("alive", NOW, LEASE + MINUTE)
    assert not ledger.groups.has_dead_workers(NOW)
    ledger.turn_to(LEASE)
    with database.write() as transaction:
        # Whoever waited for the fence here would wait for ever.
        fence(transaction.connection)
        assert ledger.groups.has_dead_workers(LEASE)
    ledger.recover(LEASE, all_workers=False)
    assert not ledger.groups.has_dead_workers(LEASE)


def test_a_worker_whose_session_is_gone_is_seen_before_its_lease_ends(database: Database) -> None:
    start_sending(database, 2)
    looking, dying = Workers(database), Workers(database)
    looking.claim("looking", NOW, LEASE, 1)
    dying.claim("dying", NOW, LEASE, 1)
    assert not looking.groups.has_dead_workers(NOW)
    dying.close()
    # The server ends a session in its own time. On SQLite a file's lock says who is at work.
    for _ in range(0 if database.is_sqlite else 1_000):
        if looking.groups.has_dead_workers(NOW):
            break
        time.sleep(0.01)
    assert looking.groups.has_dead_workers(NOW) is not database.is_sqlite
    assert looking.recover(NOW, all_workers=False) == (int(not database.is_sqlite), 0)
    assert not looking.groups.has_dead_workers(NOW)
    looking.close()


@pytest.mark.parametrize("outcome", [ACCEPTED, REFUSED])
def test_late_news_settle_a_doubt(database: Database, ledger: Workers, outcome: Outcome) -> None:
    start_sending(database, 1)
    delivery = hand_over_one(ledger)
    assert ledger.recover(LEASE, all_workers=False) == (1, 0)
    ledger.record(delivery, "other", outcome, LEASE)
    assert states(database) == ["queued"]
    ledger.record(delivery, "w", outcome, LEASE)
    assert states(database) == [outcome.kind.value]
    assert claim_all(ledger, now=LEASE) == []


def test_releasing_gives_back_what_was_not_handed_over(database: Database, ledger: Workers) -> None:
    start_sending(database, 4)
    hand_over_one(ledger)
    ledger.claim("w", NOW, LEASE, 1)
    ledger.claim("other", NOW, LEASE, 1)
    assert ledger.release("w") == 1
    assert states(database) == ["handed_over", "queued", "claimed", "queued"]
    assert ledger.release("w") == 0
    assert [delivery.recipient_id for delivery in claim_all(ledger)] == ["reader1", "reader3"]


def test_nothing_waits(ledger: Workers) -> None:
    assert ledger.next_due(NOW) is None
    assert ledger.claim("w", NOW, LEASE, 10) == []
    assert ledger.close_finished(NOW) == []


def test_next_due_looks_at_system_mail(database: Database, ledger: Workers) -> None:
    with database.write() as tx:
        add_reader(tx, 1)
    add_system_mail(database, 1)
    assert ledger.next_due(NOW - MINUTE) == NOW


def test_an_issue_is_closed_when_nothing_is_open(database: Database, ledger: Workers) -> None:
    issue = start_sending(database, 4)
    with database.write() as tx:
        # Its audience is not queued yet.
        tx.issues.create(an_issue("2025-W33", state=SENDING), NOW, "test")
    first, second, third, fourth = claim_all(ledger)
    ledger.record(first, "w", REFUSED, NOW)
    ledger.record(second, "w", DEFERRED, NOW)
    assert ledger.hand_over(third, "w", NOW)
    move_reader(database, 3, SubscriptionState.UNSUBSCRIBED)
    assert not ledger.hand_over(fourth, "w", NOW)
    assert ledger.close_finished(NOW) == []
    ledger.record(third, "w", ACCEPTED, NOW)
    assert ledger.close_finished(NOW) == []
    (again,) = claim_all(ledger, now=NOW + 5 * MINUTE)
    assert ledger.close_finished(NOW) == []
    ledger.record(again, "w", an_outcome(OutcomeKind.REFUSED, 550), NOW)
    assert ledger.close_finished(NOW + MINUTE) == [issue.public_id]
    assert ledger.close_finished(NOW + MINUTE) == []
    with database.read() as tx:
        closed = tx.issues.by_id(issue.public_id)
        change = tx.changes.of("issue", issue.public_id)[-1]
    assert closed is not None
    assert closed.state is IssueState.SENT
    assert (change.act, change.at) == ("sent", NOW + MINUTE)
    assert counts(database) == LedgerCounts(accepted=1, refused=2, skipped=1)


def test_an_issue_for_nobody_is_closed(database: Database, ledger: Workers) -> None:
    issue = start_sending(database, 0)
    assert ledger.close_finished(NOW) == [issue.public_id]


def test_mail_to_editors_asks_for_no_subscription(database: Database, ledger: Workers) -> None:
    start_sending(database, 0)
    with database.write() as tx:
        tx.mailings.enqueue("mailing-2025-W32", "editor1", "anna@paper.example", NOW)
    (delivery,) = claim_all(ledger)
    assert ledger.hand_over(delivery, "w", NOW)
