"""Whose turn it is to tick: one scheduler of an installation holds the lease, the others wait.

The tick is idempotent, so that two which believe it is theirs (after a machine
slept, say) do no harm: the lease only saves the sources from being polled twice.
"""

import os
import socket
from datetime import timedelta

from newsletter.clock import Clock
from newsletter.errors import StorageError
from newsletter.log import get_logger
from newsletter.storage.database import Database
from newsletter.tokens import new_public_id

log = get_logger(__name__)

LEASE = timedelta(seconds=90)
# How soon a scheduler notices that another has given its turn up.
LOOK_SECONDS = 5
_RENEW_BELOW = timedelta(seconds=60)
_NAME = "scheduler"


class Turn:
    """This process's part in the lease. `look` is called every few seconds by one thread."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{new_public_id()}"
        self._ours_until = 0.0
        self._waits_for = ""

    def is_ours(self) -> bool:
        """Whether the lease is ours, by our own reckoning of how long it lasts."""
        return self._clock.boottime() < self._ours_until

    def look(self) -> bool:
        """Renew the lease, or take it where it is free; True where it was just taken."""
        had, asked_at, now = self.is_ours(), self._clock.boottime(), self._clock.now()
        with self._database.read() as tx:
            lease = tx.leases.current(_NAME, now)
        if lease is not None and lease.left > timedelta(0):
            if lease.holder != self._holder:
                self._wait_for(lease.holder)
                return False
            if lease.left > _RENEW_BELOW:
                return False
        with self._database.write() as tx:
            taken = tx.leases.take(_NAME, self._holder, now, LEASE)
        if not taken:
            return False
        self._ours_until = asked_at + LEASE.total_seconds()
        self._waits_for = ""
        if not had:
            log.info("scheduler_has_turn", holder=self._holder)
        return not had

    def give_up(self) -> None:
        """Let another take over at once."""
        self._ours_until = 0.0
        try:
            with self._database.write() as tx:
                tx.leases.give_up(_NAME, self._holder)
        except StorageError as error:
            # It ends by itself.
            log.warning("turn_not_given_up", error=str(error))

    def _wait_for(self, holder: str) -> None:
        self._ours_until = 0.0
        if holder != self._waits_for:
            log.info("scheduler_waits", holder=holder)
            self._waits_for = holder
