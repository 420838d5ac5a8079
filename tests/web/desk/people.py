"""Editors at the desk of a test's site, each with a browser of their own."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from httpx2 import Response
from starlette.testclient import TestClient

from newsletter.publication.editors import Editor, Role
from newsletter.web.desk.cookie import cookie_name
from newsletter.workflows.editors import add_editor
from newsletter.workflows.sign_in import make_link
from tests.web.site import Site

FROM_US = {"sec-fetch-site": "same-origin"}


@dataclass
class Person:
    """A browser, and who sits before it; ``editor`` is None for a stranger."""

    site: Site
    client: TestClient
    editor: Editor | None = None

    def get(self, path: str) -> Response:
        return self.client.get(path)

    def post(
        self,
        path: str,
        data: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] = FROM_US,
        csrf: str | None = None,
    ) -> Response:
        """Send a form as a page of the desk does, with the token of this session."""
        token = self.csrf() if csrf is None else csrf
        return self.client.post(path, data={**(data or {}), "csrf": token}, headers=headers)

    def get_made(self, path: str) -> Response:
        """The page once what is made behind it is there: "Look again" was pressed until then."""
        for _ in range(400):
            answer = self.get(path)
            if 'class="awaited"' not in answer.text:
                return answer
            time.sleep(0.02)
        raise AssertionError(f"{path} is still being made")

    def csrf(self) -> str:
        """The token that the desk's forms hold for this person; empty for a stranger."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.client.get("/desk/").text)
        return found[1] if found else ""

    @property
    def cookie(self) -> str:
        return self.client.cookies.get(cookie_name(self.site.context)) or ""


def stranger(site: Site) -> Person:
    """Somebody with a browser that was never here."""
    client = TestClient(site.client.app, base_url=str(site.client.base_url), follow_redirects=False)
    return Person(site, client)


def put_editor(site: Site, role: Role, address: str = "", **values: str) -> Editor:
    """An editor of that role, as the command line lets them in."""
    return add_editor(
        site.database,
        address=address or f"{role}@paper.example",
        role=role,
        actor="test",
        now=site.clock.now(),
        **values,
    )


def link_path(site: Site, editor: Editor) -> str:
    """The path of a fresh sign-in link."""
    link = make_link(site.database, site.context.desk_url, editor, now=site.clock.now())
    return link.removeprefix(site.context.base_url)


def sign_in(site: Site, editor: Editor) -> Person:
    """That editor, signed in by the button of a link."""
    person = stranger(site)
    answer = person.client.post(link_path(site, editor), headers=FROM_US)
    assert answer.status_code == 303
    return Person(site, person.client, editor)


def somebody(site: Site, role: Role) -> Person:
    """A new editor of that role, signed in."""
    return sign_in(site, put_editor(site, role))
