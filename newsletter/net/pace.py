"""Our manners: one request at a time to a host, not too many a second, and waiting when asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

from newsletter.clock import Clock

# A server that asks for a longer pause than this is asked again after it.
LONGEST_HOLD_SECONDS = 3600.0
# Nor is a longer pause kept between two requests: a poll must come to an end.
LONGEST_PAUSE_SECONDS = 60.0


class HostPace:
    """When each host may be asked next, as far as this process knows."""

    def __init__(self, clock: Clock, seconds_between: float) -> None:
        self._clock = clock
        self._seconds_between = seconds_between
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}
        self._not_before: dict[str, float] = {}
        self._held_until: dict[str, float] = {}
        self._own_pace: dict[str, float] = {}

    @contextmanager
    def turn(self, host: str, *, paced: bool) -> Iterator[float]:
        """The host to ourselves; gives the seconds that were waited for it."""
        asked_at = self._clock.monotonic()
        with self._lock:
            turn = self._turns.setdefault(host, threading.Lock())
        with turn:
            if paced:
                self._wait(host)
            try:
                yield self._clock.monotonic() - asked_at
            finally:
                pause = max(self._seconds_between, self._own_pace.get(host, 0.0))
                self._not_before[host] = self._clock.monotonic() + pause

    def _wait(self, host: str) -> None:
        left = self._not_before.get(host, 0.0) - self._clock.monotonic()
        if left > 0:
            self._clock.sleep(left)

    def pause_left(self, host: str) -> float:
        """Seconds that a public host is still to be spared after the last request to it."""
        return max(0.0, self._not_before.get(host, 0.0) - self._clock.monotonic())

    def slow_down(self, host: str, seconds: float) -> None:
        """Leave so long between two requests to this host, if that is more than to others."""
        self._own_pace[host] = min(seconds, LONGEST_PAUSE_SECONDS)

    def hold(self, host: str, seconds: float) -> None:
        """Leave the host alone for so long: it asked us to (RFC 9110, section 10.2.3)."""
        self._held_until[host] = self._clock.monotonic() + min(seconds, LONGEST_HOLD_SECONDS)

    def held_for(self, host: str) -> float:
        """Seconds that the host still wants to be left alone; 0 if none."""
        return max(0.0, self._held_until.get(host, 0.0) - self._clock.monotonic())


def parse_retry_after(text: str | None, clock: Clock) -> float | None:
    """The seconds of a Retry-After header (a number, or an HTTP date), or None."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text.strip()[:9])
    try:
        then = parsedate_to_datetime(text)
        return max(0.0, (then - clock.now()).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
