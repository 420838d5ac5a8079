"""What is due at a tick: decided by the clock and the slot's row, done once."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter.config import load_config
from newsletter.demo.catcher import MailCatcher
from newsletter.demo.outbox_store import list_messages
from newsletter.errors import Conflict
from newsletter.issues.model import Issue, IssueState
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import Slot, named_slot
from newsletter.subscribers.model import Consent, Subscriber, SubscriptionState
from newsletter.workflows.approve import approve_issue
from newsletter.workflows.change_settings import Changed, change_settings
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.draft import AUTO_ACTOR, draft_issue
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import start_sending
from newsletter.workflows.tick import Act, decide, look_at_asked, refresh, tick
from newsletter.workflows.waves import wave_lines
from tests.acceptance.command_line import write_config
from tests.acceptance.moving_clock import MovingClock
from tests.acceptance.weekly_feed import weekly_feed

ZONE = ZoneInfo("America/New_York")
WEEKLY = Newsletter.model_validate(
    {
        "slug": "weekly",
        "name": "Courier Weekly",
        "from": {"name": "The Araks Courier", "address": "weekly@paper.example"},
        "draft_at": "Thu 12:00",
        "send_at": "Fri 07:00",
        "max_lateness": "12 hours",
        "section": [{"slug": "latest", "kind": "latest", "title": "Latest"}],
    }
)
SLOT: Slot = named_slot(WEEKLY, ZONE, "2026-W32")
HOUR = timedelta(hours=1)
DEADLINE = SLOT.send_at + 12 * HOUR


def issue(
    state: IssueState, approved_at: datetime | None = None, approved_by: str = "lilit"
) -> Issue:
    return Issue(
        public_id="issue",
        newsletter="weekly",
        slot=SLOT.key,
        state=state,
        date=date(2026, 8, 7),
        send_at=SLOT.send_at,
        covers_from=SLOT.draft_at - timedelta(days=7),
        covers_until=SLOT.draft_at,
        title="Top Stories",
        subject="A subject",
        preheader="",
        sections=(),
        language="en",
        approved_at=approved_at,
        approved_by=approved_by if approved_at else "",
    )


@pytest.mark.parametrize(
    ("found", "now", "act"),
    [
        (issue(IssueState.DRAFT), SLOT.send_at + HOUR, Act.NOTHING),
        (issue(IssueState.DRAFT), DEADLINE + HOUR, Act.HOLD),
        (issue(IssueState.APPROVED, SLOT.draft_at), SLOT.send_at - HOUR, Act.NOTHING),
        (issue(IssueState.APPROVED, SLOT.draft_at), SLOT.send_at, Act.SEND),
        (issue(IssueState.APPROVED, SLOT.draft_at), DEADLINE, Act.SEND),
        (issue(IssueState.APPROVED, SLOT.draft_at), DEADLINE + HOUR, Act.HOLD),
        (issue(IssueState.APPROVED, DEADLINE + HOUR), DEADLINE + 2 * HOUR, Act.SEND),
        (issue(IssueState.APPROVED, DEADLINE + HOUR, AUTO_ACTOR), DEADLINE + 2 * HOUR, Act.HOLD),
        *(
            (issue(state), DEADLINE + HOUR, Act.NOTHING)
            for state in IssueState
            if state not in (IssueState.DRAFT, IssueState.APPROVED)
        ),
    ],
)
def test_what_an_issue_asks_for(found: Issue, now: datetime, act: Act) -> None:
    decision = decide(WEEKLY, found, now)
    assert decision.act is act
    assert bool(decision.reason) == (act is Act.HOLD)


def test_an_issue_may_begin_before_its_own_time() -> None:
    begins = SLOT.send_at - 10 * HOUR
    approved = issue(IssueState.APPROVED, SLOT.draft_at)
    assert decide(WEEKLY, approved, begins - HOUR, begins).act is Act.NOTHING
    assert decide(WEEKLY, approved, begins, begins).act is Act.SEND
    assert decide(WEEKLY, issue(IssueState.DRAFT), begins, begins).act is Act.NOTHING
    assert decide(WEEKLY, approved, DEADLINE + HOUR, begins).act is Act.HOLD


class House:
    """An installation in a folder, opened anew by each process that a test plays."""

    def __init__(self, folder: Path, clock: MovingClock, feed: str, catcher: MailCatcher) -> None:
        self.clock = clock
        self.outbox = folder / "outbox"
        self.config = load_config(write_config(folder, feed=feed, port=catcher.port), {})

    def tick(self, now: datetime) -> None:
        self.clock.set(now)
        with open_installation(self.config, self.clock) as installation:
            tick(installation)

    def issues(self) -> list[Issue]:
        with (
            open_installation(self.config, self.clock) as installation,
            installation.database.read() as tx,
        ):
            return tx.issues.recent("weekly", 10)

    def notices(self) -> list[str]:
        """Subjects of the mails that the editors have got."""
        with (
            open_installation(self.config, self.clock) as installation,
            open_ledger(installation) as ledger,
        ):
            deliver(installation, ledger)
        return [mail.subject for mail in list_messages(self.outbox)]

    def approve(self) -> None:
        with open_installation(self.config, self.clock) as installation:
            approve_issue(installation, self.issues()[0], actor="test")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = MovingClock(SLOT.draft_at - timedelta(days=3))
    with (
        weekly_feed(clock, datetime(2025, 1, 1, tzinfo=UTC)) as feed,
        MailCatcher(tmp_path / "outbox") as catcher,
    ):
        yield House(tmp_path, clock, feed, catcher)


def test_a_slot_before_the_newsletter_was_set_up_is_not_missed(house: House) -> None:
    house.tick(SLOT.draft_at - timedelta(days=3))
    assert house.issues() == []


def test_draft_waits_for_approval_and_is_then_sent(house: House) -> None:
    house.tick(SLOT.draft_at - timedelta(days=3))
    for minutes in (0, 1, 30):
        house.tick(SLOT.draft_at + timedelta(minutes=minutes))
    assert [(i.slot, i.state) for i in house.issues()] == [("2026-W32", IssueState.DRAFT)]
    assert sum("approval" in subject for subject in house.notices()) == 1

    house.tick(SLOT.send_at + HOUR)
    assert house.issues()[0].state is IssueState.DRAFT
    house.approve()
    house.tick(SLOT.send_at + 2 * HOUR)
    assert house.issues()[0].state in (IssueState.SENDING, IssueState.SENT)


def test_missed_send_is_held_told_once_and_released_by_approval(house: House) -> None:
    house.tick(SLOT.draft_at)
    house.approve()
    for hours in (1, 2):
        house.tick(DEADLINE + hours * HOUR)
    held = house.issues()[0]
    assert held.state is IssueState.HELD
    assert "12 hours" in held.held_because
    assert sum(subject.startswith("Held") for subject in house.notices()) == 1

    house.approve()
    house.tick(DEADLINE + 3 * HOUR)
    assert house.issues()[0].state is IssueState.SENDING


def desk_edit(installation: Installation, path: tuple[str, ...], value: object) -> None:
    """What an admin changes at the desk."""
    with installation.database.read() as tx:
        latest = tx.settings.latest()
    assert latest is not None
    outcome = change_settings(
        installation.database,
        installation.fixed,
        {path: value},
        base=latest.version,
        actor="anna",
        now=installation.clock.now(),
    )
    assert isinstance(outcome, Changed)


def test_a_source_is_looked_at_when_somebody_asks_unless_it_is_paused(house: House) -> None:
    house.clock.set(SLOT.draft_at)
    with open_installation(house.config, house.clock) as installation:
        database = installation.database

        def last() -> datetime | None:
            with database.read() as tx:
                assert tx.sources.asked() == []
                return tx.sources.state("site").last_success_at

        def ask() -> None:
            with database.write() as tx:
                tx.sources.ask_now("site", house.clock.now())
                tx.reads.ask_now("by-hand", house.clock.now())
            look_at_asked(installation)

        look_at_asked(installation)
        assert last() is None
        ask()
        assert last() == SLOT.draft_at
        desk_edit(installation, ("source", "site", "paused"), value=True)
        house.clock.set(SLOT.draft_at + 2 * HOUR)
        refresh(installation)
        assert last() == SLOT.draft_at
        ask()
        assert last() == SLOT.draft_at + 2 * HOUR
        with database.write() as tx:
            until = house.clock.now() + HOUR
            tx.sources.record_error("site", house.clock.now(), "503", held_until=until)
        house.clock.set(SLOT.draft_at + timedelta(hours=2, minutes=30))
        ask()
        assert last() == SLOT.draft_at + 2 * HOUR


def test_an_armenian_papers_editors_are_told_in_armenian(tmp_path: Path) -> None:
    clock = MovingClock(SLOT.draft_at - timedelta(days=3))
    began = datetime(2025, 1, 1, tzinfo=UTC)
    with weekly_feed(clock, began) as feed, MailCatcher(tmp_path / "outbox") as catcher:
        house = House(tmp_path, clock, feed, catcher)
        house.config = load_config(
            tmp_path / "config.toml", {"NEWSLETTER_PUBLICATION__LANGUAGE": "hy"}
        )
        house.tick(SLOT.draft_at)
        house.approve()
        house.tick(DEADLINE + HOUR)
        subjects = house.notices()
    told = ("Սպասում է ձեր հաստատմանը՝", "Կասեցված է՝")
    assert [sum(s.startswith(words) for s in subjects) for words in told] == [1, 1]


def test_failed_draft_is_told_once_uses_no_story_and_is_tried_again(tmp_path: Path) -> None:
    clock = MovingClock(SLOT.draft_at - timedelta(days=3))
    begins = SLOT.draft_at + HOUR
    with weekly_feed(clock, begins) as feed, MailCatcher(tmp_path / "outbox") as catcher:
        house = House(tmp_path, clock, feed, catcher)
        for minutes in (0, 15, 30):
            house.tick(SLOT.draft_at + timedelta(minutes=minutes))
        assert house.issues() == []
        assert sum("needs a hand" in subject for subject in house.notices()) == 1
        house.tick(begins + timedelta(minutes=20))
        assert [len(found.items) for found in house.issues()] == [1]


def test_two_processes_that_tick_at_once_make_one_issue(house: House) -> None:
    house.clock.set(SLOT.draft_at)
    with (
        open_installation(house.config, house.clock) as one,
        open_installation(house.config, house.clock) as other,
    ):
        start = threading.Barrier(2)

        def run(installation: Installation) -> None:
            start.wait()
            tick(installation)

        threads = [threading.Thread(target=run, args=(each,)) for each in (one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [found.slot for found in house.issues()] == ["2026-W32"]
    assert [subject for subject in house.notices() if "needs a hand" in subject] == []


def test_an_extra_follows_its_regular_issue_without_its_stories(house: House) -> None:
    house.tick(SLOT.draft_at)
    house.approve()
    house.tick(SLOT.send_at)
    regular = {item.story_id for item in house.issues()[0].items}
    house.clock.set(SLOT.send_at + timedelta(days=5))
    with open_installation(house.config, house.clock) as installation:
        refresh(installation)
        extra = draft_issue(
            installation, WEEKLY, named_slot(WEEKLY, ZONE, "2026-W32.x1"), actor="test"
        ).issue
        assert extra.state is IssueState.DRAFT
        assert extra.items
        assert not regular & {item.story_id for item in extra.items}
        approve_issue(installation, extra, actor="test")
        tick(installation)
        with installation.database.read() as tx:
            found = tx.issues.by_id(extra.public_id)
    assert found is not None
    assert found.state is IssueState.SENDING


def test_stories_that_went_out_meanwhile_are_not_sent_again(house: House) -> None:
    house.clock.set(SLOT.draft_at)
    with open_installation(house.config, house.clock) as installation:
        refresh(installation)
        first = draft_issue(installation, WEEKLY, SLOT, actor="test").issue
        house.clock.set(SLOT.draft_at + HOUR)
        later = named_slot(WEEKLY, ZONE, "2026-W33")
        second = draft_issue(installation, WEEKLY, later, actor="test").issue
        for each in (first, second):
            approve_issue(installation, each, actor="test")
        start_sending(installation, first, actor="test")
        with pytest.raises(Conflict, match="2026-W32"):
            start_sending(installation, second, actor="test")


def test_sending_begins_when_the_easternmost_reader_is_due(tmp_path: Path, house: House) -> None:
    path = tmp_path / "config.toml"
    local = "[newsletter.waves]\nlocal_time = true\n[[newsletter.section]]"
    text = path.read_text("utf-8").replace("[[newsletter.section]]", local, 1)
    path.write_text(text, encoding="utf-8")
    house.config = load_config(path, {})
    house.tick(SLOT.draft_at)
    house.approve()
    with (
        open_installation(house.config, house.clock) as installation,
        installation.database.write() as tx,
    ):
        for name, zone in (("ani", "Asia/Yerevan"), ("eva", None), ("mari", "Asia/Tokyo")):
            reader = Subscriber(name, f"{name}@reader.example", house.clock.now(), timezone=zone)
            tx.subscribers.add(reader, name)
            consent = Consent("import", "told on paper", house.clock.now())
            # The one in Tokyo reads nothing of this newsletter.
            state = SubscriptionState.UNSUBSCRIBED if name == "mari" else SubscriptionState.ACTIVE
            tx.subscribers.subscribe(name, "weekly", state, consent, house.clock.now(), "test")

    # 07:00 of Friday is 03:00 UTC in Yerevan and 11:00 UTC in New York.
    begins = SLOT.send_at - 8 * HOUR
    for early in (7 * HOUR, timedelta(minutes=1)):
        house.tick(begins - early)
        assert house.issues()[0].state is IssueState.APPROVED
    house.tick(begins)
    (found,) = house.issues()
    assert found.state is IssueState.SENDING
    with open_installation(house.config, house.clock) as installation:
        lines = wave_lines(installation, found)
    assert [(line.name, line.readers, line.starts_at) for line in lines] == [
        ("UTC+04:00", 1, begins),
        ("UTC-04:00", 1, SLOT.send_at),
    ]
