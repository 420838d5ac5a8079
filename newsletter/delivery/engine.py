"""Delivering what is due: couriers in threads, one connection each."""

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta

from newsletter.clock import Clock
from newsletter.delivery.courier import Courier
from newsletter.delivery.feed import LEASE, ClaimFeed
from newsletter.delivery.model import DeliverySummary, Relay
from newsletter.delivery.ports import Ledger
from newsletter.delivery.smtp import Transport, open_connection
from newsletter.delivery.tally import Tally
from newsletter.errors import RelayUnavailable, StorageError
from newsletter.log import get_logger
from newsletter.tokens import Keyring

log = get_logger(__name__)

_PROGRESS_SECONDS = 0.2


def deliver_due(
    ledger: Ledger,
    relay: Relay,
    keyring: Keyring,
    clock: Clock,
    *,
    worker: str,
    give_up_after: timedelta,
    should_stop: Callable[[], bool],
    on_progress: Callable[[DeliverySummary], None] | None = None,
    connect: Callable[[Relay], Transport] = open_connection,
) -> DeliverySummary:
    """Send what is due over ``relay`` until nothing is, and say what became of it.

    ``worker`` names this run in the ledger: no other run may use the name at the
    same time. ``should_stop`` is asked before every message, from several
    threads but one at a time; ``on_progress`` is called from the calling thread.

    However it ends, rows that were claimed and not sent are back in the queue,
    unless the ledger itself fails. Raises RelayRejectedLogin, RelayUnavailable
    (where no other connection could do the work) or RelayError (the relay
    refuses us as a sender), and what the ledger raises; only after all
    connections have ended.
    """
    feed = ClaimFeed(ledger, keyring, clock, worker, should_stop)
    tally = Tally(give_up_after)
    try:
        count = min(relay.connections, feed.fill())
        couriers = [
            Courier(
                ledger,
                relay,
                clock,
                feed,
                tally,
                worker=worker,
                give_up_after=give_up_after,
                connect=connect,
            )
            for _ in range(count)
        ]
        if couriers:
            _run_couriers(couriers, feed, tally, on_progress)
    except BaseException:
        # The first error is the one to tell of; the leases end by themselves.
        try:
            ledger.release(worker)
        except StorageError as error:
            log.warning("rows_not_released", worker=worker, error=str(error))
        raise
    ledger.release(worker)
    return tally.summary()


def _run_couriers(
    couriers: list[Courier],
    feed: ClaimFeed,
    tally: Tally,
    on_progress: Callable[[DeliverySummary], None] | None,
) -> None:
    ended = threading.Event()
    working: list[Future[None]] = []
    with ThreadPoolExecutor(len(couriers) + 1, thread_name_prefix="delivery") as pool:
        try:
            renewing = pool.submit(_renew_until, ended, feed)
            working.extend(pool.submit(courier.run) for courier in couriers)
            _watch(working, tally, on_progress)
        finally:
            # Also on Ctrl-C: every courier finishes the message it is at, while
            # its lease is still being renewed.
            feed.stop()
            wait(working)
            ended.set()
    _raise_failures(working, renewing, feed)


def _watch(
    working: list[Future[None]],
    tally: Tally,
    on_progress: Callable[[DeliverySummary], None] | None,
) -> None:
    pending = set(working)
    while pending:
        _, pending = wait(pending, timeout=_PROGRESS_SECONDS, return_when=FIRST_COMPLETED)
        if on_progress is not None:
            on_progress(tally.summary())


def _renew_until(ended: threading.Event, feed: ClaimFeed) -> None:
    try:
        while not ended.wait(LEASE.total_seconds() / 3):
            feed.renew()
    except BaseException:
        feed.stop()
        raise


def _raise_failures(working: list[Future[None]], renewing: Future[None], feed: ClaimFeed) -> None:
    failures = [error for future in working if (error := future.exception()) is not None]
    grave = [error for error in failures if not isinstance(error, RelayUnavailable)]
    if (lost := renewing.exception()) is not None:
        grave.append(lost)
    if grave:
        raise grave[0]
    # A relay may allow fewer connections than we open: that is no failure while
    # one of them did the work.
    if failures and (len(failures) == len(working) or feed.left()):
        raise failures[0]
    for error in failures:
        log.warning("connection_lost", error=str(error))
