"""A worker's connections, whatever relays, limits and letters do: never more than are granted."""

import itertools
import threading
import time
from collections.abc import Collection, Mapping
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from newsletter.delivery.conversation import Exchange
from newsletter.delivery.judging import Judge
from newsletter.delivery.line import Letter, Line
from newsletter.delivery.message import Envelope, Message
from newsletter.delivery.model import Delivery, Permit, Relay, RelayState
from newsletter.delivery.pacing import DestinationPace
from newsletter.delivery.route import Route
from newsletter.delivery.smtp import Link, TimeLimits
from newsletter.delivery.switchboard import Switchboard
from newsletter.delivery.tally import Tally
from newsletter.errors import RelayError, RelayRejectedLogin, RelayUnavailable
from tests.delivery.memory_ledger import MemoryLedger
from tests.delivery.samples import NOW, SetClock

RELAYS = (
    Relay("main", "127.0.0.1", 25, connections=4, weight=3),
    Relay("other", "127.0.0.1", 26, connections=3),
)
TIMES = TimeLimits(connect=1, step=30, final=600)
SILENT = RelayUnavailable("the relay does not answer")
REFUSES = RelayError("the relay refuses to send")
NO_LOGIN = RelayRejectedLogin("the relay rejects the login")
FAILURES = st.sampled_from([SILENT, REFUSES])
SLUGS = st.sampled_from([relay.slug for relay in RELAYS])
MESSAGE = (b"Subject: s\r\n\r\n", b"body\r\n")


class OwnClock(SetClock):
    mono = 1_000.0

    def monotonic(self) -> float:
        return self.mono


class ToldLink:
    """A connection whose server says what it is told to."""

    offers: Mapping[str, str] = {"pipelining": ""}

    def __init__(self, relay: str) -> None:
        self.relay = relay
        self.is_open = True
        self.says: list[bytes] = []

    def fileno(self) -> None:
        return None

    def write(self, pieces: Collection[bytes | memoryview]) -> int:
        assert self.is_open
        return sum(map(len, pieces))

    def read(self) -> bytes | None:
        return self.says.pop(0) if self.says else None

    def close(self) -> None:
        assert self.is_open, "closed twice"
        self.is_open = False


class Call:
    """A connection that is being opened until it is said how that ends."""

    def __init__(self, relay: str) -> None:
        self.relay = relay
        self.failure: RelayError | None = None
        self.ends = threading.Event()


class Connections(RuleBasedStateMachine):
    """What the switchboard counts, beside what is open in truth."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = OwnClock()
        self.calls: list[Call] = []
        self.links: list[ToldLink] = []
        self.numbers = itertools.count(1)
        self.board = Switchboard(RELAYS, self.clock, self._connect, TIMES, lambda: True)
        self.routes = self.board.routes
        self.pace = DestinationPace(0, 0)
        tally, day = Tally(timedelta(days=2)), timedelta(days=1)
        self.judge = Judge(MemoryLedger(), tally, self.pace, day, day, lambda _: None)
        self.most = dict.fromkeys(self.routes, 0)
        for slug in self.routes:
            self.share(slug, 3, keeps=True)

    def teardown(self) -> None:
        for call in self.calls:
            call.ends.set()
        self.board.close()
        assert not [link for link in self.links if link.is_open]

    @rule(slug=SLUGS, connections=st.integers(0, 4), keeps=st.booleans())
    def share(self, slug: str, connections: int, keeps: bool) -> None:
        kept = int(keeps and connections > 1)
        self.most[slug] = max(connections, self._in_use(slug))
        route = self.routes[slug]
        self.board.share(route, Permit(connections, kept=kept), RelayState(), self.clock.mono)

    @rule(system=st.integers(0, 3), issues=st.integers(0, 9))
    def open_more(self, system: int, issues: int) -> None:
        self.board.open_more(system, issues, self.clock.mono, NOW)
        while len(self.calls) < sum(route.opening for route in self.routes.values()):
            time.sleep(0.001)  # each begins in a thread of its own

    @rule(number=st.integers(0, 9), failure=st.sampled_from([None, None, SILENT, NO_LOGIN]))
    @precondition(lambda self: self.calls)
    def end_attempt(self, number: int, failure: RelayError | None) -> None:
        call = self.calls.pop(number % len(self.calls))
        left = self.routes[call.relay].opening - 1
        call.failure = failure
        call.ends.set()
        while self.routes[call.relay].opening > left:
            for failed in self.board.wait(0.01):
                assert isinstance(failed.result, RelayError)
                self._leave(failed.relay.slug, failed.result)

    @rule()
    def connect_all(self) -> None:
        self.open_more(1, 9)
        while self.calls:
            self.end_attempt(0, None)

    @rule()
    @precondition(lambda self: self.board.lines)
    def offer_to_all(self) -> None:
        for number in range(len(self.board.lines)):
            self.offer(number)

    @rule(number=st.integers(0, 9))
    @precondition(lambda self: self.board.lines)
    def offer(self, number: int) -> None:
        line = self._line(number)
        if line.conversation.may_offer and line.route.is_open(self.clock.mono, NOW):
            self.board.hear(line, line.offer(_letter(next(self.numbers)), self.clock.mono))

    @rule(number=st.integers(0, 9), says=st.sampled_from(["goes on", "refuses", "hangs up"]))
    @precondition(lambda self: self.board.lines)
    def answer(self, number: int, says: str) -> None:
        line = self._line(number)
        link = line.link
        assert isinstance(link, ToldLink)
        if says == "hangs up" or line.conversation.idle:
            link.says.append(b"")
        elif line.conversation.awaits_dot:
            link.says.append(b"250 taken\r\n" if says == "goes on" else b"451 not now\r\n")
        else:
            codes = (b"250", b"250", b"354") if says == "goes on" else (b"450", b"503", b"503")
            link.says.append(b"%b a\r\n%b b\r\n%b c\r\n" % codes)
        self._hear()

    @rule(slug=SLUGS, error=FAILURES)
    @precondition(lambda self: len(self.board.lines) > 1)
    def leave(self, slug: str, error: RelayError) -> None:
        self._leave(slug, error)

    @rule(seconds=st.sampled_from([0.5, 10.0, 400.0, 4_000.0]))
    def wait(self, seconds: float) -> None:
        self.clock.mono += seconds
        self.board.look_around(self.clock.mono)
        self.board.expire(self.clock.mono)
        self.board.drop_ended()

    @rule()
    @precondition(lambda self: len(self.board.lines) > 4)
    def hang_up(self) -> None:
        self.board.hang_up()

    @invariant()
    def what_is_counted_is_open(self) -> None:
        for slug, route in self.routes.items():
            lines = [line for line in self._lines() if line.route is route]
            assert route.connections == len(lines) == self._open(slug)
            assert route.kept == sum(line.for_system for line in lines)
            assert route.opening == len([call for call in self.calls if call.relay == slug])

    @invariant()
    def no_more_are_open_than_are_granted(self) -> None:
        for slug, route in self.routes.items():
            assert self._in_use(slug) <= self.most[slug]
            # What a smaller permit found in use ends, and nothing new takes its place.
            self.most[slug] = max(route.permit.connections, self._in_use(slug))

    def _connect(self, relay: Relay) -> Link:
        call = Call(relay.slug)
        self.calls.append(call)
        assert call.ends.wait(30)
        if call.failure is not None:
            raise call.failure
        link = ToldLink(relay.slug)
        self.links.append(link)
        return link

    def _lines(self) -> list[Line]:
        return sorted(self.board.lines, key=lambda line: self.links.index(line.link))  # type: ignore[arg-type]

    def _line(self, number: int) -> Line:
        lines = self._lines()
        return lines[number % len(lines)]

    def _open(self, slug: str) -> int:
        return sum(link.is_open for link in self.links if link.relay == slug)

    def _in_use(self, slug: str) -> int:
        return self._open(slug) + self.routes[slug].opening

    def _hear(self) -> None:
        """Go on as the engine does."""
        self.board.wait(0)
        heard, self.board.heard = self.board.heard, []
        for line, event in heard:
            if isinstance(event, Exchange):
                del line.letters[event.delivery.id]
            elif not line.conversation.over:
                letter = line.letters[event.delivery.id]
                self.board.hear(line, line.finish(letter, None, self.clock.mono))
        self.board.drop_ended()

    def _leave(self, slug: str, error: RelayError) -> None:
        route: Route = self.routes[slug]
        self.judge.leave(route, error, NOW, self.clock.mono)
        if not route.is_open(self.clock.mono, NOW):
            self.board.leave(route)


TestConnections = Connections.TestCase
TestConnections.settings = settings(max_examples=40, stateful_step_count=40)


def _letter(number: int) -> Letter:
    delivery = Delivery(number, "m", f"r{number}", f"reader{number}@reader.example")
    message = Message(Envelope("bounces@paper.example", "a"), MESSAGE, sum(map(len, MESSAGE)))
    return Letter(delivery, delivery.address, message, "weekly@paper.example", "group")
