"""A relay within the process: answers as a server does, and keeps nothing.

For rehearsals: the whole engine works as in earnest, up to the wire.
"""

from collections.abc import Callable, Collection

_END = b"\r\n.\r\n"
# What a good relay offers: all that the engine can make use of.
OFFERS = {"pipelining": "", "size": "", "8bitmime": "", "smtputf8": "", "dsn": ""}


# What the server says, by command (MAIL, RCPT, DATA, DOT, RSET, QUIT): a whole
# reply with its CRLF, or None to hang up. The second is the command line, or for
# DOT the message.
Answers = Callable[[str, bytes], bytes | None]


def accept(command: str, _argument: bytes) -> bytes:
    """Take everything."""
    return b"354 go on\r\n" if command == "DATA" else b"250 2.0.0 taken\r\n"


class InProcessLink:
    """A `Link` to a server that is no more than its ``answers``."""

    def __init__(
        self, answers: Answers = accept, *, on_close: Callable[[], None] = lambda: None
    ) -> None:
        self.offers = OFFERS
        self._answers = answers
        self._on_close = on_close
        self._input = bytearray()
        self._output = bytearray()
        self._in_message = False
        self._hung_up = False

    def fileno(self) -> None:
        return None

    def write(self, pieces: Collection[bytes | memoryview]) -> int:
        if self._hung_up:
            raise BrokenPipeError("the server hung up")
        octets = b"".join(pieces)
        self._input += octets
        while self._take():
            pass
        return len(octets)

    def read(self) -> bytes | None:
        if self._output:
            octets = bytes(self._output)
            self._output.clear()
            return octets
        return b"" if self._hung_up else None

    def close(self) -> None:
        self._hung_up = True
        self._on_close()

    def _take(self) -> bool:
        """Answer the next command or message; False where none is whole, or nobody is there."""
        if self._hung_up:
            return False
        end = self._input.find(_END if self._in_message else b"\r\n")
        if end < 0:
            return False
        if self._in_message:
            message = bytes(self._input[2 : end + 2])
            del self._input[: end + len(_END)]
            self._in_message = False
            self._answer("DOT", message)
            return True
        line = bytes(self._input[:end])
        del self._input[: end + 2]
        command = line[:4].decode("ascii", "replace").upper()
        reply = self._answer(command, line)
        self._in_message = command == "DATA" and reply.startswith(b"354")
        if self._in_message:
            # What follows begins a line: its dot ends a message without one.
            self._input[:0] = b"\r\n"
        return True

    def _answer(self, command: str, argument: bytes) -> bytes:
        reply = self._answers(command, argument)
        if reply is None or reply.startswith(b"421"):
            self._hung_up = True
        self._output += reply or b""
        return reply or b""
