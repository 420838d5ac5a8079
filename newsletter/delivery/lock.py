"""The lock that makes one process the only sender of an SQLite database."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter.errors import Conflict


@contextmanager
def sending_lock(path: Path) -> Iterator[None]:
    """Hold the file lock at ``path``; Conflict where another living process has it.

    The kernel drops it with the process, so whoever gets it knows that every
    earlier sender is dead.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                f"another process of this installation is sending already (it holds {path}); "
                "with SQLite there is one: stop `newsletter run` or `newsletter worker` first, "
                "or let it do the work",
                subject=str(path),
            ) from error
        yield
