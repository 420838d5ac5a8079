"""Segments and the suppression list at the desk."""

import csv
import io
import re

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.publication.editors import Role
from newsletter.subscribers.model import SuppressionReason
from newsletter.web.desk.segments import CLICKS_EXAMPLE, EXAMPLES
from newsletter.workflows import export_subscribers
from newsletter.workflows.segments import segment_of
from newsletter.workflows.suppress import suppress_address
from tests.web.desk.people import Person, put_editor, sign_in, somebody
from tests.web.desk.reader_shop import LILIT, fill
from tests.web.desk.test_desk_reader_figures import text_of
from tests.web.site import NOW, Site

SEGMENTS = "/desk/readers/segments"
LIST = "/desk/readers/suppressed"


@pytest.fixture
def publisher(site: Site) -> Person:
    fill(site)
    return somebody(site, Role.PUBLISHER)


def ask(person: Person, text: str, path: str = SEGMENTS) -> str:
    return text_of(person.client.get(path, params={"filter": text}).text)


def test_a_filter_is_counted_and_its_readers_are_listed(publisher: Person) -> None:
    page = ask(publisher, "language = hy")
    assert "1 reader" in page
    assert "Who they are" in page
    assert LILIT in page
    page = ask(publisher, "state = active")
    assert "87 readers" in page
    assert "The Courier Weekly , active 87" in page
    assert "Some of them: 50" in page
    assert len(re.findall(r"@\w+\.example \w", page)) == 50
    assert "Nobody is named by this filter." in ask(publisher, "language = ru")


def test_the_count_alone_is_the_same(publisher: Person) -> None:
    for text in ("state = active", "state is active", "", "language = ru"):
        alone = ask(publisher, text, f"{SEGMENTS}/count")
        assert alone in ask(publisher, text)
    assert len(publisher.client.get(f"{SEGMENTS}/count").text) < 300


@pytest.mark.parametrize(
    ("text", "place", "marked"),
    [
        ("state is active", 7, "is"),
        ("language = hy and", 18, "␣"),
        ("color = red", 1, "color"),
        ("clicks(90d) > 1", 1, "clicks(90d)"),
        ('language = "hy', 12, "&#34;hy"),
    ],
)
def test_a_mistake_is_told_at_the_field_with_its_place(
    publisher: Person, text: str, place: int, marked: str
) -> None:
    answer = publisher.client.get(SEGMENTS, params={"filter": text})
    assert answer.status_code == 422
    assert f"filter, character {place}:" in answer.text
    assert f"<mark>{marked}</mark>" in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_a_mistake_is_told_in_the_editors_language(site: Site) -> None:
    person = sign_in(site, put_editor(site, Role.PUBLISHER, language="hy"))
    answer = person.client.get(SEGMENTS, params={"filter": "state = gone"})
    assert "զտիչ, 9-րդ նիշ. «gone» վիճակ չկա, կան՝ pending, active" in answer.text
    assert "filter, character" not in answer.text
    refused = person.post(f"{SEGMENTS}/export", {"filter": "language = hy and"}).text
    assert "Զտիչ, 18-րդ նիշ. այստեղ ավարտվում է, բայց պետք է հաջորդի՝ դաշտ։" in refused


def test_a_filter_without_end_is_refused(publisher: Person) -> None:
    answer = publisher.client.get(SEGMENTS, params={"filter": "a" * 5_000})
    assert answer.status_code == 422
    assert "make it at most 2,000" in answer.text


def test_markup_in_a_filter_stays_text(publisher: Person) -> None:
    for path in (SEGMENTS, f"{SEGMENTS}/count"):
        page = publisher.client.get(path, params={"filter": "<script>alert(1)</script>"}).text
        assert "<script>alert" not in page


def test_every_example_is_a_filter(site: Site) -> None:
    counting = site.settings.model_copy(
        update={"tracking": site.settings.tracking.model_copy(update={"clicks": "count"})}
    )
    for text in (*EXAMPLES, CLICKS_EXAMPLE[0]):
        assert segment_of(text, counting, NOW)


@pytest.mark.parametrize("piece", [2_000, 3])
def test_all_that_a_filter_names_is_taken_along(
    site: Site, publisher: Person, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(export_subscribers, "_PIECE_ROWS", piece)
    site.put(LILIT, newsletter="kitchen")
    site.put("formula@reader.example", name="=1+1")
    with site.database.write() as tx:
        tx.connection.exec_driver_sql("UPDATE subscriber SET name = '=1+1' WHERE name = ''")
    answer = publisher.post(f"{SEGMENTS}/export", {"filter": "state = active"})
    assert answer.headers["content-disposition"] == 'attachment; filename="readers.csv"'
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    named = [(row["address"], row["newsletter"]) for row in rows]
    assert len(named) == len(set(named)) == 89
    assert [one for one in named if one[0] == LILIT] == [(LILIT, "kitchen"), (LILIT, "weekly")]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+"))]
    with site.database.read() as tx:
        (line,) = [one for _, one in tx.changes.latest(9, kind="export")]
    assert line.detail == {"filter": "state = active"}
    assert publisher.post(f"{SEGMENTS}/export", {"filter": "state ="}).status_code == 400


def test_the_list_is_shown_newest_first_and_by_reason(site: Site, publisher: Person) -> None:
    page = text_of(publisher.get(LIST).text)
    assert re.search("reader50@.*bounced.*reader51@.*forgotten", page) is None  # newest first
    assert "reader53@town.example" in page or "reader53@mail.example" in page
    page = text_of(publisher.get(f"{LIST}?reason=legal").text)
    assert "reader53@" in page
    assert "reader50@" not in page
    for number in range(120):
        suppress_address(
            *(site.database, site.keyring, f"x{number}@y.example", SuppressionReason.LEGAL),
            actor="test",
            now=NOW,
        )
    first = publisher.get(LIST).text
    assert first.count("address no longer held") == 50
    (older,) = re.findall(r'href="([^"]+before=\d+)"', first)
    second = publisher.get(older.replace("&amp;", "&")).text
    assert "Newest" in second
    assert not set(re.findall("<code>(.{8})…", first)) & set(re.findall("<code>(.{8})…", second))
    assert publisher.get(f"{LIST}?before=%C3%A9&reason=nothing").status_code == 200


def test_an_address_is_looked_up_with_the_domain_that_covers_it(
    site: Site, publisher: Person
) -> None:
    assert (
        "Nothing forbids to mail it." in publisher.post(f"{LIST}/search", {"written": LILIT}).text
    )
    for written in (LILIT, "@reader.example", "*.reader.example"):
        answer = publisher.post(f"{LIST}/add", {"address": written, "reason": "complaint"})
        assert answer.headers["location"] == f"{LIST}?done=added"
    found = publisher.post(f"{LIST}/search", {"written": LILIT}).text
    found = found[: found.index('id="domains"')]
    assert len(re.findall('name="listed"', found)) == 2
    assert ">@reader.example<" in found
    found = publisher.post(f"{LIST}/search", {"written": "*.reader.example"}).text
    assert len(re.findall('name="listed"', found[: found.index('id="domains"')])) == 1
    for path, name in (("search", "written"), ("add", "address")):
        answer = publisher.post(f"{LIST}/{path}", {name: "no address"})
        assert answer.status_code == 422
        assert f'id="{path}-problem"' in answer.text


def test_a_complaint_is_lifted_with_a_word_only(site: Site, publisher: Person) -> None:
    publisher.post(f"{LIST}/add", {"address": LILIT, "reason": "complaint"})
    publisher.post(f"{LIST}/add", {"address": "@town.example", "reason": "legal"})
    own = site.keyring.hash_address(LILIT)
    for listed in (own, "@town.example"):
        answer = publisher.post(f"{LIST}/lift", {"listed": listed, "why": " "})
        assert answer.status_code == 422
        assert "say why it may be mailed again" in answer.text
        answer = publisher.post(f"{LIST}/lift", {"listed": listed, "why": "She rang us."})
        assert answer.headers["location"] == f"{LIST}?done=lifted"
        with site.database.read() as tx:
            line = tx.changes.of("suppression", listed)[-1]
        assert (line.act, line.detail["why"]) == ("lifted", "She rang us.")
        assert publisher.editor is not None
        assert line.actor == publisher.editor.public_id
        assert publisher.post(f"{LIST}/lift", {"listed": listed}).status_code == 404
    with site.database.read() as tx:
        assert tx.suppressions.reason(LILIT, own) is None
        bounced = tx.suppressions.latest(9, reason=SuppressionReason.BOUNCED)[0][1]
    # What a reader's own confirmation would lift too needs no word.
    answer = publisher.post(f"{LIST}/lift", {"listed": bounced.address_hash})
    assert answer.status_code == 303


def test_the_list_is_taken_along(site: Site, publisher: Person) -> None:
    publisher.post(f"{LIST}/add", {"address": "*.spam.example", "reason": "legal"})
    answer = publisher.post(f"{LIST}/export")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["reason"] for row in rows] == [
        *("legal", "bounced", "forgotten", "complaint", "legal")
    ]
    assert rows[0]["address"] == "*.spam.example"
    with site.database.read() as tx:
        assert tx.changes.latest(9, kind="export")


def history_of(person: Person) -> list[str]:
    """The lines of what was done to who is never mailed, the newest first."""
    page = LexborHTMLParser(person.get("/desk/history?kind=never+mailed").text)
    return [" ".join(line.text(separator=" ").split()) for line in page.css("main ol > li")]


def test_the_history_tells_who_forbade_and_allowed_to_mail_whom(
    site: Site, publisher: Person
) -> None:
    editor = somebody(site, Role.EDITOR)
    publisher.post("/desk/readers/one/lilit/suppress", {"reason": "legal"})
    publisher.post(f"{LIST}/add", {"address": "@spam.example", "reason": "legal"})
    publisher.post(f"{LIST}/add", {"address": "stranger@away.example", "reason": "complaint"})
    # Said again, which changes nothing.
    publisher.post(f"{LIST}/add", {"address": LILIT, "reason": "complaint"})
    stranger, domain, lilit = history_of(editor)
    assert "publisher forbade to mail : l…@reader.example" in lilit
    assert "reason legal" in lilit
    assert "forbade to mail : @spam.example" in domain
    assert "an address that we do not hold (" in stranger
    assert "reason complaint" in stranger
    listed = site.keyring.hash_address(LILIT)
    publisher.post(f"{LIST}/lift", {"listed": listed, "why": "They asked us to."})
    publisher.post(f"{LIST}/lift", {"listed": "@spam.example", "why": "It is ours."})
    domain, lilit = history_of(editor)[:2]
    assert "publisher allowed to mail again : l…@reader.example" in lilit
    assert "reason legal" in lilit
    assert "why They asked us to." in lilit
    assert "allowed to mail again : @spam.example" in domain
    assert LILIT not in editor.get("/desk/history").text
    publisher.post("/desk/readers/one/lilit/forget", {"address": LILIT})
    assert not any("l…@" in line for line in history_of(editor))
