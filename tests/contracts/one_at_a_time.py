"""The ledger asked for one row at a time, by workers that go by a name."""

import threading
from collections.abc import Sequence
from datetime import datetime

from newsletter.delivery.model import Delivery, Mailing, Outcome, Settlement
from newsletter.storage.database import Database
from newsletter.storage.ledger import SqlLedger


class Workers:
    """Single rows, put through the calls for groups; a worker enrolls with its first claim."""

    def __init__(self, database: Database) -> None:
        self.groups = SqlLedger(database)
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()

    def number(self, worker: str) -> int:
        return self._numbers.get(worker, -1)

    def claim(
        self, worker: str, now: datetime, lease_until: datetime, limit: int
    ) -> Sequence[Delivery]:
        with self._lock:
            if not self.groups.renew(self.number(worker), lease_until):
                self._numbers[worker] = self.groups.enroll(worker, now, lease_until)
        number = self.number(worker)
        claimed = list(self.groups.claim_system(number, now, limit))
        return claimed + list(self.groups.claim_issues(number, now, limit - len(claimed)))

    def hand_over(self, delivery: Delivery, worker: str, now: datetime) -> bool:
        return delivery.id in self.groups.commit(self.number(worker), [], [delivery.id], now)

    def record(
        self, delivery: Delivery, worker: str, outcome: Outcome, now: datetime, relay: str = ""
    ) -> None:
        settled = Settlement(delivery.id, outcome, relay)
        self.groups.commit(self.number(worker), [settled], [], now)

    def renew(self, worker: str, lease_until: datetime) -> None:
        self.groups.renew(self.number(worker), lease_until)

    def release(self, worker: str) -> int:
        return self.groups.retire(self.number(worker))

    def recover(self, now: datetime, *, all_workers: bool) -> tuple[int, int]:
        return self.groups.recover(now, all_workers=all_workers)

    def next_due(self, now: datetime) -> datetime | None:
        return self.groups.next_due(now)

    def close_finished(self, now: datetime) -> Sequence[str]:
        return self.groups.close_finished(now)

    def mailing(self, public_id: str) -> Mailing:
        return self.groups.mailing(public_id)

    def close(self) -> None:
        self.groups.close()
