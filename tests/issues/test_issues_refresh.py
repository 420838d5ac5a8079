"""An issue chosen anew keeps what editors said of the one before."""

from dataclasses import replace

from newsletter.issues.acts import (
    AddItem,
    DropSection,
    EditItem,
    EditLine,
    LeadItem,
    Line,
    RemoveItem,
    RetitleSection,
)
from newsletter.issues.edit import Refusal, apply_act
from newsletter.issues.model import Issue, ItemField
from newsletter.issues.refresh import carry_over, instructions_of, plan_anew
from tests.issues.desk_issue import DESK, a_desk_issue, an_item

ISSUE = a_desk_issue()
ACTS = (
    EditItem("story5", ItemField.HEADLINE, "Ours"),
    EditItem("story5", ItemField.ALT, "A square"),
    EditLine(Line.SUBJECT, "Our subject"),
    EditLine(Line.NOTE, "A quiet week."),
    RemoveItem("story7"),
    LeadItem("story9"),
    AddItem(an_item(15), "latest", 1),
    RetitleSection("latest", "New"),
    DropSection("most-read"),
)


def edited() -> Issue:
    issue = ISSUE
    for act in ACTS:
        done = apply_act(issue, act, DESK)
        assert not isinstance(done, Refusal), done
        issue = done
    return issue


def test_pins_words_and_what_was_taken_out_stay() -> None:
    issue = edited()
    said = instructions_of(issue, DESK.newsletter)
    assert {(pin.section, pin.position, pin.story_id) for pin in said.pins} == {
        ("latest", 1, "story15"),
        ("arts", 1, "story9"),
    }
    assert said.excluded == {"story7"}
    plan = plan_anew(DESK.newsletter, issue)
    assert [one.slug for one in plan.sections] == ["latest", "arts", "picks"]
    fresh = [an_item(15), an_item(8), an_item(5, headline="Headline 5 by the site")]
    latest = replace(ISSUE.sections[1], items=tuple(fresh), title="Latest")
    made = replace(ISSUE, sections=(latest, ISSUE.sections[2]), lead="story15", note="")
    whole = carry_over(issue, made, DESK.newsletter, DESK.publication)
    assert (whole.subject, whole.note, whole.lead) == ("Our subject", "A quiet week.", "story9")
    assert (whole.sections[0].title, whole.sections[0].made_title) == ("New", "Latest")
    item = whole.sections[0].items[2]
    assert (item.headline, item.site.headline) == ("Ours", "Headline 5 by the site")
    assert item.picture is not None
    assert item.picture.alt == "A square"
    assert [one.section.slug for one in whole.dropped] == ["most-read"]
    assert whole.excluded == ("story7",)
    # The preheader was made from the stories, and is again.
    assert whole.preheader != issue.preheader


def test_a_pin_beyond_the_plan_finds_room() -> None:
    issue = ISSUE
    for number in range(30, 34):
        done = apply_act(issue, AddItem(an_item(number), "latest"), DESK)
        assert not isinstance(done, Refusal)
        issue = done
    plan = plan_anew(DESK.newsletter, issue)
    assert {one.slug: one.count for one in plan.sections}["latest"] == 8
