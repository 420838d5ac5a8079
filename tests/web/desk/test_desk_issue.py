"""An issue at the desk, by plain forms: what a browser without scripts sends."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from httpx2 import Response
from selectolax.lexbor import LexborHTMLParser

from newsletter.issues.model import Issue, IssueState, RunnerUp
from newsletter.pictures.model import PictureFile
from newsletter.publication.editors import Role
from newsletter.ranking.fill import MOST_PASSED_OVER
from newsletter.stories.model import Picture
from newsletter.web.mail_copy import View
from tests.rendering.sample_issue import sample_issue
from tests.web.desk.people import Person, put_editor, sign_in, somebody
from tests.web.site import NOW, Site
from tests.web.test_web_issues import put_issue

PATH = f"/desk/issues/{sample_issue().public_id}"


def bare_issue() -> Issue:
    """The sample without its pictures, whose site is not there to ask."""
    issue = sample_issue()
    sections = (
        replace(one, items=tuple(replace(item, picture=None) for item in one.items))
        for one in issue.sections
    )
    return replace(issue, sections=tuple(sections))


@pytest.fixture
def nare(site: Site) -> Person:
    put_issue(site, bare_issue())
    return sign_in(site, put_editor(site, Role.EDITOR, "nare@paper.example", name="Nare"))


def stored(site: Site) -> Issue:
    with site.database.read() as tx:
        issue = tx.issues.by_id(sample_issue().public_id)
    assert issue is not None
    return issue


def page_of(person: Person, path: str = PATH) -> LexborHTMLParser:
    answer = person.get(path)
    assert answer.status_code == 200
    assert len(answer.content) < 100_000
    return LexborHTMLParser(answer.text)


def test_a_line_that_the_stories_offer_is_taken_by_its_button(nare: Person) -> None:
    act(nare, "lines", subject="Mine", preheader="My own preheader")
    for name in ("subject", "preheader"):
        form = page_of(nare).css_first("#offers form")
        hidden = {
            one.attributes["name"]: one.attributes["value"]
            for one in form.css("input[type=hidden]")
        }
        offered = form.css_first(f"input[name={name}]").attributes["value"]
        answer = nare.post(PATH, {**hidden, name: offered, "act": "lines"})
        assert answer.status_code == 303
        assert getattr(stored(nare.site), name) == offered
    # What was not chosen stands as it was.
    assert stored(nare.site).note == bare_issue().note
    assert stored(nare.site).subject != "Mine"


def act(person: Person, act: str, version: int | None = None, **fields: str) -> Response:
    """Press a button of the page; without ``version`` of the page as it is now."""
    if version is None:
        version = stored(person.site).version
    return person.post(PATH, {"act": act, "version": str(version), **fields})


def told_after(person: Person, answer: Response) -> str:
    """What the page says that the form's answer leads to."""
    assert answer.status_code == 303, answer.text
    page = LexborHTMLParser(person.get(answer.headers["location"].partition("#")[0]).text)
    told = page.css_first("#told")
    assert told is not None
    return " ".join(told.text().split())


def order(site: Site, section: str = "most-read") -> list[str]:
    found = next(one for one in stored(site).sections if one.slug == section)
    return [item.story_id for item in found.items]


def test_the_page_shows_all_that_is_in_the_issue_and_why(nare: Person) -> None:
    page = page_of(nare)
    text = page.body.text() if page.body else ""
    issue = stored(nare.site)
    for section in issue.sections:
        assert section.title in text
        for item in section.items:
            assert item.headline in text
    subject = page.css_first("#subject")
    assert subject is not None
    assert subject.attributes["value"] == issue.subject
    count = page.css_first("#subject-count")
    assert count is not None
    assert count.text() == f"{len(issue.subject)} of 60"


def test_a_full_issue_in_armenian_is_light_and_its_tools_are_named(site: Site) -> None:
    headline = "Սահմանի ճանապարհը կրկին բացվել է, և առաջին բեռնատարներն անցել են"
    runners = tuple(
        RunnerUp(f"next{number}", f"{headline} {number}", f"https://paper.example/{number}", 9, "")
        for number in range(10)
    )
    issue = bare_issue()
    sections = tuple(
        replace(
            one,
            runners_up=runners,
            items=tuple(replace(item, headline=headline) for item in one.items),
        )
        for one in issue.sections
    )
    put_issue(site, replace(issue, language="hy", sections=sections))
    nare = sign_in(site, put_editor(site, Role.EDITOR, "nare@paper.example", language="hy"))
    page = page_of(nare)
    assert len(page.css(".story")) == 17
    buttons = page.css(".row-of-tools button")
    assert len(buttons) == 4 * 17
    for button in buttons:
        said = [
            (page.css_first(f"#{one}") or page).text()
            for one in (button.attributes["aria-labelledby"] or "").split()
        ]
        assert [bool(words.strip()) for words in said] == [True, True]
        assert said[1].strip() == headline


def huge_issue() -> Issue:
    """Three sections of 20 stories each, with as many runners-up as are kept."""
    issue = bare_issue()
    headline = "First Lorries Cross as the Border Road Reopens After Years"
    address = "https://paper.example/2025/08/05/the-border-road-reopens-after-years"
    reasons = (
        "4,310 reads in the last 30 days, first of 72 stories.",
        "Within counting error of the next, which has 4,301.",
    )
    shown = next(item.picture for item in sample_issue().items if item.picture)
    picture = replace(shown, files=(PictureFile("card", "0" * 64 + ".jpg", 600, 400),))
    sections = []
    for slug in ("most-read", "latest", "arts"):
        items = (
            replace(
                issue.items[0],
                story_id=f"{slug:a<9}{place:07}",
                url=f"{address}-{place}/",
                headline=f"{headline} {place}",
                position=place,
                reasons=reasons,
                picture=picture,
            )
            for place in range(1, 21)
        )
        runners = (
            RunnerUp(
                f"{slug:b<9}{place:06}x", f"{headline}, {place}", f"{address}/{place}/", 9, "fewer"
            )
            for place in range(MOST_PASSED_OVER)
        )
        section = replace(issue.sections[0], slug=slug, title=f"Stories of {slug}")
        sections.append(replace(section, items=tuple(items), runners_up=tuple(runners)))
    return replace(issue, sections=tuple(sections), lead=sections[0].items[0].story_id)


def test_a_huge_issue_is_light_and_its_tools_are_named(site: Site) -> None:
    put_issue(site, huge_issue())
    nare = sign_in(site, put_editor(site, Role.EDITOR, "nare@paper.example", language="hy"))
    page = page_of(nare)
    assert len(page.css(".story")) == 60
    buttons = page.css(".row-of-tools button")
    assert len(buttons) == 4 * 60
    for button in buttons:
        row = button.parent
        assert row is not None
        said = page.css_first(f"#{row.attributes['aria-labelledby']}")
        assert said is not None
        assert said.text()
        assert button.attributes["aria-label"]
    # Its buttons do the same, and what else there is stands on the story's own page.
    second = huge_issue().items[1].story_id
    version = {"version": "1"}
    told = told_after(nare, nare.post(PATH, {**version, "act": f"up {second}"}))
    assert "most-read/1" in told
    assert order(nare.site)[0] == second
    assert page_of(nare, f"{PATH}/stories/{second}").css_first("#place-form [value=unpin]")


@pytest.mark.parametrize(
    ("reasons", "shown"),
    [
        (
            ("Published 2 hours ago.", "Newest of 14 new stories."),
            "11 hours old · 532 reads · Newest of 14 new stories.",
        ),
        (
            ("532 reads in the last 30 days, first of 14 stories.",),
            "11 hours old · 532 reads in the last 30 days, first of 14 stories.",
        ),
        (
            ("First seen 9 hours ago; its source tells no date.",),
            "532 reads · First seen 9 hours ago; its source tells no date.",
        ),
        ((), "11 hours old · 532 reads"),
    ],
)
def test_an_item_shows_its_age_and_reads_and_then_why(
    site: Site, reasons: tuple[str, ...], shown: str
) -> None:
    issue = bare_issue()
    first = replace(
        issue.items[0], reads=532, published_at=NOW - timedelta(hours=11), reasons=reasons
    )
    section = replace(issue.sections[0], items=(first, *issue.sections[0].items[1:]))
    put_issue(site, replace(issue, sections=(section, *issue.sections[1:])))
    page = page_of(sign_in(site, put_editor(site, Role.EDITOR, "nare@paper.example")))
    facts = page.css_first(f"#story-{first.story_id} .words .meta")
    assert facts is not None
    assert facts.text() == shown


def test_stories_move_by_buttons_and_by_numbers(nare: Person) -> None:
    before = order(nare.site)
    answer = act(nare, "down", story=before[0])
    assert answer.headers["location"].endswith(f"#story-{before[0]}")
    assert "You moved" in told_after(nare, answer)
    assert order(nare.site)[:2] == [before[1], before[0]]
    act(nare, "move", story=before[0], to="most-read", position="1")
    assert order(nare.site) == before
    act(nare, "move", story=before[0], to="latest", position="2")
    assert order(nare.site, "latest")[1] == before[0]


def test_whatever_is_done_can_be_undone_and_done_again(nare: Person) -> None:
    before = stored(nare.site)
    story = order(nare.site)[1]
    told = told_after(nare, act(nare, "remove", story=story))
    assert "out.Undo: took" in told
    assert story not in order(nare.site)
    told_after(nare, act(nare, "undo"))
    assert replace(stored(nare.site), version=before.version) == before
    told_after(nare, act(nare, "redo"))
    assert story not in order(nare.site)


@pytest.mark.parametrize(
    ("first", "fields", "look"),
    [
        ("lead", {}, lambda issue: issue.lead == "read2"),
        ("pin", {}, lambda issue: [pin.story_id for pin in issue.pins] == ["read2"]),
        ("hold", {}, lambda issue: issue.held_over == ("read2",)),
        (
            "story",
            {"headline": "Said otherwise"},
            lambda issue: issue.sections[0].items[1].headline == "Said otherwise",
        ),
        (
            "block",
            {"kind": "number", "text": "38", "source": "letters"},
            lambda issue: issue.block.text == "38",
        ),
        (
            "retitle",
            {"section": "latest", "text": "News"},
            lambda issue: issue.sections[1].title == "News",
        ),
        ("drop", {"section": "latest"}, lambda issue: len(issue.sections) == 1),
        (
            "lines",
            {"subject": "Ours", "note": "New **note**"},
            lambda issue: issue.subject == "Ours",
        ),
    ],
)
def test_each_act_does_what_it_says(
    nare: Person, first: str, fields: Mapping[str, str], look: object
) -> None:
    assert callable(look)
    story = {"story": "read2"} if "section" not in fields and first != "lines" else {}
    assert act(nare, first, **story, **fields).status_code == 303
    assert look(stored(nare.site))
    with nare.site.database.read() as tx:
        assert tx.issues.versions(sample_issue().public_id)[-1].actor == nare.editor.public_id  # type: ignore[union-attr]


def test_words_are_saved_with_the_picture_that_is_left_out(site: Site) -> None:
    issue = bare_issue()
    shown = Picture("https://paper.example/a.jpg", alt="A road")
    first, *others = issue.sections[0].items
    section = replace(issue.sections[0], items=(replace(first, picture=shown), *others))
    put_issue(site, replace(issue, sections=(section, *issue.sections[1:])))
    nare = somebody(site, Role.EDITOR)
    words = {"headline": "Said otherwise", "alt": "A road", "picture": "out"}
    told_after(nare, act(nare, "story", story=first.story_id, **words))
    item = stored(site).sections[0].items[0]
    assert (item.headline, item.picture) == ("Said otherwise", None)


def test_an_edit_revokes_the_approval_and_says_so(nare: Person) -> None:
    with nare.site.database.write() as tx:
        draft = {IssueState.DRAFT}
        tx.issues.move(sample_issue().public_id, draft, IssueState.APPROVED, "anna", NOW)
    assert "approve it anew" in told_after(nare, act(nare, "lead", story="read3"))
    assert stored(nare.site).state is IssueState.DRAFT


def test_two_editors_at_once_lose_nothing(nare: Person) -> None:
    anna = sign_in(nare.site, put_editor(nare.site, Role.EDITOR, "anna@paper.example", name="Anna"))
    begun = stored(nare.site)
    lines = {"subject": begun.subject, "preheader": begun.preheader, "note": begun.note}
    act(anna, "lines", begun.version, **(lines | {"subject": "Of Anna"}))
    # What Nare did not touch is not put back to what she saw.
    told = told_after(nare, act(nare, "lines", begun.version, **(lines | {"note": "Of Nare"})))
    assert "Meanwhile Anna" in told
    assert (stored(nare.site).subject, stored(nare.site).note) == ("Of Anna", "Of Nare")
    # Of the same line both are shown, and what she wrote still stands in its field.
    answer = act(nare, "lines", begun.version, subject="Of Nare too")
    assert answer.status_code == 409
    page = LexborHTMLParser(answer.text)
    problem, field = page.css_first("#problem"), page.css_first("#subject")
    assert problem is not None
    assert field is not None
    assert "Anna changed the subject" in problem.text()
    assert "Of Nare too" in problem.text()
    assert field.attributes["value"] == "Of Nare too"
    assert stored(nare.site).subject == "Of Anna"
    # Saved once more, from the page that showed both, hers goes in its place.
    version = page.css_first('#lines-form input[name="version"]')
    assert version is not None
    act(nare, "lines", int(version.attributes["value"] or 0), subject="Of Nare too")
    assert stored(nare.site).subject == "Of Nare too"


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"act": "explode"}, 400, "knows no act"),
        ({"act": "up", "story": "nobody"}, 409, "nobody"),
        ({"act": "up", "story": "read1", "version": "x"}, 400, "no version"),
        ({"act": "move", "story": "read1", "position": "-1"}, 400, "no place"),
        ({"act": "move", "story": "read1", "position": "²"}, 400, "no place"),
        ({"act": "add", "other": ""}, 400, "paste the address"),
        (
            {"act": "add", "other": "https://nowhere.example/x", "section": "latest"},
            404,
            "no story",
        ),
        ({"act": "story", "story": "read1", "headline": ""}, 409, "headline"),
        ({"act": "block", "kind": "song", "text": "la"}, 400, "no block"),
        ({"act": "reset", "story": "read1", "field": "colour"}, 400, "colour"),
        ({"act": "lines", "subject": "x" * 400}, 409, "300"),
        ({"act": "restore", "number": "77"}, 404, "version 77"),
    ],
)
def test_what_can_not_be_done_is_told_and_changes_nothing(
    nare: Person, fields: Mapping[str, str], status: int, told: str
) -> None:
    before = nare.site.dump()
    answer = nare.post(PATH, fields)
    assert answer.status_code == status
    assert told in answer.text.lower()
    assert [line for line in nare.site.dump() if "session" not in line] == [
        line for line in before if "session" not in line
    ]


def test_nobody_else_can_make_the_page_say_something(nare: Person) -> None:
    page = nare.get(f"{PATH}?told=Send+the+issue+to+eve&seal=0123456789abcdef01234567").text
    assert "Send the issue" not in page


def test_an_earlier_version_comes_back(nare: Person) -> None:
    before = stored(nare.site)
    act(nare, "remove", story="read1")
    act(nare, "lead", story="read3")
    page = page_of(nare, f"{PATH}/versions")
    assert page.body is not None
    assert "Bring version 1 back" in page.body.text()
    told_after(nare, act(nare, "restore", number="1"))
    assert replace(stored(nare.site), version=1) == before


def test_the_draft_comes_back_after_any_number_of_versions(nare: Person) -> None:
    before = stored(nare.site)
    for number in range(26):
        act(nare, "lines", note=f"{number} " + "Առավոտը Երևանում " * 200)
        nare.site.clock.sleep(200)
    # All of them by pages of fewer than 100 KB, each leading on to the next.
    address, numbers = f"{PATH}/versions", list[int]()
    while address:
        page = page_of(nare, address)
        numbers += [int(one.text()) for one in page.css(".log strong.figure")]
        older = page.css_first('a[href*="before="]')
        address = str(older.attributes["href"]) if older else ""
    assert numbers == list(range(stored(nare.site).version, 0, -1))
    assert page.css('input[name=number][value="1"]')
    told_after(nare, act(nare, "restore", number="1"))
    assert replace(stored(nare.site), version=1) == before


def test_the_longest_texts_have_room_in_a_form(nare: Person) -> None:
    longest = {"note": "Ա" * 5000, "subject": "Բ" * 300, "preheader": "Գ" * 300}
    assert act(nare, "lines", **longest).status_code == 303
    issue = stored(nare.site)
    assert {"note": issue.note, "subject": issue.subject, "preheader": issue.preheader} == longest
    assert act(nare, "lines", note="x" * 300_000).status_code == 413


def test_the_mail_is_shown_in_every_way(nare: Person) -> None:
    shown = {view: nare.get(f"{PATH}/mail?view={view}") for view in View}
    assert {answer.status_code for answer in shown.values()} == {200}
    for view, answer in shown.items():
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'self'" in policy, view
        assert "script-src" not in policy
    assert "img-src 'none'" in shown[View.NO_IMAGES].headers["content-security-policy"]
    assert "style=" not in shown[View.NO_STYLES].text
    assert "<style" not in shown[View.NO_STYLES].text
    assert "invert(1)" in shown[View.INVERTED].text
    assert "@media all" in shown[View.DARK].text
    said = re.sub(r"<[^>]+>", " ", shown[View.READ_OUT].text)
    issue = stored(nare.site)
    places = [said.index(item.headline) for item in issue.items]
    # The lead is read out first, whatever section it is of.
    others = [place for place in places if place != min(places)]
    assert others == sorted(others)
    assert "heading 1" in said


def test_a_viewer_sees_no_button_and_an_issue_that_was_sent_none_either(site: Site) -> None:
    put_issue(site, sample_issue())
    viewer = somebody(site, Role.VIEWER)
    assert page_of(viewer).css("[data-act]") == []
    editor = somebody(site, Role.EDITOR)
    assert page_of(editor).css("[data-act]") != []
    with site.database.write() as tx:
        draft = {IssueState.DRAFT}
        tx.issues.move(sample_issue().public_id, draft, IssueState.SENT, "test", NOW)
    assert page_of(editor).css("[data-act]") == []
    assert act(editor, "lead", story="read2").status_code == 409


def test_all_issues_are_listed_by_pages(site: Site) -> None:
    for number in range(1, 41):
        put_issue(
            site, replace(sample_issue(), public_id=f"issue{number}", slot=f"2024-W{number:02}")
        )
    viewer = somebody(site, Role.VIEWER)
    seen, path = 0, "/desk/issues"
    page = page_of(viewer, path)
    seen += len(page.css("main li"))
    assert seen == 25
