"""The client's side of SMTP transactions (RFC 5321), without a socket.

Octets from the server go in, octets for it and events come out. Where the
server offers PIPELINING (RFC 2920) the envelope of the next message goes out
together with the content of the one before, so that a message costs one round
trip. Which of the two a reply belongs to, and whether a final dot had gone out
when the line broke, decides whether a message may be sent again.
"""

from collections import deque
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple

from newsletter.delivery.model import Delivery, Phase, Reply
from newsletter.delivery.replies import read_reply

_MAX_LINE = 4096  # the RFC says 512; some servers write whole stories
_MAX_LINES = 100


class Offer(NamedTuple):
    """One message offered: MAIL and RCPT as commands, without their line ends."""

    delivery: Delivery
    mail: bytes
    recipient: bytes


class Exchange(NamedTuple):
    """How a transaction ended: the phase and its reply (code 0: none came)."""

    delivery: Delivery
    phase: Phase
    reply: Reply


class Ready(NamedTuple):
    """The server waits for the message: it may be handed over now."""

    delivery: Delivery


Event = Exchange | Ready


class _Expected(StrEnum):
    """What the next reply answers."""

    RESET = "reset"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"
    # A dot without a message, where a server asked for one that has no recipient.
    EMPTY = "empty"


# By their own names: to look a member up in its class takes as long as to call a function.
_RESET, _MAIL, _RCPT, _DATA, _DOT, _EMPTY = _Expected
_ENVELOPE = (_MAIL, _RCPT, _DATA)


class Conversation:
    """The transactions of one connection. Not thread-safe.

    Call `offer` while `may_offer`, `finish` after a Ready event; give what the
    server writes to `receive`, and say `written` for what was put on the wire.
    Once `over`, nothing more may be asked of it.
    """

    def __init__(self, offers: Collection[str]) -> None:
        self._pipelines = "pipelining" in offers
        self._rest = b""
        self._lines: list[bytes] = []
        self._expected: deque[_Expected] = deque()
        # The transaction whose envelope is out, and the one whose message is.
        self._offered: Delivery | None = None
        self._sent: Delivery | None = None
        self._unasked: deque[tuple[_Expected, bytes]] = deque()
        self._failed = False
        self._needs_reset = False
        self._ready = False
        # What is to be written, in order; say `written` for what was.
        self.output: deque[bytes | memoryview] = deque()
        self._queued = 0
        self._written = 0
        self._dot_at = 0
        self._closing = False
        self.over = False

    @property
    def may_offer(self) -> bool:
        """Whether the next envelope may be offered."""
        if self.over or self._closing or self._offered is not None or self._unasked:
            return False
        # Only a dot may be awaited besides, and only where the server can take both.
        return not self._expected or (self._pipelines and self._expected[-1] is _DOT)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self._offered is None and self._sent is None and not self._expected

    @property
    def awaits_dot(self) -> bool:
        """Whether the next reply answers the end of a message."""
        return bool(self._expected) and self._expected[0] is _DOT

    @property
    def dot_waits(self) -> bool:
        """Whether the end of a message is still to be written."""
        return self._written < self._dot_at

    def offer(self, offer: Offer) -> None:
        """Ask the server to take a message."""
        self._offered, self._failed, self._ready = offer.delivery, False, False
        if self._needs_reset:
            self._unasked.append((_RESET, b"RSET\r\n"))
            self._needs_reset = False
        if self._pipelines:
            for expected, command in self._unasked:
                self._expected.append(expected)
                self._put(command)
            self._unasked.clear()
            self._expected += _ENVELOPE
            self._put(b"%b\r\n%b\r\nDATA\r\n" % (offer.mail, offer.recipient))
            return
        self._unasked += (
            (_MAIL, offer.mail + b"\r\n"),
            (_RCPT, offer.recipient + b"\r\n"),
            (_DATA, b"DATA\r\n"),
        )
        self._ask()

    def finish(self, message: Sequence[bytes]) -> None:
        """Write the message that the server waits for, ended by the dot.

        ``message``, in pieces, ends with CRLF, and no line of it begins with a dot.
        """
        if not self._ready or self._offered is None:
            raise ValueError("the server does not wait for a message")
        self._sent, self._offered, self._ready = self._offered, None, False
        # In one piece: a system call with twenty takes longer than it takes to join them.
        self._put(b"".join((*message, b".\r\n")))
        self._dot_at = self._queued
        self._expected.append(_DOT)

    def written(self, octets: int) -> None:
        """So many octets of `output` are on the wire."""
        self._written += octets
        output = self.output
        if self._written == self._queued:
            output.clear()
            return
        while octets:
            piece = output.popleft()
            if len(piece) > octets:
                output.appendleft(memoryview(piece)[octets:])
                return
            octets -= len(piece)

    def receive(self, octets: bytes) -> list[Event]:
        """What ``octets`` of the server mean."""
        lines = (self._rest + octets).split(b"\n")
        self._rest = lines.pop()
        events: list[Event] = []
        expected = self._expected
        for line in lines:
            if self.over:
                return events
            code, asked = line[:3], expected[0] if expected else None
            if line[3:4] == b" " and not (self._failed or self._unasked or self._lines):
                # Nearly every reply: the server goes along with what was asked in one go.
                if code == b"250" and (asked is _MAIL or asked is _RCPT):
                    expected.popleft()
                    continue
                offered = self._offered
                if code == b"354" and asked is _DATA and offered and not self._closing:
                    expected.popleft()
                    self._ready = True
                    events.append(Ready(offered))
                    continue
            if not (len(code) == 3 and code.isdigit() and b"200" <= code < b"600"):
                return events + self.lose(f"no SMTP reply but {line[:80]!r}")
            self._lines.append(line)
            if line[3:4] != b"-":
                whole, self._lines = self._lines, []
                events += self._answered(int(code), whole)
            elif len(self._lines) > _MAX_LINES:
                return events + self.lose("a reply of too many lines")
        if len(self._rest) > _MAX_LINE:
            return events + self.lose("a reply line without an end")
        return events

    def lose(self, reason: str) -> list[Event]:
        """The connection is gone, or must go: what becomes of what was under way."""
        events: list[Event] = []
        nothing = Reply(code=0, text=reason)
        if self._sent is not None:
            # Without its last octets on the wire no message was ended.
            phase = Phase.DATA if self._written < self._dot_at else Phase.DOT
            events.append(Exchange(self._sent, phase, nothing))
        if self._offered is not None:
            events.append(Exchange(self._offered, self._phase_offered(), nothing))
        self._sent = self._offered = None
        self._unasked.clear()
        self._expected.clear()
        self.output.clear()
        self.over = True
        return events

    def withdraw(self) -> Delivery | None:
        """Take back what is offered and not handed over: whose message it was.

        No command can call an envelope back whose message the server waits for:
        the connection is over once the message before it is answered.
        """
        delivery, self._offered = self._offered, None
        if delivery is not None:
            self.wind_up()
        return delivery

    def wind_up(self) -> None:
        """Take no more messages: over once the one that is on its way is answered."""
        self._closing = True
        self.over = self.over or self._sent is None

    def _phase_offered(self) -> Phase:
        if self._ready:
            return Phase.DATA
        waiting = [one for one in self._expected if one.value in _PHASES]
        return _PHASES[waiting[0].value] if waiting else Phase.MAIL

    def _put(self, octets: bytes) -> None:
        self.output.append(octets)
        self._queued += len(octets)

    def _ask(self) -> None:
        """Write the next of several commands that the server wants one at a time."""
        expected, command = self._unasked.popleft()
        self._expected.append(expected)
        self._put(command)

    def _answered(self, code: int, lines: list[bytes]) -> list[Event]:
        if not self._expected:
            return self.lose("a reply that nothing asked for: " + _text(lines)[:80])
        expected = self._expected.popleft()
        if code == 421:
            return self._closed_by_server(expected, code, lines)
        if expected is _DOT:
            ended = self._dot_answered(code, lines)
            self.over = self.over or self._closing
            return ended
        if expected is _RESET or expected is _EMPTY:
            return self._cleared(expected, code, lines)
        wanted = code == 354 if expected is _DATA else 200 <= code < 300
        events: list[Event] = []
        if not wanted and not self._failed:
            events += self._refused(expected, code, lines)
        elif expected is _DATA and wanted:
            if self._closing:
                return []
            if not self._failed and self._offered is not None:
                self._ready = True
                return [Ready(self._offered)]
            # RFC 2920 section 3.1: the server waits for a message nobody will get.
            self._put(b".\r\n")
            self._expected.append(_EMPTY)
        if not self.over and self._unasked:
            self._ask()
        return events

    def _refused(self, expected: _Expected, code: int, lines: list[bytes]) -> list[Event]:
        delivery, phase = self._offered, _PHASES[expected.value]
        if delivery is None:
            return []
        if not 400 <= code < 600:
            # An answer such as 250 to DATA leaves us with no idea where the server is.
            return self.lose(f"{code} in answer to {expected.value}")
        self._failed = True
        self._offered = None
        self._unasked.clear()
        self._needs_reset = True
        return [Exchange(delivery, phase, read_reply(code, _text(lines)))]

    def _dot_answered(self, code: int, lines: list[bytes]) -> list[Event]:
        delivery, self._sent = self._sent, None
        if delivery is None:
            return []
        if self.dot_waits and 400 <= code < 600:
            # Refused before its end: what it says stands, but half a message is on the line.
            refusal = Exchange(delivery, Phase.DATA, read_reply(code, _text(lines)))
            return [refusal, *self.lose("the server answered before the message ended")]
        if self.dot_waits or not (200 <= code < 300 or 400 <= code < 600):
            self._sent = delivery
            return self.lose(f"{code} {_text(lines)} in answer to a message")
        return [Exchange(delivery, Phase.DOT, read_reply(code, _text(lines)))]

    def _cleared(self, expected: _Expected, code: int, lines: list[bytes]) -> list[Event]:
        if expected is _RESET and not 200 <= code < 300:
            return self.lose(f"{code} {_text(lines)} in answer to RSET")
        self._needs_reset = self._needs_reset or expected is _EMPTY
        if self._unasked:
            self._ask()
        return []

    def _closed_by_server(self, expected: _Expected, code: int, lines: list[bytes]) -> list[Event]:
        """RFC 5321 section 3.8: what was asked was not done, and nothing more will be."""
        reply = read_reply(code, _text(lines))
        events: list[Event] = []
        if expected is _DOT and self._sent is not None:
            events.append(Exchange(self._sent, Phase.DOT, reply))
            self._sent = None
        elif expected.value in _PHASES and self._offered is not None:
            events.append(Exchange(self._offered, _PHASES[expected.value], reply))
            self._offered = None
        return events + self.lose("the server closed the connection")


_PHASES = {"mail": Phase.MAIL, "rcpt": Phase.RCPT, "data": Phase.DATA}


def _text(lines: list[bytes]) -> str:
    return "\n".join([line[4:].rstrip(b"\r").decode("utf-8", "replace") for line in lines])
