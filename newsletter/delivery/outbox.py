"""Claimed rows on their way to a connection: system mail first, then by destination's turn."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from newsletter.delivery.line import Letter
from newsletter.delivery.model import Delivery
from newsletter.delivery.pacing import DestinationPace

# Of a destination that must wait so many letters are kept at hand; more are put off.
_KEPT_OF_A_GROUP = 10
# Who has to wait longer than this is put off, so that others get the room (seconds).
_LONGEST_WAIT = 5.0


class Outbox:
    """The rows a worker has claimed and not offered yet. For one thread.

    ``write`` makes a letter of a row, or gives None where it can't be sent (and
    has seen to that). With a ``pool``, for signing takes its time, it is called
    there some rows ahead, and ``ring`` when a letter is done.
    """

    def __init__(
        self,
        write: Callable[[Delivery], Letter | None],
        pace: DestinationPace,
        pool: ThreadPoolExecutor | None = None,
        ring: Callable[[], None] = lambda: None,
    ) -> None:
        self._write = write
        self._pace = pace
        self._pool = pool
        self._ring = ring
        self._system: deque[Delivery | Future[Letter | None]] = deque()
        self._issues: deque[Delivery | Future[Letter | None]] = deque()
        self._waiting: deque[Letter] = deque()
        self.put_off: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._system) + len(self._issues) + len(self._waiting)

    @property
    def system(self) -> int:
        """Rows of system mail at hand."""
        return len(self._system)

    @property
    def issues(self) -> int:
        """Rows of issues at hand."""
        return len(self._issues) + len(self._waiting)

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Take in what was claimed."""
        for delivery in deliveries:
            queue = self._system if delivery.is_system else self._issues
            if self._pool is None:
                queue.append(delivery)
                continue
            writing = self._pool.submit(self._write, delivery)
            writing.add_done_callback(lambda _: self._ring())
            queue.append(writing)

    def take(self, mono: float, *, issues: bool) -> Letter | None:
        """The next letter that may go now; of issues only where ``issues``."""
        # Nobody waits for a destination's turn with a confirmation.
        letter = self._first_of(self._system)
        if letter is None and issues:
            letter = self._take_waiting(mono) or self._take_issue(mono)
        if letter is not None:
            self._pace.start(letter.group, mono)
        return letter

    def give_back(self, letter: Letter, mono: float) -> None:
        """Put a letter that was taken and not handed over back to the front."""
        self._pace.end(letter.group, mono)
        queue = self._system if letter.delivery.is_system else self._issues
        done: Future[Letter | None] = Future()
        done.set_result(letter)
        queue.appendleft(done)

    def shortest_wait(self, mono: float) -> float | None:
        """Seconds until a waiting letter may go, or None where none waits for its time."""
        waits = [self._pace.wait(letter.group, mono) for letter in self._waiting]
        return min(waits, default=None)

    def clear(self) -> int:
        """Let go of everything; how much that was."""
        count = len(self)
        for queue in (self._system, self._issues):
            for entry in queue:
                if isinstance(entry, Future):
                    entry.cancel()
            queue.clear()
        self._waiting.clear()
        return count

    def _take_waiting(self, mono: float) -> Letter | None:
        for _ in range(len(self._waiting)):
            letter = self._take_or_wait(self._waiting.popleft(), mono)
            if letter is not None:
                return letter
        return None

    def _take_issue(self, mono: float) -> Letter | None:
        while (letter := self._first_of(self._issues)) is not None:
            letter = self._take_or_wait(letter, mono)
            if letter is not None:
                return letter
        return None

    def _take_or_wait(self, letter: Letter, mono: float) -> Letter | None:
        """The letter where its destination takes it now; else it waits here, or is put off."""
        wait = self._pace.wait(letter.group, mono)
        if wait <= 0:
            return letter
        # Infinite is until another message to it is answered.
        soon = wait <= _LONGEST_WAIT or wait == float("inf")
        of_group = sum(1 for other in self._waiting if other.group == letter.group)
        if soon and of_group < _KEPT_OF_A_GROUP:
            self._waiting.append(letter)
        else:
            self.put_off[letter.delivery.id] = self._pace.put_off(letter.group, mono)
        return None

    def _first_of(self, queue: deque[Delivery | Future[Letter | None]]) -> Letter | None:
        """The first that could be written; what could not is seen to by ``write``."""
        while queue:
            entry = queue[0]
            if isinstance(entry, Future):
                if not entry.done():
                    return None
                letter = entry.result()
            else:
                letter = self._write(entry)
            queue.popleft()
            if letter is not None:
                return letter
        return None
