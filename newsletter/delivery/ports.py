"""What delivery needs of storage: the ledger, and the relays' limits.

Each call is one transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from newsletter.delivery.model import (
    Delivery,
    Mailing,
    Permit,
    Relay,
    RelayState,
    Settlement,
    Slowdown,
)


class Ledger(Protocol):
    """All deliveries, one row a mailing and recipient.

    A worker is named by its number, which is its fencing token: once its lease
    was lost, nothing is done in its name any more.
    """

    def enroll(self, name: str, now: datetime, lasting: timedelta) -> int:
        """Begin to work, with a lease of that length; the worker's number."""
        ...

    def renew(self, worker: int, now: datetime, lasting: timedelta) -> bool:
        """Let the lease last so long from now; False where it was lost, with its rows."""
        ...

    def release(self, worker: int) -> int:
        """Put the claimed rows of ``worker`` back into the queue; how many."""
        ...

    def retire(self, worker: int) -> int:
        """End the work: claimed rows go back to the queue; how many."""
        ...

    def claim_system(self, worker: int, now: datetime, limit: int) -> Sequence[Delivery]:
        """Take up to ``limit`` due rows of system mail, the oldest first."""
        ...

    def claim_issues(self, worker: int, now: datetime, limit: int) -> Sequence[Delivery]:
        """Take up to ``limit`` due rows of issues that are sending, the earliest first.

        Of waves that were released only. Two workers never get the same row.
        Rows of readers who left or were suppressed are skipped, not claimed.
        """
        ...

    def mailing(self, public_id: str) -> Mailing:
        """The frozen mailing of a claimed row."""
        ...

    def commit(
        self,
        worker: int,
        settled: Sequence[Settlement],
        handing_over: Sequence[int],
        now: datetime,
    ) -> Collection[int]:
        """Write outcomes, and hand over rows whose message is about to be written.

        A hand-over holds only while the row is claimed by ``worker``, its lease
        lasts, the issue is sending and the reader is active and not suppressed.
        Given back are the rows for which it holds; of the others nothing may be
        sent: they have been put where they belong (skipped, queued) or belong
        to another worker.
        """
        ...

    def put_back(self, worker: int, rows: Sequence[int], now: datetime) -> None:
        """Give claimed rows back that were not tried: to the queue as they were, or skipped."""
        ...

    def put_off(self, worker: int, dues: Mapping[int, datetime]) -> None:
        """Give claimed rows back that were not tried, to wait until their time."""
        ...

    def give_up(
        self, queued_before: datetime, relay: str, words: str, now: datetime, limit: int
    ) -> Sequence[int]:
        """Refuse up to ``limit`` due rows that were queued until then as expired; which.

        For no relay takes our mail, ``relay`` the last of them; ``words`` stand where the row
        has no reply. Of issues that are sending, and waves that were released, only. Rows of
        readers who left or were suppressed are skipped, and not among those given back.
        """
        ...

    def hold_mailing(self, mailing_id: str, until: datetime, because: str) -> None:
        """Note for people that a mailing can't go until then, and why."""
        ...

    def forget_holds(self) -> None:
        """Take those notes back: what was in the way is said to be mended."""
        ...

    def called_off(self, mailings: Collection[str]) -> Collection[str]:
        """Those of ``mailings`` whose issue is not sending now: paused, recalled or cancelled."""
        ...

    def recover(self, now: datetime, *, all_workers: bool) -> tuple[int, int]:
        """Settle the rows of dead workers: (queued again, uncertain).

        Claimed rows go back to the queue, handed-over rows become uncertain.
        Where uncertain rows are to be sent again they are queued once more, with
        the same Message-ID and bytes; a row in doubt for the second time stays
        uncertain. With ``all_workers`` every worker counts as dead (the caller
        holds the lock that makes it the only one), else those that are known to
        be or whose lease has ended.
        """
        ...

    def has_dead_workers(self, now: datetime) -> bool:
        """Whether `recover` would find a worker that is dead: cheap, and nobody waits for it."""
        ...

    def next_due(self, now: datetime) -> datetime | None:
        """When the next waiting row falls due, or None where nothing waits."""
        ...

    def share(self, worker: int, relay: Relay, in_use: int, now: datetime) -> Permit:
        """The worker's part of the relay's connections and rate, as of now.

        All workers' parts together never exceed what the relay allows: a new
        worker waits for what the others give up. ``in_use`` connections are open or
        being opened: where the part is smaller, the others get them when a later
        call says that they are closed. Of several connections one is kept for system
        mail, by one of the workers.
        """
        ...

    def grant(self, relay: Relay, wanted: int, now: datetime) -> int:
        """How many of ``wanted`` messages the relay may still take today (UTC).

        Granted messages count as sent. `give_back` returns those that were not.
        """
        ...

    def give_back(self, relay: Relay, unused: int, now: datetime) -> None:
        """Return messages, granted at ``now``, that were not sent."""
        ...

    def relay_states(self) -> Mapping[str, RelayState]:
        """The breakers that are open or have been, by relay."""
        ...

    def set_relay_state(self, relay: str, state: RelayState, now: datetime) -> None:
        """Write a relay's breaker, for all workers."""
        ...

    def slowdowns(self, since: datetime) -> Sequence[Slowdown]:
        """The destinations that were slowed down since then, by any worker."""
        ...

    def slow_down(self, slowdown: Slowdown) -> None:
        """Tell all workers of a destination that complained."""
        ...

    def destination_takes(self, group: str) -> None:
        """Tell all workers that a destination that complained has taken a message."""
        ...
