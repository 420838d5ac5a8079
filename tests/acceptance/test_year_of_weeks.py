"""A year of weeks on a faked clock: one issue a week, one message a reader.

Three weekly newsletters in New York, one at a common hour, one at the hour that
the spring change skips and one at the hour that the autumn change repeats. Two
processes tick in turn, the sender is restarted in the middle of an issue, and
the service is down for a weekend.
"""

from collections import Counter
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.policy import default as mail_policy

import pytest

from newsletter.config import load_config
from newsletter.demo.catcher import MailCatcher
from newsletter.issues.model import IssueState
from newsletter.subscribers.model import Consent, Subscriber, SubscriptionState
from newsletter.tokens import new_public_id
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.tick import tick
from tests.acceptance.moving_clock import MovingClock
from tests.acceptance.weekly_feed import weekly_feed

START = datetime(2026, 1, 1, 5, tzinfo=UTC)  # midnight in New York
END = datetime(2027, 1, 5, 5, tzinfo=UTC)
READERS = 6
SENDS = {"friday": "Fri 07:00", "gap": "Sun 02:30", "twice": "Sun 01:30"}

CONFIG = """\
data_dir = "data"
[[relay]]
slug = "catcher"
host = "127.0.0.1"
port = {port}
tls = "none"
connections = 2
[checks]
link_seconds = 0
spam = false
[publication]
name = "The Araks Courier"
url = "https://paper.example"
timezone = "America/New_York"
editors = ["desk@paper.example"]
[[source]]
slug = "site"
url = "{feed}"
allow_private = true
"""
NEWSLETTER = """\
[[newsletter]]
slug = "{slug}"
name = "Courier {slug}"
from = {{ name = "The Araks Courier", address = "{slug}@paper.example" }}
draft_at = "{draft_at}"
send_at = "{send_at}"
approval = "auto"
[[newsletter.section]]
slug = "latest"
kind = "latest"
title = "Latest articles of the week"
count = 12
"""


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Run the year; what it left behind is asserted by the tests."""
    tmp_path = tmp_path_factory.mktemp("year")
    clock = MovingClock(START)
    outbox = tmp_path / "outbox"
    with ExitStack() as stack:
        feed = stack.enter_context(weekly_feed(clock, datetime(2025, 1, 1, tzinfo=UTC)))
        catcher = stack.enter_context(MailCatcher(outbox))
        path = tmp_path / "config.toml"
        path.write_text(
            CONFIG.format(port=catcher.port, feed=feed)
            + "".join(
                NEWSLETTER.format(slug=slug, send_at=send_at, draft_at=f"{send_at[:3]} 00:15")
                for slug, send_at in SENDS.items()
            ),
            encoding="utf-8",
        )
        config = load_config(path, {})
        with open_installation(config, clock) as first:
            add_readers(first)
        restarts = 0
        now = START
        while now < END:
            # Another process each time: nothing may live in memory from tick to tick.
            if not is_down(now):
                with open_installation(config, clock) as installation:
                    for _ in range(24):
                        if now >= END or is_down(now):
                            break
                        clock.set(now)
                        tick(installation)
                        restarts += send(installation, break_off=now.month == 5)
                        now += timedelta(minutes=150)
            else:
                now += timedelta(hours=6)
        with open_installation(config, clock) as last, last.database.read() as tx:
            issues = tx.issues.recent(None, 1000)
            counts = {issue.public_id: tx.mailings.counts(issue.public_id) for issue in issues}
        return {"issues": issues, "counts": counts, "outbox": outbox, "restarts": restarts}


def add_readers(installation: Installation) -> None:
    now = installation.clock.now()
    with installation.database.write() as tx:
        for number in range(READERS):
            address = f"reader{number}@readers.example"
            reader = tx.subscribers.add(
                Subscriber(public_id=new_public_id(), address=address, created_at=now),
                installation.keyring.hash_address(address),
            )
            for slug in SENDS:
                consent = Consent(how="import", wording="as told on paper", at=now)
                tx.subscribers.subscribe(
                    reader.public_id, slug, SubscriptionState.ACTIVE, consent, now, "test"
                )


def is_down(now: datetime) -> bool:
    """A weekend in September without the service: the Friday issue was out before it."""
    return datetime(2026, 9, 12, 0, tzinfo=UTC) <= now < datetime(2026, 9, 13, 9, tzinfo=UTC)


def send(installation: Installation, *, break_off: bool) -> int:
    """Deliver what is due; in May every sender ends after two messages and another goes on."""
    sent = 0

    def count(summary: object) -> None:
        nonlocal sent
        sent = summary.accepted  # type: ignore[attr-defined]

    restarts = 0
    if break_off:
        with open_ledger(installation) as ledger:
            deliver(installation, ledger, should_stop=lambda: sent >= 2, on_progress=count)
        restarts = int(sent >= 2)
    with open_ledger(installation) as ledger:
        deliver(installation, ledger)
    return restarts


def expected_slots(weekday: int) -> list[str]:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(369)]
    weeks = [day.isocalendar() for day in days if day.weekday() == weekday]
    return [f"{week.year}-W{week.week:02d}" for week in weeks]


@pytest.mark.long
def test_one_issue_a_week_and_one_message_a_reader(year: dict[str, object]) -> None:
    issues = year["issues"]
    assert {issue.state for issue in issues} == {IssueState.SENT}
    for slug, weekday in (("friday", 4), ("gap", 6), ("twice", 6)):
        slots = sorted(issue.slot for issue in issues if issue.newsletter == slug)
        assert slots == expected_slots(weekday)
    assert "2026-W53" in {issue.slot for issue in issues}

    assert all(
        (counts.total, counts.accepted) == (READERS, READERS) for counts in year["counts"].values()
    )
    received: Counter[tuple[str, str]] = Counter()
    ids = set()
    for path in year["outbox"].glob("*.eml"):
        message = message_from_bytes(path.read_bytes(), policy=mail_policy)
        received[message["To"], message["Date"] + message["From"]] += 1
        ids.add(message["Message-ID"])
    assert len(received) == len(ids) == READERS * len(issues)
    assert set(received.values()) == {1}
    assert year["restarts"] >= 4


@pytest.mark.long
def test_no_story_comes_twice_and_none_is_lost(year: dict[str, object]) -> None:
    for slug in SENDS:
        issues = sorted(
            (issue for issue in year["issues"] if issue.newsletter == slug),
            key=lambda issue: issue.send_at,
        )
        stories = [int(item.url.rstrip("/").rpartition("/")[2]) for i in issues for item in i.items]
        assert len(stories) == len(set(stories))
        assert sorted(stories) == list(range(min(stories), max(stories) + 1))
