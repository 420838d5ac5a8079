"""A small paper's feed on the loopback: three stories a week, as old as its clock says."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol


class _Clock(Protocol):
    def now(self) -> datetime: ...


@contextmanager
def weekly_feed(clock: _Clock, epoch: datetime) -> Iterator[str]:
    """The address of a feed with a story every 56 hours since ``epoch``."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = _feed(clock.now(), epoch).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/feed/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _feed(now: datetime, epoch: datetime) -> str:
    step = timedelta(hours=56)
    newest = (now - epoch) // step
    items = "".join(
        _item(number, epoch + number * step) for number in range(newest, max(newest - 12, -1), -1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>'
        f"<title>The Araks Courier</title><link>http://paper.example/</link>{items}</channel></rss>"
    )


def _item(number: int, published: datetime) -> str:
    return (
        f"<item><title>Story number {number} of the paper</title>"
        f"<link>http://paper.example/stories/{number}/</link><guid>story-{number}</guid>"
        f"<category>{'Arts' if number % 2 else 'Community'}</category>"
        f"<description>What happened in story {number}, told in one sentence.</description>"
        f"<pubDate>{format_datetime(published)}</pubDate></item>"
    )
