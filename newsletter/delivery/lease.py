"""A worker's lease, renewed by a thread of its own while the connections wait."""

import threading
from datetime import datetime, timedelta

from newsletter.clock import Clock
from newsletter.delivery.ports import Ledger
from newsletter.errors import StorageError
from newsletter.log import get_logger

log = get_logger(__name__)

LEASE = timedelta(seconds=30)
# Of a lease the last part is not used: the clock of the one who ends it may be ahead.
_MARGIN = 3.0


class Lease:
    """The right of one worker to its rows. `lasts` may be asked from any thread.

    Goes by a clock that runs on through suspension: a machine that slept has
    lost its lease before it can say otherwise.
    """

    def __init__(self, ledger: Ledger, clock: Clock, name: str, length: timedelta) -> None:
        self._ledger = ledger
        self._clock = clock
        self._length = length
        self._ended = threading.Event()
        self._lost = False
        # When the ledger was told of it: by the clock that runs on, and by the date.
        self._told = clock.boottime(), clock.now()
        self.worker = ledger.enroll(name, self._told[1], length)
        self._until = self._told[0] + length.total_seconds() - self._margin
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    @property
    def lasts(self) -> bool:
        """Whether the rows are ours at this moment."""
        return not self._lost and self._clock.boottime() < self._until

    @property
    def lost(self) -> bool:
        """Whether somebody else may have the rows by now, for good."""
        return self._lost

    def heed(self, now: datetime) -> None:
        """Tell the ledger anew where the machine's date was set meanwhile.

        It goes by dates: put forward by an hour, they would have ended every lease.
        """
        told, told_at = self._told
        gone = self._clock.boottime() - told
        if abs((now - told_at).total_seconds() - gone) > self._margin:
            log.warning("clock_was_set", worker=self.worker)
            self._tell()

    def end(self) -> int:
        """Give it up: claimed rows go back to the queue; how many."""
        self.stop()
        return self._ledger.retire(self.worker)

    def stop(self) -> None:
        """Renew it no more."""
        self._ended.set()
        self._thread.join()

    @property
    def _margin(self) -> float:
        return min(_MARGIN, self._length.total_seconds() / 10)

    def _renew(self) -> None:
        while not self._ended.wait(self._length.total_seconds() / 3):
            if not self._tell():
                return

    def _tell(self) -> bool:
        """Extend it by its length from now on; False where it is lost."""
        asked, now = self._clock.boottime(), self._clock.now()
        try:
            held = self._ledger.renew(self.worker, now, self._length)
        except StorageError as error:
            # It lasts for a while yet; the database may be back by then.
            log.warning("lease_not_renewed", worker=self.worker, error=str(error))
            return True
        if not held:
            self._lost = True
            log.error("lease_lost", worker=self.worker)
            return False
        self._told = asked, now
        self._until = asked + self._length.total_seconds() - self._margin
        return True
