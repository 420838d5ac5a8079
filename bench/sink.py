"""The SMTP server that every sender of the delivery bench talks to, a process of its own.

It looks for line ends and the final dot and for nothing else, so that what is
measured is the sender. It offers PIPELINING, SIZE and 8BITMIME, keeps no
message, and can hold back every round of answers for a while, as a relay far
away does. Commands come on standard input, a line each; the answers are JSON
on standard output, after the port. It ends with its standard input.
"""

import argparse
import json
import os
import selectors
import socket
import time
from collections import Counter, deque
from typing import Any

_PORTION = 256 * 1024
# RFC 5321 section 4.5.3.1.4 allows 512 octets; a sender that says more has lost its way.
_LONGEST_LINE = 4096
_GREETING = b"220 sink.example ESMTP\r\n"
_EHLO = b"250-sink.example\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250 8BITMIME\r\n"
_DATA = b"354 go on\r\n"
_OK = b"250 2.0.0 ok\r\n"
_QUIT = b"221 2.0.0 bye\r\n"
_END = b"\r\n.\r\n"


class Conversation:
    """One connection: what was left of the last portion, and where in it we are."""

    __slots__ = ("ends", "in_content", "late", "left", "recipient", "size", "socket")

    def __init__(self, connection: socket.socket, *, late: bool) -> None:
        self.socket = connection
        self.left = b""
        self.in_content = False
        self.size = 0
        self.recipient = b""
        self.late = late
        self.ends = False


class Sink:
    """The server: one thread, any number of connections.

    ``answer_after`` is what each round of answers waits, in seconds. With
    ``by_recipient`` the messages are counted for each recipient.
    """

    def __init__(self, *, answer_after: float = 0.0, by_recipient: bool = False) -> None:
        self._answer_after = answer_after
        self._by_recipient = by_recipient
        self._selector = selectors.DefaultSelector()
        self._buffer = bytearray(_PORTION)
        self._view = memoryview(self._buffer)
        # The wait is the same for all, so that the first in is the first out.
        self._held: deque[tuple[float, Conversation, bytes]] = deque()
        self._marked = False
        self._reset()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listening.setblocking(False)

    @property
    def port(self) -> int:
        """Where it listens, on the loopback."""
        return int(self._listening.getsockname()[1])

    def serve(self) -> None:
        """Answer until standard input ends."""
        self._selector.register(self._listening, selectors.EVENT_READ, None)
        self._selector.register(0, selectors.EVENT_READ, None)
        while True:
            for key, _ in self._selector.select(self._patience()):
                if key.data is not None:
                    self._read(key.data)
                elif key.fd == 0:
                    if not self._obey():
                        return
                else:
                    self._accept()
            if self._held:
                self._answer_due()

    def _reset(self) -> None:
        self._messages = 0
        self._octets = 0
        self._first: float | None = None
        self._last: float | None = None
        self._first_late: float | None = None
        self._connected_late: float | None = None
        self._recipients: Counter[bytes] = Counter()
        self._cpu = time.process_time()

    def _obey(self) -> bool:
        """Do as the lines on standard input say; False once it has ended."""
        words = os.read(0, 4096).decode().split()
        for word in words:
            if word == "reset":
                self._reset()
                self._marked = False
            elif word == "mark":
                self._marked = True
            print(json.dumps(self._figures()), flush=True)
        return bool(words)

    def _figures(self) -> dict[str, Any]:
        return {
            "messages": self._messages,
            "octets": self._octets,
            "recipients": len(self._recipients),
            "first": self._first,
            "last": self._last,
            "first_after_mark": self._first_late,
            "connected_after_mark": self._connected_late,
            "cpu_seconds": time.process_time() - self._cpu,
        }

    def _accept(self) -> None:
        connection, _ = self._listening.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conversation = Conversation(connection, late=self._marked)
        if self._marked and self._connected_late is None:
            self._connected_late = time.monotonic()
        self._selector.register(connection, selectors.EVENT_READ, conversation)
        self._answer(conversation, _GREETING)

    def _read(self, conversation: Conversation) -> None:
        kept = len(conversation.left)
        self._buffer[:kept] = conversation.left
        try:
            count = conversation.socket.recv_into(self._view[kept:])
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if not count:
            self._drop(conversation)
            return
        answers = self._take(conversation, kept + count)
        if answers:
            self._answer(conversation, answers)
        elif conversation.ends:
            self._drop(conversation)

    def _take(self, conversation: Conversation, end: int) -> bytes:
        """What to answer to the first ``end`` octets of the buffer; the rest is kept."""
        buffer = self._buffer
        answers = b""
        start = 0
        while True:
            if conversation.in_content:
                # From behind, which is quicker: whoever waits for the 354, as all must, has
                # nothing but commands to say after the dot, and in those there is no other.
                found = buffer.rfind(_END, start, end)
                if found < 0:
                    # The dot may be cut in two: the last four octets come again.
                    begin = max(start, end - (len(_END) - 1))
                    conversation.size += begin - start
                    conversation.left = bytes(buffer[begin:end])
                    return answers
                conversation.size += found + len(_END) - start
                start = found + len(_END)
                self._count(conversation)
                conversation.in_content = False
                answers += _OK
                continue
            found = buffer.find(b"\r\n", start, end)
            if found < 0:
                conversation.left = bytes(buffer[start:end])
                conversation.ends = conversation.ends or end - start > _LONGEST_LINE
                return answers
            answers += self._answer_line(conversation, start, found)
            start = found + 2

    def _answer_line(self, conversation: Conversation, start: int, end: int) -> bytes:
        verb = self._buffer[start : start + 4].upper()
        if verb == b"DATA":
            conversation.in_content = True
            conversation.size = 0
            return _DATA
        if verb == b"RCPT" and self._by_recipient:
            conversation.recipient = bytes(self._buffer[start:end])
        elif verb == b"EHLO":
            return _EHLO
        elif verb == b"QUIT":
            conversation.ends = True
            return _QUIT
        return _OK

    def _count(self, conversation: Conversation) -> None:
        now = time.monotonic()
        self._messages += 1
        self._octets += conversation.size
        if self._first is None:
            self._first = now
        self._last = now
        if conversation.late and self._first_late is None:
            self._first_late = now
        if self._by_recipient:
            self._recipients[conversation.recipient] += 1

    def _answer(self, conversation: Conversation, answers: bytes) -> None:
        if self._answer_after:
            self._held.append((time.monotonic() + self._answer_after, conversation, answers))
        else:
            self._send(conversation, answers)

    def _patience(self) -> float | None:
        return max(0.0, self._held[0][0] - time.monotonic()) if self._held else None

    def _answer_due(self) -> None:
        now = time.monotonic()
        while self._held and self._held[0][0] <= now:
            _, conversation, answers = self._held.popleft()
            self._send(conversation, answers)

    def _send(self, conversation: Conversation, answers: bytes) -> None:
        """Some tens of octets, which a socket whose sender reads always has room for."""
        try:
            conversation.socket.sendall(answers)
        except OSError:
            conversation.ends = True
        if conversation.ends:
            self._drop(conversation)

    def _drop(self, conversation: Conversation) -> None:
        if conversation.socket.fileno() >= 0:
            self._selector.unregister(conversation.socket)
            conversation.socket.close()


def main() -> None:
    """Say the port and serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.sink", description=__doc__)
    parser.add_argument("--reply-ms", type=float, default=0.0)
    parser.add_argument("--by-recipient", action="store_true")
    arguments = parser.parse_args()
    sink = Sink(answer_after=arguments.reply_ms / 1000, by_recipient=arguments.by_recipient)
    print(json.dumps({"port": sink.port}), flush=True)
    sink.serve()


if __name__ == "__main__":
    main()
