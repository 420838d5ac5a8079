"""Opening connections that another thread may give up: what waits ends at once."""

import contextlib
import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Watch = Callable[[socket.socket], None]


def watch_nothing(_: socket.socket) -> None:
    """Nobody will give it up."""


class Doors:
    """The sockets of connections that are being opened. For any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._at: set[socket.socket] = set()

    @contextmanager
    def watching(self) -> Iterator[Watch]:
        """A watch for the sockets of one connection, until it is open or failed."""
        mine: list[socket.socket] = []

        def watch(sock: socket.socket) -> None:
            # Another name of the same socket: TLS takes the first one away.
            twin = sock.dup()
            mine.append(twin)
            with self._lock:
                if self._closed:
                    raise ConnectionAbortedError("it is not wanted any more")
                self._at.add(twin)

        try:
            yield watch
        finally:
            with self._lock:
                self._at.difference_update(mine)
            for twin in mine:
                twin.close()

    def close(self) -> None:
        """Give up what is being opened, and whatever would be opened from now on."""
        with self._lock:
            self._closed = True
            for twin in self._at:
                # Ends a wait for the connection, the greeting or a handshake in any thread.
                with contextlib.suppress(OSError):
                    twin.shutdown(socket.SHUT_RDWR)


class WatchedSMTP(smtplib.SMTP):
    """smtplib's client, whose socket is shown to ``watch`` before it connects."""

    def __init__(self, watch: Watch, host: str, port: int, **options: Any) -> None:
        self._watch = watch
        super().__init__(host, port, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        failure = OSError(f"{host} has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(timeout)
                self._watch(sock)
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure


class WatchedSMTPS(smtplib.SMTP_SSL, WatchedSMTP):
    """The same, encrypted from the start."""

    def __init__(self, watch: Watch, host: str, port: int, **options: Any) -> None:
        self._watch = watch
        smtplib.SMTP_SSL.__init__(self, host, port, **options)
