"""APScheduler as the tick only: it wakes the workflows and carries no state.

The defaults of APScheduler drop a run that is more than a second late; here a
late tick is one tick (`misfire_grace_time=None`, coalesced), because what is
due is decided by the database and the clock.
"""

import threading
from collections.abc import Callable

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from newsletter.clock import SystemClock
from newsletter.log import get_logger
from newsletter.workflows.installation import Installation
from newsletter.workflows.tick import refresh, tick

log = get_logger(__name__)

TICK_SECONDS = 30
# Feeds are polled no more often than their usual 15 to 60 minutes; the counters
# that only tell "now" must be asked at least daily.
REFRESH_SECONDS = 30 * 60


def run_scheduler(installation: Installation, stop: threading.Event) -> None:
    """Tick until ``stop`` is set; then let a running job end."""
    scheduler = BackgroundScheduler(
        timezone="UTC",
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    start = SystemClock().now()  # APScheduler goes by the machine's clock
    for name, act, seconds in (
        ("tick", tick, TICK_SECONDS),
        ("refresh", refresh, REFRESH_SECONDS),
    ):
        scheduler.add_job(
            _guarded(name, act, installation),
            IntervalTrigger(seconds=seconds, jitter=seconds // 10, timezone="UTC"),
            id=name,
            next_run_time=start,
        )
    scheduler.start()
    try:
        stop.wait()
    finally:
        scheduler.shutdown(wait=True)


def _guarded(
    name: str, act: Callable[[Installation], None], installation: Installation
) -> Callable[[], None]:
    def run() -> None:
        try:
            act(installation)
        except Exception as error:
            # The next tick comes whatever happened in this one.
            log.exception("job_failed", job=name, error=str(error))

    return run
