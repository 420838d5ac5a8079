"""kill -9 at random moments of one send: nobody is lost, and copies are no more than the doubts."""

import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from newsletter.delivery.model import DeliveryState
from tests.acceptance.command_line import ENVIRONMENT, command, must
from tests.acceptance.ready_house import make_house, read_report, reader_addresses
from tests.real.sink import Sink, running_sink

# Doubts are sent again at once, so that the next kill may hit them as well.
AT_ONCE = """\
[delivery]
resend_after = "0 minutes"
group_by_mx = false
"""


@dataclass
class Killer:
    """Starts `newsletter issue send` and kills it, again and again."""

    folder: Path
    sink: Sink
    random: Random
    killed: int = 0

    def arrived(self) -> int:
        with os.scandir(self.sink.folder) as files:
            return sum(1 for _ in files)

    def kill_after(self, messages: int) -> None:
        """Kill it when about so many more messages have arrived, or at once where it is 0."""
        before = self.arrived()
        process = subprocess.Popen(
            command("issue", "send"),
            cwd=self.folder,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with process:
            if not messages:
                # Anywhere: while it loads, opens the database, settles what the last one left.
                time.sleep(self.random.uniform(0.1, 1.5))
            while messages and process.poll() is None and self.arrived() < before + messages:
                time.sleep(0.0005)
            time.sleep(self.random.uniform(0, 0.003))
            process.send_signal(signal.SIGKILL)
        self.killed += process.returncode == -signal.SIGKILL


def whole_messages(sink: Sink) -> Counter[str]:
    """What arrived with its dot; of a message cut off by a kill the last delimiter is missing."""
    return Counter(
        message.recipients[0]
        for message in sink.messages()
        if message.content.rstrip(b"\r\n").endswith(b"--")
    )


def account(report: dict[str, Any], arrived: Counter[str], addresses: list[str]) -> dict[str, int]:
    """The figures of a send that has ended; what must hold for each reader holds."""
    rows = {row["address"]: row for row in report["deliveries"]}
    assert set(rows) == set(addresses)
    assert report["audience"] == len(addresses)
    parts = ("accepted", "refused", "uncertain", "skipped", "open")
    assert sum(report[part] for part in parts) == len(addresses)
    uncertain = {a for a in addresses if rows[a]["state"] == DeliveryState.UNCERTAIN}
    assert all(arrived[address] - 1 <= rows[address]["doubts"] for address in addresses)
    return {
        "lost": sum(1 for a in addresses if not arrived[a] and a not in uncertain),
        "duplicates": sum(arrived[a] - 1 for a in addresses if arrived[a] > 1),
        "in doubt": sum(row["doubts"] for row in rows.values()),
        "uncertain at the end": len(uncertain),
        "of these not arrived": sum(1 for a in uncertain if not arrived[a]),
    }


@pytest.mark.parametrize(
    ("kills", "readers", "rate"),
    [
        (3, 300, 200),
        pytest.param(32, 5_000, 0, marks=pytest.mark.long, id="32-kills-of-a-send-of-5000"),
    ],
)
def test_nobody_is_lost_through_kills(
    tmp_path: Path, kills: int, readers: int, rate: int, capsys: pytest.CaptureFixture[str]
) -> None:
    addresses = reader_addresses(readers)
    seed = Random().randrange(1 << 32)
    random = Random(seed)
    with running_sink(tmp_path / "sink") as sink:
        # A short send has to be held back, or it is over before it is killed.
        slowed = [("connections = 3", f"connections = 3\nrate = {rate}")] if rate else []
        make_house(tmp_path, sink.port, addresses, settings=AT_ONCE, changes=slowed)
        killer = Killer(tmp_path, sink, random)
        for left in range(kills, 0, -1):
            share = (readers - killer.arrived()) // (left + 1)
            anywhere = left < kills and random.random() < 0.15
            killer.kill_after(0 if anywhere else random.randint(1, max(1, share)))
        must(tmp_path, "issue", "send")
        arrived = whole_messages(sink)
    report = (
        must(tmp_path, "issue", "report", "--json").json if kills > 3 else read_report(tmp_path)
    )
    figures = account(report, arrived, addresses)
    said = ", ".join(f"{name} {figure}" for name, figure in figures.items())
    with capsys.disabled():
        print(f"\n{killer.killed} kills in a send of {readers} (seed {seed}): {said}")
    assert killer.killed == kills
    assert figures["lost"] == 0
    assert figures["duplicates"] <= figures["in doubt"]
    # Each kill leaves one message in doubt on each of three connections at most. Of so
    # many at full speed some did; held back a sender is mostly at rest.
    assert (0 if rate else 1) <= figures["in doubt"] <= 3 * kills
    assert report["in_doubt"] == sum(row["doubts"] > 0 for row in report["deliveries"])
    assert report["open"] == 0
