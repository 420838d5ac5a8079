"""One reader at the desk: found, shown, taken off, put back, suppressed, forgotten."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from newsletter.publication.editors import Role
from newsletter.subscribers.model import SubscriptionState, SuppressionReason
from newsletter.web.app import create_app
from newsletter.workflows.suppress import suppress_address
from tests.web.desk.people import Person, somebody
from tests.web.desk.reader_shop import LILIT, fill
from tests.web.desk.test_desk_reader_figures import text_of
from tests.web.site import NOW, Site

PAGE = "/desk/readers/one/lilit"


@pytest.fixture
def publisher(site: Site) -> Person:
    fill(site)
    return somebody(site, Role.PUBLISHER)


def lines_of(site: Site, subject: str, kind: str = "subscription") -> list[tuple[str, str]]:
    with site.database.read() as tx:
        return [(change.actor, change.act) for change in tx.changes.of(kind, subject)]


def test_an_address_leads_to_its_reader_and_stands_in_no_address_of_ours(
    publisher: Person,
) -> None:
    answer = publisher.post("/desk/readers/find", {"address": f" {LILIT.upper()} "})
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    page = publisher.get(PAGE)
    told = text_of(page.text)
    for part in (
        *(LILIT, "The Courier Weekly", "the form on the site", "article"),
        *("https://paper.example/2025/08/bread/", "one click.", "434fe447f481"),
        *("27 Jul 2025, 04:00", "Clicks are counted, but nobody’s"),
    ):
        assert part in told, part
    addresses = re.findall(r'(?:href|action)="([^"]+)"', page.text)
    assert not [one for one in addresses if "@" in one or "%40" in one]


def test_who_is_not_held_is_told_with_what_forbids_to_mail(site: Site, publisher: Person) -> None:
    page = publisher.post("/desk/readers/find", {"address": "nobody@reader.example"})
    assert "We hold no reader of this address." in page.text
    assert "Nothing forbids to mail it." in page.text
    suppress_address(
        *(site.database, site.keyring, "@reader.example", SuppressionReason.LEGAL),
        actor="test",
        now=NOW,
    )
    page = publisher.post("/desk/readers/find", {"address": "nobody@reader.example"})
    assert "It may not be mailed: legal." in text_of(page.text)
    page = publisher.post("/desk/readers/find", {"address": "nobody"})
    assert page.status_code == 422
    assert 'aria-describedby="problem"' in page.text


def test_an_editor_takes_a_reader_off_and_undoes_it(site: Site, publisher: Person) -> None:
    answer = publisher.post(f"{PAGE}/off", {"newsletter": "weekly"})
    assert answer.headers["location"] == f"{PAGE}?done=left"
    assert site.state(LILIT) == "unsubscribed"
    assert "Undo: put back" in publisher.get(PAGE).text
    assert publisher.post(f"{PAGE}/back", {"newsletter": "weekly"}).status_code == 303
    assert site.state(LILIT) == "active"
    assert publisher.editor is not None
    who = publisher.editor.public_id
    assert lines_of(site, "lilit")[-2:] == [(who, "unsubscribed"), (who, "active")]


def test_what_is_asked_for_since_stands_beside_and_is_no_hindrance(
    site: Site, publisher: Person
) -> None:
    publisher.post(f"{PAGE}/off", {"newsletter": "weekly"})
    site.sign_up(LILIT, placement="footer")
    told = text_of(publisher.get(PAGE).text)
    assert "left" in told
    (asked,) = told.split("Asked for again, not confirmed")[1:]
    assert "the form on our page placement footer" in asked
    assert publisher.post(f"{PAGE}/back", {"newsletter": "weekly"}).status_code == 303
    assert site.state(LILIT) == "active"
    assert "Asked for again" not in publisher.get(PAGE).text


def test_nobody_is_put_back_who_left_by_themselves_or_long_ago(
    site: Site, publisher: Person
) -> None:
    with site.database.read() as tx:
        reader = tx.subscribers.get("lilit")
    assert site.client.post(site.unsubscribe_path(reader)).status_code == 200
    assert "Undo: put back" not in publisher.get(PAGE).text
    answer = publisher.post(f"{PAGE}/back", {"newsletter": "weekly"})
    assert answer.status_code == 409
    assert site.state(LILIT) == "unsubscribed"
    publisher.post("/desk/readers/one/reader99/off", {"newsletter": "weekly"})
    site.clock.sleep(timedelta(days=31).total_seconds())
    publisher = somebody(site, Role.ADMIN)
    answer = publisher.post("/desk/readers/one/reader99/back", {"newsletter": "weekly"})
    assert answer.status_code == 409


def test_who_never_confirmed_is_not_made_active_by_an_undo(site: Site, publisher: Person) -> None:
    waiting = site.put("waiting@reader.example", "pending")
    page = f"/desk/readers/one/{waiting.public_id}"
    publisher.post(f"{page}/off", {"newsletter": "weekly"})
    assert site.state("waiting@reader.example") == "unsubscribed"
    assert publisher.post(f"{page}/back", {"newsletter": "weekly"}).status_code == 409
    assert site.state("waiting@reader.example") == "unsubscribed"


def test_a_reader_is_suppressed_for_a_reason(site: Site, publisher: Person) -> None:
    answer = publisher.post(f"{PAGE}/suppress", {"reason": "complaint"})
    assert answer.headers["location"] == f"{PAGE}?done=suppressed"
    assert "never mailed: complaint" in text_of(publisher.get(PAGE).text)
    with site.database.read() as tx:
        reason = tx.subscribers.suppression(site.keyring.hash_address(LILIT))
    assert reason is SuppressionReason.COMPLAINT
    # What no form offers is not taken.
    publisher.post("/desk/readers/one/reader99/suppress", {"reason": "bounced"})
    with site.database.read() as tx:
        address = tx.subscribers.get("reader99").address
        reason = tx.subscribers.suppression(site.keyring.hash_address(address))
    assert reason is SuppressionReason.LEGAL


def test_to_forget_a_reader_the_address_is_typed(site: Site, publisher: Person) -> None:
    before = site.state(LILIT)
    answer = publisher.post(f"{PAGE}/forget", {"address": "lilit"})
    assert answer.status_code == 422
    assert "Nobody was forgotten." in answer.text
    assert site.state(LILIT) == before
    answer = publisher.post(f"{PAGE}/forget", {"address": f" {LILIT.upper()} "})
    assert answer.headers["location"] == "/desk/readers/find?done=forgotten"
    assert site.state(LILIT) == "unknown"
    assert publisher.get(PAGE).status_code == 404
    assert not any(LILIT in line for line in site.dump())
    # The log tells that it was done, and no more of whom.
    assert lines_of(site, "lilit", "subscriber") == []
    (told,) = [line for line in site.dump() if '"change_log"' in line and "'forgotten'" in line]
    assert "'subscriber'" in told


def test_everything_held_is_handed_out_and_that_is_logged(site: Site, publisher: Person) -> None:
    answer = publisher.post(f"{PAGE}/data")
    assert answer.headers["content-disposition"] == 'attachment; filename="reader.json"'
    assert answer.headers["cache-control"] == "no-store"
    data = json.loads(answer.text)
    assert data["subscriber"]["address"] == LILIT
    assert data["subscriptions"][0]["state"] == SubscriptionState.ACTIVE
    assert lines_of(site, "lilit", "subscriber")[-1][1] == "data handed out"


def test_mails_and_clicks_are_shown_where_they_are_known(site: Site, publisher: Person) -> None:
    site.sign_up("new@reader.example")
    with site.database.read() as tx:
        reader = tx.subscribers.find("new@reader.example")
    assert reader is not None
    page = text_of(publisher.get(f"/desk/readers/one/{reader.public_id}").text)
    assert "not confirmed yet" in page
    assert "waits" in page
    counting = site.settings.model_copy(
        update={"tracking": site.settings.tracking.model_copy(update={"clicks": "count"})}
    )
    counted = create_app(replace(site.context, load_settings=lambda: counting))
    client = TestClient(counted, str(publisher.client.base_url), follow_redirects=False)
    client.cookies = publisher.client.cookies
    publisher = Person(site, client, publisher.editor)
    assert "No link of ours was clicked." in publisher.get(PAGE).text
