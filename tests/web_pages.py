"""A small web server on the loopback whose pages are functions of the request; its fixtures."""

import io
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from newsletter.net.fetcher import Fetcher

Page = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """Pages by path; ``seen`` holds the headers of each request, ``connections`` their count.

    Paths asked for by HEAD are in ``heads``; those of ``no_head`` refuse it.
    """

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.heads: list[str] = []
        self.no_head: set[str] = set()
        self.connections = 0
        self.port = 0

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def page(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        """Serve fixed bytes; underscores in header names stand for dashes."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in headers.items():
                request.send_header(name.replace("_", "-"), value)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)

        self.pages[path] = answer


def serve(site: Site) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            site.connections += 1
            super().setup()

        def do_GET(self) -> None:
            site.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            page = site.pages.get(self.path) or site.pages.get(self.path.partition("?")[0])
            if page is None:
                self.send_error(404)
                return
            try:
                page(self)
            except OSError:  # the client had enough
                self.close_connection = True

        def do_HEAD(self) -> None:
            site.heads.append(self.path)
            page = site.pages.get(self.path)
            if page is None or self.path in site.no_head:
                self.send_error(404 if page is None else 405)
                return
            line, self.wfile = self.wfile, io.BytesIO()
            page(self)
            answer, self.wfile = self.wfile.getvalue(), line
            self.wfile.write(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # clients that hang up are what these tests are about

    server = Server(("127.0.0.1", 0), Handler)
    site.port = server.server_address[1]
    return server


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    server = serve(site)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def ssl_context() -> ssl.SSLContext:
    """Reading the system's certificates takes 0.1 s; one reading serves all tests."""
    return ssl.create_default_context()


@pytest.fixture
def fetcher(ssl_context: ssl.SSLContext) -> Iterator[Fetcher]:
    agent = "newsletter/0 (+https://paper.example/contact)"
    with Fetcher(agent, ssl_context=ssl_context) as fetcher:
        yield fetcher
