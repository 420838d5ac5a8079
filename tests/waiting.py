"""Waiting for what happens beside the test."""

import time
from collections.abc import Callable


def wait_until(done: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether ``done`` came to be within so many seconds."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.01)
    return done()
