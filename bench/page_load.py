"""Requests at a steady pace over HTTP, as readers and mail programs send them, from one process.

`python -m bench.page_load PORT FILE RATE` sends the requests of FILE (JSON: a list of texts,
each a whole request) to the loopback, RATE a second, and prints their figures. A request that is
due is sent whether or not those before it were answered, and its time counts from the moment
that it was due: a server that falls behind can't hide it. Connections are kept and used again,
as a proxy before the pages does; a new one is opened where none is free.
"""

import argparse
import asyncio
import json
import math
import time
from collections import Counter
from pathlib import Path
from typing import Any

_GIVE_UP_SECONDS = 60.0
_LENGTH = b"content-length:"


class _Connection(asyncio.Protocol):
    """One connection to the server: a request at a time."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._read = b""
        self._due = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due at ``due``."""
        self._read, self._due = b"", due
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, ends, body = self._read.partition(b"\r\n\r\n")
        if ends and len(body) >= _length_told(head):
            self._load.note(int(head[9:12]), self._due)
            self._load.free.append(self)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        if self in self._load.free:
            self._load.free.remove(self)
        else:
            self._load.note(0, self._due)


class Load:
    """All requests of a run, and what became of them."""

    def __init__(self, port: int, requests: list[bytes], rate: float) -> None:
        self._port = port
        self._requests = requests
        self._rate = rate
        self._answered = 0
        self._spans: list[float] = []
        self._statuses: Counter[int] = Counter()
        self._last = 0.0
        self._begun = 0.0
        self.free: list[_Connection] = []

    def note(self, status: int, due: float) -> None:
        """Count an answer; 0 where the connection ended instead."""
        self._last = time.monotonic()
        self._answered += 1
        self._spans.append((self._last - due) * 1_000)
        self._statuses[status] += 1

    async def run(self) -> dict[str, Any]:
        """Send them all; the figures."""
        loop = asyncio.get_running_loop()
        self._begun = time.monotonic()
        opening = set()
        for number, request in enumerate(self._requests):
            due = self._begun + number / self._rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if self.free:
                self.free.pop().send(request, due)
            else:
                task = loop.create_task(self._open(request, due))
                opening.add(task)
                task.add_done_callback(opening.discard)
        ends = time.monotonic() + _GIVE_UP_SECONDS
        while self._answered < len(self._requests) and time.monotonic() < ends:
            await asyncio.sleep(0.01)
        return self._figures()

    async def _open(self, request: bytes, due: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: _Connection(self), "127.0.0.1", self._port
            )
        except OSError:
            self.note(0, due)
            return
        connection.send(request, due)

    def _figures(self) -> dict[str, Any]:
        spans = sorted(self._spans) or [math.inf]
        return {
            "requests": len(self._requests),
            "statuses": {str(status): count for status, count in sorted(self._statuses.items())},
            "seconds": self._last - self._begun,
            "median_ms": spans[len(spans) // 2],
            "p99_ms": spans[min(len(spans) - 1, math.ceil(len(spans) * 0.99) - 1)],
            "worst_ms": spans[-1],
            "cpu_seconds": time.process_time(),
        }


def _length_told(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(_LENGTH):
            return int(line[len(_LENGTH) :])
    return 0


def main() -> None:
    """Send the requests of the file."""
    parser = argparse.ArgumentParser(prog="python -m bench.page_load", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("rate", type=float)
    arguments = parser.parse_args()
    requests = [text.encode() for text in json.loads(arguments.file.read_text(encoding="utf-8"))]
    load = Load(arguments.port, requests, arguments.rate)
    print(json.dumps(asyncio.run(load.run())))


if __name__ == "__main__":
    main()
