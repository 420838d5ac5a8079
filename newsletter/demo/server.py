"""An ASGI application served on the loopback from a thread of this process."""

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType

import uvicorn
from starlette.types import ASGIApp

from newsletter.errors import UsageError

HOST = "127.0.0.1"
_START_SECONDS = 20.0
_STOP_SECONDS = 5


class RunningServer:
    """A server that answers until it is stopped; also a context that stops it."""

    def __init__(self, server: uvicorn.Server, thread: threading.Thread, port: int) -> None:
        self._server = server
        self._thread = thread
        self.port = port

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def stop(self) -> None:
        """Let open answers end, close, and wait for the thread. Twice is once."""
        self._server.should_exit = True
        self._thread.join()

    def __enter__(self) -> "RunningServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def serve_in_thread(app: ASGIApp, port: int = 0) -> RunningServer:
    """Serve ``app`` on 127.0.0.1, on a free port if 0; it answers when this returns.

    UsageError if the port is taken or the application does not start.
    """
    listener = _listen(port)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    server = uvicorn.Server(config)
    bound = int(listener.getsockname()[1])
    # A thread that is not the main one: uvicorn then leaves the signals alone.
    thread = threading.Thread(
        target=_run, args=(server, listener), name=f"server-{bound}", daemon=True
    )
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            server.should_exit = True
            thread.join()
            raise UsageError(f"the pages on port {bound} did not start", subject=str(bound))
        time.sleep(0.005)
    return RunningServer(server, thread, bound)


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    # The same port again right after the last run, whose connections still fade.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise UsageError(
            f"port {port} on {HOST} can't be used ({error.strerror}); choose another with --port",
            subject=str(port),
        ) from error
    listener.listen(128)
    return listener


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    # uvicorn ends a process whose application won't start; here only this thread ends.
    with listener, suppress(SystemExit):
        server.run(sockets=[listener])
