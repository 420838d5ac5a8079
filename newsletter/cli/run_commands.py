"""`newsletter run`: web, scheduler and worker, each a process, kept alive."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import typer

from newsletter.cli.ending import WRONG_USAGE, run_to_status
from newsletter.cli.loading import load_command
from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption
from newsletter.cli.signals import stop_on_signals
from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.log import configure_logging, get_logger

log = get_logger(__name__)

# The pages come first: while their process starts, this one loads what the others need.
ROLES = ("web", "scheduler", "worker")
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
# A role that lived this long was well: its next failure starts from the first pause.
_HEALTHY_SECONDS = 60.0
# What a role needs to end well: the worker finishes the message it is sending.
_GRACE_SECONDS = 20.0
_LOOK_SECONDS = 0.1


@dataclass
class _Role:
    """A role's process, and when to start it again if it has ended."""

    name: str
    process: BaseProcess | None = None
    started: float = 0.0
    pause: float = _FIRST_PAUSE
    due: float = 0.0


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run web, scheduler and worker; a role that dies is started again."""
    bootstrap = load_config(config, os.environ).bootstrap
    configure_logging(bootstrap.log.format, bootstrap.log.level)
    # Nothing that is loaded here is ever garbage: not looking for any saves a tenth of the
    # start, and frozen the pages of memory stay shared with the roles.
    gc.disable()
    roles = [_Role(name) for name in ROLES]
    lifeline = os.pipe()
    with stop_on_signals() as stop:
        try:
            status = _supervise(roles, config, lifeline, stop)
        finally:
            _end(roles)
    raise typer.Exit(status)


def _supervise(
    roles: list[_Role], config: Path, lifeline: tuple[int, int], stop: threading.Event
) -> int:
    # Forked, not spawned: what all roles import is loaded once, and this process
    # has no thread and no open database that a fork could tear.
    context = multiprocessing.get_context("fork")
    clock = SystemClock()
    while not stop.is_set():
        now = clock.monotonic()
        for role in roles:
            if role.process is None:
                if now >= role.due:
                    play = getattr(load_command(role.name), role.name)
                    arguments = (play, config, lifeline, stop)
                    role.process = context.Process(target=_play, args=arguments, name=role.name)
                    role.process.start()
                    role.started = now
                continue
            status = role.process.exitcode
            if status is None:
                continue
            if status == WRONG_USAGE:
                # It has said what to mend; starting it again would only repeat that.
                return WRONG_USAGE
            if now - role.started > _HEALTHY_SECONDS:
                role.pause = _FIRST_PAUSE
            log.error("role_ended", role=role.name, status=status, again_in=role.pause)
            role.process, role.due = None, now + role.pause
            role.pause = min(role.pause * 2, _LONGEST_PAUSE)
        stop.wait(_LOOK_SECONDS)
    return 0


def _play(
    play: Callable[[Path], None], config: Path, lifeline: tuple[int, int], stop: threading.Event
) -> None:
    """The life of a role's process."""
    gc.freeze()
    gc.enable()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if stop.is_set():
        # The signal came before: what it was told to is the supervisor's copy of this event.
        return
    reading, writing = lifeline
    os.close(writing)
    threading.Thread(target=_end_with_supervisor, args=(reading,), daemon=True).start()
    sys.exit(run_to_status(lambda: play(config)))


def _end_with_supervisor(reading: int) -> None:
    """End in good order when the supervisor is gone, however it went: its pipe is closed then."""
    os.read(reading, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _end(roles: list[_Role]) -> None:
    running = [role.process for role in roles if role.process and role.process.is_alive()]
    for process in running:
        process.terminate()
    for process in running:
        process.join(_GRACE_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
