"""A paper's own templates in a process of their own, with bounds on time and memory.

A template is a program. One that goes on for ever, or eats all memory, must not
take the worker or the pages with it: its process is ended, and what was asked for
is answered by one sentence.
"""

import json
import os
import pickle
import select
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from newsletter.errors import RenderError

# A mail of 17 stories takes a twentieth of a second.
SECONDS = 5.0
# A template that the process ends by itself it can name the line of; after so many times
# as long, the process is killed.
PATIENCE = 2
_START_SECONDS = 60.0
# Of its address space. An interpreter with all languages' words takes some 150 MB.
MEMORY_BYTES = 512 * 1024 * 1024
# Mail programs cut a mail off at a tenth of this.
LARGEST = 1_000_000

# A message is its length and so many octets.
LENGTH = struct.Struct(">Q")
READY = b"ready"
_PASSED_ON = ("PATH", "LANG", "TZ", "TMPDIR", "SYSTEMROOT")
_ROOT = Path(__file__).resolve().parents[2]


class BoundedRenderer:
    """Renders templates of ``own_folder`` and the shipped ones, one at a time.

    Its process starts when it is first needed, and again after it had to be ended.
    """

    def __init__(self, own_folder: Path, seconds: float) -> None:
        self._own_folder = own_folder
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stop: Callable[[], object] = lambda: None

    def render(self, name: str, context: Mapping[str, object]) -> str:
        """The template called ``name``; RenderError names file and line, and what it ran out of."""
        try:
            request = pickle.dumps((name, dict(context)))
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            raise RenderError(
                f"{name}: a value given to it can't be handed on ({error})", subject=name
            ) from error
        with self._lock:
            answer = self._ask(name, request)
        if "error" in answer:
            raise RenderError(answer["error"], subject=name)
        return str(answer["text"])

    def _ask(self, name: str, request: bytes) -> dict[str, Any]:
        process = self._running()
        patience = PATIENCE * self._seconds
        try:
            write_message(_fileno(process.stdin), request)
            answer = _read_message(_fileno(process.stdout), patience)
        except TimeoutError as error:
            self._end()
            raise RenderError(
                f"{name}: it was not done after {patience:g} seconds and was broken off",
                subject=name,
            ) from error
        except (BrokenPipeError, EOFError) as error:
            self._end()
            raise RenderError(
                f"{name}: the process that renders it came to an end; it may have taken too much "
                "memory",
                subject=name,
            ) from error
        found: dict[str, Any] = json.loads(answer)
        return found

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "newsletter.rendering.bounded_child"),
                *(self._own_folder, str(self._seconds)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # No key and no password in the environment is any of a template's business.
            env={
                **{key: os.environ[key] for key in _PASSED_ON if key in os.environ},
                "PYTHONPATH": os.pathsep.join((str(_ROOT), os.environ.get("PYTHONPATH", ""))),
            },
            # Ctrl+C is for whoever waits for it; it ends when its input does.
            start_new_session=True,
        )
        self._process = process
        self._stop = weakref.finalize(self, _end_process, process)
        try:
            _read_message(_fileno(process.stdout), _START_SECONDS)
        except (TimeoutError, EOFError) as error:
            self._end()
            raise RenderError(
                f"the process that renders the templates of {self._own_folder} did not start; "
                "what it said stands above",
                subject=str(self._own_folder),
            ) from error
        return process

    def _end(self) -> None:
        self._stop()
        self._process = None


def write_message(pipe: int, data: bytes) -> None:
    """Write all of ``data``, after its length."""
    rest = memoryview(LENGTH.pack(len(data)) + data)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _read_message(pipe: int, seconds: float) -> bytes:
    """The next message; EOFError where there is none, TimeoutError where it takes too long."""
    end = time.monotonic() + seconds
    (length,) = LENGTH.unpack(_read(pipe, LENGTH.size, end))
    return _read(pipe, length, end)


def _read(pipe: int, size: int, end: float) -> bytes:
    data = bytearray()
    while len(data) < size:
        if not select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
            raise TimeoutError
        part = os.read(pipe, min(size - len(data), 1 << 20))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def _fileno(pipe: Any) -> int:
    return int(pipe.fileno())


def _end_process(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()
