"""How soon the next worker sends after one was killed (SIGKILL) in mid-send, on one host."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.children import ENVIRONMENT, ROOT, ChildFailed, RunningSink, run_once, running_sink
from bench.engine_run import CHILD, Setup, prepared_installation

# Killed after a third of the readers, or after so many messages.
_KILLED_AFTER = 20_000
_STALLED_SECONDS = 90.0
_ENVIRONMENT = {n: v for n, v in ENVIRONMENT.items() if not n.startswith("NEWSLETTER_")}


def measure_resume(setup: Setup) -> tuple[dict[str, Any], str | None]:
    """The figures, and a sentence where a reader was lost or got a copy too many.

    ``resume_seconds`` runs from the start of the second `newsletter worker`
    (loading Python and all) until the sink has its first message.
    """
    with running_sink(by_recipient=True) as sink, prepared_installation(setup, sink.port) as config:
        run_once(CHILD, "enqueue", str(config))
        sink.reset()
        with _worker(config) as first:
            _wait_for(sink, min(_KILLED_AFTER, setup.readers // 3), first)
            first.kill()
            first.wait()
        sink.mark()
        started = time.monotonic()
        with _worker(config) as second:
            ledger = _wait_for_end(sink, config, second)
        taken = sink.figures()
    if taken["first_after_mark"] is None:
        return {}, f"after the kill nothing was sent any more: ledger {ledger}"
    figures = {
        "resume_seconds": round(taken["first_after_mark"] - started, 2),
        # Until the first connection: mostly Python loading what the worker is made of.
        "resume_seconds_to_connect": round(taken["connected_after_mark"] - started, 2),
        "kill_lost": setup.readers - taken["recipients"],
        "kill_copies": taken["messages"] - taken["recipients"],
        "kill_uncertain": ledger["uncertain"],
    }
    accounted = ledger["accepted"] + ledger["uncertain"]
    # A connection leaves at most one row in doubt, and its reader gets at most one copy.
    few_copies = figures["kill_copies"] <= setup.connections
    if figures["kill_lost"] == 0 and accounted == setup.readers and few_copies:
        return figures, None
    return figures, f"after the kill the sends don't add up: {figures}, ledger {ledger}"


@contextmanager
def _worker(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "newsletter", "worker", "--config", str(config)]
    process = subprocess.Popen(command, cwd=ROOT, env=_ENVIRONMENT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(sink: RunningSink, messages: int, worker: subprocess.Popen[bytes]) -> None:
    while int(sink.figures()["messages"]) < messages:
        if worker.poll() is not None:
            raise ChildFailed(f"newsletter worker ended with status {worker.returncode}")
        time.sleep(0.005)


def _wait_for_end(
    sink: RunningSink, config: Path, worker: subprocess.Popen[bytes]
) -> dict[str, int]:
    """Wait until no row is open, or nothing was sent for long; the ledger's counts."""
    before, since = -1, time.monotonic()
    while True:
        time.sleep(0.5)
        messages = int(sink.figures()["messages"])
        if messages != before:
            before, since = messages, time.monotonic()
            continue
        ledger: dict[str, int] = run_once(CHILD, "count", str(config))["ledger"]
        still_open = sum(
            ledger[state] for state in ("queued", "claimed", "handed_over", "deferred")
        )
        if not still_open or time.monotonic() - since > _STALLED_SECONDS:
            return ledger
        if worker.poll() is not None:
            raise ChildFailed(f"newsletter worker ended with status {worker.returncode}")
