"""When to try again after a temporary refusal."""

from collections.abc import Mapping
from datetime import datetime, timedelta

# The first wait suits greylisting, whose usual delay is 5 minutes (RFC 6647
# section 5); the later ones follow the growing distances of RFC 5321 section
# 4.5.4.1 without leaning on a server that has trouble.
DELAYS = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
)
# Where the first steps would only annoy: a rate is not forgotten within five
# minutes, and nobody empties a mailbox in that time.
_FIRST_STEP: Mapping[str, int] = {"rate_limited": 1, "mailbox_full": 2}


def retry_delay(attempts: int, reason: str) -> timedelta:
    """How long to wait when ``attempts`` earlier tries were answered with "later"."""
    step = max(attempts, 0) + _FIRST_STEP.get(reason, 0)
    return DELAYS[min(step, len(DELAYS) - 1)]


def next_try(
    attempts: int, reason: str, first_tried_at: datetime, now: datetime, give_up_after: timedelta
) -> datetime | None:
    """When to try again, or None where the time for trying is over.

    The last try falls on the end of ``give_up_after`` rather than before it, so
    that a server has all of that time to recover.
    """
    end = first_tried_at + give_up_after
    if now >= end:
        return None
    return min(now + retry_delay(attempts, reason), end)
