"""When a source or counter is asked next."""

import random
from datetime import datetime, timedelta

from newsletter.errors import SourceError
from newsletter.net.response import HostHeld, StatusError
from newsletter.sources.model import SourceState

# A source that asks for more is looked at once a day all the same.
LONGEST_INTERVAL = timedelta(days=1)
FIRST_BACK_OFF = timedelta(minutes=15)
LONGEST_BACK_OFF = timedelta(hours=12)
LONGEST_WAIT = timedelta(days=1)
SCAN_EVERY = timedelta(days=1)


def due_after_success(now: datetime, interval: timedelta | None) -> datetime | None:
    """When a source that answered is due; None: at the scheduler's next round.

    ``interval`` is what the source asks for: RSS's ttl, or sy:updatePeriod.
    """
    return now + min(interval, LONGEST_INTERVAL) if interval else None


def due_after_failure(now: datetime, failures: int, jitter: float) -> datetime:
    """When a source that failed ``failures`` times in a row is due.

    The wait doubles from a quarter of an hour to half a day. ``jitter``, 0 to 1,
    moves it by up to a quarter, so that many do not come back at once.
    """
    doubled: timedelta = FIRST_BACK_OFF * (1 << min(max(failures - 1, 0), 10))
    return now + min(doubled, LONGEST_BACK_OFF) * (0.75 + jitter / 2)


def held_until(now: datetime, retry_after: float | None) -> datetime | None:
    """Until when the source asked us to wait (``retry_after`` in seconds), or None."""
    if not retry_after:
        return None
    return now + min(timedelta(seconds=retry_after), LONGEST_WAIT)


def why_not_now(state: SourceState, now: datetime, *, due_only: bool) -> str:
    """Why a source or counter is not asked now, as half a sentence; "" where it may be.

    One that asked us to wait is left alone in any case, with ``due_only`` also one
    that failed lately or asked to be polled less often.
    """
    if state.held_until is not None and state.held_until > now:
        return f"it asked us to wait until {state.held_until:%Y-%m-%d %H:%M} UTC"
    if due_only and state.due_at is not None and state.due_at > now:
        return f"it is due at {state.due_at:%Y-%m-%d %H:%M} UTC"
    return ""


def after_failure(
    state: SourceState, error: SourceError, now: datetime
) -> tuple[datetime, datetime | None]:
    """When one that failed is due again, and until when it asked us to wait."""
    retry_after = error.retry_after if isinstance(error, HostHeld | StatusError) else None
    jitter = random.random()  # noqa: S311 - it spreads polls, and guards nothing
    return due_after_failure(now, state.failures + 1, jitter), held_until(now, retry_after)


def scan_is_due(scanned_at: datetime | None, now: datetime) -> bool:
    """Whether a source is to be compared with what we have of it, once a day."""
    return scanned_at is None or now - scanned_at >= SCAN_EVERY
