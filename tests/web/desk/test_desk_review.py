"""Before it goes out: the review, approval, hold, another time, now and back, by plain forms."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from httpx2 import Response
from selectolax.lexbor import LexborHTMLParser, LexborNode

from newsletter.issues.model import IssueState, Save, SaveKind
from newsletter.publication.editors import Role
from newsletter.subscribers.model import DomainRule, SuppressionReason
from newsletter.workflows import audience_outlook
from newsletter.workflows.publish import start_sending
from newsletter.workflows.tick import ACTOR, tick
from tests.web.desk.people import Person, put_editor, sign_in, somebody
from tests.web.desk.send_shop import PATH, open_send_shop, stored
from tests.web.site import Site


@pytest.fixture
def shop(site: Site) -> Site:
    opened = open_send_shop(site)
    for number in range(3):
        opened.put(f"reader{number}@mail.example")
    return opened


@pytest.fixture
def lilit(shop: Site) -> Person:
    return sign_in(shop, put_editor(shop, Role.PUBLISHER, "lilit@paper.example", name="Lilit"))


def read(person: Person, path: str = PATH + "/review") -> LexborHTMLParser:
    answer = person.get_made(path)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < 100_000
    return LexborHTMLParser(answer.text)


def text_of(page: LexborHTMLParser) -> str:
    return " ".join(page.body.text(separator=" ").split()) if page.body else ""


def said(answer: Response) -> str:
    return text_of(LexborHTMLParser(answer.text))


def approve(person: Person, version: int | None = None) -> Response:
    # The button stands below what the checks say.
    read(person, f"{PATH}/review/checks")
    number = stored(person.site).version if version is None else version
    return person.post(f"{PATH}/approve", {"version": str(number)})


def send_now(person: Person, typed: str) -> Response:
    read(person, f"{PATH}/review/checks")
    return person.post(f"{PATH}/now", {"count": typed})


def spoil(site: Site) -> None:
    """Take the subject of what was approved, as a reader's settings or a template can."""
    with site.database.write() as tx:
        tx.issues.reschedule(
            *(replace(stored(site), subject=""), "test", site.clock.now()),
            Save(SaveKind.RESCHEDULED, ""),
        )


def test_the_summary_says_to_whom_when_and_what(lilit: Person) -> None:
    text = text_of(read(lilit))
    issue = stored(lilit.site)
    assert issue.subject in text
    assert issue.preheader in text
    assert "get this issue 3" in text or "3 get this issue" in text
    assert "counted just now" in text
    assert "07:00 Los Angeles" in text
    # What takes long comes after it.
    part = read(lilit).css_first("#checks-part")
    assert part is not None
    assert part.attributes["data-refresh"] == f"{PATH}/review/checks"


def test_approval_stands_below_the_checks_and_sends_at_its_time(lilit: Person) -> None:
    page = read(lilit, f"{PATH}/review/checks")
    button = page.css_first(f'form[action="{PATH}/approve"] button')
    assert button is not None
    assert "disabled" not in button.attributes
    answer = approve(lilit)
    assert answer.headers["location"] == f"{PATH}/review?done=approved"
    assert stored(lilit.site).state is IssueState.APPROVED
    assert "Approved by Lilit" in text_of(read(lilit))
    assert "Goes out by itself on" in text_of(read(lilit))


def test_what_must_be_mended_keeps_the_button_shut_on_the_server_too(lilit: Person) -> None:
    issue = stored(lilit.site)
    with lilit.site.database.write() as tx:
        assert tx.issues.replace(replace(issue, subject=""), "test", lilit.site.clock.now())
    page = read(lilit, f"{PATH}/review/checks")
    button = page.css_first(f'form[action="{PATH}/approve"] button')
    assert button is not None
    assert "disabled" in button.attributes
    assert "before what must be mended is" in text_of(page)
    answer = approve(lilit)
    assert answer.status_code == 409
    assert "It can’t be approved" in said(answer)
    assert stored(lilit.site).state is IssueState.DRAFT


def test_it_keeps_what_is_sent_now_shut_as_well(lilit: Person) -> None:
    site = lilit.site
    approve(lilit)
    form = read(lilit, f"{PATH}/review/checks").css_first(f'form[action="{PATH}/now"] button')
    assert form is not None
    assert "disabled" not in form.attributes
    spoil(site)
    page = read(lilit, f"{PATH}/review/checks")
    button = page.css_first(f'form[action="{PATH}/now"] button')
    assert button is not None
    assert "disabled" in button.attributes
    assert "It can’t be sent before what must be mended is" in text_of(page)
    before = stored(site)
    answer = send_now(lilit, "3")
    assert answer.status_code == 409
    assert "can't go out: The subject" in said(answer)
    assert stored(site) == before


def test_what_does_not_begin_at_its_time_says_where_the_reason_is(lilit: Person) -> None:
    site = lilit.site
    approve(lilit)
    spoil(site)
    site.clock.instant = stored(site).send_at
    assert "It goes out any moment" in text_of(read(lilit))
    site.clock.sleep(61)
    assert site.context.installation is not None
    tick(site.context.installation)
    assert stored(site).state is IssueState.APPROVED
    page = text_of(read(lilit))
    assert "It has not gone out yet" in page
    assert "What must be mended first stands under “Checks”" in page
    assert read(lilit, f"{PATH}/review/checks").css_first("li.stop") is not None


def test_what_was_not_looked_over_lately_is_looked_over_first(lilit: Person) -> None:
    fields = {"version": str(stored(lilit.site).version)}
    answer = lilit.post(f"{PATH}/approve", fields)
    assert answer.status_code == 409
    assert "has to be looked over first" in said(answer)
    assert LexborHTMLParser(answer.text).css_first(f'a[href="{PATH}/review/checks"]') is not None
    assert stored(lilit.site).state is IssueState.DRAFT
    read(lilit, f"{PATH}/review/checks")
    lilit.site.clock.sleep(16 * 60)
    assert lilit.post(f"{PATH}/approve", fields).status_code == 409
    read(lilit, f"{PATH}/review/checks")
    assert lilit.post(f"{PATH}/approve", fields).status_code == 303
    # What is approved waits for no second look before it is sent.
    assert lilit.post(f"{PATH}/now", {"count": "3"}).status_code == 303


@pytest.mark.parametrize(
    ("typed", "told"), [("2", "has 3 readers, and you wrote 2"), ("three", "three")]
)
def test_a_wrong_count_is_told_at_its_field(lilit: Person, typed: str, told: str) -> None:
    approve(lilit)
    answer = send_now(lilit, typed)
    assert answer.status_code == 409
    page = LexborHTMLParser(answer.text)
    field = page.css_first("details#now[open] #count[aria-invalid]")
    assert field is not None
    assert field.attributes["value"] == typed
    problem = page.css_first("#count-problem")
    assert problem is not None
    assert told in problem.text()
    assert page.css_first("#problem") is None


def test_only_who_may_take_it_back_is_offered_to(lilit: Person) -> None:
    approve(lilit)
    assert send_now(lilit, "3").status_code == 303
    button = f'form[action="{PATH}/take-back"]'
    assert read(lilit).css_first(button) is not None
    editor = read(somebody(lilit.site, Role.EDITOR))
    assert editor.css_first(".soon") is not None
    assert editor.css_first(button) is None


def test_what_stops_it_is_looked_at_once_more_when_asked(lilit: Person) -> None:
    spoil(lilit.site)
    first = read(lilit, f"{PATH}/review/checks")
    again = first.css_first("#checks-part p.buttons a")
    assert again is not None
    lilit.site.clock.sleep(1)
    anew = again.attributes["href"]
    assert anew
    assert 'class="awaited"' in lilit.get(anew).text
    once_more = read(lilit, anew).css_first("#checks-part p.buttons a")
    assert once_more is not None
    assert once_more.attributes["href"] != anew


def test_nobody_approves_what_they_did_not_see(lilit: Person) -> None:
    lilit.post(PATH, {"act": "lines", "version": "1", "subject": "Said otherwise"})
    answer = approve(lilit, 1)
    assert answer.status_code == 409
    assert "was changed since you looked at it" in said(answer)
    assert stored(lilit.site).state is IssueState.DRAFT


def test_two_have_to_approve_where_a_paper_wants_it(site: Site) -> None:
    shop = open_send_shop(site, approval="two")
    lilit = sign_in(shop, put_editor(shop, Role.PUBLISHER, "lilit@paper.example", name="Lilit"))
    assert "asks for two people" in text_of(read(lilit, f"{PATH}/review/checks"))
    assert approve(lilit).headers["location"].endswith("done=approved-first")
    page = read(lilit, f"{PATH}/review/checks")
    assert "You approved it already." in text_of(page)
    assert approve(lilit).status_code == 409
    other = somebody(shop, Role.ADMIN)
    assert "Approved by Lilit; another person" in text_of(read(other, f"{PATH}/review/checks"))
    assert approve(other).headers["location"].endswith("done=approved")
    assert stored(shop).state is IssueState.APPROVED


def test_a_hold_has_a_reason_and_is_released(lilit: Person) -> None:
    answer = lilit.post(f"{PATH}/hold", {"reason": " "})
    assert answer.status_code == 400
    assert "Say why it is held" in said(answer)
    lilit.post(f"{PATH}/hold", {"reason": "The lead is wrong"})
    assert stored(lilit.site).held_because == "The lead is wrong"
    assert "The lead is wrong" in text_of(read(lilit))
    lilit.post(f"{PATH}/release")
    assert stored(lilit.site).state is IssueState.DRAFT


def test_another_time_is_read_in_the_newsletters_zone(lilit: Person) -> None:
    approve(lilit)
    lilit.post(f"{PATH}/time", {"date": "2025-08-09", "time": "18:30"})
    issue = stored(lilit.site)
    assert issue.send_at == datetime(2025, 8, 10, 1, 30, tzinfo=UTC)
    assert issue.state is IssueState.APPROVED
    for fields, told in (
        ({"date": "2025-08-01", "time": "07:00"}, "is past"),
        ({"date": "soon", "time": "07:00"}, "is no time"),
        ({"date": "2025-09-20", "time": "07:00"}, "before the next one"),
    ):
        answer = lilit.post(f"{PATH}/time", fields)
        assert answer.status_code == 400
        assert told in said(answer)
    assert stored(lilit.site).send_at == issue.send_at


def test_sending_now_takes_the_count_and_can_be_taken_back_for_a_minute(lilit: Person) -> None:
    approve(lilit)
    before = stored(lilit.site).send_at
    for typed in ("4", "three", ""):
        answer = send_now(lilit, typed)
        assert answer.status_code in (400, 409)
        assert stored(lilit.site).send_at == before
    assert send_now(lilit, "3").headers["location"].endswith("done=soon")
    left = read(lilit).css_first("[data-left]")
    assert left is not None
    assert left.attributes["data-left"] == "60"
    lilit.site.clock.sleep(20)
    assert read(lilit).css_first("[data-left]").attributes["data-left"] == "40"  # type: ignore[union-attr]
    lilit.post(f"{PATH}/take-back")
    assert stored(lilit.site).send_at == before
    assert stored(lilit.site).state is IssueState.APPROVED
    send_now(lilit, "3")
    lilit.site.clock.sleep(61)
    page = read(lilit)
    assert page.css_first("[data-left]") is None
    due = page.css_first("#due")
    assert due is not None
    assert due.attributes["data-refresh"] == f"{PATH}/review"
    assert lilit.post(f"{PATH}/take-back").status_code == 303


def test_a_cancelled_issue_is_over_and_one_on_its_way_is_not_cancelled_here(lilit: Person) -> None:
    assert lilit.site.context.installation is not None
    approve(lilit)
    start_sending(lilit.site.context.installation, stored(lilit.site), actor=ACTOR)
    assert lilit.post(f"{PATH}/cancel").status_code == 409
    assert lilit.post(f"{PATH}/hold", {"reason": "too late"}).status_code == 409
    assert stored(lilit.site).state is IssueState.SENDING
    assert lilit.get(f"{PATH}/review").headers["location"] == f"{PATH}/sending"


def test_a_draft_is_cancelled(lilit: Person) -> None:
    lilit.post(f"{PATH}/cancel")
    assert stored(lilit.site).state is IssueState.CANCELLED


def counted_part(person: Person) -> LexborNode:
    """The readers once they are counted behind the page, as its script asks again and again."""
    for _ in range(200):
        part = read(person, f"{PATH}/review/readers").css_first("#readers-part")
        assert part is not None
        if "data-refresh" not in part.attributes:
            return part
        assert part.attributes["data-every"] == "2"
        time.sleep(0.05)
    raise AssertionError("the readers are not counted")


def test_a_long_list_is_counted_behind_the_page_and_kept(
    lilit: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience_outlook, "SHORT_LIST", 0)
    monkeypatch.setattr(audience_outlook, "_COME_AND_GO", 0.7)
    part = read(lilit).css_first("#readers-part")
    assert part is not None
    assert part.attributes["data-refresh"] == f"{PATH}/review/readers"
    assert "are being counted" in part.text()
    approve(lilit)
    unknown = send_now(lilit, "3")
    assert unknown.status_code == 409
    assert "counted anew first" in unknown.text
    assert "get this issue3" in counted_part(lilit).text(strip=True)
    # Kept: one who comes meanwhile is not in it, and the count that was seen will do.
    lilit.site.clock.sleep(60)
    for number in range(3, 5):
        lilit.site.put(f"reader{number}@mail.example")
    count = read(lilit).css_first("#readers-count")
    assert count is not None
    assert count.text() == "3"
    assert "counted Tuesday, August 5, 04:00" in text_of(read(lilit))
    assert send_now(lilit, "5").status_code == 409
    assert send_now(lilit, "3").status_code == 303
    lilit.post(f"{PATH}/take-back")
    # One too many, and it is counted anew before anything is sent.
    lilit.site.put("reader5@mail.example")
    assert send_now(lilit, "3").status_code == 409
    assert "get this issue6" in counted_part(lilit).text(strip=True)
    with lilit.site.database.write() as tx:
        rule = DomainRule("@mail.example", SuppressionReason.LEGAL, lilit.site.clock.now())
        tx.suppressions.add_rules([rule], "test")
    assert send_now(lilit, "6").status_code == 409
    assert "get this issue0" in counted_part(lilit).text(strip=True)
    lilit.site.clock.instant += timedelta(hours=1)
    part = read(lilit).css_first("#readers-part")
    assert part is not None
    assert "data-refresh" in part.attributes


def test_a_viewer_looks_and_an_editor_may_hold(shop: Site) -> None:
    viewer, editor = somebody(shop, Role.VIEWER), somebody(shop, Role.EDITOR)
    assert read(viewer).css("form[action*=issues]") == []
    assert read(viewer, f"{PATH}/review/checks").css("form[action*=issues]") == []
    actions = {form.attributes["action"] for form in read(editor).css("form[action*=issues]")}
    assert actions == {f"{PATH}/hold", f"{PATH}/cancel"}
    assert read(editor, f"{PATH}/review/checks").css("form[action*=approve]") == []
