"""A draft that nobody opens the desk for: its mail with buttons, reminders, and the rule."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.demo.catcher import MailCatcher
from newsletter.errors import ChecksAwaited, Conflict, NewsletterError
from newsletter.issues.acts import EditLine, Line
from newsletter.issues.model import Issue, IssueState
from newsletter.publication.editors import Editor, Role
from newsletter.subscribers.model import Consent, Subscriber, SubscriptionState
from newsletter.workflows.edit_issue import edit_issue
from newsletter.workflows.editors import add_editor, remove_editor
from newsletter.workflows.look_over import look_over
from newsletter.workflows.mail_preview import do_act, read_act
from newsletter.workflows.opening import open_installation
from newsletter.workflows.unattended import Rule, reminder_due, rule_for
from tests.acceptance.moving_clock import MovingClock
from tests.acceptance.weekly_feed import weekly_feed
from tests.workflows.test_tick import DEADLINE, HOUR, SLOT, WEEKLY, House, issue

BEGAN = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("unapproved", ["hold", "send", "safe"])
@pytest.mark.parametrize(
    ("now", "acts"),
    [
        (SLOT.send_at - HOUR, False),
        (SLOT.send_at, True),
        (DEADLINE, True),
        (DEADLINE + HOUR, False),
    ],
)
def test_the_rule_holds_from_the_issues_time_to_its_deadline(
    unapproved: str, now: datetime, acts: bool
) -> None:
    newsletter = WEEKLY.model_copy(update={"unapproved": unapproved})
    wanted = Rule.WAIT if unapproved == "hold" or not acts else Rule(unapproved)
    assert rule_for(newsletter, issue(IssueState.DRAFT), SLOT.send_at, now) is wanted


@pytest.mark.parametrize(
    ("before", "number"),
    [(4 * HOUR, None), (3 * HOUR, 0), (2 * HOUR, 0), (HOUR, 1), (timedelta(0), None)],
)
def test_reminders_come_at_their_times(before: timedelta, number: int | None) -> None:
    found = reminder_due(WEEKLY, SLOT.send_at, SLOT.send_at - before)
    assert found == number
    silent = WEEKLY.model_copy(update={"reminders": ()})
    assert reminder_due(silent, SLOT.send_at, SLOT.send_at - before) is None


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = MovingClock(SLOT.draft_at - timedelta(days=3))
    with weekly_feed(clock, BEGAN) as feed, MailCatcher(tmp_path / "outbox") as catcher:
        yield House(tmp_path, clock, feed, catcher)


def let_in(house: House, role: Role, name: str) -> Editor:
    with open_installation(house.config, house.clock) as installation:
        return add_editor(
            installation.database,
            address=f"{name.lower()}@paper.example",
            name=name,
            role=role,
            actor="test",
            now=house.clock.now(),
        )


def mails(house: House, to: Editor) -> list[tuple[str, str]]:
    """(subject, text part) of what came for an editor."""
    house.notices()
    found = []
    for path in sorted(house.outbox.glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        text = mail.get_body(("plain",))
        if mail["To"] == to.address and text is not None:
            found.append((str(mail["Subject"]), text.get_content()))
    return found


def buttons(house: House, to: Editor) -> dict[str, str]:
    """The tokens of the preview mail's buttons, by the line above each."""
    (preview,) = [text for subject, text in mails(house, to) if subject.startswith("[Preview]")]
    return {
        label.strip(): token
        for label, token in re.findall(r"(.+)\n\S+/act/(\S+)", preview.replace("=\n", ""))
    }


def test_who_may_approve_is_reminded_first_and_then_everybody(house: House) -> None:
    house.tick(SLOT.draft_at - timedelta(days=3))
    nare, anna = let_in(house, Role.ADMIN, "Nare"), let_in(house, Role.EDITOR, "Anna")
    house.tick(SLOT.draft_at)
    for minutes in (0, 1, 90):
        house.tick(SLOT.send_at - 3 * HOUR + timedelta(minutes=minutes))
    reminded = [[s for s, _ in mails(house, who) if s.startswith("Still")] for who in (nare, anna)]
    assert list(map(len, reminded)) == [1, 0]
    house.tick(SLOT.send_at - HOUR)
    reminded = [[s for s, _ in mails(house, who) if s.startswith("Still")] for who in (nare, anna)]
    assert list(map(len, reminded)) == [2, 1]


def drafted(house: House) -> Issue:
    return house.issues()[0]


@pytest.mark.parametrize("unapproved", ["send", "safe"])
def test_what_nobody_approved_goes_out_by_the_rule(
    house: House, tmp_path: Path, unapproved: str
) -> None:
    path = tmp_path / "config.toml"
    text = path.read_text(encoding="utf-8")
    assert "[[newsletter]]" in text
    path.write_text(
        text.replace("[[newsletter]]", f'[[newsletter]]\nunapproved = "{unapproved}"', 1),
        encoding="utf-8",
    )
    house.config = load_config(path, {})
    house.tick(SLOT.draft_at - timedelta(days=3))
    house.tick(SLOT.draft_at)
    with open_installation(house.config, house.clock) as installation:
        act = EditLine(Line.NOTE, "Half a thought")
        edit_issue(installation, drafted(house).public_id, act, actor="anna")
    house.tick(SLOT.send_at - timedelta(minutes=1))
    assert drafted(house).state is IssueState.DRAFT
    house.tick(SLOT.send_at)
    sent = drafted(house)
    assert sent.state in (IssueState.SENDING, IssueState.SENT)
    assert sent.note == ("Half a thought" if unapproved == "send" else "")


def local_house(house: House, folder: Path, *zones: str) -> None:
    """Let readers in those zones be served by their own clocks, and what nobody approves go."""
    path = folder / "config.toml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("[[newsletter]]", '[[newsletter]]\nunapproved = "send"', 1)
    local = "[newsletter.waves]\nlocal_time = true\n[[newsletter.section]]"
    path.write_text(text.replace("[[newsletter.section]]", local, 1), encoding="utf-8")
    house.config = load_config(path, {})
    house.tick(SLOT.draft_at - timedelta(days=3))
    now = house.clock.now()
    with (
        open_installation(house.config, house.clock) as installation,
        installation.database.write() as tx,
    ):
        for zone in zones:
            reader = Subscriber(zone, f"{zone[-3:]}@reader.example", now, timezone=zone)
            tx.subscribers.add(reader, zone)
            consent, active = Consent("import", "told on paper", now), SubscriptionState.ACTIVE
            tx.subscribers.subscribe(zone, "weekly", active, consent, now, "test")


def test_reminders_and_the_rule_count_from_the_first_readers_time(
    house: House, tmp_path: Path
) -> None:
    local_house(house, tmp_path, "Asia/Yerevan", "America/New_York")
    nare = let_in(house, Role.ADMIN, "Nare")
    # 07:00 of Friday is 03:00 UTC in Yerevan and 11:00 UTC in New York.
    begins = SLOT.send_at - 8 * HOUR
    house.tick(SLOT.draft_at)
    for before in (3 * HOUR + timedelta(minutes=1), 3 * HOUR):
        house.tick(begins - before)
    reminded = [text for subject, text in mails(house, nare) if subject.startswith("Still")]
    assert len(reminded) == 1
    assert "due on Thursday, August 6, 23:00" in " ".join(reminded[0].split())
    house.tick(begins - timedelta(minutes=1))
    assert drafted(house).state is IssueState.DRAFT
    house.tick(begins)
    assert drafted(house).state is IssueState.SENDING


def test_a_draft_changed_after_the_first_readers_time_waits_for_its_own(
    house: House, tmp_path: Path
) -> None:
    local_house(house, tmp_path, "Asia/Yerevan", "America/New_York")
    house.tick(SLOT.draft_at)
    house.clock.set(SLOT.send_at - 8 * HOUR + timedelta(minutes=1))
    with open_installation(house.config, house.clock) as installation:
        edit_issue(installation, drafted(house).public_id, EditLine(Line.NOTE, "A"), actor="anna")
    house.tick(SLOT.send_at - timedelta(minutes=1))
    assert drafted(house).state is IssueState.DRAFT
    house.tick(SLOT.send_at)
    assert drafted(house).state is IssueState.SENDING


def test_each_button_does_one_thing_for_one_editor_and_version(house: House) -> None:
    house.tick(SLOT.draft_at - timedelta(days=3))
    nare, anna = let_in(house, Role.ADMIN, "Nare"), let_in(house, Role.EDITOR, "Anna")
    house.tick(SLOT.draft_at)
    house.tick(SLOT.draft_at + timedelta(minutes=1))
    of_nare, of_anna = buttons(house, nare), buttons(house, anna)
    assert {"Approve", "An hour later", "Hold it"} <= set(of_nare)
    # Who may not approve is offered no such button.
    assert {"Approve", "An hour later"}.isdisjoint(of_anna)
    assert "Hold it" in of_anna
    with open_installation(house.config, house.clock) as installation:
        before = drafted(house)
        for token in (*of_nare.values(), *of_anna.values()):
            read_act(installation, token)
        assert drafted(house) == before
        with pytest.raises(ChecksAwaited, match="has to be looked over first"):
            do_act(installation, of_nare["Approve"])
        look_over(installation, before, ask=True)
        do_act(installation, of_nare["Approve"])
        approved = drafted(house)
        assert (approved.state, approved.approved_by) == (IssueState.APPROVED, nare.public_id)
        # Any edit makes the others void.
        act = EditLine(Line.SUBJECT, "Another")
        edit_issue(installation, before.public_id, act, actor=anna.public_id)
        for token in of_nare.values():
            with pytest.raises(Conflict, match="changed since"):
                do_act(installation, token)


def test_a_button_ends_with_the_issues_time_and_with_its_editor(house: House) -> None:
    house.tick(SLOT.draft_at - timedelta(days=3))
    let_in(house, Role.ADMIN, "Nare")
    anna = let_in(house, Role.PUBLISHER, "Anna")
    house.tick(SLOT.draft_at)
    token = buttons(house, anna)["Approve"]
    with open_installation(house.config, house.clock) as installation:
        house.clock.set(SLOT.send_at + HOUR)
        with pytest.raises(NewsletterError, match="expired"):
            do_act(installation, token)
        house.clock.set(SLOT.send_at - HOUR)
        remove_editor(
            installation.database, anna.public_id, actor="test", now=installation.clock.now()
        )
        with pytest.raises(NewsletterError, match="nobody's any more"):
            do_act(installation, token)
        for forged in ("", token[:-1], token.replace(".approve.", ".hold."), "a.b.c"):
            with pytest.raises(NewsletterError, match="link"):
                do_act(installation, forged)
    assert drafted(house).state is IssueState.DRAFT
