"""APScheduler as the tick only: it wakes the workflows and carries no state.

The defaults of APScheduler drop a run that is more than a second late; here a
late tick is one tick (`misfire_grace_time=None`, coalesced), because what is
due is decided by the database and the clock.
"""

import threading
from collections.abc import Callable
from functools import partial

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from newsletter.clock import SystemClock
from newsletter.log import get_logger
from newsletter.scheduling.turn import LOOK_SECONDS, Turn
from newsletter.workflows.illustrate import clean_pictures
from newsletter.workflows.installation import Installation
from newsletter.workflows.reader_figures import count_readers
from newsletter.workflows.reader_uploads import tidy_uploads, work_uploads
from newsletter.workflows.retention import expire_at_night
from newsletter.workflows.sign_in import tidy_sessions
from newsletter.workflows.tick import look_at_asked, refresh, tick
from newsletter.workflows.totals import count_issues
from newsletter.workflows.watch_sign_ups import tidy_sign_ups, watch_sign_ups

log = get_logger(__name__)

TICK_SECONDS = 30
# Feeds are polled no more often than their usual 15 to 60 minutes; the counters
# that only tell "now" must be asked at least daily.
REFRESH_SECONDS = 30 * 60
# Somebody sits at the desk and waits for it.
ASKED_SECONDS = 15
CLEAN_SECONDS = 24 * 60 * 60
WATCH_SECONDS = 60
TIDY_SECONDS = 60 * 60
COUNT_SECONDS = 5 * 60
_SLOW = ("count_readers",)
# An editor waits for what a file holds.
UPLOAD_SECONDS = 2
# Looked at often enough to find the one hour of the night in which it runs.
NIGHT_SECONDS = 25 * 60


def run_scheduler(installation: Installation, stop: threading.Event) -> None:
    """Tick until ``stop`` is set, while it is our turn; then let a running job end."""
    clock = SystemClock()  # APScheduler goes by the machine's clock
    turn = Turn(installation.database, clock)
    scheduler = BackgroundScheduler(
        timezone="UTC",
        # The turn is kept beside a job that takes long, and no draft waits for an import, or
        # until a million readers are counted.
        executors={
            "default": ThreadPoolExecutor(1),
            "turn": ThreadPoolExecutor(1),
            "slow": ThreadPoolExecutor(1),
        },
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    jobs = (
        ("tick", tick, TICK_SECONDS),
        ("refresh", refresh, REFRESH_SECONDS),
        ("asked", look_at_asked, ASKED_SECONDS),
        ("clean", clean_pictures, CLEAN_SECONDS),
        ("watch", watch_sign_ups, WATCH_SECONDS),
        ("count", count_issues, WATCH_SECONDS),
        ("count_readers", count_readers, COUNT_SECONDS),
        ("tidy", tidy_sign_ups, TIDY_SECONDS),
        ("tidy_desk", tidy_sessions, TIDY_SECONDS),
        ("tidy_uploads", tidy_uploads, TIDY_SECONDS),
        ("expire", expire_at_night, NIGHT_SECONDS),
    )

    looking = threading.Lock()

    def look() -> None:
        with looking:
            if not stop.is_set() and turn.look():
                # Taken over from another: what is due has waited long enough.
                for name, _, _ in jobs:
                    scheduler.modify_job(name, next_run_time=clock.now())

    for name, act, seconds in jobs:
        scheduler.add_job(
            _guarded(name, partial(_act_in_turn, turn, act, installation)),
            IntervalTrigger(seconds=seconds, jitter=seconds // 10, timezone="UTC"),
            id=name,
            executor="slow" if name in _SLOW else "default",
            next_run_time=None,  # until it is our turn
        )
    scheduler.add_job(
        _guarded("turn", look),
        IntervalTrigger(seconds=LOOK_SECONDS, timezone="UTC"),
        id="turn",
        executor="turn",
        next_run_time=clock.now(),
    )
    scheduler.add_job(
        _guarded("uploads", partial(_work_uploads_in_turn, turn, installation, stop)),
        IntervalTrigger(seconds=UPLOAD_SECONDS, timezone="UTC"),
        id="uploads",
        executor="slow",
    )
    scheduler.start()
    try:
        stop.wait()
    finally:
        # While it shuts down it answers nobody, and waits for those that ask it something.
        stop.set()
        with looking:
            pass
        scheduler.shutdown(wait=True)
        turn.give_up()


def _act_in_turn(
    turn: Turn, act: Callable[[Installation], object], installation: Installation
) -> None:
    if turn.is_ours():
        act(installation)


def _work_uploads_in_turn(turn: Turn, installation: Installation, stop: threading.Event) -> None:
    # An import is left within a batch of rows, and goes on wherever the turn is next.
    work_uploads(installation, lambda: stop.is_set() or not turn.is_ours())


def _guarded(name: str, act: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            act()
        except Exception as error:
            # The next run comes whatever happened in this one.
            log.exception("job_failed", job=name, error=str(error))

    return run
