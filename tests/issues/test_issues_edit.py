"""An editor's acts: what each does, what it refuses, what holds after any of them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issues.acts import (
    Act,
    AddItem,
    CropItem,
    DropSection,
    EditItem,
    EditLine,
    HoldItem,
    LeadItem,
    Line,
    MoveItem,
    PinItem,
    RemoveItem,
    RestoreSection,
    RetitleSection,
    SetBlock,
    SwapItem,
)
from newsletter.issues.edit import Refusal, apply_act
from newsletter.issues.model import Block, BlockKind, Issue, ItemField
from newsletter.ranking.model import Pin
from tests.issues.desk_issue import DESK, a_desk_issue, an_item

ISSUE = a_desk_issue()
SLUGS = ("most-read", "latest", "arts", "picks", "none")
STORIES = st.integers(1, 16).map(lambda number: f"story{number}")
WORDS = st.sampled_from(["", "Other words", "Headline 5 of the week", "x" * 400, " two\nlines "])
ACTS: st.SearchStrategy[Act] = st.one_of(
    st.builds(
        MoveItem,
        STORIES,
        st.sampled_from(("", *SLUGS)),
        st.none() | st.integers(-1, 9),
        st.sampled_from((0, 0, -1, 1)),
    ),
    st.builds(PinItem, STORIES, st.booleans()),
    st.builds(LeadItem, STORIES),
    st.builds(RemoveItem, STORIES),
    st.builds(HoldItem, STORIES),
    st.builds(SwapItem, STORIES, st.integers(1, 18).map(an_item)),
    st.builds(
        AddItem,
        st.integers(1, 18).map(an_item),
        st.sampled_from(SLUGS),
        st.none() | st.integers(0, 8),
    ),
    st.builds(EditItem, STORIES, st.sampled_from(list(ItemField)), st.none() | WORDS),
    st.builds(CropItem, STORIES, st.sampled_from([None, (0.5, 0.1), (0.2, 0.9), (2.0, 0.0)])),
    st.builds(EditLine, st.sampled_from(list(Line)), st.none() | WORDS),
    st.builds(SetBlock, st.sampled_from([None, Block(BlockKind.NUMBER, "84", "pupils")])),
    st.builds(RetitleSection, st.sampled_from(SLUGS), st.none() | WORDS),
    st.builds(DropSection, st.sampled_from(SLUGS)),
    st.builds(RestoreSection, st.sampled_from(SLUGS)),
)


def done(issue: Issue, *acts: Act) -> Issue:
    for act in acts:
        after = apply_act(issue, act, DESK)
        assert not isinstance(after, Refusal), after
        issue = after
    return issue


def refused(issue: Issue, act: Act) -> str:
    after = apply_act(issue, act, DESK)
    assert isinstance(after, Refusal)
    return after.sentence


def order(issue: Issue, slug: str) -> list[int]:
    items = next(section.items for section in issue.sections if section.slug == slug)
    return [int(item.story_id.removeprefix("story")) for item in items]


@given(st.lists(ACTS, max_size=12))
def test_whatever_is_done_the_issue_holds_together(acts: list[Act]) -> None:
    issue = ISSUE
    for act in acts:
        after = apply_act(issue, act, DESK)
        if isinstance(after, Refusal):
            assert after.sentence.endswith(".")
            continue
        issue = after
        there = [item.story_id for item in issue.items]
        assert len(there) == len(set(there)), "no story comes twice"
        for section in issue.sections:
            assert [item.position for item in section.items] == [*range(1, len(section.items) + 1)]
            assert not {one.story_id for one in section.runners_up} & set(there)
        latest = [section for section in issue.sections if section.kind == "latest"]
        assert issue.lead in there if issue.lead else not (latest and latest[0].items)
        places = {(s.slug, i.position, i.story_id) for s in issue.sections for i in s.items}
        assert {(p.section, p.position, p.story_id) for p in issue.pins if p.story_id in there} <= (
            places
        )
        assert not set(there) & {*issue.excluded, *issue.held_over}
        assert len({pin.story_id for pin in issue.pins}) == len(issue.pins)
        slugs = [section.slug for section in issue.sections]
        assert len(slugs) == len(set(slugs))


def test_moving_pins_and_counts_anew() -> None:
    moved = done(ISSUE, MoveItem("story7", position=1))
    assert order(moved, "latest") == [7, 4, 5, 6]
    assert moved.pins == (Pin("latest", 1, "story7"),)
    down = done(moved, MoveItem("story7", by=1))
    assert order(down, "latest") == [4, 7, 5, 6]
    assert down.pins == (Pin("latest", 2, "story7"),)
    assert done(down, MoveItem("story4", by=-1)) == down, "it is at the top"
    across = done(ISSUE, MoveItem("story5", "arts", 2))
    assert (order(across, "latest"), order(across, "arts")) == ([4, 6, 7], [9, 5, 11])


def test_what_does_not_fit_is_refused_with_its_reason() -> None:
    assert "of Arts only" in refused(ISSUE, MoveItem("story4", "arts"))
    unread = AddItem(an_item(18, reads=None), "most-read")
    assert "No reads of" in refused(ISSUE, unread)
    assert "the last one is latest/4" in refused(ISSUE, MoveItem("story4", position=9))
    assert "at latest/2" in refused(ISSUE, AddItem(an_item(5), "picks"))
    told = refused(ISSUE, AddItem(an_item(40, headline="HEADLINE 5 of the week"), "picks"))
    assert "as “Headline 5 of the week”" in told
    assert 'no section "none"' in refused(ISSUE, DropSection("none"))
    assert "any more" in refused(ISSUE, LeadItem("story12"))
    assert "take the story out instead" in refused(
        ISSUE, EditItem("story4", ItemField.HEADLINE, " ")
    )


def test_a_removed_story_is_offered_and_kept_out() -> None:
    left = done(ISSUE, RemoveItem("story5"))
    assert order(left, "latest") == [4, 6, 7]
    offered = left.sections[1].runners_up[0]
    assert (offered.story_id, offered.reason) == ("story5", "An editor took it out.")
    assert left.excluded == ("story5",)
    back = done(left, AddItem(an_item(5), "latest", 2))
    assert order(back, "latest") == [4, 5, 6, 7]
    assert back.excluded == ()


def test_a_swap_leaves_the_place_and_the_lead() -> None:
    swapped = done(ISSUE, SwapItem("story4", an_item(14)))
    assert order(swapped, "latest") == [14, 5, 6, 7]
    assert swapped.lead == "story14"
    assert "Headline 14" in swapped.subject
    assert [one.story_id for one in swapped.sections[1].runners_up] == ["story4", "story15"]


def test_another_lead_writes_the_subject_unless_an_editor_did() -> None:
    led = done(ISSUE, LeadItem("story9"))
    assert (led.lead, led.lead_kept) == ("story9", True)
    assert led.subject == "Headline 9 of the week"
    own = done(ISSUE, EditLine(Line.SUBJECT, "  What we\nread "), LeadItem("story9"))
    assert own.subject == "What we read"
    assert done(own, EditLine(Line.SUBJECT, None)).subject == "Headline 9 of the week"


def test_the_lead_that_goes_has_a_follower() -> None:
    left = done(ISSUE, LeadItem("story6"), RemoveItem("story6"))
    assert left.lead == "story4"
    assert not left.lead_kept
    held = done(ISSUE, HoldItem("story4"))
    assert (held.lead, held.held_over) == ("story5", ("story4",))


def test_words_are_changed_for_the_mail_and_reset_to_the_sites() -> None:
    edits = (
        EditItem("story4", ItemField.HEADLINE, "Ours"),
        EditItem("story4", ItemField.EXCERPT, "In short."),
        EditItem("story4", ItemField.ALT, "A square"),
        CropItem("story4", (0.5, 0.1)),
    )
    issue = done(ISSUE, *edits)
    item = issue.sections[1].items[0]
    assert (item.headline, item.excerpt) == ("Ours", "In short.")
    assert item.picture is not None
    assert (item.picture.alt, item.picture.focus, item.picture.files) == (
        "A square",
        (0.5, 0.1),
        (),
    )
    assert item.site.headline == "Headline 4 of the week"
    assert set(item.changed) == {
        ItemField.HEADLINE,
        ItemField.EXCERPT,
        ItemField.ALT,
        ItemField.CROP,
    }
    for field in item.changed:
        issue = done(issue, EditItem("story4", field, None))
    assert issue == ISSUE
    without = done(ISSUE, EditItem("story4", ItemField.PICTURE, ""))
    assert without.sections[1].items[0].changed == (ItemField.PICTURE,)
    assert done(without, EditItem("story4", ItemField.PICTURE, None)) == ISSUE


def test_saying_what_the_site_says_is_no_edit() -> None:
    edited = done(ISSUE, EditItem("story4", ItemField.HEADLINE, "Ours"))
    assert done(edited, EditItem("story4", ItemField.HEADLINE, "Headline 4 of the week")) == ISSUE


def test_a_section_goes_and_comes_back_as_it_was() -> None:
    gone = done(ISSUE, DropSection("most-read"))
    assert [section.slug for section in gone.sections] == ["latest", "arts"]
    assert done(gone, RestoreSection("most-read")) == ISSUE
    taken = done(gone, AddItem(an_item(2), "latest"), RestoreSection("most-read"))
    assert order(taken, "most-read") == [1, 3], "what came in elsewhere stays there"


def test_a_section_that_the_draft_left_out_is_begun_by_adding() -> None:
    added = done(ISSUE, AddItem(an_item(18), "picks"))
    assert order(added, "picks") == [18]
    assert added.sections[-1].title == "Our picks"
    assert [section.slug for section in done(ISSUE, RestoreSection("picks")).sections][
        -1
    ] == "picks"


def test_a_section_is_called_otherwise_and_again_as_it_was_made() -> None:
    called = done(ISSUE, RetitleSection("latest", "New this week"))
    assert (called.sections[1].title, called.sections[1].made_title) == ("New this week", "Latest")
    again = done(called, RetitleSection("latest", "Newer"))
    assert again.sections[1].made_title == "Latest"
    assert done(again, RetitleSection("latest", None)) == ISSUE


@pytest.mark.parametrize("slug", ["latest", "arts"])
def test_the_last_section_stays(slug: str) -> None:
    one = replace(ISSUE, sections=tuple(s for s in ISSUE.sections if s.slug == slug))
    assert "all that the issue has" in refused(one, DropSection(slug))


def test_the_note_keeps_bold_italic_and_links_alone() -> None:
    pasted = (
        '<p onclick="x()">Dear <b>readers</b>, <a href="javascript:x">no</a>,</p>'
        '<script>x</script><p><a href="https://paper.example/a">yes</a></p>'
    )
    note = done(ISSUE, EditLine(Line.NOTE, pasted)).note
    assert note == "Dear **readers**, no,\n\n[yes](https://paper.example/a)"
