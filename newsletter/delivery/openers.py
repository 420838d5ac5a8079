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

# At the same time to one relay: one that never answers must not keep the others waiting.
_THREADS = 4


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


@dataclass(frozen=True, eq=False)
class Attempt:
    """A connection that is being opened since ``since`` (monotonic seconds).

    ``for_system``: it is to be kept for system mail.
    """

    relay: Relay
    for_system: bool
    since: float


@dataclass(frozen=True)
class Opened:
    """An attempt that ended."""

    attempt: Attempt
    result: Link | RelayError

    @property
    def relay(self) -> Relay:
        return self.attempt.relay


class Openers:
    """Opens links in the background, and rings when one is open or failed."""

    def __init__(self, connect: Callable[[Relay], Link], wake: Wake) -> None:
        self._connect = connect
        self._wake = wake
        self._ended: queue.SimpleQueue[tuple[Attempt, Future[Link]]] = queue.SimpleQueue()
        self._pools: dict[str, ThreadPoolExecutor] = {}

    def open(self, attempt: Attempt) -> None:
        """Begin to open a connection; what became of it comes by `opened`."""
        relay = attempt.relay

        def note(future: Future[Link]) -> None:
            self._ended.put((attempt, future))
            self._wake.ring()

        if relay.slug not in self._pools:
            self._pools[relay.slug] = ThreadPoolExecutor(_THREADS, f"relay-{relay.slug}")
        self._pools[relay.slug].submit(self._connect, relay).add_done_callback(note)

    def opened(self) -> list[Opened]:
        """The attempts that ended since the last call; what is no RelayError is raised."""
        ended: list[Opened] = []
        while not self._ended.empty():
            attempt, future = self._ended.get()
            try:
                ended.append(Opened(attempt, future.result()))
            except RelayError as error:
                ended.append(Opened(attempt, error))
        return ended

    def close(self) -> None:
        """Wait for attempts under way and close what they opened."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in self._pools.values():
            pool.shutdown(wait=True)
        while not self._ended.empty():
            _, future = self._ended.get()
            if not future.cancelled() and future.exception() is None:
                future.result().close()
