"""What somebody typed is not lost when their session ended meanwhile, nor done behind them."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.publication.editors import Role
from newsletter.workflows.sign_in import sign_out
from tests.web.desk.people import FROM_US, Person, put_editor, sign_in, somebody, stranger
from tests.web.desk.send_shop import PATH, open_send_shop, stored
from tests.web.site import Site

NOTE = 'A long note.\r\n\r\nWith "quotes" & more.'


@pytest.fixture
def nare(site: Site) -> Person:
    open_send_shop(site)
    return sign_in(site, put_editor(site, Role.EDITOR, "nare@paper.example"))


def send_note(person: Person, csrf: str) -> str:
    """Save a note from a page that was opened before; the page that answers."""
    version = str(stored(person.site).version)
    answer = person.post(
        PATH, {"act": "lines", "version": version, "note": NOTE, "subject": "Ours"}, csrf=csrf
    )
    assert answer.status_code == 403
    assert "no-store" in answer.headers["cache-control"]
    return answer.text


def fields_of(page: str) -> tuple[str, dict[str, str]]:
    """Where the kept form is sent to, and what a browser would send."""
    form = LexborHTMLParser(page).css_first("form#kept")
    assert form is not None
    found = {
        node.attributes["name"] or "": node.attributes.get("value") or ""
        for node in form.css("input")
    }
    for node in form.css("textarea"):
        # A browser sends its lines with CRLF; its parser drops the first line feed.
        text = node.text().removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n")
        found[node.attributes["name"] or ""] = text
    return form.attributes["action"] or "", found


def test_a_note_survives_the_end_of_its_session(nare: Person) -> None:
    before, old = stored(nare.site), nare.csrf()
    sign_out(nare.site.database, nare.cookie)
    signed_out = send_note(nare, old)
    assert "You are signed out" in signed_out
    assert 'target="_blank"' in signed_out
    action, fields = fields_of(signed_out)
    # Pressed too early it is kept once more.
    assert nare.client.post(action, data=fields, headers=FROM_US).status_code == 403
    assert stored(nare.site) == before
    assert nare.editor is not None
    again = sign_in(nare.site, nare.editor)
    answer = again.client.post(action, data=fields, headers=FROM_US)
    assert answer.status_code == 403
    assert "That form is no longer good" in answer.text
    assert stored(nare.site) == before
    action, fields = fields_of(answer.text)
    assert fields["csrf"] == again.csrf()
    assert again.client.post(action, data=fields, headers=FROM_US).status_code == 303
    assert stored(nare.site).note == NOTE.replace("\r\n", "\n")
    assert stored(nare.site).subject == "Ours"


def test_every_value_of_a_field_is_kept(nare: Person) -> None:
    answer = stranger(nare.site).client.post(
        f"{PATH}/tests",
        data={"to": ["me", "other@paper.example"], "more": "", "csrf": "old"},
        headers=FROM_US,
    )
    page = LexborHTMLParser(answer.text)
    kept = [node.attributes["value"] for node in page.css('#kept input[name="to"]')]
    assert kept == ["me", "other@paper.example"]
    assert "old" not in [node.attributes.get("value") for node in page.css("#kept input")]


def test_nothing_is_kept_for_another_site_or_for_who_may_not(nare: Person) -> None:
    viewer = somebody(nare.site, Role.VIEWER)
    fields = {"act": "lines", "note": NOTE}
    for person, headers in ((nare, {"sec-fetch-site": "cross-site"}), (viewer, FROM_US)):
        answer = person.post(PATH, fields, headers=headers, csrf="")
        assert answer.status_code == 403
        assert "A long note" not in answer.text


def test_an_empty_form_leads_to_the_sign_in_as_a_page_does(nare: Person) -> None:
    answer = stranger(nare.site).post("/desk/sign-out")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/desk/sign-in")
