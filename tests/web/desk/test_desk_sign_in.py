"""Coming in to the desk and going out, as a browser and as an attacker do."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from newsletter.publication.editors import IDLE_TIME, LINK_LASTS, LONGEST_SESSION, Role
from newsletter.tokens import secret_digest
from newsletter.web.app import create_app
from newsletter.web.desk.guard import local_page
from newsletter.workflows.editors import change_role, remove_editor
from newsletter.workflows.sign_in import sign_out_everywhere
from tests.web.desk.people import (
    FROM_US,
    Person,
    link_path,
    put_editor,
    sign_in,
    somebody,
    stranger,
)
from tests.web.site import Site, links_in
from tests.web.test_web_issues import issue_of, preview_path, put_issue

LILIT = "lilit@paper.example"


def ask(person: Person, address: str = LILIT, page: str = "") -> str:
    """Ask for a link as the form does; the page that tells it is on its way."""
    answer = person.client.post(
        "/desk/sign-in", data={"address": address, "page": page}, headers=FROM_US
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/sign-in/sent")
    return person.get("/desk/sign-in/sent").text


def mailed_links(site: Site) -> list[str]:
    return [
        link
        for delivery, mailing in site.outgoing()
        for link in re.findall(r"https://news\.paper\.example(/desk/sign-in/\S+)", mailing.text)
        if delivery.address == LILIT
    ]


def test_an_editor_comes_in_by_a_mailed_link(site: Site) -> None:
    put_editor(site, Role.EDITOR, LILIT, name="Lilit")
    person = stranger(site)
    assert person.get("/desk/").headers["location"] == "/desk/sign-in"
    ask(person, "  Lilit@Paper.example ")
    (link,) = mailed_links(site)
    page = person.get(link)
    assert "Lilit" in page.text
    answer = person.client.post(link, headers=FROM_US)
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/")
    home = person.get("/desk/")
    assert home.status_code == 200
    assert "Lilit" in home.text


def test_the_mail_is_in_the_editors_language_and_first_in_line(site: Site) -> None:
    put_editor(site, Role.EDITOR, LILIT, language="hy")
    ask(stranger(site))
    ((delivery, mailing),) = site.outgoing()
    assert (delivery.address, mailing.language, mailing.kind) == (LILIT, "hy", "system")
    assert re.search("[\u0530-\u058f]", mailing.subject)


def test_a_scanner_that_opens_the_link_first_spends_nothing(site: Site) -> None:
    path = link_path(site, put_editor(site, Role.EDITOR))
    before = site.dump()
    for method in ("GET", "HEAD", "GET"):
        answer = site.client.request(method, path)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert site.dump() == before
    person = stranger(site)
    assert person.client.post(path, headers=FROM_US).status_code == 303
    assert person.get("/desk/").status_code == 200


def test_a_link_works_once_and_not_for_long(site: Site) -> None:
    put_editor(site, Role.EDITOR, LILIT)
    for _ in range(2):
        ask(stranger(site))
    used, late = mailed_links(site)
    assert stranger(site).client.post(used, headers=FROM_US).status_code == 303
    again = stranger(site)
    assert again.client.post(used, headers=FROM_US).status_code == 404
    site.clock.sleep(LINK_LASTS.total_seconds())
    for path in (used, late, "/desk/sign-in/unknown", "/desk/sign-in/" + "a" * 52):
        answer = again.get(path)
        assert answer.status_code == 404
        assert "no longer works" in answer.text
        assert again.client.post(path, headers=FROM_US).status_code == 404
    assert again.get("/desk/").status_code == 303


def test_nothing_tells_who_is_an_editor(site: Site) -> None:
    put_editor(site, Role.EDITOR, LILIT)
    answers = {ask(stranger(site), address) for address in (LILIT, "x@y.example", "", "no", "\0")}
    assert len(answers) == 1


def test_five_links_an_hour_are_mailed_to_an_editor(site: Site) -> None:
    put_editor(site, Role.EDITOR, LILIT)
    other = put_editor(site, Role.ADMIN)
    for _ in range(8):
        ask(stranger(site))
        site.clock.sleep(60)
    assert len(mailed_links(site)) == 5
    # Whoever runs the service is not held up by that, nor is anybody else.
    assert sign_in(site, other).get("/desk/").status_code == 200
    site.clock.sleep(3600)
    ask(stranger(site))
    assert len(mailed_links(site)) == 1


def test_a_network_that_asks_on_and_on_is_put_off(site: Site) -> None:
    person = stranger(site)
    for _ in range(10):
        ask(person, "x@y.example")
    answer = person.client.post("/desk/sign-in", data={"address": LILIT}, headers=FROM_US)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    site.clock.sleep(61)
    ask(person, "x@y.example")


def test_who_comes_in_is_back_where_they_were(site: Site) -> None:
    put_editor(site, Role.EDITOR, LILIT)
    person = stranger(site)
    answer = person.get("/desk/sign-in?page=/desk/issues/5%3Fview%3Ddark")
    assert 'value="/desk/issues/5?view=dark"' in answer.text
    ask(person, page="/desk/issues/5?view=dark")
    ask(person, page="//evil.example/desk/")
    there, nowhere = mailed_links(site)
    answer = person.client.post(there, headers=FROM_US)
    assert answer.headers["location"] == "/desk/issues/5?view=dark"
    answer = person.client.post(nowhere, headers=FROM_US)
    assert answer.headers["location"] == "/desk/"


@pytest.mark.parametrize(
    "page",
    [
        *("https://evil.example/desk/", "//evil.example/desk/", "/\\evil.example", "\\\\evil"),
        *("/desk//evil.example", "/desk/../archive/", "/desk/./x", "/deskevil/", "/", "", "desk/"),
        *("/desk/\r\nset-cookie: a=b", "/desk/\tx", "/desk/ x", "/desk/\u0561", "javascript:x"),
        *("/desk/sign-out", "/desk/sign-in/abc", "/desk/" + "x" * 300, "/%2f/evil.example"),
    ],
)
def test_nobody_is_sent_away_from_the_desk(page: str) -> None:
    assert local_page("/desk", page) == ""


@given(st.text(max_size=40).map(lambda tail: f"/desk{tail}"))
def test_a_page_to_go_back_to_stays_on_this_host(page: str) -> None:
    kept = local_page("/desk", page)
    assert kept in ("", page)
    assert not kept or re.fullmatch(r"/desk(?:[/?][!-\[\]-~]*)?", kept)


def test_the_cookie_is_out_of_reach(site: Site, tmp_path: Path) -> None:
    answer = stranger(site).client.post(
        link_path(site, put_editor(site, Role.EDITOR)), headers=FROM_US
    )
    cookie = answer.headers["set-cookie"]
    name, *flags = [part.strip().lower() for part in cookie.split(";")]
    assert name.startswith("__host-desk=")
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= set(flags)
    assert not any(flag.startswith("domain") for flag in flags)
    secret = cookie.split("=")[1].split(";")[0]
    assert not any(secret in line for line in site.dump())
    assert any(secret_digest(secret) in line for line in site.dump())


@pytest.mark.parametrize(
    ("desk", "name", "path"),
    [
        ("https://paper.example/news/desk", "__Secure-desk", "/news/desk"),
        ("http://127.0.0.1:8000/desk", "desk", "/desk"),
    ],
)
def test_the_cookie_promises_what_the_address_allows(
    site: Site, desk: str, name: str, path: str
) -> None:
    base = desk.removesuffix("/desk")
    context = replace(site.context, base_url=base)
    link = link_path(replace_context(site, context), put_editor(site, Role.EDITOR))
    host = base.removesuffix("/news")
    with TestClient(create_app(context), base_url=host, follow_redirects=False) as client:
        answer = client.post(f"{path.removesuffix('/desk')}{link}", headers=FROM_US)
        assert answer.headers["location"] == f"{path}/"
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{name}=")
        assert f"path={path}" in cookie.lower()
        assert ("secure" in cookie.lower().split("; ")) == desk.startswith("https")
        assert client.get(f"{path}/").status_code == 200


def replace_context(site: Site, context: object) -> Site:
    return replace(site, context=context)  # type: ignore[arg-type]


def test_a_session_begins_anew_at_every_sign_in(site: Site) -> None:
    editor = put_editor(site, Role.EDITOR)
    person = stranger(site)
    # A cookie that an attacker planted is nobody's session, and does not become one.
    person.client.cookies.set("__Host-desk", "a" * 52, domain="news.paper.example", path="/")
    assert person.get("/desk/").status_code == 303
    cookies = {"a" * 52}
    for _ in range(2):
        person.client.post(link_path(site, editor), headers=FROM_US)
        (now,) = {cookie.value for cookie in person.client.cookies.jar} - cookies
        assert now is not None
        cookies.add(now)
        person.client.cookies.clear()
        person.client.cookies.set("__Host-desk", now, domain="news.paper.example", path="/")
        assert person.get("/desk/").status_code == 200
        with site.database.read() as tx:
            assert len(tx.editors.sessions(editor.public_id)) == 1


def test_an_old_cookie_is_worth_nothing_after_signing_out(site: Site) -> None:
    person = somebody(site, Role.EDITOR)
    old = person.cookie
    answer = person.post("/desk/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/sign-in?done=out")
    assert person.cookie == ""
    assert "You are signed out." in person.get("/desk/sign-in?done=out").text
    person.client.cookies.set("__Host-desk", old, domain="news.paper.example", path="/")
    answer = person.get("/desk/")
    assert answer.headers["location"] == "/desk/sign-in?done=over"
    assert "Your session has ended." in person.get(answer.headers["location"]).text


def test_a_session_ends_by_idling_and_by_its_age(site: Site) -> None:
    idle, busy = somebody(site, Role.EDITOR), somebody(site, Role.ADMIN)
    begun = site.clock.now()
    while site.clock.now() < begun + LONGEST_SESSION - timedelta(days=7):
        site.clock.sleep(timedelta(days=7).total_seconds())
        assert busy.get("/desk/").status_code == 200
    assert site.clock.now() > begun + IDLE_TIME
    assert idle.get("/desk/").status_code == 303
    site.clock.instant = begun + LONGEST_SESSION
    assert busy.get("/desk/").status_code == 303


def test_who_is_removed_or_signed_out_is_out_at_once(site: Site) -> None:
    admin = somebody(site, Role.ADMIN)
    removed, out = somebody(site, Role.EDITOR), somebody(site, Role.VIEWER)
    assert removed.editor is not None
    assert out.editor is not None
    waiting = link_path(site, removed.editor)
    now = site.clock.now()
    remove_editor(site.database, removed.editor.public_id, actor="test", now=now)
    sign_out_everywhere(site.database, out.editor.public_id, actor="test", now=now)
    for person in (removed, out):
        assert person.get("/desk/").status_code == 303
        assert person.post("/desk/sign-out", csrf="x").status_code == 303
    assert removed.client.post(waiting, headers=FROM_US).status_code == 404
    assert admin.get("/desk/").status_code == 200


def test_a_role_counts_from_the_next_request_on(site: Site) -> None:
    person = somebody(site, Role.VIEWER)
    assert person.editor is not None
    assert "· viewer</p>" in person.get("/desk/").text
    change_role(
        site.database,
        person.editor.public_id,
        Role.PUBLISHER,
        actor="test",
        now=site.clock.now(),
    )
    assert "· publisher</p>" in person.get("/desk/").text


def test_a_desk_of_its_own_host_shares_no_origin_with_the_pages(site: Site) -> None:
    own = replace(site.context, desk="https://desk.paper.example/desk")
    path = link_path(site, put_editor(site, Role.EDITOR))
    with (
        TestClient(create_app(own), "https://desk.paper.example", follow_redirects=False) as desk,
        TestClient(create_app(own), "https://news.paper.example", follow_redirects=False) as pages,
    ):
        path = path.removeprefix("https://desk.paper.example")
        assert desk.get("/").headers["location"] == "/desk/"
        assert desk.post(path, headers=FROM_US).headers["location"] == "/desk/"
        assert desk.get("/desk/").status_code == 200
        assert desk.get("/static/desk.css").status_code == 200
        preview = preview_path(site, put_issue(site, issue_of()))
        for linked in links_in(desk.get(preview).text):
            if linked.startswith("/"):
                assert desk.get(html.unescape(linked)).status_code == 200, linked
        assert pages.get(preview).status_code == 404
        for readers in ("/subscribe/weekly", "/archive/weekly/", "/embed.js", "/nowhere"):
            assert desk.get(readers).status_code == 404, readers
        for ours in ("/desk/", "/desk/sign-in", path):
            assert pages.get(ours).status_code == 404, ours
        assert pages.get("/subscribe/weekly").status_code == 200
        assert pages.get("/", headers={"host": "other.example"}).status_code == 400
