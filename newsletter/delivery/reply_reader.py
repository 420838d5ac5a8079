"""Reading SMTP replies off a socket (RFC 5321 section 4.2), bounded in time and size."""

import socket

from newsletter.clock import SystemClock

_MAX_LINE = 4096  # the RFC says 512; some servers write whole stories
_MAX_LINES = 100
_BLOCK = 4096


class ReplyReader:
    """Replies of one connection, in order."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._rest = b""
        # Sockets wait by the machine's own time, whatever day the service is told it is.
        self._clock = SystemClock()

    def read(self, seconds: float) -> tuple[int, str]:
        """Code and text of the next reply, its lines joined by newlines.

        OSError if none came within ``seconds``, the connection closed, or what
        came is no SMTP reply. The limit holds for the whole reply: a server
        that sends a byte now and then does not extend it.
        """
        deadline = self._clock.monotonic() + seconds
        lines: list[str] = []
        while len(lines) < _MAX_LINES:
            line = self._read_line(deadline)
            code = line[:3]
            if not (len(code) == 3 and code.isdigit() and 200 <= int(code) < 600):
                raise OSError(f"no SMTP reply but {line[:80]!r}")
            lines.append(line[4:].decode("utf-8", "replace"))
            if line[3:4] != b"-":
                return int(code), "\n".join(lines)
        raise OSError("a reply of too many lines")

    def _read_line(self, deadline: float) -> bytes:
        while b"\n" not in self._rest:
            if len(self._rest) > _MAX_LINE:
                raise OSError("a reply line without an end")
            left = deadline - self._clock.monotonic()
            if left <= 0:
                raise TimeoutError("no reply in time")
            self._socket.settimeout(left)
            block = self._socket.recv(_BLOCK)
            if not block:
                raise ConnectionResetError("the server closed the connection")
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\n")
        return line.rstrip(b"\r")
