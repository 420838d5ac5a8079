"""A headless Chromium that turns HTML into pictures, spoken to over two pipes.

The Chrome DevTools Protocol (https://chromedevtools.github.io/devtools-protocol/)
by ``--remote-debugging-pipe``: JSON messages that end with a zero octet, read by
the browser from its file descriptor 3 and written to 4. No port is opened.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from newsletter.errors import RenderError

PROGRAMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
)
PACKAGE = "chromium-headless-shell"
_SECONDS = 120.0
# The tallest picture that its encoders make, in pixels.
_TALLEST = 16_000
_FLAGS = (
    "--headless",
    "--remote-debugging-pipe",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-first-run",
    "--no-default-browser-check",
    # Containers give 64 MB of shared memory, too little for a long page.
    "--disable-dev-shm-usage",
    # Whatever a page asks for, it finds nobody.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
_PICTURES_ARE_DECODED = (
    "Promise.all([...document.images].map(image => image.decode().catch(() => null)))"
    ".then(() => document.fonts.ready).then(() => true)"
)


def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Chromium:
    """A running browser; `open_chromium` starts and ends it."""

    def __init__(self, to_browser: int, from_browser: int, noise: Path) -> None:
        self._in, self._out = to_browser, from_browser
        self._noise = noise
        self._end = time.monotonic() + _SECONDS
        self._received = b""
        self._number = 0
        self._session = ""
        os.set_blocking(to_browser, False)

    def picture(self, html: str, *, width: int, scale: int, phone: bool, dark: bool) -> bytes:
        """The whole page as PNG; ``width`` in CSS px, each of ``scale`` pixels a side."""
        # A page of its own: the policy of a document would bind the next one too.
        self._session = ""
        target = self._ask("Target.createTarget", {"url": "about:blank"})
        self._session = self._ask("Target.attachToTarget", {**target, "flatten": True})["sessionId"]
        frame = self._ask("Page.getFrameTree", {})["frameTree"]["frame"]["id"]
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        metrics = {"width": width, "height": 800, "deviceScaleFactor": scale, "mobile": phone}
        self._ask("Emulation.setEmulatedMedia", {"features": [scheme]})
        self._ask("Emulation.setDeviceMetricsOverride", metrics)
        self._ask("Page.setDocumentContent", {"frameId": frame, "html": html})
        waiting = {"expression": _PICTURES_ARE_DECODED, "awaitPromise": True}
        self._ask("Runtime.evaluate", waiting)
        size = self._ask("Page.getLayoutMetrics", {})["cssContentSize"]
        height = min(int(size["height"]), _TALLEST // scale)
        self._ask("Emulation.setDeviceMetricsOverride", {**metrics, "height": height})
        shot = self._ask("Page.captureScreenshot", {"format": "png"})
        self._session = ""
        self._ask("Target.closeTarget", target)
        return base64.b64decode(shot["data"])

    def _ask(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The result of one call; RenderError where the browser fails or takes too long."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._send(json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._receive())
            if answer.get("id") != self._number:
                continue  # an event, which nobody asked for
            if "error" in answer:
                raise _failure(f"{method}: {answer['error'].get('message', '')}")
            result: dict[str, Any] = answer["result"]
            return result

    def _send(self, data: bytes) -> None:
        while data:
            self._wait(writing=True)
            try:
                data = data[os.write(self._in, data) :]
            except BrokenPipeError as error:
                raise _failure(f"it ended. {self._last_words()}") from error

    def _receive(self) -> bytes:
        while b"\0" not in self._received:
            self._wait(writing=False)
            part = os.read(self._out, 1 << 20)
            if not part:
                raise _failure(f"it ended. {self._last_words()}")
            self._received += part
        message, _, self._received = self._received.partition(b"\0")
        return message

    def _wait(self, *, writing: bool) -> None:
        left = max(0.0, self._end - time.monotonic())
        ready = select.select(
            [] if writing else [self._out], [self._in] if writing else [], [], left
        )
        if not any(ready):
            raise _failure(f"it did not answer within {_SECONDS:.0f} seconds")

    def _last_words(self) -> str:
        lines = self._noise.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"Its last words: {lines[-1][:300]}" if lines else ""


@contextmanager
def open_chromium(program: str) -> Iterator[Chromium]:
    """A browser of its own folder, ended at the end; RenderError where it does not start."""
    with TemporaryDirectory(prefix="newsletter-chromium-", ignore_cleanup_errors=True) as folder:
        noise = Path(folder) / "stderr"
        flags = [*_FLAGS, f"--user-data-dir={folder}/profile"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # its sandbox refuses to run for root
        its_in, to_browser = _pipe()
        from_browser, its_out = _pipe()
        try:
            process = os.posix_spawn(
                program,
                [program, *flags],
                {**os.environ, "HOME": folder},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, its_in, 3),
                    (os.POSIX_SPAWN_DUP2, its_out, 4),
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 2, str(noise), os.O_WRONLY | os.O_CREAT, 0o600),
                ],
                setsid=True,
            )
        except OSError as error:
            os.close(to_browser)
            os.close(from_browser)
            raise _failure(f"{program} can't be started ({error.strerror})") from error
        finally:
            os.close(its_in)
            os.close(its_out)
        try:
            yield Chromium(to_browser, from_browser, noise)
        finally:
            os.close(to_browser)
            os.close(from_browser)
            with suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _pipe() -> tuple[int, int]:
    """A pipe whose ends lie above 4, so that none is overwritten while it is passed on."""
    found = []
    for end in os.pipe():
        found.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10))
        os.close(end)
    return found[0], found[1]


def _failure(what: str) -> RenderError:
    return RenderError(f"Chromium made no picture: {what.strip()}", subject="chromium")
