"""An issue whose stories are not as they were: what is gone is replaced, the rest stays."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from newsletter.issues.assemble import Material, assemble_issue
from newsletter.issues.mend import keep_places, mend_issue, narrow_plan, retitle
from newsletter.issues.model import Issue
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import named_slot
from newsletter.ranking.model import Instructions, Pin
from newsletter.sources.model import GONE
from newsletter.stories.model import Story
from tests.issues.test_issues_assemble import NEW, NOW, PUBLICATION, TOP, newsletter, story

STORIES = tuple(story(n, days=n * 0.9 + 0.1, departments=()) for n in range(16))
READS = {"top": {"s1": 500, "s3": 400, "s5": 300, "s6": 200, "s8": 100}}
PICK = {"slug": "pick", "kind": "editors_pick", "title": "Our pick", "minimum": 1}
LETTER = newsletter({**TOP, "max_per_department": 0}, {**NEW, "count": 4})


def assemble(letter: Newsletter, material: Material, instructions: Instructions) -> Issue:
    slot = named_slot(letter, letter.zone_in(PUBLICATION), "2025-W32")
    return assemble_issue(letter, PUBLICATION, slot, material, NOW, instructions=instructions).issue


def draft(letter: Newsletter = LETTER, *pins: Pin, **said: Any) -> Issue:
    return assemble(letter, Material(STORIES, READS), Instructions(pins, **said))


def mend(
    issue: Issue,
    gone: set[str],
    letter: Newsletter = LETTER,
    reads: dict[str, dict[str, int]] = READS,
) -> tuple[Issue, tuple[str, ...]]:
    withdrawn = dict.fromkeys(sorted(gone), "site no longer has it")
    stories = tuple(replace(s, hidden=GONE) if s.public_id in gone else s for s in STORIES)
    again = assemble(
        narrow_plan(letter, issue), Material(stories, reads), keep_places(issue, withdrawn)
    )
    return mend_issue(letter, PUBLICATION, issue, again, withdrawn)


def ids(issue: Issue) -> dict[str, list[str]]:
    return {section.slug: [i.story_id for i in section.items] for section in issue.sections}


def test_the_next_candidate_comes_and_the_lines_are_written_again() -> None:
    issue = draft()
    assert ids(issue) == {"top": ["s1", "s3", "s5"], "new": ["s0", "s2", "s4", "s6"]}
    mended, told = mend(issue, {"s0"})
    assert ids(mended) == {"top": ["s1", "s3", "s5"], "new": ["s2", "s4", "s6", "s7"]}
    assert mended.sections[0] == issue.sections[0]
    assert mended.lead == "s2"
    assert mended.subject == "Headline number 2"
    assert "number 0" not in mended.preheader
    assert mended.sections[1].items[3].reasons[0] == "Takes the place of “Headline number 0”."
    assert told == (
        "“Headline number 0” is out: site no longer has it. “Headline number 7” takes its place.",
        "“Headline number 2” leads the issue.",
    )


def test_a_section_never_takes_what_another_has() -> None:
    # s6 is the next by reads, and stays among the latest where it is.
    mended, _ = mend(draft(), {"s3"})
    assert ids(mended) == {"top": ["s1", "s5", "s8"], "new": ["s0", "s2", "s4", "s6"]}


def test_most_read_stays_in_the_order_of_its_reads() -> None:
    grown = {"top": {**READS["top"], "s8": 450, "s5": 420}}
    mended, _ = mend(draft(), {"s3"}, reads=grown)
    top = mended.sections[0].items
    assert [(item.story_id, item.reads) for item in top] == [("s1", 500), ("s8", 450), ("s5", 420)]


def test_what_an_editor_said_still_holds() -> None:
    issue = draft(LETTER, Pin("new", 3, "s12"), excluded=frozenset({"s7"}), held=frozenset({"s9"}))
    assert ids(issue)["new"] == ["s0", "s2", "s12", "s4"]
    mended, _ = mend(issue, {"s0", "s2"})
    assert ids(mended)["new"] == ["s4", "s6", "s12", "s8"]
    assert (mended.pins, mended.excluded, mended.held_over) == (issue.pins, ("s7",), ("s9",))
    without_pin, told = mend(issue, {"s12"})
    assert ids(without_pin)["new"] == ["s0", "s2", "s4", "s6"]
    assert len(told) == 1


def test_a_section_below_its_minimum_goes() -> None:
    letter = newsletter(PICK, LETTER.sections[1].model_dump())
    issue = draft(letter, Pin("pick", 1, "s12"))
    mended, told = mend(issue, {"s12"}, letter)
    assert list(ids(mended)) == ["new"]
    assert told == (
        "“Headline number 12” is out: site no longer has it. Nothing takes its place.",
        "“Our pick” was left out: too few stories are left for it.",
    )


def test_a_section_that_the_settings_lost_keeps_what_is_left() -> None:
    issue = draft()
    mended, told = mend(issue, {"s1"}, newsletter({**NEW, "count": 4}))
    assert ids(mended)["top"] == ["s3", "s5"]
    assert [item.position for item in mended.sections[0].items] == [1, 2]
    assert told[0].endswith("Nothing takes its place.")


@given(st.sets(st.sampled_from([s.public_id for s in STORIES]), max_size=8))
def test_what_is_left_stays_and_nothing_comes_twice(gone: set[str]) -> None:
    issue = draft()
    lost = gone & {item.story_id for item in issue.items}
    mended, told = mend(issue, gone)
    found = [item.story_id for item in mended.items]
    assert len(set(found)) == len(found)
    assert not gone & set(found)
    for before in issue.sections:
        after = ids(mended).get(before.slug, [])
        assert len(after) <= len(before.items)
        assert {item.story_id for item in before.items} - gone <= set(after)
    assert bool(told) == bool(lost)
    assert mended.lead in found
    assert mended.subject == next(i.headline for i in mended.items if i.story_id == mended.lead)


def test_headlines_are_taken_or_told_of() -> None:
    issue = draft()
    stories: dict[str, Story] = {s.public_id: s for s in STORIES}
    assert retitle(issue, stories, take=True) == (issue, ())
    stories["s0"] = replace(stories["s0"], title="Better", url="https://paper.example/better")
    taken, told = retitle(issue, stories, take=True)
    kept, flagged = retitle(issue, stories, take=False)
    item, other = (next(i for i in each.items if i.story_id == "s0") for each in (taken, kept))
    assert (item.headline, other.headline) == ("Better", "Headline number 0")
    # A link that leads nowhere helps nobody.
    assert item.url == other.url == "https://paper.example/better"
    assert told == ("“Headline number 0” is called “Better” now.",)
    assert flagged[0].endswith("the issue keeps the old headline.")


def test_a_flagged_headline_stays_where_its_section_is_mended() -> None:
    issue = draft()
    letter = LETTER
    withdrawn = {"s0": "site no longer has it"}
    stories = tuple(replace(s, title="Better") if s.public_id == "s2" else s for s in STORIES[1:])
    again = assemble(
        narrow_plan(letter, issue), Material(stories, READS), keep_places(issue, withdrawn)
    )
    mended, _ = mend_issue(letter, PUBLICATION, issue, again, withdrawn)
    assert mended.subject == "Headline number 2"
