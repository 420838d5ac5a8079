"""What data_dir remembers of the installation, to notice a database that is not the one it was."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from newsletter.errors import StorageError

INSTANCE_FILE = "instance.json"


@dataclass(frozen=True)
class Memory:
    """The installation that was last sent from here, and its generation then."""

    instance_id: str
    generation: int


# What stands for a file that is there and can't be read or understood.
DAMAGED = Memory("", 0)


def read_memory(data_dir: Path) -> Memory | None:
    """What is remembered, or None where nothing was ever sent from here."""
    try:
        document = json.loads((data_dir / INSTANCE_FILE).read_text(encoding="utf-8"))
        return Memory(str(document["instance_id"]), int(document["generation"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return DAMAGED


def write_memory(data_dir: Path, memory: Memory) -> None:
    """Remember, for the owner's eyes only; whole or not at all, whatever happens meanwhile."""
    path = data_dir / INSTANCE_FILE
    aside = path.with_name(f"{INSTANCE_FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(json.dumps(asdict(memory), indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise StorageError(
            f"{path}: can't be written ({error.strerror}); without it nothing is sent, because a "
            "restored backup could not be noticed",
            subject=INSTANCE_FILE,
        ) from error
