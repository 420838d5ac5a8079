"""On its way and afterwards: the live page, corrections and the report, by plain forms."""

import csv
import io
import time
from datetime import timedelta

import pytest

from newsletter.issues.model import Block, BlockKind, IssueState
from newsletter.publication.editors import Role
from newsletter.storage.ledger import SqlLedger
from newsletter.workflows import issue_figures
from newsletter.workflows.publish import move_issue
from tests.web.desk.people import Person, put_editor, sign_in, somebody
from tests.web.desk.send_shop import (
    ACCEPTED,
    ISSUE,
    PATH,
    REFUSED,
    answer,
    begin,
    click,
    open_send_shop,
    stored,
)
from tests.web.desk.test_desk_review import read, text_of
from tests.web.site import Site

READERS = 5


@pytest.fixture
def lilit(site: Site) -> Person:
    shop = open_send_shop(site)
    for number in range(READERS):
        shop.put(f"reader{number}@mail{number % 2}.example")
    begin(shop)
    return sign_in(shop, put_editor(shop, Role.PUBLISHER, "lilit@paper.example", name="Lilit"))


def live(person: Person) -> str:
    part = read(person, f"{PATH}/sending").css_first("#live")
    assert part is not None
    return " ".join(part.text(separator=" ").split())


def move(site: Site, to: IssueState) -> None:
    with site.database.write() as tx:
        assert tx.issues.move(ISSUE, frozenset(IssueState), to, "test", site.clock.now())


def test_the_live_page_tells_how_far_it_is_and_who_refuses(lilit: Person) -> None:
    assert "0 of 5 readers" in live(lilit)
    answer(lilit.site, ACCEPTED, ACCEPTED, REFUSED)
    # Three in the half minute since sending began; two are left.
    lilit.site.clock.sleep(30)
    text = live(lilit)
    assert "3 of 5 readers" in text
    assert "have it 2" in text or "2 have it" in text
    assert "mailbox unknown" in text
    assert "about 20 s still" in text
    assert "all under way" in text
    lilit.site.clock.sleep(25)
    assert "about 37 s still" in live(lilit)
    lilit.site.clock.sleep(65)
    assert "still" not in live(lilit).split("Pause")[0].replace("still to go", "")


def test_it_is_paused_resumed_and_recalled_by_a_publisher(lilit: Person) -> None:
    answer(lilit.site, ACCEPTED)
    lilit.post(f"{PATH}/pause")
    assert stored(lilit.site).state is IssueState.PAUSED
    assert "Paused" in live(lilit)
    assert lilit.post(f"{PATH}/pause").status_code == 409
    lilit.post(f"{PATH}/resume")
    assert stored(lilit.site).state is IssueState.SENDING
    assert lilit.post(f"{PATH}/recall").headers["location"] == f"{PATH}/report?done=recalled"
    assert stored(lilit.site).state is IssueState.RECALLED
    text = text_of(read(lilit, f"{PATH}/report"))
    assert "left before 0 not sent: recalled 4" in text
    assert "refused 0 not sent 4" in text_of(read(lilit, "/desk/"))


def test_why_the_brake_paused_it_stands_on_top(lilit: Person) -> None:
    assert lilit.site.context.installation is not None
    move_issue(
        lilit.site.context.installation,
        stored(lilit.site),
        IssueState.PAUSED,
        actor="brake",
        reason="3 of the first 5 were refused.",
    )
    assert "Paused: 3 of the first 5 were refused." in live(lilit)


def test_while_nobody_has_it_it_can_be_cancelled(lilit: Person) -> None:
    assert read(lilit, f"{PATH}/sending").css_first(f'form[action="{PATH}/stop"]') is not None
    lilit.post(f"{PATH}/stop")
    assert stored(lilit.site).state is IssueState.CANCELLED


def test_once_somebody_has_it_it_can_only_be_recalled(lilit: Person) -> None:
    answer(lilit.site, ACCEPTED)
    assert read(lilit, f"{PATH}/sending").css_first(f'form[action="{PATH}/stop"]') is None


def test_an_editor_looks_on_and_cannot_stop_it(lilit: Person) -> None:
    editor = somebody(lilit.site, Role.EDITOR)
    assert read(editor, f"{PATH}/sending").css("#live form") == []


def test_a_long_list_is_counted_behind_the_page_and_kept(
    lilit: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issue_figures, "COUNTED_AT_ONCE", 0)
    answer(lilit.site, ACCEPTED, REFUSED)
    assert "is being counted" in live(lilit)
    for _ in range(200):
        text = live(lilit)
        if "2 of 5 readers" in text:
            break
        time.sleep(0.05)
    assert "2 of 5 readers" in text
    # A service that was started anew has the last count, and does not wait for another.
    answer(lilit.site, ACCEPTED)
    assert "2 of 5 readers" in live(lilit)


def test_a_paused_issue_is_corrected_for_the_others(lilit: Person) -> None:
    answer(lilit.site, ACCEPTED)
    lilit.post(f"{PATH}/pause")
    page = read(lilit, f"{PATH}/correct")
    story = stored(lilit.site).items[0]
    fields = {
        str(field.attributes["name"]): str(field.attributes.get("value") or field.text())
        for field in page.css("main form input[name], main form textarea[name]")
        if field.attributes.get("type") not in ("hidden", "checkbox")
    }
    assert lilit.post(f"{PATH}/correct", fields).status_code == 400
    fields |= {f"headline-{story.story_id}": "Said rightly", "told": "A name was wrong."}
    answered = lilit.post(f"{PATH}/correct", fields)
    assert "done=corrected" in answered.headers["location"], answered.text
    said = read(lilit, answered.headers["location"])
    assert "Revision 2 for 4 readers" in text_of(said)
    assert stored(lilit.site).items[0].headline == "Said rightly"


def test_the_block_of_a_paused_issue_is_set_changed_and_taken_out(lilit: Person) -> None:
    answer(lilit.site, ACCEPTED)
    lilit.post(f"{PATH}/pause")

    def correct(**block: str) -> str:
        fields = {f"block-{part}": text for part, text in block.items()}
        answered = lilit.post(f"{PATH}/correct", fields)
        assert answered.status_code == 303, answered.text
        return text_of(read(lilit, answered.headers["location"]))

    before = stored(lilit.site).block
    assert before is None
    assert lilit.post(f"{PATH}/correct", {"block-source": "letters"}).status_code == 400
    assert lilit.post(f"{PATH}/correct", {"block-text": "x", "block-kind": "y"}).status_code == 400
    assert "Revision 2 for 4 readers" in correct(kind="number", text="38", source="letters  came")
    assert stored(lilit.site).block == Block(BlockKind.NUMBER, "38", "letters came")
    page = read(lilit, f"{PATH}/correct")
    chosen = page.css_first("#block-kind option[selected]")
    assert chosen is not None
    assert chosen.attributes["value"] == "number"
    same = {"block-kind": "number", "block-text": "38", "block-source": "letters came"}
    assert lilit.post(f"{PATH}/correct", same).status_code == 400
    assert "Revision 3" in correct(kind="number", text="39", source="letters came")
    with lilit.site.database.read() as tx:
        newest = [one for one in tx.mailings.of_issue(ISSUE) if one.revision == 3]
    assert newest
    assert all("39" in one.text for one in newest)
    assert "Revision 4" in correct(kind="number", text="", source="letters came")
    assert stored(lilit.site).block is None


def test_what_is_refused_on_its_way_names_no_command(lilit: Person) -> None:
    edited = lilit.post(PATH, {"act": "lines", "version": "1", "subject": "Too late"})
    corrected = lilit.post(f"{PATH}/correct", {"subject": "Said rightly"})
    assert "pause it first" in corrected.text
    assert "mended by a correction" in edited.text
    assert all("newsletter issue" not in answer.text for answer in (edited, corrected))


def test_links_that_were_sent_lead_elsewhere(lilit: Person) -> None:
    answer(lilit.site, *[ACCEPTED] * READERS)
    move(lilit.site, IssueState.SENT)
    story = stored(lilit.site).items[0].story_id
    page = read(lilit, f"{PATH}/correct")
    assert page.css_first(f"#headline-{story}") is None
    url = "https://paper.example/moved"
    lilit.post(f"{PATH}/correct", {f"link-{story}": url, "told": "The page moved."})
    with lilit.site.database.read() as tx:
        leads = {one.url for one in tx.links.of_issue(ISSUE) if one.story_id == story}
    assert all(one.startswith(url) for one in leads)
    assert "The page moved." in text_of(read(lilit, f"{PATH}/report"))
    bad = lilit.post(f"{PATH}/correct", {f"link-{story}": "javascript:alert(1)"})
    assert bad.status_code == 400


def test_the_report_accounts_for_everybody_and_lists_them(lilit: Person) -> None:
    answer(lilit.site, *[ACCEPTED] * (READERS - 1), REFUSED)
    move(lilit.site, IssueState.SENT)
    text = text_of(read(lilit, f"{PATH}/report"))
    for told in ("mailbox unknown", "main", "mail0.example"):
        assert told in text
    file = lilit.get(f"{PATH}/report/readers.csv")
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert sorted(row["state"] for row in rows) == ["accepted"] * 4 + ["refused"]
    assert "weekly-2025-W32-readers.csv" in file.headers["content-disposition"]
    editor = somebody(lilit.site, Role.EDITOR)
    assert "readers.csv" not in editor.get(f"{PATH}/report").text


def test_clicks_are_told_by_story_and_in_a_file(lilit: Person) -> None:
    move(lilit.site, IssueState.SENT)
    with lilit.site.database.read() as tx:
        first, second = [story for story, _ in tx.story_clicks.of(ISSUE)][:2]
    click(lilit.site, ISSUE, {first: 30, second: 10})
    page = read(lilit, f"{PATH}/report")
    assert "40 clicks" in text_of(page)
    assert "Once three issues with 20 clicks" in text_of(page)
    rows = list(csv.DictReader(io.StringIO(lilit.get(f"{PATH}/report/stories.csv").text)))
    assert [(row["place"], row["clicks"], row["share"]) for row in rows[:2]] == [
        ("1", "30", "0.7500"),
        ("2", "10", "0.2500"),
    ]


def test_goodbyes_are_told_of_the_issue_after_which_they_came(lilit: Person) -> None:
    site = lilit.site
    site.clock.instant = stored(site).send_at + timedelta(hours=1)
    with site.database.write() as tx:
        subscriber = tx.subscribers.find("reader1@mail1.example")
        assert subscriber is not None
        detail = {"newsletter": "weekly", "how": "link"}
        name = subscriber.public_id
        tx.changes.record(site.clock.now(), name, "subscription", name, "unsubscribed", detail)
    move(site, IssueState.SENT)
    page = read(lilit, f"{PATH}/report")
    row = next(row for row in page.css("table tr") if "2025-W32" in row.text())
    assert " ".join(row.text(separator=" ").split()).startswith("2025-W32 1")


def test_what_the_week_read_is_looked_up_behind_the_page(lilit: Person) -> None:
    move(lilit.site, IssueState.SENT)
    part = read(lilit, f"{PATH}/report").css_first("#buried")
    assert part is not None
    assert part.attributes["data-refresh"] == f"{PATH}/report?buried=1"
    assert "None: what was read most" in text_of(read(lilit, f"{PATH}/report?buried=1"))


def test_each_page_leads_on_to_the_one_for_its_state(lilit: Person) -> None:
    def where(path: str) -> str:
        return str(lilit.get(f"{PATH}{path}").headers.get("location", path))

    assert where("/review") == f"{PATH}/sending"
    move(lilit.site, IssueState.SENT)
    assert where("/sending") == f"{PATH}/report"
    move(lilit.site, IssueState.DRAFT)
    assert where("/report") == f"{PATH}/review"
    assert lilit.get(f"{PATH}/correct").status_code == 409


def test_an_issue_that_can_not_go_on_says_why_and_what_mends_it(site: Site) -> None:
    open_send_shop(site)
    site.put("ani@mail.example")
    begin(site)
    because = "no relay takes more than 900 octets (SIZE)"
    with site.database.read() as tx:
        (mailing,) = tx.mailings.of_issue(ISSUE)
    ledger = SqlLedger(site.database)
    ledger.hold_mailing(mailing.public_id, site.clock.now() + timedelta(hours=1), because)
    publisher, viewer = somebody(site, Role.PUBLISHER), somebody(site, Role.VIEWER)
    home = publisher.get("/desk/").text
    assert because in home
    assert "Waits for you" in home
    assert "Held up on its way, and tried again on Tuesday, August 5, 05:00 Los Angeles." in home
    assert "Waits for you" not in viewer.get("/desk/").text
    for path in (PATH, f"{PATH}/sending"):
        page = publisher.get(path).text
        assert because in page
        assert "tried again on Tuesday, August 5, 05:00 Los Angeles" in page
        assert "pause it and correct it" in page
        assert "A publisher pauses and corrects" in viewer.get(path).text
    ledger.forget_holds()
    ledger.close()
    for path in ("/desk/", PATH, f"{PATH}/sending"):
        assert because not in publisher.get(path).text
