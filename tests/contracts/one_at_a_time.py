"""The ledger asked for one row at a time, by workers that go by a name."""

import threading
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from newsletter.delivery.model import Delivery, Mailing, Outcome, Settlement
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from newsletter.storage.ledger import SqlLedger


class Workers:
    """Single rows, put through the calls for groups; a worker enrolls with its first claim.

    The time is what ``now`` says. PostgreSQL's leases go by the server's clock: there
    they are moved as far from it as they are from ``now``.
    """

    def __init__(self, database: Database) -> None:
        self.groups = SqlLedger(database)
        self._database = database
        self._now: datetime | None = None
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()

    def number(self, worker: str) -> int:
        return self._numbers.get(worker, -1)

    def claim(
        self, worker: str, now: datetime, lease_until: datetime, limit: int
    ) -> Sequence[Delivery]:
        self.turn_to(now)
        with self._lock:
            lasting = lease_until - now
            if not self.groups.renew(self.number(worker), now, lasting):
                self._numbers[worker] = self.groups.enroll(worker, now, lasting)
        number = self.number(worker)
        claimed = list(self.groups.claim_system(number, now, limit))
        return claimed + list(self.groups.claim_issues(number, now, limit - len(claimed)))

    def turn_to(self, now: datetime) -> None:
        with self._lock:
            before, self._now = self._now, now
            if before in (None, now) or self._database.is_sqlite:
                return
            gone = sa.literal(now - before, sa.Interval)
            with self._database.write() as transaction:
                transaction.connection.execute(
                    sa.update(t.worker).values(lease_until=t.worker.c.lease_until - gone)
                )

    def hand_over(self, delivery: Delivery, worker: str, now: datetime) -> bool:
        self.turn_to(now)
        return delivery.id in self.groups.commit(self.number(worker), [], [delivery.id], now)

    def record(
        self, delivery: Delivery, worker: str, outcome: Outcome, now: datetime, relay: str = ""
    ) -> None:
        settled = Settlement(delivery.id, outcome, relay)
        self.groups.commit(self.number(worker), [settled], [], now)

    def renew(self, worker: str, now: datetime, lease_until: datetime) -> None:
        self.turn_to(now)
        self.groups.renew(self.number(worker), now, lease_until - now)

    def release(self, worker: str) -> int:
        return self.groups.retire(self.number(worker))

    def recover(self, now: datetime, *, all_workers: bool) -> tuple[int, int]:
        self.turn_to(now)
        return self.groups.recover(now, all_workers=all_workers)

    def next_due(self, now: datetime) -> datetime | None:
        return self.groups.next_due(now)

    def close_finished(self, now: datetime) -> Sequence[str]:
        return self.groups.close_finished(now)

    def mailing(self, public_id: str) -> Mailing:
        return self.groups.mailing(public_id)

    def close(self) -> None:
        self.groups.close()
