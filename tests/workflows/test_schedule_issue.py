"""Approved by two, sent at another time, taken back in time, skipped for a week."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.errors import ChecksAwaited, Conflict, InvalidTransition, UsageError
from newsletter.issues.acts import EditLine, Line
from newsletter.issues.lines import write_lines
from newsletter.issues.model import Issue, IssueState, SaveKind
from newsletter.publication.slots import next_slot
from newsletter.workflows.approve import approve_issue, waits_for_second
from newsletter.workflows.edit_issue import edit_issue, restore_version, undo_edit
from newsletter.workflows.installation import Installation
from newsletter.workflows.look_over import look_over
from newsletter.workflows.look_up import find_slot
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import move_issue
from newsletter.workflows.schedule_issue import (
    may_take_back,
    reschedule_issue,
    send_soon,
    skip_slot,
    take_back,
    take_in_slot,
)
from newsletter.workflows.soon import TAKE_BACK
from newsletter.workflows.tick import Act, decide, tick
from tests.acceptance.command_line import write_config
from tests.acceptance.moving_clock import MovingClock
from tests.contracts.nouns import NOW, an_issue

# NOW is a Tuesday; the issue goes out on Friday, 7 in New York.
SEND_AT = NOW.replace(day=8, hour=11)
NOTE = EditLine(Line.NOTE, "A quiet week.")


@dataclass
class House:
    installation: Installation
    clock: MovingClock
    issue: Issue

    @property
    def now(self) -> Issue:
        with self.installation.database.read() as tx:
            found = tx.issues.by_id(self.issue.public_id)
        assert found is not None
        return found

    def approve(self, actor: str, version: int | None = None) -> Issue:
        return approve_issue(self.installation, self.now, actor=actor, version=version)

    def soon(self, actor: str) -> Issue:
        """Look it over, and let it go out in a minute."""
        look_over(self.installation, self.now, ask=True)
        return send_soon(self.installation, self.now, actor=actor)

    def edit(self) -> Issue:
        return edit_issue(self.installation, self.issue.public_id, NOTE, actor="anna").issue


def open_house(folder: Path, approval: str) -> Iterator[House]:
    path = write_config(folder, feed="http://paper.example/feed/", port=25)
    text = path.read_text(encoding="utf-8")
    text = text.replace('send_at = "Fri 07:00"', f'send_at = "Fri 07:00"\napproval = "{approval}"')
    path.write_text(f'{text}\n[pictures]\nserved_by = "site"\n', encoding="utf-8")
    clock = MovingClock(NOW)
    with open_installation(load_config(path, {}), clock) as installation:
        settings = installation.settings()
        issue = write_lines(settings.newsletter[0], settings.publication, an_issue(send_at=SEND_AT))
        with installation.database.write() as tx:
            assert tx.issues.create(issue, NOW, "draft")
        yield House(installation, clock, issue)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    yield from open_house(tmp_path, "required")


@pytest.fixture
def careful(tmp_path: Path) -> Iterator[House]:
    yield from open_house(tmp_path, "two")


def test_two_people_approve_and_an_edit_between_voids(careful: House) -> None:
    first = careful.approve("anna")
    assert (first.state, first.first_approved_by) == (IssueState.DRAFT, "anna")
    assert waits_for_second(first)
    with pytest.raises(Conflict, match="another one has to approve it too"):
        careful.approve("anna")
    edited = careful.edit()
    assert (edited.first_approved_by, edited.first_approved_at) == ("", None)
    careful.approve("vartan")
    both = careful.approve("anna")
    assert (both.state, both.approved_by) == (IssueState.APPROVED, "anna")
    assert both.first_approved_by == "vartan"
    assert not waits_for_second(both)
    again = careful.edit()
    assert again.state is IssueState.APPROVED, "nothing changed, so nothing is voided"
    undone = undo_edit(careful.installation, careful.issue.public_id, actor="anna").issue
    assert (undone.state, undone.first_approved_by) == (IssueState.DRAFT, "")


def test_a_held_issue_wants_two_as_well(careful: House) -> None:
    held = IssueState.HELD
    careful.approve("anna")
    move_issue(careful.installation, careful.now, held, actor="anna", reason="We wait.")
    assert careful.now.first_approved_by == ""
    first = careful.approve("anna")
    assert (first.state, first.held_because) == (held, "We wait.")
    assert careful.approve("vartan").state is IssueState.APPROVED


def test_what_was_not_looked_at_is_not_approved(house: House) -> None:
    house.edit()
    with pytest.raises(Conflict, match="it is version 2 now, and you saw 1"):
        house.approve("anna", version=1)
    assert house.approve("anna", version=2).state is IssueState.APPROVED
    with pytest.raises(InvalidTransition, match="is approved already"):
        house.approve("vartan")


def test_another_time_keeps_the_approval_and_prints_the_new_day(house: House) -> None:
    house.approve("anna")
    later = SEND_AT + timedelta(days=3)
    moved = reschedule_issue(house.installation, house.issue, later, actor="anna")
    assert (moved.state, moved.send_at) == (IssueState.APPROVED, later)
    assert moved.date == later.date()
    assert house.issue.title == "Top Stories · Week 32"
    assert moved.title == "Top Stories · Week 33"
    with house.installation.database.read() as tx:
        newest = tx.issues.versions(moved.public_id)[-1]
        change = tx.changes.of("issue", moved.public_id)[-1]
    assert newest.save.kind is SaveKind.RESCHEDULED
    assert change.detail["changes"][0]["after"] == later.isoformat()
    back = restore_version(house.installation, moved.public_id, 1, actor="anna")
    assert back.issue.send_at == later
    assert back.issue.title == "Top Stories · Week 33"


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        (NOW, "is past"),
        (SEND_AT + timedelta(days=7), "has to go out before the next one, 2025-08-15 11:00 UTC"),
    ],
)
def test_no_time_that_is_past_or_the_next_ones(house: House, moved: datetime, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        reschedule_issue(house.installation, house.issue, moved, actor="anna")


def test_a_send_is_taken_back_within_its_minute(house: House) -> None:
    with pytest.raises(InvalidTransition, match="only an approved one"):
        send_soon(house.installation, house.issue, actor="anna")
    house.approve("anna")
    with pytest.raises(Conflict, match="has 0 readers, and you wrote 7"):
        send_soon(house.installation, house.issue, actor="anna", typed=7)
    with pytest.raises(ChecksAwaited, match="has to be looked over first"):
        send_soon(house.installation, house.issue, actor="anna", typed=0)
    soon = house.soon("anna")
    assert soon.send_at == NOW + TAKE_BACK
    newsletter = house.installation.settings().newsletter[0]
    assert decide(newsletter, soon, NOW + TAKE_BACK / 2).act is Act.NOTHING
    assert decide(newsletter, soon, NOW + TAKE_BACK).act is Act.SEND
    with house.installation.database.read() as tx:
        assert may_take_back(tx, soon, NOW)
        assert not may_take_back(tx, soon, NOW + TAKE_BACK)
    back = take_back(house.installation, soon, actor="anna")
    assert (back.state, back.send_at, back.date) == (IssueState.APPROVED, SEND_AT, house.issue.date)
    assert back.title == house.issue.title
    with pytest.raises(Conflict, match="goes out at its own time"):
        take_back(house.installation, back, actor="anna")


def test_what_was_late_is_held_when_its_send_is_taken_back(house: House) -> None:
    house.approve("anna")
    house.clock.set(SEND_AT + timedelta(minutes=5))
    soon = house.soon("anna")
    back = take_back(house.installation, soon, actor="anna")
    assert (back.state, back.held_because) == (IssueState.HELD, "the send was taken back")


def test_an_edit_in_the_minute_stops_it_too(house: House) -> None:
    house.approve("anna")
    house.soon("anna")
    edited = house.edit()
    assert (edited.state, edited.send_at, edited.date) == (
        *(IssueState.DRAFT, SEND_AT),
        house.issue.date,
    )
    with pytest.raises(InvalidTransition, match="is draft"):
        take_back(house.installation, house.issue, actor="anna")


def test_an_edit_in_the_minute_of_what_was_late_holds_it(house: House) -> None:
    house.approve("anna")
    house.clock.set(SEND_AT + timedelta(minutes=5))
    house.soon("anna")
    edited = house.edit()
    assert (edited.state, edited.send_at) == (IssueState.HELD, SEND_AT)
    assert edited.held_because.startswith("changed in the minute before it went out")
    assert edited.note == NOTE.text


def test_sent_soon_twice_it_is_taken_back_to_its_own_time(house: House) -> None:
    house.approve("anna")
    house.soon("anna")
    house.clock.set(NOW + timedelta(seconds=20))
    house.soon("anna")
    assert take_back(house.installation, house.issue, actor="anna").send_at == SEND_AT


def test_a_skipped_week_is_not_drafted(house: House) -> None:
    installation = house.installation
    settings = installation.settings()
    newsletter = settings.newsletter[0]
    with pytest.raises(Conflict, match="has an issue 2025-W32 already; cancel it"):
        skip_slot(installation, "weekly", "2025-W32", actor="anna")
    slot = skip_slot(installation, "weekly", "2025-W33", actor="anna")
    with pytest.raises(Conflict, match="skips 2025-W33 already"):
        skip_slot(installation, "weekly", "2025-W33", actor="anna")
    with pytest.raises(UsageError, match="is past"):
        skip_slot(installation, "weekly", "2025-W30", actor="anna")
    with pytest.raises(UsageError, match="is no slot"):
        skip_slot(installation, "weekly", "2025-08-05", actor="anna")
    with pytest.raises(UsageError, match="is an extra"):
        skip_slot(installation, "weekly", "2025-W33.x1", actor="anna")
    house.clock.set(slot.draft_at + timedelta(minutes=1))
    assert find_slot(installation, settings, newsletter, None).key == "2025-W34"
    zone = newsletter.zone_in(settings.publication)
    assert next_slot(newsletter, zone, installation.clock.now(), ()).key == "2025-W33"
    move_issue(installation, house.now, IssueState.CANCELLED, actor="anna")
    tick(installation)
    with installation.database.read() as tx:
        assert tx.issues.get("weekly", "2025-W33") is None
        acts = [change.act for change in tx.changes.of("newsletter", "weekly")]
    assert acts == ["slot skipped"]
    take_in_slot(installation, "weekly", "2025-W33", actor="anna")
    assert find_slot(installation, settings, newsletter, None).key == "2025-W33"
    with pytest.raises(Conflict, match="does not skip 2025-W33"):
        take_in_slot(installation, "weekly", "2025-W33", actor="anna")
