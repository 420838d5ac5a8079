"""An import that is killed goes on where it was, and counts every row once."""

import subprocess
import time
from pathlib import Path

import pytest

from newsletter.storage.database import Database
from tests.acceptance.command_line import ENVIRONMENT, command, must, newsletter, write_config

ROWS = 20_000


def rows_read(folder: Path) -> int:
    database = Database.open(f"sqlite:///{folder}/newsletter.db")
    with database.read() as tx:
        rows = [one.rows for one in tx.imports.all()]
    database.close()
    return max(rows, default=0)


@pytest.mark.long
def test_an_import_that_is_killed_goes_on(tmp_path: Path) -> None:
    config = write_config(tmp_path, feed="http://127.0.0.1:9/", port=9)
    settings = config.read_text(encoding="utf-8")
    config.write_text(settings + '[database]\nurl = "sqlite:///newsletter.db"\n', encoding="utf-8")
    must(tmp_path, "migrate")
    lines = (f"reader{n}@readers{n % 50}.example" for n in range(ROWS))
    (tmp_path / "readers.csv").write_text("\n".join(("email", *lines)), encoding="utf-8")
    arguments = ("subscribers", "import", "readers.csv", "--consent", "told on paper", "--json")
    process = subprocess.Popen(
        command(*arguments),
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not rows_read(tmp_path) and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    process.wait()
    before = rows_read(tmp_path)
    assert before > 0

    report = must(tmp_path, *arguments).json
    # Killed before it ended: it went on. It may have ended in that very moment.
    assert report["resumed_at"] in (before, 0)
    assert report["rows"] == ROWS
    done = report["outcomes"]
    assert done["added"] + done["already there"] == ROWS
    if report["resumed_at"]:
        assert done["added"] == ROWS
    counted = must(tmp_path, "subscribers", "stats", "--json").json["newsletters"]["weekly"]
    assert counted["active"] == ROWS
    undone = must(tmp_path, "subscribers", "import", "--undo", report["import"], "--json").json
    assert undone["people_removed"] == done["added"]
    assert newsletter(tmp_path, "subscribers", "find", "reader7@readers7.example").status == 1
