"""Opening connections, which waits, in threads of their own."""

import contextlib
import os
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from newsletter.delivery.model import Relay
from newsletter.delivery.smtp import Link
from newsletter.errors import RelayError

# At the same time to one relay: one that never answers must not keep the others waiting.
_THREADS = 4
# Seconds that a worker which stops gives to attempts under way.
_GRACE = 1.0


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


@dataclass(eq=False)
class Attempt:
    """A connection that is being opened since ``since`` (monotonic seconds).

    ``for_system``: it is to be kept for system mail. ``late``: the relay was left
    in the meantime, so it counts until it ends and is then closed.
    """

    relay: Relay
    for_system: bool
    since: float
    late: bool = False


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

    def __init__(
        self,
        connect: Callable[[Relay], Link],
        wake: Wake,
        give_up: Callable[[], None] = lambda: None,
    ) -> None:
        """``give_up`` ends what ``connect`` waits for, in whatever thread."""
        self._connect = connect
        self._give_up = give_up
        self._wake = wake
        self._guard = threading.Condition()
        self._waiting: dict[str, deque[Attempt]] = {}
        # Threads that are opening something, by relay.
        self._at_work: Counter[str] = Counter()
        self._ended: list[tuple[Attempt, Link | Exception]] = []
        self._closed = False

    def open(self, attempt: Attempt) -> None:
        """Begin to open a connection; what became of it comes by `opened`."""
        slug = attempt.relay.slug
        with self._guard:
            self._waiting.setdefault(slug, deque()).append(attempt)
            if self._at_work[slug] == _THREADS:
                return
            self._at_work[slug] += 1
        # A daemon: the process must be able to end while a name server or a relay is silent.
        threading.Thread(target=self._work, args=(slug,), name=f"relay-{slug}", daemon=True).start()

    def opened(self) -> list[Opened]:
        """The attempts that ended since the last call; what is no RelayError is raised."""
        with self._guard:
            ended, self._ended = self._ended, []
        opened: list[Opened] = []
        for attempt, result in ended:
            if isinstance(result, Exception) and not isinstance(result, RelayError):
                raise result
            opened.append(Opened(attempt, result))
        return opened

    def close(self) -> None:
        """Close what was opened, and give up attempts under way.

        Where one goes on nevertheless, such as for the answer of a name server, it is
        waited for a moment and then abandoned: what it still opens is closed at once.
        """
        self._give_up()
        with self._guard:
            self._closed = True
            self._waiting.clear()
            self._guard.wait_for(lambda: not self._at_work.total(), _GRACE)
            ended, self._ended = self._ended, []
        for _, result in ended:
            if not isinstance(result, Exception):
                result.close()

    def _work(self, slug: str) -> None:
        while True:
            with self._guard:
                waiting = self._waiting.get(slug)
                if not waiting:
                    self._at_work[slug] -= 1
                    self._guard.notify_all()
                    return
                attempt = waiting.popleft()
            result: Link | Exception
            try:
                result = self._connect(attempt.relay)
            except Exception as error:  # noqa: BLE001 - raised again by `opened`
                result = error
            with self._guard:
                if not self._closed:
                    self._ended.append((attempt, result))
                    self._wake.ring()
                    continue
            if not isinstance(result, Exception):
                result.close()
