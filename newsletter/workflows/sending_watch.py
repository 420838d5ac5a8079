"""What a sender asks the clone guard while it sends, and how it waits while it must not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from newsletter.delivery.model import DeliverySummary
from newsletter.errors import SendingHeld, StorageError
from newsletter.log import get_logger
from newsletter.workflows.clone_guard import (
    advance_generation,
    assert_may_send,
    attend,
    reason_to_hold,
)
from newsletter.workflows.installation import Installation

log = get_logger(__name__)

LOOK_SECONDS = 5.0
# What a restored backup may cost is the mail of so long; each costs one commit.
ADVANCE_SECONDS = 60.0
_ATTEND_SECONDS = 30.0
_SAY_AGAIN_SECONDS = 600.0
_STEP_SECONDS = 0.2


class SendingWatch:
    """Looks every few seconds, as often as it may be asked, whether sending was held meanwhile.

    From the beginning on it notes that a worker is there. A process that was
    stopped for long, or a machine that slept, is held by its own next look where
    mail is overdue by then.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        now = installation.clock.boottime()
        self._looked = self._attended = now
        self._advanced = now - ADVANCE_SECONDS  # the first message counts at once
        self._tried = 0
        self._has_sent = False
        self._held = False
        attend(installation)

    def may_go_on(self) -> bool:
        """Whether to go on; once False, for good: end, and wait by `wait_until_may_send`."""
        now = self._installation.clock.boottime()
        if self._held or now - self._looked < LOOK_SECONDS:
            return not self._held
        self._looked = now
        try:
            self._look(now)
        except StorageError as error:
            # The ledger stops the sending by itself where nothing can be written.
            log.warning("watch_failed", error=str(error))
        return not self._held

    def note(self, summary: DeliverySummary) -> None:
        """Take note of a run's figures so far; they begin at nothing with each run."""
        tried = summary.accepted + summary.refused + summary.deferred + summary.uncertain
        if tried and tried != self._tried:
            self._has_sent = True
        self._tried = tried

    def end(self) -> None:
        """Move the generation on for what was sent since it last did."""
        if self._has_sent and not self._held:
            try:
                self._advance(self._installation.clock.boottime())
            except StorageError as error:
                log.warning("watch_failed", error=str(error))

    def _look(self, now: float) -> None:
        reason = reason_to_hold(self._installation)
        if reason:
            self._held = True
            log.error("sending_stopped", reason=reason)
            return
        if self._has_sent and now - self._advanced >= ADVANCE_SECONDS:
            self._advance(now)
        if now - self._attended >= _ATTEND_SECONDS:
            self._attended = now
            attend(self._installation)

    def _advance(self, now: float) -> None:
        self._advanced = now
        self._has_sent = False
        advance_generation(self._installation)


@contextmanager
def watch_sending(installation: Installation) -> Iterator[SendingWatch]:
    """A watch for as long as a worker works; at the end its last sends are noted."""
    watch = SendingWatch(installation)
    try:
        yield watch
    finally:
        watch.end()


def wait_until_may_send(installation: Installation, should_stop: Callable[[], bool]) -> bool:
    """Wait, and say why, until sending is not held; False where told to stop before."""
    clock = installation.clock
    said, said_at = "", 0.0
    while not should_stop():
        try:
            assert_may_send(installation)
            return True
        except SendingHeld as error:
            now = clock.boottime()
            if str(error) != said or now - said_at >= _SAY_AGAIN_SECONDS:
                log.error("sending_waits", error=str(error))
                said, said_at = str(error), now
        while not should_stop() and reason_to_hold(installation):
            _wait(installation, LOOK_SECONDS, should_stop)
            if clock.boottime() - said_at >= _SAY_AGAIN_SECONDS:
                break
    return False


def _wait(installation: Installation, seconds: float, should_stop: Callable[[], bool]) -> None:
    """Wait in short steps, so that a stop is heard at once."""
    end = installation.clock.boottime() + seconds
    while not should_stop() and (left := end - installation.clock.boottime()) > 0:
        installation.clock.sleep(min(left, _STEP_SECONDS))
