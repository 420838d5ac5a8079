"""Two editors at one issue, by plain forms: each sends what their page holds."""

from dataclasses import replace

import pytest
from httpx2 import Response
from selectolax.lexbor import LexborHTMLParser, LexborNode

from newsletter.issues.model import Issue, Item
from newsletter.publication.editors import Role
from newsletter.stories.model import Picture
from tests.web.desk.people import Person, put_editor, sign_in
from tests.web.desk.test_desk_issue import PATH, bare_issue, order, stored, told_after
from tests.web.site import Site
from tests.web.test_web_issues import put_issue

LINES = "#lines-form"
STORY = "#story-form"
WORDS = f"{PATH}/stories/read2"


@pytest.fixture
def anna(site: Site) -> Person:
    put_issue(site, bare_issue())
    return sign_in(site, put_editor(site, Role.EDITOR, "anna@paper.example", name="Anna"))


@pytest.fixture
def berta(anna: Person) -> Person:
    return sign_in(
        anna.site, put_editor(anna.site, Role.EDITOR, "berta@paper.example", name="Berta")
    )


def fields_of(html: str, form: str) -> dict[str, str]:
    """What a browser would send of a form as it stands in a page, without its button."""
    found = LexborHTMLParser(html).css_first(form)
    assert found is not None, form
    sent: dict[str, str] = {}
    for node in found.css("input, textarea, select"):
        name, kind = node.attributes.get("name"), node.attributes.get("type")
        if name and (kind != "radio" or "checked" in node.attributes):
            sent[name] = _value(node)
    del sent["csrf"]
    return sent


def _value(node: LexborNode) -> str:
    if node.tag == "textarea":
        return node.text()
    if node.tag == "select":
        chosen = node.css_first("option[selected]") or node.css_first("option")
        return (chosen.attributes["value"] or "") if chosen else ""
    return node.attributes.get("value") or ""


def look(person: Person, form: str = LINES, path: str = PATH) -> dict[str, str]:
    """The form of a page that somebody opens now."""
    return fields_of(person.get(path).text, form)


def save(person: Person, act: str, form: dict[str, str], **typed: str) -> Response:
    return person.post(PATH, {**form, **typed, "act": act})


def problem_of(answer: Response) -> str:
    assert answer.status_code == 409
    problem = LexborHTMLParser(answer.text).css_first("#problem")
    assert problem is not None
    return problem.text()


def item_of(issue: Issue, story: str = "read2") -> Item:
    return next(item for item in issue.items if item.story_id == story)


def test_of_two_lines_neither_goes_over_what_another_wrote_in_one(
    anna: Person, berta: Person
) -> None:
    begun = stored(anna.site)
    hers, theirs = look(anna), look(berta)
    told_after(berta, save(berta, "lines", theirs, note="Half an hour of work"))
    answer = save(anna, "lines", hers, subject="Of Anna", note="Of Anna too")
    assert "Berta changed the note" in problem_of(answer)
    assert (stored(anna.site).subject, stored(anna.site).note) == (
        begun.subject,
        "Half an hour of work",
    )
    # Both still stand in their fields; saved once more, knowing theirs, they go in.
    again = fields_of(answer.text, LINES)
    assert (again["subject"], again["note"]) == ("Of Anna", "Of Anna too")
    told_after(anna, save(anna, "lines", again))
    assert (stored(anna.site).subject, stored(anna.site).note) == ("Of Anna", "Of Anna too")


def test_what_was_not_typed_is_never_put_back(anna: Person, berta: Person) -> None:
    hers, theirs = look(anna), look(berta)
    told_after(berta, save(berta, "lines", theirs, subject="Of Berta", note="Of Berta"))
    answer = save(anna, "lines", hers, note="Of Anna")
    again = fields_of(answer.text, LINES)
    assert (again["subject"], again["note"]) == ("Of Berta", "Of Anna")
    told_after(anna, save(anna, "lines", again))
    assert (stored(anna.site).subject, stored(anna.site).note) == ("Of Berta", "Of Anna")


def test_somebody_who_types_on_is_in_nobodys_way(anna: Person, berta: Person) -> None:
    told_after(anna, save(anna, "lines", look(anna), subject="Of Ann"))
    theirs = look(berta)
    anna.site.clock.sleep(3)
    told_after(anna, save(anna, "lines", look(anna), subject="Of Anna and others"))
    told_after(berta, save(berta, "lines", theirs, note="Of Berta"))
    assert stored(anna.site).subject == "Of Anna and others"
    assert stored(anna.site).note == "Of Berta"


def test_what_goes_on_with_a_save_whose_answer_was_lost_is_no_clash(anna: Person) -> None:
    begun = look(anna)
    save(anna, "lines", begun, subject="Half a sent")
    anna.site.clock.sleep(3)
    told_after(anna, save(anna, "lines", begun, subject="Half a sentence, and the rest"))
    assert stored(anna.site).subject == "Half a sentence, and the rest"


def test_of_two_words_of_a_story_neither_goes_over_what_another_wrote(
    anna: Person, berta: Person
) -> None:
    before = item_of(stored(anna.site))
    hers, theirs = look(anna, STORY, WORDS), look(berta, STORY, WORDS)
    told_after(berta, save(berta, "story", theirs, excerpt="Words of Berta"))
    answer = save(anna, "story", hers, headline="Headline of Anna", excerpt="Words of Anna")
    assert "Berta changed the excerpt" in problem_of(answer)
    item = item_of(stored(anna.site))
    assert (item.headline, item.excerpt) == (before.headline, "Words of Berta")
    again = fields_of(answer.text, STORY)
    assert (again["headline"], again["excerpt"]) == ("Headline of Anna", "Words of Anna")
    told_after(anna, save(anna, "story", again))
    item = item_of(stored(anna.site))
    assert (item.headline, item.excerpt) == ("Headline of Anna", "Words of Anna")


def test_a_form_is_saved_as_a_whole_or_not_at_all(anna: Person) -> None:
    before = stored(anna.site)
    form = look(anna, STORY, WORDS)
    answer = save(anna, "story", form, headline="A good one", excerpt="x" * 1_300)
    assert "1,300 characters" in problem_of(answer)
    assert stored(anna.site) == before
    again = fields_of(answer.text, STORY)
    assert (again["headline"], again["excerpt"]) == ("A good one", "x" * 1_300)


def test_one_undo_takes_back_one_save(anna: Person) -> None:
    before = stored(anna.site)
    form = look(anna, STORY, WORDS)
    told = told_after(anna, save(anna, "story", form, headline="Anew", excerpt="Anew too"))
    assert "changed the headline" in told
    assert "changed the excerpt" in told
    assert stored(anna.site).version == before.version + 1
    told_after(anna, anna.post(PATH, {"act": "undo"}))
    assert item_of(stored(anna.site)) == item_of(before)


def test_one_undo_takes_back_one_save_beneath_what_others_did(anna: Person, berta: Person) -> None:
    before = stored(anna.site)
    item = item_of(before)
    shown = replace(item, picture=Picture("https://paper.example/a.jpg", alt="A road"))
    sections = tuple(
        replace(one, items=tuple(shown if i is item else i for i in one.items))
        for one in before.sections
    )
    put_issue(anna.site, replace(before, public_id="other", slot="2025-W33", sections=sections))
    path = "/desk/issues/other"
    form = look(anna, STORY, f"{path}/stories/read2")
    typed = {**form, "act": "story", "headline": "Anew", "alt": "A new road"}
    told_after(anna, anna.post(path, typed))
    theirs = look(berta, LINES, path)
    told_after(berta, berta.post(path, {**theirs, "act": "lines", "note": "Of Berta"}))
    told_after(anna, anna.post(path, {"act": "undo"}))
    with anna.site.database.read() as tx:
        now = tx.issues.by_id("other")
    assert now is not None
    assert item_of(now) == shown
    assert now.note == "Of Berta"


def test_an_undo_steps_over_what_another_changed_and_says_so(anna: Person, berta: Person) -> None:
    before = stored(anna.site)
    told_after(anna, save(anna, "lines", look(anna), note="Of Anna"))
    told_after(anna, save(anna, "story", look(anna, STORY, WORDS), headline="Of Anna"))
    told_after(berta, save(berta, "story", look(berta, STORY, WORDS), headline="Of Berta"))
    answer = anna.post(PATH, {"act": "undo"})
    told = problem_of(answer)
    assert "“changed the headline of" in told
    assert "Berta changed the headline" in told
    assert "Before that: wrote the note" in told
    assert "in its field" not in answer.text
    told_after(anna, anna.post(PATH, {**fields_of(answer.text, "#told form"), "act": "undo"}))
    now = stored(anna.site)
    assert (now.note, item_of(now).headline) == (before.note, "Of Berta")


def test_what_was_taken_back_is_called_by_what_it_was(anna: Person) -> None:
    told_after(anna, anna.post(PATH, {"act": "remove", "story": "read2"}))
    for act in ("undo", "redo", "undo"):
        told_after(anna, anna.post(PATH, {"act": act}))
    bar = LexborHTMLParser(anna.get(PATH).text).css_first("#told")
    assert bar is not None
    act = "took “A Village of Eleven Keeps Its School Open” out"
    said = [" ".join(node.text().split()) for node in bar.css("p, button")]
    assert said == [f"You took back: {act}", f"Redo: {act}"]


@pytest.mark.parametrize(
    ("act", "form", "typed"),
    [
        ("block", "#block-form", {"kind": "number", "text": "y" * 1_300, "source": "letters"}),
        ("retitle", "#title-form-latest", {"text": "z" * 400}),
    ],
)
def test_what_is_refused_still_stands_in_its_field(
    anna: Person, act: str, form: str, typed: dict[str, str]
) -> None:
    answer = save(anna, act, look(anna, form), **typed)
    assert "characters" in problem_of(answer)
    again = fields_of(answer.text, form)
    assert {name: again[name] for name in typed} == typed


def test_words_for_a_story_that_was_taken_out_are_kept_and_put_it_back(
    anna: Person, berta: Person
) -> None:
    before = stored(anna.site)
    form = look(anna, STORY, WORDS)
    theirs = look(berta, STORY, WORDS)
    told_after(berta, save(berta, "story", theirs, excerpt="Of Berta"))
    told_after(berta, berta.post(PATH, {"act": "remove", "story": "read2"}))
    answer = save(anna, "story", form, headline="Too late")
    assert "is not in issue" in problem_of(answer)
    assert "Meanwhile Berta" in problem_of(answer)
    assert "saved nowhere" in answer.text
    again = fields_of(answer.text, STORY)
    # Her words, and what else was made of the story before it was taken out.
    assert (again["headline"], again["excerpt"]) == ("Too late", "Of Berta")
    assert 'value="back"' in answer.text
    too_long = save(anna, "back", again, headline="x" * 400)
    assert "400 characters" in problem_of(too_long)
    again = fields_of(too_long.text, STORY)
    told = told_after(anna, save(anna, "back", again, headline="In time"))
    assert "added" in told
    assert "changed the headline" in told
    item = item_of(stored(anna.site))
    assert (item.headline, item.excerpt) == ("In time", "Of Berta")
    assert order(anna.site) == [one.story_id for one in before.sections[0].items]
    # In the form of somebody who comes after that it is a change as any other.
    told_after(berta, save(berta, "back", look(berta, STORY, WORDS), headline="In time, too"))
    assert item_of(stored(anna.site)).headline == "In time, too"
