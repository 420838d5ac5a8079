"""An editor's corrections: what they change, what they leave, what they are told."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import NotFound, UsageError
from newsletter.issues.correct import Correction, correct_issue, describe_changes, find_leftovers
from newsletter.issues.model import Block, BlockKind
from tests.contracts.nouns import an_issue

ISSUE = an_issue(note="From the editors.")


def test_the_block_is_changed_and_taken_out() -> None:
    block = Block(BlockKind.NUMBER, "84", "pupils")
    corrected = correct_issue(ISSUE, Correction(block=block))
    assert corrected.block == block
    assert describe_changes(ISSUE, corrected) == ("the block",)
    assert correct_issue(corrected, Correction(note="")).block == block
    assert correct_issue(corrected, Correction(block=Block(BlockKind.QUOTE, ""))).block is None


def test_lines_and_stories_are_changed_where_asked() -> None:
    corrected = correct_issue(
        ISSUE,
        Correction(
            subject="  A better\nsubject ",
            note="",
            headlines={"most-read/1": "A better headline"},
            summaries={"story2": "In short."},
            links={"story2": "https://paper.example/right"},
        ),
    )
    first, second = corrected.items
    assert (corrected.subject, corrected.preheader) == ("A better subject", ISSUE.preheader)
    assert corrected.note == ""
    assert (first.headline, first.url) == ("A better headline", ISSUE.items[0].url)
    assert (second.excerpt, second.url) == ("In short.", "https://paper.example/right")
    assert describe_changes(ISSUE, corrected) == (
        "the subject",
        "the note",
        "the headline of most-read/1",
        "the summary of most-read/2",
        "the link of most-read/2",
    )


def test_a_story_that_is_taken_out_leaves_the_others_their_places() -> None:
    corrected = correct_issue(ISSUE, Correction(removed=("most-read/1",)))
    assert [item.position for item in corrected.items] == [2]
    assert describe_changes(ISSUE, corrected) == ("most-read/1 is out",)
    assert correct_issue(corrected, Correction(removed=("most-read/2",))).items == ()


def test_a_story_in_two_places_is_changed_in_both() -> None:
    (section,) = ISSUE.sections
    twice = replace(ISSUE, sections=(section, replace(section, slug="latest")))
    corrected = correct_issue(twice, Correction(headlines={"latest/1": "A better headline"}))
    changed = ("the headline of most-read/1", "the headline of latest/1")
    assert describe_changes(twice, corrected) == changed


@pytest.mark.parametrize(
    "correction",
    [
        Correction(headlines={"story9": "x"}),
        Correction(summaries={"latest/1": "x"}),
        Correction(removed=("most-read/3",)),
    ],
)
def test_an_unknown_story_is_named_with_those_there_are(correction: Correction) -> None:
    with pytest.raises(NotFound, match="most-read/1, most-read/2"):
        correct_issue(ISSUE, correction)


@pytest.mark.parametrize(
    "correction", [Correction(headlines={"story1": " "}), Correction(links={"story1": ""})]
)
def test_a_story_keeps_a_headline_and_a_link(correction: Correction) -> None:
    with pytest.raises(UsageError, match="story1 would be empty"):
        correct_issue(ISSUE, correction)


@pytest.mark.parametrize(
    ("subject", "before", "after", "told"),
    [
        (
            "Mayor resigns over bridge plans at last",
            "Mayor resigns over bridge plans at last",
            "x",
            1,
        ),
        ("Mayor resigns over bridge plans…", "Mayor resigns over bridge plans at last", "x", 1),
        ("The week in the paper", "Mayor resigns over bridge plans at last", "x", 0),
        ("Mayor resigns", "Mayor resigns", "Mayor resigns", 0),
    ],
)
def test_a_subject_that_still_has_the_old_headline_is_told(
    subject: str, before: str, after: str, told: int
) -> None:
    issue = correct_issue(ISSUE, Correction(subject=subject, headlines={"story1": before}))
    corrected = correct_issue(issue, Correction(headlines={"story1": after}))
    notices = find_leftovers(issue, corrected)
    assert len([one for one in notices if "subject" in one.sentence]) == told


TEXT = st.text(min_size=1).filter(str.strip)


@given(
    st.builds(
        Correction,
        subject=st.none() | st.text(),
        preheader=st.none() | st.text(),
        note=st.none() | st.text(),
        headlines=st.dictionaries(st.sampled_from(["story1", "most-read/2"]), TEXT),
        removed=st.lists(st.sampled_from(["most-read/1", "story2"])).map(tuple),
    )
)
def test_the_same_correction_again_changes_nothing(correction: Correction) -> None:
    once = correct_issue(ISSUE, correction)
    assert (once == ISSUE) == (describe_changes(ISSUE, once) == ())
    again = replace(correction, removed=(), headlines={})
    assert correct_issue(once, again) == once
