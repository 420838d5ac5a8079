"""From the queue to the relay: settle what a dead worker left, send what is due, close."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from newsletter.delivery.engine import deliver_due
from newsletter.delivery.lock import sending_lock
from newsletter.delivery.model import DeliverySummary
from newsletter.errors import RelayError
from newsletter.log import get_logger
from newsletter.publication.durations import parse_duration
from newsletter.storage.ledger import SqlLedger
from newsletter.tokens import new_public_id
from newsletter.workflows.installation import Installation

log = get_logger(__name__)

# How long a worker with nothing to do waits before it looks again: a sign-up's
# confirmation should be in the inbox before the reader looks for it.
IDLE_SECONDS = 1.0
# How long it waits after the relay could not be used, growing up to the second figure.
RELAY_PAUSE_SECONDS = (5.0, 300.0)


@contextmanager
def open_ledger(installation: Installation) -> Iterator[SqlLedger]:
    """The ledger, for a process that is going to send.

    On SQLite this process is then the only sender, and what an earlier one
    left unfinished is settled at once; on PostgreSQL a dead worker's rows are
    settled when their lease has ended.
    """
    database = installation.database
    lock = sending_lock(installation.data_dir / "sending.lock") if database.is_sqlite else None
    with lock or nullcontext():
        ledger = SqlLedger(database)
        requeued, uncertain = ledger.recover(
            installation.clock.now(), all_workers=database.is_sqlite
        )
        if requeued or uncertain:
            log.warning("deliveries_recovered", requeued=requeued, uncertain=uncertain)
        yield ledger


def deliver(
    installation: Installation,
    ledger: SqlLedger,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[DeliverySummary], None] | None = None,
) -> DeliverySummary:
    """Send all that is due now; RelayError where the relay can't be used at all."""
    settings = installation.settings()
    summary = deliver_due(
        ledger,
        installation.relay,
        installation.keyring,
        installation.clock,
        worker=_worker_name(),
        give_up_after=parse_duration(settings.delivery.give_up_after),
        should_stop=should_stop,
        on_progress=on_progress,
    )
    for issue_id in ledger.close_finished(installation.clock.now()):
        log.info("issue_sent", issue=issue_id)
    return summary


def work(installation: Installation, should_stop: Callable[[], bool]) -> None:
    """The worker: send whatever falls due until told to stop; a relay's failure only delays."""
    with open_ledger(installation) as ledger:
        pause, longest = RELAY_PAUSE_SECONDS
        while not should_stop():
            try:
                deliver(installation, ledger, should_stop=should_stop)
                pause = RELAY_PAUSE_SECONDS[0]
                _wait(installation, IDLE_SECONDS, should_stop)
            except RelayError as error:
                log.error("relay_failed", relay=installation.relay.slug, error=str(error))
                _wait(installation, pause, should_stop)
                pause = min(pause * 2, longest)
            if not installation.database.is_sqlite:
                ledger.recover(installation.clock.now(), all_workers=False)


def _wait(installation: Installation, seconds: float, should_stop: Callable[[], bool]) -> None:
    """Wait in short steps, so that a stop is heard at once."""
    end = installation.clock.monotonic() + seconds
    while not should_stop() and (left := end - installation.clock.monotonic()) > 0:
        installation.clock.sleep(min(left, 0.2))


def _worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{new_public_id()}"
