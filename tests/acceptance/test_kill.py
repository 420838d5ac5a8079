"""kill -9 in the middle of a send: nobody is lost, and copies are no more than the doubts."""

import signal
import subprocess
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from newsletter.clock import SystemClock
from newsletter.demo.catcher import MailCatcher
from tests.acceptance.command_line import (
    ENVIRONMENT,
    command,
    import_readers,
    must,
    write_config,
)
from tests.acceptance.weekly_feed import weekly_feed

# Enough that a sender is always killed in mid-send, however quick the machine.
READERS_A_KILL = 120


def caught(outbox: Path) -> list[Path]:
    return list(outbox.glob("*.eml"))


def kill_in_mid_send(folder: Path, outbox: Path, *, after: int) -> bool:
    """Start a send and kill it after ``after`` more messages; False if it was quicker."""
    before = len(caught(outbox))
    process = subprocess.Popen(
        command("issue", "send"),
        cwd=folder,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with process:
        while process.poll() is None and len(caught(outbox)) < before + after:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("kills", [2, pytest.param(12, marks=pytest.mark.long)])
def test_nobody_is_lost_through_kills(tmp_path: Path, kills: int) -> None:
    outbox = tmp_path / "outbox"
    readers = READERS_A_KILL * (kills + 2)
    epoch = datetime.now(UTC) - timedelta(days=400)
    with weekly_feed(SystemClock(), epoch) as feed, MailCatcher(outbox) as catcher:
        write_config(tmp_path, feed=feed, port=catcher.port)
        import_readers(tmp_path, readers)
        must(tmp_path, "issue", "draft")
        must(tmp_path, "issue", "approve")
        killed = sum(
            kill_in_mid_send(tmp_path, outbox, after=READERS_A_KILL - 20) for _ in range(kills)
        )
        assert killed == kills
        must(tmp_path, "issue", "send")
        report = must(tmp_path, "issue", "report", "--json").json

    assert report["audience"] == readers
    assert report["accepted"] + report["uncertain"] == readers
    messages = [message_from_bytes(path.read_bytes()) for path in caught(outbox)]
    copies = Counter(m["Message-ID"] for m in messages if m["To"].endswith("@readers.example"))
    assert len(copies) == readers
    # Three connections: each kill can leave one message in doubt on each.
    assert sum(copies.values()) - readers <= 3 * kills
    doubted = [row for row in report["deliveries"] if row["doubts"]]
    assert sum(copies.values()) - readers <= sum(row["doubts"] for row in doubted)
