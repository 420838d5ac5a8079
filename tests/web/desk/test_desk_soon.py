"""The minute in which what is sent now can be stopped: by whatever somebody does."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from newsletter.issues.model import IssueState
from newsletter.publication.editors import Role
from newsletter.workflows.tick import tick
from tests.web.desk.people import Person, put_editor, sign_in
from tests.web.desk.send_shop import PATH, open_send_shop, stored
from tests.web.desk.test_desk_issue import told_after
from tests.web.desk.test_desk_review import approve, read, text_of
from tests.web.site import Site


def send_now(site: Site, **newsletter: Any) -> Person:
    """A publisher whose issue goes out in a minute."""
    shop = open_send_shop(site, **newsletter)
    shop.put("reader@mail.example")
    lilit = sign_in(shop, put_editor(shop, Role.PUBLISHER, "lilit@paper.example", name="Lilit"))
    approve(lilit)
    with closing(sqlite3.connect(shop.path)) as connection:
        connection.execute("update subscriber set timezone = 'Asia/Yerevan'")
        connection.commit()
    assert lilit.post(f"{PATH}/now", {"count": "1"}).headers["location"].endswith("done=soon")
    return lilit


def pass_by(site: Site, seconds: float) -> None:
    """What the scheduler does when so many seconds are over."""
    site.clock.sleep(seconds)
    assert site.context.installation is not None
    for _ in range(2):
        tick(site.context.installation)


def write_note(person: Person) -> str:
    """Change the note in the editing page; what it says then."""
    fields = {"act": "lines", "version": str(stored(person.site).version), "note": "Wait."}
    return told_after(person, person.post(PATH, fields))


def test_readers_in_the_east_have_to_wait_for_the_minute_too(site: Site) -> None:
    lilit = send_now(site, waves={"local_time": True})
    pass_by(site, 0)
    pass_by(site, 59)
    assert stored(site).state is IssueState.APPROVED
    assert lilit.post(f"{PATH}/take-back").headers["location"].endswith("done=taken-back")
    assert stored(site).state is IssueState.APPROVED


def test_then_it_goes_out_to_them(site: Site) -> None:
    send_now(site, waves={"local_time": True})
    pass_by(site, 60)
    assert stored(site).state is IssueState.SENDING


@pytest.mark.parametrize("rule", ["hold", "send", "safe"])
def test_an_edit_stops_it_and_it_waits_for_its_own_time(site: Site, rule: str) -> None:
    lilit = send_now(site, unapproved=rule)
    soon = stored(site).send_at
    told = write_note(lilit)
    issue = stored(site)
    assert issue.state is IssueState.DRAFT
    assert issue.send_at > soon + timedelta(hours=1)
    assert f"for its own time, {issue.send_at:%Y-%m-%d %H:%M} UTC: approve it anew" in told
    pass_by(site, 61)
    assert stored(site).state is IssueState.DRAFT
    assert stored(site).note == "Wait."


def test_a_hold_stops_it_and_releases_it_for_its_own_time(site: Site) -> None:
    lilit = send_now(site, unapproved="send")
    soon = stored(site).send_at
    lilit.post(f"{PATH}/hold", {"reason": "The lead is wrong"})
    held = stored(site)
    assert held.state is IssueState.HELD
    assert held.send_at > soon + timedelta(hours=1)
    lilit.post(f"{PATH}/release")
    pass_by(site, 61)
    assert stored(site).state is IssueState.DRAFT
    assert stored(site).send_at == held.send_at
    assert "07:00" in text_of(read(lilit))
