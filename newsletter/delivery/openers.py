"""Opening connections, which waits, in threads of their own."""

import contextlib
import os
import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from newsletter.delivery.model import Relay
from newsletter.delivery.smtp import Link
from newsletter.errors import RelayError

_THREADS = 16


class Wake:
    """Ends a selector's wait, from any thread; watch `fileno`."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)

    def fileno(self) -> int:
        return self._reading

    def ring(self) -> None:
        """End the wait, or the next one."""
        # A full pipe has rung often enough.
        with contextlib.suppress(BlockingIOError):
            os.write(self._writing, b".")

    def heard(self) -> None:
        """Be ready for the next ring."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._reading, 65536)

    def close(self) -> None:
        os.close(self._reading)
        os.close(self._writing)


@dataclass(frozen=True)
class Opened:
    """An attempt that ended: ``for_system`` as it was asked for."""

    relay: Relay
    for_system: bool
    result: Link | RelayError


class Openers:
    """Opens links in the background, and rings when one is open or failed."""

    def __init__(self, connect: Callable[[Relay], Link], wake: Wake) -> None:
        self._connect = connect
        self._wake = wake
        self._ended: queue.SimpleQueue[tuple[Relay, bool, Future[Link]]] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="relay")

    def open(self, relay: Relay, *, for_system: bool) -> None:
        """Begin to open a connection; what became of it comes by `opened`."""

        def note(attempt: Future[Link]) -> None:
            self._ended.put((relay, for_system, attempt))
            self._wake.ring()

        self._pool.submit(self._connect, relay).add_done_callback(note)

    def opened(self) -> list[Opened]:
        """The attempts that ended since the last call; what is no RelayError is raised."""
        ended: list[Opened] = []
        while not self._ended.empty():
            relay, for_system, attempt = self._ended.get()
            try:
                ended.append(Opened(relay, for_system, attempt.result()))
            except RelayError as error:
                ended.append(Opened(relay, for_system, error))
        return ended

    def close(self) -> None:
        """Wait for attempts under way and close what they opened."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        while not self._ended.empty():
            *_, attempt = self._ended.get()
            if not attempt.cancelled() and attempt.exception() is None:
                attempt.result().close()
