"""The machine's wall clock is set by an hour, or by a day, in mid-send."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.clock import SystemClock
from newsletter.config import load_config
from newsletter.delivery.model import DeliverySummary
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import start_sending
from newsletter.workflows.report import IssueReport, report_issue
from tests.acceptance.ready_house import make_house, reader_addresses
from tests.marking import first_soon
from tests.real.sink import running_sink

READERS = 400
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class WallClock(SystemClock):
    """Its date can be set; its seconds go on, as the kernel's do."""

    wrong = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.wrong


def send(house: Installation, tell: Callable[[DeliverySummary], None] = lambda _: None) -> None:
    with open_ledger(house) as ledger:
        deliver(house, ledger, on_progress=tell)


@pytest.mark.parametrize(
    "jump",
    first_soon([-HOUR, HOUR, DAY, -DAY]),
    ids=["back", "forward", "a day forward", "a day back"],
)
def test_a_clock_that_is_set_in_mid_send(tmp_path: Path, jump: timedelta) -> None:
    clock, jumped = WallClock(), []
    addresses = reader_addresses(READERS)

    def set_clock(summary: DeliverySummary) -> None:
        if summary.accepted >= 50 and not jumped:
            jumped.append(summary.accepted)
            clock.wrong = jump

    with running_sink(tmp_path / "sink") as sink:
        quick = [("connections = 3", "connections = 3\nrate = 300")]
        no_dns = "[delivery]\ngroup_by_mx = false\n"
        issue = make_house(tmp_path, sink.port, addresses, settings=no_dns, changes=quick)
        with open_installation(load_config(tmp_path / "config.toml", {}), clock) as house:
            start_sending(house, issue, actor="anna")
            send(house, set_clock)
            first = report_issue(house, issue)
            if jump < timedelta(0):
                # What was queued by the later date waits until that comes again.
                assert_nobody_is_lost(first, sink.recipients())
                assert first.counts.queued == first.counts.open > 0
                clock.wrong = timedelta(0)
                send(house)
            report = report_issue(house, issue)
        arrived = sink.recipients()
        connections = len(re.findall(r"smtp-sink: connect ", sink.log.read_text()))
    assert jumped
    assert jumped[0] < READERS / 2
    assert arrived == Counter(addresses)
    assert_nobody_is_lost(report, arrived)
    assert report.counts.accepted == READERS
    # It went on over the connections it had, rather than try and try again.
    assert connections <= 8


def assert_nobody_is_lost(report: IssueReport, arrived: Counter[str]) -> None:
    assert report.counts.total == READERS
    assert report.counts.accepted == arrived.total() == len(arrived)
    assert report.doubtful == 0
