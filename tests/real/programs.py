"""Starting and ending the programs that tests run for real."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

STOP_SECONDS = 15


class MissingProgram(RuntimeError):
    """A program is not installed; the message names the Debian package."""


class ProgramFailed(RuntimeError):
    """A program ended or stayed silent; the message holds its last words."""


def find_program(name: str, package: str) -> str:
    """The program's path, also in the folders that only root has on its PATH."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        raise MissingProgram(
            f"{name} is missing: install the Debian package {package} (`make packages` does)"
        )
    return path


def find_port() -> int:
    """A TCP port of the loopback that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def as_nobody() -> dict[str, Any]:
    """What `subprocess` is told so that root drops its rights; others keep what they have."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def give_to_nobody(path: Path) -> None:
    """Make ``path`` the property of the user whom `as_nobody` runs as."""
    if os.geteuid() == 0:
        shutil.chown(path, "nobody", pwd.getpwnam("nobody").pw_gid)


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A folder that other users can enter; gone afterwards with all in it.

    It lies in /tmp whatever TMPDIR says: a socket's path may have 107 bytes.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


# Ends the program when its standard input closes, that is when the test run dies
# by whatever cause: nothing stays behind.
_GUARD = 'exec 3<&0; { read -r _ <&3; kill $$; } & exec "$@" 3<&- </dev/null'


@contextmanager
def running_program(
    command: Sequence[str],
    *,
    log: Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    rights: Mapping[str, Any] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` in a process group of its own, and end that group afterwards.

    ``rights`` is empty or what `as_nobody` returns; ``log`` gets all it prints.
    """
    with log.open("ab") as out:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", *command],
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **(rights or {}),
        )
    try:
        yield process
    finally:
        _stop_group(process)


def _stop_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Children that outlived their parent are still of its group.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin:
            process.stdin.close()


def wait_until(
    is_ready: Callable[[], bool],
    process: subprocess.Popen[bytes],
    log: Path,
    seconds: float = 30,
) -> None:
    """Wait for ``is_ready``; ProgramFailed where the process ends or takes too long."""
    end = time.monotonic() + seconds
    while not is_ready():
        if process.poll() is not None or time.monotonic() > end:
            state = "did not get ready" if process.poll() is None else "ended"
            words = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise ProgramFailed(f"{process.args!r} {state}; its last words: {words}")
        time.sleep(0.02)


def answers_on(port: int) -> bool:
    """Whether somebody accepts connections on that port of the loopback."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
