"""Issues: one a slot, guarded moves, what ran before."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.delivery.model import LedgerCounts
from newsletter.errors import NotFound
from newsletter.issues.model import (
    FreshCheck,
    Issue,
    IssueState,
    Item,
    PartChange,
    Save,
    SaveKind,
    Section,
)
from newsletter.publication.cadence import Edition
from newsletter.ranking.model import PastUse, Pin
from newsletter.storage.database import Database
from newsletter.storage.versions import VERSIONS_KEPT
from tests.contracts.nouns import (
    ACCEPTED,
    DEFERRED,
    LEASE,
    NOW,
    a_mailing,
    an_issue,
    start_sending,
)
from tests.contracts.one_at_a_time import Workers

DRAFT, APPROVED, HELD = IssueState.DRAFT, IssueState.APPROVED, IssueState.HELD
WEEK = timedelta(days=7)


def create(database: Database, *issues: Issue) -> None:
    with database.write() as tx:
        for issue in issues:
            assert tx.issues.create(issue, NOW, "test")


def test_an_issue_comes_back_whole(database: Database) -> None:
    issue = an_issue(note="Dear readers, ա\0", state=DRAFT)
    create(database, issue)
    with database.read() as tx:
        assert tx.issues.get("weekly", "2025-W32") == issue
        assert tx.issues.by_id(issue.public_id) == issue
        assert tx.issues.get("daily", "2025-W32") is None
        assert tx.issues.by_id("none") is None
        (change,) = tx.changes.of("issue", issue.public_id)
    assert (change.act, change.actor, change.detail["slot"]) == ("drafted", "test", "2025-W32")


def test_one_issue_a_slot(database: Database) -> None:
    create(database, an_issue(), an_issue(public_id="other", newsletter="daily"))
    with database.write() as tx:
        assert not tx.issues.create(an_issue(public_id="second", title="Mine"), NOW, "test")
        assert tx.issues.get("weekly", "2025-W32") == an_issue()


def test_an_issue_of_an_unknown_newsletter(database: Database) -> None:
    with pytest.raises(NotFound, match='"none"'):
        create(database, an_issue(newsletter="none"))


def test_one_of_many_threads_wins_the_slot(database: Database) -> None:
    barrier = threading.Barrier(4)
    won: list[str] = []

    def draft(number: int) -> None:
        barrier.wait()
        with database.write() as tx:
            if tx.issues.create(an_issue(public_id=f"issue{number}"), NOW, "test"):
                won.append(f"issue{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(draft, range(4)))
    with database.read() as tx:
        found = tx.issues.get("weekly", "2025-W32")
    assert found is not None
    assert won == [found.public_id]


def test_moves_are_guarded_and_logged(database: Database) -> None:
    create(database, an_issue())
    public_id = "issue-2025-W32"
    with database.write() as tx:
        assert not tx.issues.move(public_id, {APPROVED}, IssueState.SENDING, "anna", NOW)
        assert not tx.issues.move("none", {DRAFT}, APPROVED, "anna", NOW)
        assert not tx.issues.move(public_id, set(), APPROVED, "anna", NOW)
        assert tx.issues.move(public_id, {DRAFT}, APPROVED, "anna", NOW)
        assert not tx.issues.move(public_id, {DRAFT}, APPROVED, "ben", NOW)
        issue = tx.issues.by_id(public_id)
        acts = [(c.act, c.actor) for c in tx.changes.of("issue", public_id)]
    assert issue == an_issue(state=APPROVED, approved_by="anna", approved_at=NOW)
    assert acts == [("drafted", "test"), ("approved", "anna")]


def test_holding_keeps_the_reason_until_it_is_released(database: Database) -> None:
    create(database, an_issue())
    public_id = "issue-2025-W32"
    with database.write() as tx:
        tx.issues.move(public_id, {DRAFT}, APPROVED, "anna", NOW)
        tx.issues.move(public_id, {APPROVED}, HELD, "scheduler", NOW, reason="it was late")
        assert tx.issues.by_id(public_id) == an_issue(state=HELD, held_because="it was late")
        assert tx.changes.of("issue", public_id)[-1].detail == {
            "before": {"state": "approved"},
            "after": {"state": "held"},
            "version": 1,
            "subject": an_issue().subject,
            "reason": "it was late",
        }
        tx.issues.move(public_id, {HELD}, DRAFT, "anna", NOW)
        assert tx.issues.by_id(public_id) == an_issue()


def test_only_drafts_and_held_issues_are_edited(database: Database) -> None:
    create(database, an_issue())
    edited = an_issue(title="Another", sections=(), send_at=NOW + WEEK)
    with database.write() as tx:
        assert tx.issues.replace(edited, "anna", NOW)
        assert tx.issues.by_id(edited.public_id) == replace(edited, version=2)
        tx.issues.move(edited.public_id, {DRAFT}, APPROVED, "anna", NOW)
        assert not tx.issues.replace(an_issue(), "anna", NOW)
        approved = tx.issues.by_id(edited.public_id)
    assert approved == replace(
        edited, state=APPROVED, approved_by="anna", approved_at=NOW, version=2
    )


def test_each_save_is_a_version_and_the_newest_alone_is_changed(database: Database) -> None:
    create(database, an_issue())
    save = Save(
        SaveKind.EDITED,
        "wrote the note",
        (PartChange("note", "", "Dear readers"),),
        frozenset({"note"}),
    )
    with database.write() as tx:
        assert tx.issues.replace(an_issue(note="Dear readers"), "anna", NOW, save)
        assert not tx.issues.replace(an_issue(note="Late"), "vartan", NOW), "made of the first"
        first, second = tx.issues.versions("issue-2025-W32")
        assert (first.number, first.actor, first.save.kind) == (1, "test", SaveKind.DRAFTED)
        assert (second.number, second.actor, second.at, second.save) == (2, "anna", NOW, save)
        assert tx.issues.at_version("issue-2025-W32", 1) == an_issue(version=1)
        assert tx.issues.at_version("issue-2025-W32", 3) == tx.issues.by_id("issue-2025-W32")
        assert tx.issues.at_version("issue-2025-W32", 0) is None
        change = tx.changes.of("issue", "issue-2025-W32")[-1]
    assert change.detail["changes"] == [{"part": "note", "before": "", "after": "Dear readers"}]


def test_of_many_versions_the_last_are_kept(database: Database) -> None:
    create(database, an_issue())
    with database.write() as tx:
        for number in range(1, VERSIONS_KEPT + 5):
            edited = an_issue(note=f"{number}", version=number)
            assert tx.issues.replace(edited, "anna", NOW)
        kept = tx.issues.versions("issue-2025-W32")
    # Besides the draft.
    assert len(kept) == VERSIONS_KEPT + 1
    assert [kept[0].number, kept[1].number, kept[-1].number] == [1, 6, VERSIONS_KEPT + 5]


def test_an_issue_of_before_versions_were_kept_has_one_to_go_back_to(database: Database) -> None:
    create(database, an_issue())
    with database.write() as tx:
        tx.connection.execute(sa.text("DELETE FROM issue_version"))
        assert tx.issues.replace(an_issue(note="Now"), "anna", NOW)
        assert [one.number for one in tx.issues.versions("issue-2025-W32")] == [1, 2]
        assert tx.issues.at_version("issue-2025-W32", 1) == an_issue()


def test_recent_and_in_states(database: Database) -> None:
    create(
        database,
        an_issue("2025-W30", send_at=NOW - 2 * WEEK, state=IssueState.SENT),
        an_issue("2025-W32", state=HELD),
        an_issue("2025-W31", send_at=NOW - WEEK, state=IssueState.SENT),
        an_issue("2025-08-05", newsletter="daily", state=DRAFT),
    )
    with database.read() as tx:
        assert [i.slot for i in tx.issues.recent("weekly", 2)] == ["2025-W32", "2025-W31"]
        assert len(tx.issues.recent(None, 10)) == 4
        assert [i.slot for i in tx.issues.in_states({IssueState.SENT})] == ["2025-W30", "2025-W31"]
        assert tx.issues.in_states([]) == []


def an_issue_of(slot: str, weeks_ago: int, state: IssueState, *stories: str) -> Issue:
    sections = (
        Section("most-read", "most_read", "", "", tuple(Item(s, 1, s, "u") for s in stories[:1])),
        Section("latest", "latest", "", "", tuple(Item(s, 1, s, "u") for s in stories[1:])),
    )
    return an_issue(slot, send_at=NOW - weeks_ago * WEEK, state=state, sections=sections)


def test_previous_and_past_uses(database: Database) -> None:
    create(
        database,
        an_issue_of("2025-W26", 6, IssueState.SENT, "a", "z"),
        an_issue_of("2025-W27", 5, IssueState.SENT, "b"),
        an_issue_of("2025-W28", 4, IssueState.CANCELLED, "a"),
        an_issue_of("2025-W29", 3, IssueState.RECALLED, "a", "b"),
        an_issue_of("2025-W29.x1", 3, IssueState.SENT, "e"),
        an_issue_of("2025-W30", 2, IssueState.HELD, "a"),
        an_issue_of("2025-W31", 1, IssueState.PAUSED, "c", "a"),
        an_issue_of("2025-W32", 0, IssueState.SENT, "d"),
    )
    with database.read() as tx:
        previous = tx.issues.previous("weekly", NOW)
        older = tx.issues.previous("weekly", NOW - WEEK)
        assert tx.issues.previous("weekly", NOW - 6 * WEEK) is None
        assert tx.issues.previous("daily", NOW) is None
        uses = tx.issues.past_uses("weekly", NOW, 3)
        assert tx.issues.past_uses("weekly", NOW, 0) == {}
    assert previous is not None
    assert previous.slot == "2025-W31"
    assert older is not None
    assert older.slot == "2025-W29"
    assert uses == {
        "c": (PastUse("most-read", "most_read", "2025-W31", 1),),
        "a": (
            PastUse("latest", "latest", "2025-W31", 1),
            PastUse("most-read", "most_read", "2025-W29", 2),
        ),
        "e": (PastUse("most-read", "most_read", "2025-W29.x1", 2),),
        "b": (
            PastUse("latest", "latest", "2025-W29", 2),
            PastUse("most-read", "most_read", "2025-W27", 3),
        ),
    }


def test_each_edition_goes_its_own_way(database: Database) -> None:
    monthly = replace(an_issue_of("2025-07", 1, IssueState.SENT, "a", "b"), edition=Edition.MONTHLY)
    create(database, an_issue_of("2025-W30", 2, IssueState.SENT, "a"), monthly)
    with database.read() as tx:
        assert tx.issues.get("weekly", "2025-07") == monthly
        regular = tx.issues.previous("weekly", NOW)
        of_month = tx.issues.previous("weekly", NOW, Edition.MONTHLY)
        uses = tx.issues.past_uses("weekly", NOW, 9)
        monthly_uses = tx.issues.past_uses("weekly", NOW, 9, Edition.MONTHLY)
    assert regular is not None
    assert of_month is not None
    assert (regular.slot, of_month.slot) == ("2025-W30", "2025-07")
    assert {story: [use.slot for use in found] for story, found in uses.items()} == {
        "a": ["2025-W30"]
    }
    assert {slot.slot for found in monthly_uses.values() for slot in found} == {"2025-07"}


def cancel(database: Database) -> None:
    with database.write() as tx:
        assert tx.issues.move(
            "issue-2025-W32",
            {DRAFT, IssueState.SENDING, IssueState.PAUSED},
            IssueState.CANCELLED,
            "anna",
            NOW,
        )


def test_a_cancelled_issue_is_drafted_again(database: Database) -> None:
    create(database, an_issue())
    cancel(database)
    again = an_issue(public_id="again", title="Better", send_at=NOW + WEEK)
    with database.write() as tx:
        assert tx.issues.create(again, NOW, "test")
        assert tx.issues.get("weekly", "2025-W32") == again
        assert tx.issues.by_id("issue-2025-W32") is None
        assert not tx.issues.create(an_issue(), NOW, "test")


def test_a_cancelled_issue_that_reached_nobody_gives_way(
    database: Database, ledger: Workers
) -> None:
    start_sending(database, 3)
    held, deferred = ledger.claim("w", NOW, LEASE, 2)
    ledger.record(deferred, "w", DEFERRED, NOW)
    cancel(database)
    again = an_issue(state=IssueState.SENDING)
    with database.write() as tx:
        assert tx.issues.create(again, NOW, "test")
        assert tx.mailings.counts(again.public_id) == LedgerCounts()
        tx.mailings.create(a_mailing("mailing-2"), key="2", issue_id=again.public_id)
        assert tx.mailings.enqueue_audience("mailing-2", "weekly", NOW) == 3
    # The worker that still holds a row of the old issue must not send it.
    assert not ledger.hand_over(held, "w", NOW)


def test_a_cancelled_issue_that_somebody_has_stays(database: Database, ledger: Workers) -> None:
    start_sending(database, 2)
    (delivery,) = ledger.claim("w", NOW, LEASE, 1)
    assert ledger.hand_over(delivery, "w", NOW)
    cancel(database)
    with database.write() as tx:
        assert not tx.issues.create(an_issue(public_id="again"), NOW, "test")
    ledger.record(delivery, "w", ACCEPTED, NOW)
    with database.write() as tx:
        assert not tx.issues.create(an_issue(public_id="again"), NOW, "test")
        assert tx.mailings.counts("issue-2025-W32") == LedgerCounts(queued=1, accepted=1)


def test_a_fresh_check_changes_an_approved_issue_only(database: Database) -> None:
    issue = an_issue(state=APPROVED)
    create(database, issue)
    story = replace(issue.items[0], story_id="story9", headline="Headline 9")
    check = FreshCheck(NOW, ("“Headline 1” is out.",), ("site could not be asked.",))
    fresh = replace(
        issue,
        sections=(replace(issue.sections[0], items=(story,)),),
        checks=(check,),
        pins=(Pin("latest", 1, "story9"),),
        excluded=("story8",),
    )
    with database.write() as tx:
        assert tx.issues.freshen(fresh, "anna", NOW)
        assert tx.issues.by_id(issue.public_id) == replace(fresh, version=2)
        assert tx.issues.move(issue.public_id, {APPROVED}, IssueState.SENDING, "anna", NOW)
        assert not tx.issues.freshen(issue, "anna", NOW)
        assert [item.story_id for item in tx.issues.by_id(issue.public_id).items] == ["story9"]
        # Where stories ran is what went out.
        assert set(tx.issues.past_uses("weekly", issue.send_at + WEEK, 4)) == {"story9"}
        acts = {c.act: c.detail for c in tx.changes.of("issue", issue.public_id)}
    assert acts["freshened"] == {"changes": ["“Headline 1” is out."]}
