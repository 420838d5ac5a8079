"""Editors at one issue: what is kept, what is told, what two of them do to each other."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.config import load_config
from newsletter.errors import (
    Conflict,
    EditClash,
    EditRefused,
    InvalidTransition,
    NotFound,
    RevertRefused,
)
from newsletter.issues.acts import (
    Act,
    AddItem,
    DropSection,
    EditItem,
    EditLine,
    LeadItem,
    Line,
    MoveItem,
    RemoveItem,
    SwapItem,
)
from newsletter.issues.model import Issue, IssueState, ItemField, SaveKind
from newsletter.workflows.approve import approve_issue
from newsletter.workflows.edit_issue import (
    Edited,
    edit_issue,
    redo_edit,
    restore_version,
    undo_edit,
)
from newsletter.workflows.installation import Installation
from newsletter.workflows.opening import open_installation
from newsletter.workflows.publish import move_issue
from tests.acceptance.command_line import write_config
from tests.acceptance.moving_clock import MovingClock
from tests.contracts.nouns import NOW
from tests.issues.desk_issue import a_desk_issue, an_item

# Its pictures are the site's, so that nothing is fetched.
_REST = """
[[newsletter.section]]
slug = "arts"
kind = "department"
department = "Arts"
title = "Arts"
[[newsletter.section]]
slug = "picks"
kind = "editors_pick"
title = "Our picks"
[pictures]
served_by = "site"
"""
CLOCK = MovingClock(NOW)
NOTE = EditLine(Line.NOTE, "A quiet week.")


@dataclass
class House:
    installation: Installation
    issue: Issue
    clock: MovingClock

    def edit(self, act: Act, actor: str = "anna", version: int | None = None) -> Edited:
        return edit_issue(
            self.installation, self.issue.public_id, act, actor=actor, version=version
        )

    def undo(self, actor: str = "anna", past: int = 0) -> Edited:
        return undo_edit(self.installation, self.issue.public_id, actor=actor, past=past)

    def redo(self, actor: str = "anna", past: int = 0) -> Edited:
        return redo_edit(self.installation, self.issue.public_id, actor=actor, past=past)

    @property
    def now(self) -> Issue:
        with self.installation.database.read() as tx:
            found = tx.issues.by_id(self.issue.public_id)
        assert found is not None
        return found

    def begin(self) -> None:
        """The issue as it was drafted, for the next example."""
        with self.installation.database.write() as tx:
            tx.issues.move(self.issue.public_id, set(IssueState), IssueState.CANCELLED, "test", NOW)
            assert tx.issues.create(self.issue, NOW, "draft")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder: Path = tmp_path_factory.mktemp("house")
    path = write_config(folder, feed="http://paper.example/feed/", port=25)
    with path.open("a", encoding="utf-8") as config:
        config.write(_REST)
    with open_installation(load_config(path, {}), CLOCK) as installation:
        yield installation


@pytest.fixture
def house(opened: Installation) -> House:
    CLOCK.set(NOW)
    made = House(opened, a_desk_issue(), CLOCK)
    with opened.database.read() as tx:
        there = tx.issues.by_id(made.issue.public_id)
    if there is None:
        with opened.database.write() as tx:
            assert tx.issues.create(made.issue, NOW, "draft")
    else:
        made.begin()
    return made


def same(one: Issue, other: Issue) -> bool:
    return replace(one, version=0) == replace(other, version=0)


def test_an_act_is_kept_with_who_and_what(house: House) -> None:
    done = house.edit(MoveItem("story7", position=1))
    assert done.version == 2
    assert done.told == "moved “Headline 7 of the week” to latest/1"
    with house.installation.database.read() as tx:
        first, second = tx.issues.versions(house.issue.public_id)
        change = tx.changes.of("issue", house.issue.public_id)[-1]
    assert (first.actor, first.save.kind) == ("draft", SaveKind.DRAFTED)
    assert (second.number, second.actor, second.save.told) == (2, "anna", done.told)
    assert (change.actor, change.act) == ("anna", "edited")
    assert {"part": "story:story7:place", "before": "latest/4", "after": "latest/1"} in (
        change.detail["changes"]
    )


def test_what_is_so_already_is_no_version(house: House) -> None:
    first = house.edit(NOTE)
    again = house.edit(NOTE)
    assert (first.version, again.version, again.told) == (2, 2, "")


def test_a_refusal_saves_nothing(house: House) -> None:
    with pytest.raises(EditRefused, match="the last one is latest/4"):
        house.edit(MoveItem("story7", position=9))
    assert house.now == house.issue


def test_acts_on_other_parts_are_done_on_top(house: House) -> None:
    house.edit(NOTE, "anna", version=1)
    done = house.edit(MoveItem("story7", position=1), "vartan", version=1)
    assert done.version == 3
    assert done.issue.note == "A quiet week."
    assert done.issue.sections[1].items[0].story_id == "story7"
    assert [version.actor for version in done.others] == ["anna"]
    assert done.notices == ("Meanwhile anna (12:00 UTC) wrote the note.",)


def test_of_the_same_part_both_are_shown_and_nothing_is_lost(house: House) -> None:
    house.edit(EditItem("story4", ItemField.HEADLINE, "Hers"), "anna", version=1)
    with pytest.raises(EditClash) as clash:
        house.edit(EditItem("story4", ItemField.HEADLINE, "His"), "vartan", version=1)
    (told,) = clash.value.clashes
    assert told == (
        "anna changed the headline of “Headline 4 of the week” at 12:00 UTC: it was “Headline 4 "
        "of the week”, is “Hers”, and you would have “His”."
    )
    assert house.now.sections[1].items[0].headline == "Hers"
    # The same thing twice is no clash.
    assert house.edit(EditItem("story4", ItemField.HEADLINE, "Hers"), "vartan", 1).version == 2
    assert house.edit(EditItem("story4", ItemField.HEADLINE, "His"), "vartan", 2).version == 3


def test_a_story_that_another_took_out_is_told(house: House) -> None:
    house.edit(RemoveItem("story7"), "anna", version=1)
    with pytest.raises(
        EditRefused, match=r"not in issue .* any more. Meanwhile anna .* took “Head"
    ):
        house.edit(EditItem("story7", ItemField.HEADLINE, "His"), "vartan", version=1)
    with pytest.raises(EditClash, match="is “out”, and you would have “latest/1”"):
        house.edit(MoveItem("story7", position=1), "vartan", version=1)


def test_a_section_is_not_dropped_with_what_came_in_since(house: House) -> None:
    house.edit(MoveItem("story5", "arts", 1), "anna", version=1)
    with pytest.raises(EditClash, match="the place of “Headline 5"):
        house.edit(DropSection("arts"), "vartan", version=1)


def test_an_edit_takes_the_approval_back(house: House) -> None:
    approve_issue(house.installation, house.issue, actor="publisher")
    done = house.edit(NOTE)
    assert done.revoked
    assert done.issue.state is IssueState.DRAFT
    assert (done.issue.approved_by, done.issue.approved_at) == ("", None)
    assert "approve it anew" in done.notices[0]
    with house.installation.database.read() as tx:
        acts = [change.act for change in tx.changes.of("issue", house.issue.public_id)]
    assert acts[-3:] == ["approved", "draft", "edited"]


def test_a_held_issue_stays_held(house: House) -> None:
    held = move_issue(
        house.installation, house.issue, IssueState.HELD, actor="anna", reason="We wait."
    )
    done = house.edit(NOTE)
    assert (done.issue.state, done.issue.held_because) == (held.state, "We wait.")


@pytest.mark.parametrize("state", sorted(set(IssueState) - {"draft", "approved", "held"}))
def test_what_is_on_its_way_is_not_edited(house: House, state: IssueState) -> None:
    with house.installation.database.write() as tx:
        tx.issues.move(house.issue.public_id, {IssueState.DRAFT}, state, "test", NOW)
    for act in (lambda: house.edit(NOTE), house.undo, house.redo):
        with pytest.raises(InvalidTransition, match=f"is {state}"):
            act()
    assert house.now.version == 1


def test_undo_and_redo_are_each_editors_own(house: House) -> None:
    house.edit(EditLine(Line.SUBJECT, "Annas"), "anna")
    house.edit(MoveItem("story7", position=1), "vartan")
    house.edit(EditLine(Line.PREHEADER, "Annas line"), "anna")
    assert house.undo("vartan").issue.subject == "Annas"
    assert house.now.preheader == "Annas line"
    assert [i.story_id for i in house.now.sections[1].items] == [
        "story4",
        "story5",
        "story6",
        "story7",
    ]
    house.undo("anna")
    assert house.undo("anna").issue.subject == house.issue.subject
    with pytest.raises(Conflict, match="nothing that you could undo"):
        house.undo("anna")
    assert house.redo("anna").issue.subject == "Annas"
    assert house.redo("vartan").issue.sections[1].items[0].story_id == "story7"
    assert house.redo("anna").issue.preheader == "Annas line"
    with pytest.raises(Conflict, match="nothing that you could redo"):
        house.redo("anna")
    assert house.now.version == 10


def test_an_undo_does_not_take_what_another_wrote(house: House) -> None:
    house.edit(EditLine(Line.SUBJECT, "Annas"), "anna")
    house.edit(EditLine(Line.SUBJECT, "Vartans"), "vartan")
    with pytest.raises(RevertRefused, match=r"vartan changed the subject at .*, which stands"):
        house.undo("anna")
    house.undo("vartan")
    assert house.undo("anna").issue.subject == house.issue.subject


def test_an_undo_steps_over_what_another_changed(house: House) -> None:
    before = house.issue
    house.edit(RemoveItem("story7"), "anna")
    house.edit(EditLine(Line.SUBJECT, "Annas"), "anna")
    house.edit(EditLine(Line.PREHEADER, "Annas"), "anna")
    house.edit(EditLine(Line.SUBJECT, "Vartans"), "vartan")
    house.undo("anna")
    with pytest.raises(RevertRefused) as refused:
        house.undo("anna")
    undone = house.undo("anna", past=refused.value.version).issue
    assert undone.sections == before.sections
    assert (undone.subject, undone.preheader) == ("Vartans", before.preheader)
    # What was stepped over is in the way of no later press.
    with pytest.raises(Conflict, match="nothing that you could undo"):
        house.undo("anna")
    house.edit(EditLine(Line.NOTE, "Annas"), "anna")
    assert house.undo("anna").issue.note == before.note


def test_a_redo_steps_over_what_another_changed(house: House) -> None:
    house.edit(EditLine(Line.SUBJECT, "Annas"), "anna")
    house.edit(EditLine(Line.PREHEADER, "Annas"), "anna")
    house.undo("anna")
    house.undo("anna")
    house.edit(EditLine(Line.SUBJECT, "Vartans"), "vartan")
    with pytest.raises(RevertRefused, match="“wrote the subject” can't be done again") as refused:
        house.redo("anna")
    redone = house.redo("anna", past=refused.value.version).issue
    assert (redone.subject, redone.preheader) == ("Vartans", "Annas")


def test_an_earlier_version_comes_back_as_a_new_one(house: House) -> None:
    house.edit(NOTE)
    house.edit(RemoveItem("story1"))
    house.edit(LeadItem("story9"))
    back = restore_version(house.installation, house.issue.public_id, 2, actor="vartan")
    assert back.version == 5
    assert back.issue.note == "A quiet week."
    assert same(back.issue, replace(house.issue, note="A quiet week."))
    assert house.undo("vartan").issue.lead == "story9"
    with pytest.raises(NotFound, match="version 99"):
        restore_version(house.installation, house.issue.public_id, 99, actor="vartan")


def test_what_is_typed_is_one_version_and_undone_at_once(house: House) -> None:
    house.edit(MoveItem("story7", position=1))
    for text in ("A", "A quiet", "A quiet week"):
        typed = house.edit(EditLine(Line.NOTE, text))
    assert typed.version == 5, "numbers grow all the same"
    with house.installation.database.read() as tx:
        versions = tx.issues.versions(house.issue.public_id)
    assert [one.number for one in versions] == [1, 2, 5]
    assert [(one.before, one.after) for one in versions[-1].save.changes] == [("", "A quiet week")]
    # Another part, another editor, or a pause begins anew.
    assert house.edit(EditLine(Line.SUBJECT, "Ours")).version == 6
    house.edit(EditLine(Line.SUBJECT, "Theirs"), "vartan")
    house.clock.sleep(180)
    house.edit(EditLine(Line.SUBJECT, "Theirs now"), "vartan")
    with house.installation.database.read() as tx:
        versions = tx.issues.versions(house.issue.public_id)
    assert [one.number for one in versions] == [1, 2, 5, 6, 7, 8]
    house.undo("vartan")
    assert house.undo("vartan").issue.subject == "Ours"
    assert house.undo().issue.subject == house.issue.subject
    undone = house.undo().issue
    assert (undone.note, undone.sections[1].items[0].story_id) == ("", "story7")
    assert house.redo().issue.note == "A quiet week"
    with pytest.raises(NotFound, match="version 4 of issue 2025-W32 is not kept"):
        restore_version(house.installation, house.issue.public_id, 4, actor="anna")


def test_who_looked_at_a_version_that_was_gone_on_with_loses_nothing(house: House) -> None:
    house.edit(EditLine(Line.NOTE, "A"))
    house.edit(EditLine(Line.NOTE, "A quiet"))
    done = house.edit(MoveItem("story7", position=1), "vartan", version=2)
    assert (done.version, done.issue.note) == (4, "A quiet")
    with pytest.raises(EditClash, match="is “A quiet”, and you would have “His”"):
        house.edit(EditLine(Line.NOTE, "His"), "vartan", version=2)


def test_what_was_approved_stays_a_version(house: House) -> None:
    house.edit(EditLine(Line.NOTE, "A"))
    approve_issue(house.installation, house.now, actor="anna")
    house.edit(EditLine(Line.NOTE, "A quiet"))
    with house.installation.database.read() as tx:
        assert [one.number for one in tx.issues.versions(house.issue.public_id)] == [1, 2, 3]


STORIES = st.integers(1, 11).map(lambda number: f"story{number}")
ACTS = st.one_of(
    st.builds(MoveItem, STORIES, st.sampled_from(["", "latest"]), st.integers(1, 4)),
    st.builds(RemoveItem, STORIES),
    st.builds(LeadItem, STORIES),
    st.builds(SwapItem, STORIES, st.integers(12, 15).map(an_item)),
    st.builds(AddItem, st.integers(12, 18).map(an_item), st.sampled_from(["latest", "picks"])),
    st.builds(EditItem, STORIES, st.just(ItemField.HEADLINE), st.sampled_from([None, "A", "B"])),
    st.builds(EditLine, st.sampled_from(list(Line)), st.sampled_from([None, "One", "Two"])),
    st.builds(DropSection, st.sampled_from(["arts", "latest"])),
)


@given(st.lists(st.tuples(ACTS, st.sampled_from(["anna", "vartan"])), max_size=5))
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_versions_only_grow_and_undo_gives_the_same_issue(
    house: House, acts: list[tuple[Act, str]]
) -> None:
    house.begin()
    seen = [house.now]
    for act, actor in acts:
        before = house.now
        try:
            after = house.edit(act, actor).issue
        except (EditRefused, Conflict):
            assert house.now == before
            continue
        if after.version == before.version:
            assert after == before
            continue
        assert after.version == before.version + 1
        undone = house.undo(actor).issue
        assert same(undone, before)
        redone = house.redo(actor).issue
        assert same(redone, after)
        assert redone.version == after.version + 2
        seen.append(redone)
    for old in seen:
        with house.installation.database.read() as tx:
            kept = tx.issues.at_version(house.issue.public_id, old.version)
        assert kept is not None
        assert same(kept, old)
