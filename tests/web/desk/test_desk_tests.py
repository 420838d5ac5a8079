"""Tests and rehearsals from the desk, by plain forms."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from selectolax.lexbor import LexborHTMLParser

from newsletter.delivery.model import MailingKind, Relay
from newsletter.errors import Conflict
from newsletter.publication.editors import Role
from newsletter.web.app import create_app
from newsletter.workflows.rehearsals import SILENT, begin_rehearsal, read_rehearsal
from tests.rendering.sample_issue import sample_issue
from tests.web.desk.people import Person, put_editor, sign_in, somebody
from tests.web.desk.test_desk_issue import bare_issue
from tests.web.site import NOW, Site
from tests.web.test_web_issues import issue_of, put_issue

PATH = f"/desk/issues/{sample_issue().public_id}"


@pytest.fixture
def nare(site: Site) -> Person:
    put_issue(site, bare_issue())
    return sign_in(site, put_editor(site, Role.EDITOR, "nare@paper.example", name="Nare"))


def text_of(person: Person, path: str) -> str:
    answer = person.get(path)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < 100_000
    body = LexborHTMLParser(answer.text).body
    return " ".join((body.text(separator=" ") if body else "").split())


def mailed(site: Site) -> list[tuple[str, str]]:
    return [
        (delivery.address, mailing.subject)
        for delivery, mailing in site.outgoing()
        if mailing.kind is MailingKind.TEST
    ]


def test_the_button_in_the_headline_sends_one_to_oneself(nare: Person) -> None:
    page = LexborHTMLParser(nare.get(PATH).text)
    form = page.css_first(f'form[action="{PATH}/tests"]')
    assert form is not None
    answer = nare.post(f"{PATH}/tests", {"to": "me"})
    assert answer.headers["location"] == f"{PATH}/tests?done=sent"
    assert "nare@paper.example : waits for its turn" in text_of(nare, f"{PATH}/tests")
    [(address, subject)] = mailed(nare.site)
    assert address == "nare@paper.example"
    assert subject.startswith("[Test] ")


def test_kept_addresses_are_ones_own_and_go_with_who_kept_them(nare: Person) -> None:
    nare.post(f"{PATH}/tests/addresses", {"address": "Nare.Phone@Mail.Example"})
    assert "nare.phone@mail.example" in text_of(nare, f"{PATH}/tests").lower()
    again = nare.post(f"{PATH}/tests/addresses", {"address": "Nare.Phone@Mail.Example"})
    assert again.status_code == 409
    assert "is kept already" in again.text
    other = somebody(nare.site, Role.ADMIN)
    assert "phone@" not in text_of(other, f"{PATH}/tests").lower()
    with nare.site.database.read() as tx:
        [kept] = tx.editor_test_addresses.of(nare.editor.public_id)  # type: ignore[union-attr]
    nare.post(f"{PATH}/tests", {"to": kept, "more": "a@b.example, c@d.example"})
    assert sorted(address for address, _ in mailed(nare.site)) == [
        "a@b.example",
        "c@d.example",
        kept,
    ]
    nare.post(f"{PATH}/tests/addresses", {"drop": kept})
    assert kept not in LexborHTMLParser(nare.get(f"{PATH}/tests").text).css_first("form").html  # type: ignore[union-attr,operator]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Nobody is named"),
        ({"more": "no-address"}, "no-address"),
        ({"more": " ".join(f"a{n}@b.example" for n in range(21))}, "at most"),
    ],
)
def test_what_can_t_be_sent_is_told_beside_the_form(
    nare: Person, fields: dict[str, str], told: str
) -> None:
    answer = nare.post(f"{PATH}/tests", fields)
    assert answer.status_code == 400
    assert told in answer.text
    assert mailed(nare.site) == []


def test_only_tests_tell_their_addresses(nare: Person) -> None:
    site = nare.site
    put_issue(site, issue_of("2025-W31"), html="<p>Sent</p>")
    reader = site.put("reader@mail.example")
    with site.database.write() as tx:
        tx.mailings.enqueue(
            "mailingissue2025w31", reader.public_id, "reader@mail.example", site.clock.now()
        )
        assert tx.mailings.fates("mailingissue2025w31") == []


def with_relay(site: Site, relay: Relay) -> None:
    """Let the pages of the site know a relay."""
    assert site.context.installation is not None
    installation = replace(site.context.installation, relays=(relay,))
    site.context = replace(site.context, installation=installation)
    site.client.app = create_app(site.context)


def at_once(work: Callable[[], None]) -> None:
    work()


def test_a_rehearsal_is_kept_with_its_issue(nare: Person) -> None:
    site = nare.site
    for number in range(3):
        site.put(f"reader{number}@mail.example")
    with_relay(site, Relay("main", "127.0.0.1", 9, tls="none"))
    assert site.context.installation is not None
    issue = bare_issue()
    begin_rehearsal(site.context.installation, issue, actor="nare", carry_out=at_once)
    text = text_of(nare, f"{PATH}/rehearsal")
    assert "would get it 3" in text or "3 would get it" in text
    assert "mail.example 3" in text
    assert "Rehearse once more" in text
    viewer = somebody(site, Role.VIEWER)
    assert "Rehearse once more" not in text_of(viewer, f"{PATH}/rehearsal")
    assert "reader0@" not in text


def test_a_second_one_waits_until_the_first_is_over_or_dead(nare: Person) -> None:
    site = nare.site
    with_relay(site, Relay("main", "127.0.0.1", 9, tls="none"))
    installation = site.context.installation
    assert installation is not None
    issue = bare_issue()
    left: list[Callable[[], None]] = []
    begin_rehearsal(installation, issue, actor="nare", carry_out=left.append)
    assert "0 of 0 readers" in text_of(nare, f"{PATH}/rehearsal")
    with pytest.raises(Conflict, match="already"):
        begin_rehearsal(installation, issue, actor="nare", carry_out=left.append)
    site.clock.instant = NOW + SILENT + timedelta(seconds=1)
    assert "broken off" in text_of(nare, f"{PATH}/rehearsal")
    begin_rehearsal(installation, issue, actor="nare", carry_out=left.append)
    assert len(left) == 2


def test_without_a_relay_nothing_is_rehearsed(nare: Person) -> None:
    answer = nare.post(f"{PATH}/rehearsal")
    assert answer.status_code == 409
    assert "[[relay]]" in answer.text
    with nare.site.database.read() as tx:
        assert read_rehearsal(tx, bare_issue().public_id, NOW) is None
