"""What delivery needs of storage: the ledger. Each call is one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from newsletter.delivery.model import Delivery, Mailing, Outcome


class Ledger(Protocol):
    """All deliveries, one row a mailing and recipient."""

    def claim(
        self, worker: str, now: datetime, lease_until: datetime, limit: int
    ) -> Sequence[Delivery]:
        """Take up to ``limit`` due rows for ``worker``: system mail first, then by age.

        Queued rows and deferred ones whose time has come, of system mailings
        and of issues that are sending. One statement; two workers never get
        the same row. Rows of readers who left or were suppressed are skipped,
        not claimed.
        """
        ...

    def mailing(self, public_id: str) -> Mailing:
        """The frozen mailing of a claimed row."""
        ...

    def hand_over(self, delivery: Delivery, worker: str, now: datetime) -> bool:
        """Commit that the message's DATA is about to be written.

        Holds only while the row is claimed by ``worker``, its lease lasts, the
        issue is sending and the reader is active and not suppressed. On False
        nothing may be sent; the row has been put where it belongs (skipped,
        queued) or belongs to another worker.
        """
        ...

    def record(self, delivery: Delivery, worker: str, outcome: Outcome, now: datetime) -> None:
        """Write what became of a claimed or handed-over row of ``worker``."""
        ...

    def renew(self, worker: str, lease_until: datetime) -> None:
        """Extend the lease of all rows of ``worker``."""
        ...

    def release(self, worker: str) -> int:
        """Put the claimed rows of ``worker`` back into the queue; how many."""
        ...

    def recover(self, now: datetime, *, all_workers: bool) -> tuple[int, int]:
        """Settle the rows of dead workers: (requeued, uncertain).

        Claimed rows go back to the queue. Handed-over rows become uncertain and
        are queued once more, with the same Message-ID and bytes; a row in doubt
        for the second time stays uncertain. With ``all_workers`` every
        unfinished row counts as a dead worker's (the caller holds the lock that
        makes it the only one), else those whose lease has ended.
        """
        ...

    def next_due(self, now: datetime) -> datetime | None:
        """When the next deferred row falls due, or None where nothing waits."""
        ...

    def close_finished(self, now: datetime) -> Sequence[str]:
        """Move sending issues without open rows to sent; their public ids."""
        ...
