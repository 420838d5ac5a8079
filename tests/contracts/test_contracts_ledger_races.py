"""Several workers at once: nobody twice, nobody lost, and the totals always add up."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from random import Random

import pytest

from newsletter.delivery.model import Delivery, DeliveryState, Outcome
from newsletter.delivery.states import MOVES
from newsletter.issues.model import IssueState
from newsletter.storage.database import Database
from newsletter.subscribers.model import SubscriptionState, SuppressionReason
from tests.contracts.nouns import (
    ACCEPTED,
    DEFERRED,
    LEASE,
    MINUTE,
    NOW,
    REFUSED,
    REQUEUED,
    UNCERTAIN,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers


def test_two_workers_never_share_a_row(database: Database, ledger: Workers) -> None:
    start_sending(database, 90)
    barrier = threading.Barrier(4)

    def work(worker: str) -> list[int]:
        barrier.wait()
        claimed: list[int] = []
        while found := ledger.claim(worker, NOW, LEASE, 7):
            claimed += [delivery.id for delivery in found]
        return claimed

    with ThreadPoolExecutor(4) as pool:
        per_worker = list(pool.map(work, ["a", "b", "c", "d"]))
    claimed = [row for rows in per_worker for row in rows]
    assert len(claimed) == 90
    assert len(set(claimed)) == 90


def test_who_leaves_while_workers_send_gets_it_at_most_once(
    database: Database, ledger: Workers
) -> None:
    issue = start_sending(database, 60)
    sent: Counter[str] = Counter()
    left: set[str] = set()
    lock = threading.Lock()

    def work(worker: str) -> None:
        while found := ledger.claim(worker, NOW, LEASE, 5):
            for delivery in found:
                with lock:
                    gone = delivery.recipient_id in left
                if ledger.hand_over(delivery, worker, NOW):
                    # Whoever had left before we asked is not handed over.
                    assert not gone
                    sent[delivery.recipient_id] += 1
                    ledger.record(delivery, worker, ACCEPTED, NOW)

    def leave() -> None:
        for number in range(0, 60, 3):
            with database.write() as tx:
                tx.subscribers.move(
                    f"reader{number}",
                    "weekly",
                    set(SubscriptionState),
                    SubscriptionState.UNSUBSCRIBED,
                    NOW,
                    "reader",
                )
            with lock:
                left.add(f"reader{number}")

    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(work, "a"), pool.submit(work, "b"), pool.submit(leave)]:
            future.result()
    with database.read() as tx:
        counts = tx.mailings.counts(issue.public_id)
    assert max(sent.values()) == 1
    assert counts.accepted == len(sent)
    assert counts.accepted + counts.skipped == 60


class Walk:
    """A send in which anything may happen at any time, followed row by row."""

    def __init__(self, database: Database, seed: int) -> None:
        self.database = database
        self.ledger = Workers(database)
        self.random = Random(seed)
        self.now: datetime = NOW
        self.held: list[tuple[str, Delivery, bool]] = []
        self.taken: Counter[str] = Counter()
        self.doubts: dict[str, int] = {}
        self.states: dict[str, DeliveryState] = {}
        start_sending(database, 12)

    def step(self) -> None:
        often = (self.claim, self.hand_over, self.record, self.record)
        seldom = (self.recover, self.release, self.renew, self.reader_acts, self.pause, self.forget)
        self.random.choice((*often, *seldom))()
        self.now += timedelta(seconds=self.random.choice((0, 1, 200)))
        self.check()

    def claim(self) -> None:
        worker = self.random.choice("ab")
        lease = self.now + 10 * MINUTE
        found = self.ledger.claim(worker, self.now, lease, self.random.randint(1, 4))
        self.held += [(worker, delivery, False) for delivery in found]

    def hand_over(self) -> None:
        for index, (worker, delivery, handed) in enumerate(self.held):
            if not handed:
                if self.ledger.hand_over(delivery, worker, self.now):
                    self.held[index] = (worker, delivery, True)
                else:
                    del self.held[index]
                return

    def record(self) -> None:
        if not self.held:
            return
        worker, delivery, handed = self.held.pop(self.random.randrange(len(self.held)))
        outcomes: list[Outcome] = [REFUSED, DEFERRED, REQUEUED]
        if handed:
            outcomes += [ACCEPTED, ACCEPTED, UNCERTAIN]
        outcome = self.random.choice(outcomes)
        self.taken[delivery.recipient_id] += outcome is ACCEPTED
        self.ledger.record(delivery, worker, outcome, self.now)

    def recover(self) -> None:
        everyone = self.random.random() < 0.3
        self.ledger.recover(self.now, all_workers=everyone)
        if everyone:
            # A crash: every worker starts anew.
            self.held = []

    def release(self) -> None:
        worker = self.random.choice("ab")
        self.ledger.release(worker)
        self.held = [held for held in self.held if held[0] != worker or held[2]]

    def renew(self) -> None:
        self.ledger.renew(self.random.choice("ab"), self.now, self.now + 10 * MINUTE)

    def reader_acts(self) -> None:
        number = self.random.randrange(12)
        with self.database.write() as tx:
            if self.random.random() < 0.3:
                tx.subscribers.suppress(
                    f"hash{number}", SuppressionReason.BOUNCED, self.now, "feedback"
                )
            tx.subscribers.move(
                f"reader{number}",
                "weekly",
                {SubscriptionState.ACTIVE, SubscriptionState.PAUSED},
                self.random.choice([SubscriptionState.ACTIVE, SubscriptionState.PAUSED]),
                self.now,
                "reader",
            )

    def forget(self) -> None:
        number = self.random.randrange(12)
        with self.database.write() as tx:
            if self.random.random() < 0.2 and tx.subscribers.by_id(f"reader{number}"):
                tx.subscribers.forget(f"reader{number}", self.now, "reader")

    def pause(self) -> None:
        sending, paused = IssueState.SENDING, IssueState.PAUSED
        with self.database.write() as tx:
            if not tx.issues.move("issue-2025-W32", {sending}, paused, "anna", self.now):
                tx.issues.move("issue-2025-W32", {paused}, sending, "anna", self.now)

    def check(self) -> None:
        with self.database.read() as tx:
            counts = tx.mailings.counts("issue-2025-W32")
            rows = list(tx.mailings.deliveries("issue-2025-W32"))
        assert counts.total == len(rows) == 12
        for row in rows:
            waits = row.state in (DeliveryState.QUEUED, DeliveryState.DEFERRED)
            assert (row.due_at is not None) == waits
            before = self.states.get(row.recipient_id, DeliveryState.QUEUED)
            if not MOVES[before]:
                assert row.state is before
            if row.state is DeliveryState.ACCEPTED:
                assert self.taken[row.recipient_id]
            self.states[row.recipient_id] = row.state
            self.doubts[row.recipient_id] = row.doubts

    def finish(self) -> None:
        """Let every row come to its end; only a doubt on record may have made a second copy."""
        self.ledger.recover(self.now, all_workers=True)
        with self.database.write() as tx:
            tx.issues.move(
                "issue-2025-W32", {IssueState.PAUSED}, IssueState.SENDING, "anna", self.now
            )
        while (due := self.ledger.next_due(self.now)) is not None:
            self.now = due
            for delivery in self.ledger.claim("z", self.now, self.now + MINUTE, 5):
                assert self.ledger.hand_over(delivery, "z", self.now)
                self.ledger.record(delivery, "z", ACCEPTED, self.now)
                self.taken[delivery.recipient_id] += 1
        self.check()
        with self.database.read() as tx:
            assert tx.mailings.counts("issue-2025-W32").open == 0
        for recipient, copies in self.taken.items():
            assert copies <= 1 + min(self.doubts[recipient], 1)
        assert self.ledger.close_finished(self.now) == ["issue-2025-W32"]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_totals_add_up(database: Database, seed: int) -> None:
    walk = Walk(database, seed)
    for _ in range(60):
        walk.step()
    walk.finish()
    walk.ledger.close()
