"""The real command line, in a folder of its own."""

import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from newsletter.cli.main import COMMANDS, main
from tests.migrated import place_database

# Nothing of the machine's own settings may reach the commands under test.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")
}

# To read all modules takes longer than most commands do: one process has them, and forks.
_READY = multiprocessing.get_context("forkserver")
_READY.set_forkserver_preload([f"newsletter.cli.{name}_commands" for name in COMMANDS])


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "newsletter", *arguments]


def newsletter(folder: Path, *arguments: str, seconds: float = 120, **environment: str) -> Answer:
    """Run a command in ``folder`` to its end, in a process forked from one that is ready."""
    with TemporaryDirectory() as heard:
        out, err = Path(heard, "out"), Path(heard, "err")
        of_its_own = {**ENVIRONMENT, **environment}
        process = _READY.Process(target=_run, args=(folder, arguments, of_its_own, out, err))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, seconds)
        return Answer(process.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


def _run(
    folder: Path, arguments: Sequence[str], environment: Mapping[str, str], out: Path, err: Path
) -> None:
    """What a process of the command line is from its first line on."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for path, stream in ((out, sys.stdout), (err, sys.stderr)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    sys.argv = ["newsletter", *arguments]
    main()


def must(folder: Path, *arguments: str) -> Answer:
    """Run a command that has to succeed."""
    answer = newsletter(folder, *arguments)
    assert answer.status == 0, answer.err + answer.out
    return answer


CONFIG = """\
data_dir = "data"
[[relay]]
slug = "catcher"
host = "127.0.0.1"
port = {port}
tls = "none"
connections = 3
[checks]
link_seconds = 0
spam = false
[publication]
name = "The Araks Courier"
short_name = "the Courier"
url = "https://paper.example"
timezone = "America/New_York"
postal_address = "The Araks Courier, 12 Orchard Lane, Glendale, California"
editors = ["desk@paper.example"]
[[source]]
slug = "site"
url = "{feed}"
allow_private = true
[[reads]]
slug = "by-hand"
source = "site"
kind = "csv"
[[newsletter]]
slug = "weekly"
name = "Courier Weekly"
from = {{ name = "The Araks Courier", address = "weekly@paper.example" }}
draft_at = "Thu 12:00"
send_at = "Fri 07:00"
[[newsletter.section]]
slug = "most-read"
kind = "most_read"
title = "Most read stories of the month"
[[newsletter.section]]
slug = "latest"
kind = "latest"
title = "Latest articles of the week"
count = 12
"""


def write_config(folder: Path, *, feed: str, port: int, migrated: bool = True) -> Path:
    """A config of one newsletter over ``feed``, sending to a catcher on ``port``.

    ``migrated``: its database is there already, and holds nothing.
    """
    if migrated:
        place_database(folder / "data" / "newsletter.sqlite")
    path = folder / "config.toml"
    path.write_text(CONFIG.format(feed=feed, port=port), encoding="utf-8")
    return path


def import_readers(folder: Path, count: int) -> None:
    """Bring ``count`` readers in through the CSV door."""
    lines = ["email,name", *(f"reader{n}@readers.example,Reader {n}" for n in range(count))]
    (folder / "readers.csv").write_text("\n".join(lines), encoding="utf-8")
    must(folder, "subscribers", "import", "readers.csv", "--consent", "told on paper")
