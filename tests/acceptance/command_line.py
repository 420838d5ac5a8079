"""The real command line, in a folder of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Nothing of the machine's own settings may reach the commands under test.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")
}


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
    """Run a command in ``folder`` to its end."""
    done = subprocess.run(
        command(*arguments),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**ENVIRONMENT, **environment},
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


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


def write_config(folder: Path, *, feed: str, port: int) -> Path:
    """A config of one newsletter over ``feed``, sending to a catcher on ``port``."""
    path = folder / "config.toml"
    path.write_text(CONFIG.format(feed=feed, port=port), encoding="utf-8")
    return path


def import_readers(folder: Path, count: int) -> None:
    """Bring ``count`` readers in through the CSV door."""
    lines = ["email,name", *(f"reader{n}@readers.example,Reader {n}" for n in range(count))]
    (folder / "readers.csv").write_text("\n".join(lines), encoding="utf-8")
    must(folder, "subscribers", "import", "readers.csv", "--consent", "told on paper")
