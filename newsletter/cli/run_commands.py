"""`newsletter run`: web, scheduler and worker, each a process, kept alive."""

import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field

import typer

from newsletter.cli.options import DEFAULT_CONFIG, ConfigOption
from newsletter.cli.signals import stop_on_signals
from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.log import configure_logging, get_logger

log = get_logger(__name__)

ROLES = ("web", "scheduler", "worker")
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
# A role that lived this long was well: its next failure starts from the first pause.
_HEALTHY_SECONDS = 60.0
# What a role needs to end well: the worker finishes the message it is sending.
_GRACE_SECONDS = 20.0
_CONFIG_STATUS = 2


@dataclass
class _Role:
    """A role's process, and when to start it again if it has ended."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = _FIRST_PAUSE
    due: float = field(default=0.0)


def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run web, scheduler and worker; a role that dies is started again."""
    bootstrap = load_config(config, os.environ).bootstrap
    configure_logging(bootstrap.log.format, bootstrap.log.level)
    roles = [
        _Role(name, [sys.executable, "-m", "newsletter", name, "--config", str(config)])
        for name in ROLES
    ]
    with stop_on_signals() as stop:
        try:
            status = _supervise(roles, stop)
        finally:
            _end(roles)
    raise typer.Exit(status)


def _supervise(roles: list[_Role], stop: threading.Event) -> int:
    clock = SystemClock()
    while not stop.wait(0.1):
        now = clock.monotonic()
        for role in roles:
            if role.process is None:
                if now >= role.due:
                    role.process = subprocess.Popen(role.command)
                    role.started = now
                continue
            status = role.process.poll()
            if status is None:
                continue
            if status == _CONFIG_STATUS:
                # It has said what to mend; starting it again would only repeat that.
                return _CONFIG_STATUS
            if now - role.started > _HEALTHY_SECONDS:
                role.pause = _FIRST_PAUSE
            log.error("role_ended", role=role.name, status=status, again_in=role.pause)
            role.process, role.due = None, now + role.pause
            role.pause = min(role.pause * 2, _LONGEST_PAUSE)
    return 0


def _end(roles: list[_Role]) -> None:
    running = [role.process for role in roles if role.process and role.process.poll() is None]
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
