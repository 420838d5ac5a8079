"""The process in which a paper's own templates run; `rendering.bounded` starts it.

It reads requests from its standard input and answers each on its standard output.
"""

import json
import os
import pickle
import resource
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from newsletter.errors import NewsletterError
from newsletter.rendering.bounded import LENGTH, MEMORY_BYTES, READY, write_message
from newsletter.rendering.environment import open_sandbox, render_template
from newsletter.rendering.sandbox import Sandbox


class _TooLong(Exception):
    """Raised in the middle of a template, so that its line is known."""


def main() -> None:
    """Render until the input ends."""
    answers = os.dup(sys.stdout.fileno())
    # What anything prints must not stand between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    sandbox = open_sandbox(folder)
    _bound()
    write_message(answers, READY)
    requests = sys.stdin.buffer
    while header := requests.read(LENGTH.size):
        data = requests.read(LENGTH.unpack(header)[0])
        name, context = pickle.loads(data)  # noqa: S301 - from the process that started this one
        write_message(answers, json.dumps(_answer(sandbox, name, context, seconds)).encode())


def _bound() -> None:
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    signal.signal(signal.SIGALRM, _stop)


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise _TooLong("it takes too long")


def _answer(sandbox: Sandbox, name: str, context: dict[str, Any], seconds: float) -> dict[str, str]:
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return {"text": render_template(sandbox, name, context)}
    except (NewsletterError, _TooLong, MemoryError) as error:
        return {"error": str(error) or f"{name}: it needs more memory than a template gets"}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
