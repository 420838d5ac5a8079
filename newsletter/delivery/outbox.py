"""Claimed rows on their way to a connection: system mail first, then by destination's turn."""

from collections import deque
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

from newsletter.delivery.line import Letter
from newsletter.delivery.model import Delivery
from newsletter.delivery.pacing import DestinationPace

# Of a destination that must wait so many letters are kept at hand; more are put off.
_KEPT_OF_A_GROUP = 20
# Rows that are written at a time, which takes half of what it takes one by one, and also
# makes it worth a thread's while.
_WRITTEN_TOGETHER = 32
# Who has to wait longer than this is put off, so that others get the room (seconds).
_LONGEST_WAIT = 5.0
# Until another message to the destination is answered.
_BUSY = float("inf")

Write = Callable[[Sequence[Delivery]], list[Letter]]


class PutOff(NamedTuple):
    """A row that has to wait so many seconds for its destination."""

    delivery: Delivery
    group: str
    seconds: float


class _Queue:
    """Rows in their order: letters, rows to be written, or those that threads are writing."""

    def __init__(self, write: Write, claims: Mapping[int, Delivery]) -> None:
        self._write = write
        self._claims = claims
        self._letters: deque[Letter] = deque()
        self._unwritten: deque[Delivery] = deque()
        self._in_writing: deque[tuple[int, Future[list[Letter]]]] = deque()
        self._rows_in_writing = 0

    def __len__(self) -> int:
        return len(self._letters) + len(self._unwritten) + self._rows_in_writing

    def add(self, delivery: Delivery) -> None:
        """A row to be written when its turn comes."""
        self._unwritten.append(delivery)

    def add_in_writing(self, rows: int, writing: "Future[list[Letter]]") -> None:
        """Some rows that a thread writes."""
        self._in_writing.append((rows, writing))
        self._rows_in_writing += rows

    def put_back(self, letter: Letter) -> None:
        """The first again."""
        self._letters.appendleft(letter)

    def first(self) -> Letter | None:
        """The first that is still ours and could be written; what could not is seen to
        by ``write``."""
        letters, claims = self._letters, self._claims
        while True:
            while letters:
                letter = letters.popleft()
                if claims.get(letter.delivery.id) is letter.delivery:
                    return letter
            if not (self._unwritten and self._write_some()) and not (
                self._in_writing and self._take_written()
            ):
                return None

    def clear(self) -> None:
        """Let go of everything."""
        for _, writing in self._in_writing:
            writing.cancel()
        self._letters.clear()
        self._unwritten.clear()
        self._in_writing.clear()
        self._rows_in_writing = 0

    def _write_some(self) -> bool:
        """Write the next rows; whether there is a letter now."""
        while self._unwritten and not self._letters:
            rows = list(islice(self._unwritten, _WRITTEN_TOGETHER))
            self._letters.extend(
                self._write([row for row in rows if self._claims.get(row.id) is row])
            )
            for _ in rows:
                self._unwritten.popleft()
        return bool(self._letters)

    def _take_written(self) -> bool:
        """Whether something is ready, now that threads may have got on."""
        while self._in_writing and not self._letters and self._in_writing[0][1].done():
            self._letters.extend(self._in_writing[0][1].result())
            rows, _ = self._in_writing.popleft()
            self._rows_in_writing -= rows
        return bool(self._letters)


class Outbox:
    """The rows a worker has claimed, until they are settled. For one thread.

    A row may be taken from a worker and come back to it with another text, while
    its letter lies here or is on offer: only the newest claim of a row counts.

    ``write`` makes letters of some rows, in their order, and leaves out (and has seen
    to) what can't be sent. With a ``pool``, for signing takes its time, it is called
    there ahead, and ``ring`` when they are done. ``group_of`` names the destination's
    group by a domain.
    """

    def __init__(
        self,
        write: Write,
        pace: DestinationPace,
        pool: ThreadPoolExecutor | None = None,
        ring: Callable[[], None] = lambda: None,
        group_of: Callable[[str], str] = str.lower,
    ) -> None:
        self._write = write
        self._group_of = group_of
        self._pace = pace
        self._pool = pool
        self._ring = ring
        # The newest claim of each row that is neither settled nor given back.
        self._claims: dict[int, Delivery] = {}
        self._system = _Queue(write, self._claims)
        self._issues = _Queue(write, self._claims)
        self._waiting: deque[Letter] = deque()
        # For a relay that takes addresses that are not ASCII, where others do not.
        self._aside: deque[Letter] = deque()
        self.put_off: list[PutOff] = []

    def __len__(self) -> int:
        return self.system + self.issues + self.aside

    @property
    def system(self) -> int:
        """Rows of system mail at hand, those set aside left out."""
        return len(self._system)

    @property
    def issues(self) -> int:
        """Rows of issues at hand, those set aside left out."""
        return len(self._issues) + len(self._waiting)

    @property
    def aside(self) -> int:
        """Rows that only a relay with SMTPUTF8 can take."""
        return len(self._aside)

    def add(self, deliveries: Iterable[Delivery], mono: float) -> None:
        """Take in what was claimed; who has to wait for long is put off at once, unwritten."""
        together: list[Delivery] = []
        for delivery in deliveries:
            self._claims[delivery.id] = delivery
            group = self._group_of(delivery.domain)
            if not delivery.is_system and _LONGEST_WAIT < self._pace.wait(group, mono) < _BUSY:
                self._put_off(delivery, group, mono)
                continue
            if self._pool is None:
                self._queue_of(delivery).add(delivery)
                continue
            if together and (
                len(together) == _WRITTEN_TOGETHER or together[0].is_system != delivery.is_system
            ):
                self._write_in_pool(self._pool, together)
                together = []
            together.append(delivery)
        if together and self._pool is not None:
            self._write_in_pool(self._pool, together)

    def holds(self, delivery: Delivery) -> bool:
        """Whether this is the newest claim of its row, and the row still the worker's."""
        return self._claims.get(delivery.id) is delivery

    def let_go(self, delivery: Delivery) -> None:
        """A claim is settled, or its row no longer the worker's."""
        if self._claims.get(delivery.id) is delivery:
            del self._claims[delivery.id]

    def forget(self, row: int) -> Delivery | None:
        """A row that was not even offered is settled: its claim."""
        return self._claims.pop(row, None)

    def drop(self, mailing_id: str, offered: Container[int]) -> list[int]:
        """Let go of a mailing's rows, but for those that are on offer; which they were."""
        claims = [
            claim
            for claim in self._claims.values()
            if claim.mailing_id == mailing_id and claim.id not in offered
        ]
        for claim in claims:
            self.let_go(claim)
        return [claim.id for claim in claims]

    def take(self, mono: float, *, issues: bool) -> Letter | None:
        """The next letter that may go now; of issues only where ``issues``."""
        # Nobody waits for a destination's turn with a confirmation.
        letter = self._system.first()
        if letter is None and issues:
            letter = self._take_waiting(mono) if self._waiting else None
            if letter is None:
                letter = self._take_issue(mono)
        if letter is not None:
            self._pace.start(letter.group, mono)
        return letter

    def set_aside(self, letter: Letter, mono: float) -> None:
        """Keep a letter that was taken for a relay that can take it."""
        self._pace.end(letter.group, mono)
        self._aside.append(letter)

    def take_aside(self, mono: float, *, issues: bool) -> Letter | None:
        """One of those that were set aside, whatever its destination's turn."""
        self._aside = deque(letter for letter in self._aside if self.holds(letter.delivery))
        for letter in self._aside:
            if letter.delivery.is_system or (issues and self._pace.wait(letter.group, mono) <= 0):
                self._aside.remove(letter)
                self._pace.start(letter.group, mono)
                return letter
        return None

    def give_up_aside(self) -> list[Letter]:
        """All of those that were set aside: no relay takes them."""
        letters = [letter for letter in self._aside if self.holds(letter.delivery)]
        self._aside.clear()
        return letters

    def give_back(self, letter: Letter, mono: float) -> None:
        """Put a letter that was taken and not handed over back to the front."""
        self._pace.end(letter.group, mono)
        self._queue_of(letter.delivery).put_back(letter)

    def shortest_wait(self, mono: float) -> float | None:
        """Seconds until a waiting letter may go, or None where none waits for its time."""
        waits = [self._pace.wait(letter.group, mono) for letter in self._waiting]
        return min(waits, default=None)

    def clear(self) -> int:
        """Let go of everything; how much that was."""
        count = len(self)
        self._claims.clear()
        self._system.clear()
        self._issues.clear()
        self._waiting.clear()
        self._aside.clear()
        return count

    def _take_waiting(self, mono: float) -> Letter | None:
        for _ in range(len(self._waiting)):
            letter = self._waiting.popleft()
            if self.holds(letter.delivery) and self._take_or_wait(letter, mono) is not None:
                return letter
        return None

    def _take_issue(self, mono: float) -> Letter | None:
        while (letter := self._issues.first()) is not None:
            # Written ahead: whose mail host it is may have been learned since.
            group = self._group_of(letter.delivery.domain)
            if group != letter.group:
                letter = letter._replace(group=group)
            letter = self._take_or_wait(letter, mono)
            if letter is not None:
                return letter
        return None

    def _take_or_wait(self, letter: Letter, mono: float) -> Letter | None:
        """The letter where its destination takes it now; else it waits here, or is put off."""
        wait = self._pace.wait(letter.group, mono)
        if wait <= 0:
            return letter
        soon = wait <= _LONGEST_WAIT or wait == _BUSY
        of_group = sum(1 for other in self._waiting if other.group == letter.group)
        if soon and of_group < _KEPT_OF_A_GROUP:
            self._waiting.append(letter)
        else:
            self._put_off(letter.delivery, letter.group, mono)
        return None

    def _put_off(self, delivery: Delivery, group: str, mono: float) -> None:
        self.put_off.append(PutOff(delivery, group, self._pace.put_off(group, mono)))
        self.let_go(delivery)

    def _queue_of(self, delivery: Delivery) -> _Queue:
        return self._system if delivery.is_system else self._issues

    def _write_in_pool(self, pool: ThreadPoolExecutor, rows: list[Delivery]) -> None:
        writing = pool.submit(self._write, rows)
        writing.add_done_callback(lambda _: self._ring())
        self._queue_of(rows[0]).add_in_writing(len(rows), writing)
