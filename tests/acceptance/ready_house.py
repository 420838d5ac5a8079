"""A house whose issue is approved and waits for `newsletter issue send`."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.issues.model import Issue
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import start_sending
from newsletter.workflows.report import open_report
from tests.acceptance.command_line import write_config
from tests.delivery.sql_sending import add_readers
from tests.workflows.under_way import a_weekly_issue

# Nothing asks it: the issue is there already.
_FEED = "http://127.0.0.1:9/feed/"


def make_house(
    folder: Path,
    port: int,
    addresses: Sequence[str],
    *,
    settings: str = "",
    changes: Sequence[tuple[str, str]] = (),
    sending: bool = False,
) -> Issue:
    """A config with a relay on ``port``, readers, and an issue that an editor has approved.

    ``settings`` are tables at the end of the config; ``changes`` are made in its
    text. With ``sending`` the issue is queued, for a worker to send. On a
    server's database the tables have to be there.
    """
    path = write_config(folder, feed=_FEED, port=port)
    text = path.read_text(encoding="utf-8") + settings
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    clock = SystemClock()
    with open_installation(load_config(path, {}), clock) as installation:
        now = clock.now()
        issue = replace(a_weekly_issue(), public_id="issue00000000001", send_at=now)
        with installation.database.write() as tx:
            add_readers(tx, addresses, now)
            assert tx.issues.create(issue, now, "anna")
        if sending:
            start_sending(installation, issue, actor="anna")
    return issue


def reader_addresses(count: int) -> list[str]:
    """``count`` addresses, in a few domains."""
    return [f"reader{number}@readers{number % 7}.example" for number in range(count)]


def read_report(folder: Path) -> dict[str, Any]:
    """What `newsletter issue report --json` tells; within this process, which is quicker."""
    with open_installation(load_config(folder / "config.toml", {}), SystemClock()) as installation:
        with installation.database.read() as tx:
            (issue,) = tx.issues.recent("weekly", 5)
        with open_report(installation, issue) as opened:
            rows = [asdict(row) for row in opened.rows()]
            report = {**opened.report.totals(), "deliveries": rows}
    parts = ("accepted", "refused", "uncertain", "skipped", "open")
    assert sum(report[part] for part in parts) == report["audience"] == len(rows)
    return report
