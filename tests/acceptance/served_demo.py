"""A demo that is left running, as a person looks at it."""

import re
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import IO

from tests.acceptance.command_line import ENVIRONMENT, command


class Served:
    """A demo that is left running, and what it printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.links: dict[str, str] = {}
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(process.stderr,), daemon=True)
        self._reader.start()

    def wait(self) -> None:
        assert self._ready.wait(300), self.links

    @property
    def root(self) -> str:
        """Where its pages are."""
        parts = urllib.parse.urlsplit(self.links["the desk"])
        return f"{parts.scheme}://{parts.netloc}"

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            if match := re.match(
                r"(the issue|the desk|the outbox|sign up|the paper):\s+(\S+)", line
            ):
                self.links[match[1]] = match[2]
            if line.startswith("Ctrl+C"):
                self._ready.set()


@contextmanager
def serve_demo(folder: Path) -> Iterator[Served]:
    """A demo in ``folder``/new with five readers, which SIGTERM ends without a fault."""
    arguments = ("demo", "--dir", "new", "--port", "0", "--subscribers", "5")
    process = subprocess.Popen(
        command(*arguments),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    with process:
        demo = Served(process)
        try:
            demo.wait()
            yield demo
        finally:
            process.terminate()
    assert process.returncode == 0


def request(url: str, form: dict[str, str] | None = None) -> tuple[int, str]:
    parts = urllib.parse.urlsplit(url)
    connection = HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if form is None:
            connection.request("GET", path)
        else:
            body = urllib.parse.urlencode(form)
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()
