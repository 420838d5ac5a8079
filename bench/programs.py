"""The service's own programs, run beside a bench and measured from outside."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.children import ENVIRONMENT, ROOT, ChildFailed

_TICKS = os.sysconf("SC_CLK_TCK")


class Program:
    """A running `newsletter ROLE`, ended with SIGTERM."""

    def __init__(self, role: str, config: Path) -> None:
        self.role = role
        command = [sys.executable, "-m", "newsletter", role, "--config", str(config)]
        # Its log is written as in real life, to where nobody minds it.
        self.log = config.with_name(f"{role}.log")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=log, cwd=ROOT, env=ENVIRONMENT
            )

    def cpu_seconds(self) -> float:
        """User and system time so far; ChildFailed where it is gone. Linux only."""
        if self._process.poll() is not None:
            last = self.log.read_text(encoding="utf-8", errors="replace").strip()[-500:]
            raise ChildFailed(f"newsletter {self.role} ended: {last}")
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        user, system = fields.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICKS

    def rss_mb(self) -> float:
        """Its largest resident memory so far, in MiB. Linux only."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        told = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(told.split()[1]) / 1024

    def end(self) -> None:
        """Stop it and wait."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def running(role: str, config: Path) -> Iterator[Program]:
    """`newsletter ROLE` for as long as the block lasts."""
    program = Program(role, config)
    try:
        yield program
    finally:
        program.end()
