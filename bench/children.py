"""Child processes of a bench: started, spoken to in lines of JSON, and measured."""

import json
import os
import resource
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parent.parent
# Byte code is kept, as Python does unless told otherwise: a second start is warm.
ENVIRONMENT = {n: v for n, v in os.environ.items() if n != "PYTHONDONTWRITEBYTECODE"}


class ChildFailed(Exception):
    """A child ended without an answer; what it had to say stands on standard error."""


@dataclass(frozen=True)
class Usage:
    """What a stretch of work cost: wall and processor time (user and system), in seconds."""

    seconds: float
    cpu_seconds: float

    def figures(self) -> dict[str, float]:
        """The same by name, for a child's answer."""
        return {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds}


class Stopwatch:
    """Measures this process, all its threads, from now on."""

    def __init__(self) -> None:
        self._wall = time.monotonic()
        self._cpu = _own_cpu_seconds()

    def read(self) -> Usage:
        """What it took since the start."""
        return Usage(time.monotonic() - self._wall, _own_cpu_seconds() - self._cpu)


def _own_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_rss_mb() -> float:
    """This process's largest resident memory so far, in MiB.

    Not ru_maxrss where it can be helped: Linux passes the parent's figure on to
    the child, through fork and exec.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Child:
    """A Python module run as a process that answers in lines of JSON.

    Leaving the context ends it: by the end of its standard input, and if that
    is not enough by a signal to this one process.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self.module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=ENVIRONMENT,
        )

    def __enter__(self) -> "Child":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end(10 if kind is None else 0.5)

    def ask(self, line: str) -> dict[str, Any]:
        """Say ``line`` and give what is answered."""
        self.tell(line)
        return self.answer()

    def tell(self, line: str) -> None:
        """Say ``line``."""
        if self._process.stdin is None:
            raise ChildFailed(f"{self.module} has no standard input")
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """The next answer; ChildFailed where the process ends instead."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise ChildFailed(f"{self.module} ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def answers_within(self, seconds: float) -> bool:
        """Whether an answer, or the end of the process, comes in that time."""
        waiting = [self._process.stdout] if self._process.stdout else []
        return bool(select.select(waiting, [], [], seconds)[0])

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def end(self, seconds: float = 10) -> int:
        """Close its standard input and wait; its exit status."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                # A pipe to a process that is gone can't be flushed.
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.terminate()
        try:
            return self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.wait()


def run_once(module: str, *arguments: str) -> dict[str, Any]:
    """Run a module that gives one answer."""
    with Child(module, *arguments) as child:
        return child.answer()


def run_program(command: Sequence[str]) -> Usage:
    """Run another program to its end; what it cost, starting included."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ChildFailed(f"{command[0]} ended with status {process.returncode}")
    return Usage(time.monotonic() - started, usage.ru_utime + usage.ru_stime)


@contextmanager
def running_sink(*, reply_ms: float = 0.0, by_recipient: bool = False) -> Iterator["RunningSink"]:
    """The bench's SMTP server in a process of its own."""
    options = ["--reply-ms", str(reply_ms), *(["--by-recipient"] if by_recipient else [])]
    with Child("bench.sink", *options) as child:
        yield RunningSink(child, int(child.answer()["port"]))


@dataclass(frozen=True)
class RunningSink:
    """The sink as the bench speaks to it; see `bench.sink` for its figures."""

    child: Child
    port: int

    def reset(self) -> None:
        """Count from nothing again."""
        self.child.ask("reset")

    def mark(self) -> None:
        """Tell connections that come from now on from those there are."""
        self.child.ask("mark")

    def figures(self) -> dict[str, Any]:
        """What was counted since the last reset."""
        return self.child.ask("figures")
