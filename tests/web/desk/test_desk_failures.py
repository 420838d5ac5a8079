"""What goes wrong at the desk is told on a page of its own, in its editor's language."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from httpx2 import Response
from selectolax.lexbor import LexborHTMLParser
from starlette.testclient import TestClient

from newsletter.errors import StorageError
from newsletter.publication.editors import Role, Theme
from newsletter.publication.model import Settings
from newsletter.storage.database import Database
from newsletter.web.app import create_app
from newsletter.workflows.editors import describe_editor
from tests.web.desk.people import FROM_US, Person, put_editor, sign_in, stranger
from tests.web.site import NOW, Site

ARMENIAN = re.compile("[\u0530-\u058f]")


@pytest.fixture
def lilit(site: Site) -> Person:
    editor = put_editor(site, Role.ADMIN, name="Lilit")
    describe_editor(
        site.database, editor.public_id, name="Lilit", language="hy", theme=Theme.DARK, now=NOW
    )
    return sign_in(site, editor)


def assert_is_the_desk_s(answer: Response, status: int) -> LexborHTMLParser:
    assert answer.status_code == status
    page = LexborHTMLParser(answer.text)
    assert page.css_first('link[href*="/desk.css"]') is not None
    assert page.css_first('main .buttons a[href^="/desk/"]') is not None
    heading = page.css_first("h1")
    assert heading is not None
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    return page


def heading_of(page: LexborHTMLParser) -> str:
    heading = page.css_first("h1")
    assert heading is not None
    return heading.text()


@pytest.mark.parametrize("path", ["/desk/nowhere", "/desk/issues/x/y/z", "/desk/readers/one"])
def test_an_unknown_path(lilit: Person, path: str) -> None:
    page = assert_is_the_desk_s(lilit.get(path), 404)
    assert ARMENIAN.search(heading_of(page))
    assert page.css_first("nav.places") is not None
    page = assert_is_the_desk_s(stranger(lilit.site).get(path), 404)
    assert heading_of(page) == "There is no such page"
    assert page.css_first("nav.places") is None


def test_a_wrong_method(lilit: Person) -> None:
    page = assert_is_the_desk_s(lilit.get("/desk/sign-out"), 405)
    assert ARMENIAN.search(heading_of(page))
    assert_is_the_desk_s(lilit.client.put("/desk/me"), 405)


def drops() -> Iterator[bytes]:
    for _ in range(100):
        yield b"x" * 1_000


@pytest.mark.parametrize("body", [b"x" * 100_000, drops])
def test_too_much(lilit: Person, body: object) -> None:
    content = body() if callable(body) else body
    headers = {**FROM_US, "content-type": "application/x-www-form-urlencoded"}
    answer = lilit.client.post("/desk/me", content=content, headers=headers)  # type: ignore[arg-type]
    assert ARMENIAN.search(heading_of(assert_is_the_desk_s(answer, 413)))


def test_the_records_out_of_reach(lilit: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StorageError("the disk is full: /secret/path", subject="database")

    monkeypatch.setattr(Database, "read", fail)
    answer = lilit.get("/desk/")
    page = assert_is_the_desk_s(answer, 503)
    assert answer.headers["retry-after"] == "60"
    assert heading_of(page) == "One moment, please"
    assert "/secret/path" not in answer.text


def test_the_settings_out_of_reach(lilit: Person) -> None:
    def fail() -> Settings:
        raise StorageError("the disk is full", subject="database")

    app = create_app(replace(lilit.site.context, load_settings=fail))
    client = TestClient(app, base_url=lilit.site.context.base_url)
    page = assert_is_the_desk_s(client.get("/desk/", headers={"accept-language": "hy"}), 503)
    assert ARMENIAN.search(heading_of(page))


def test_our_own_mistake(lilit: Person) -> None:
    def fail() -> Settings:
        raise ZeroDivisionError("oh")

    app = create_app(replace(lilit.site.context, load_settings=fail))
    client = TestClient(app, base_url=lilit.site.context.base_url, raise_server_exceptions=False)
    assert_is_the_desk_s(client.get("/desk/"), 500)


def test_readers_pages_keep_their_own(lilit: Person) -> None:
    for path in ("/nowhere", "/deskless", "/desk/preview/no-token"):
        answer = lilit.get(path)
        assert answer.status_code == 404
        assert "/desk.css" not in answer.text
