"""Who may see and do what at the desk: every route of it with every role, and without one.

The table is written out here: a route whose act is changed by mistake fails.
"""

import re

import pytest
from httpx2 import Response

from newsletter.publication.editors import Act, Role
from newsletter.web.desk.routes import DeskRoute, show
from newsletter.web.desk.table import desk_table
from tests.web.desk.people import FROM_US, Person, put_editor, sign_in, somebody, stranger
from tests.web.site import Site

V, E, P, A = Role.VIEWER, Role.EDITOR, Role.PUBLISHER, Role.ADMIN
ROLES = (None, V, E, P, A)
ANYBODY, VIEWERS, EDITORS, PUBLISHERS, ADMINS = (ROLES[start:] for start in range(5))

# By method and path who may; whoever adds a page to the desk writes it in here as well.
EXPECTED = {
    "GET /": VIEWERS,
    "GET /issues": VIEWERS,
    "GET /issues/{issue}": VIEWERS,
    "POST /issues/{issue}": EDITORS,
    "GET /issues/{issue}/mail": VIEWERS,
    "GET /issues/{issue}/readers": PUBLISHERS,
    "POST /issues/{issue}/readers": PUBLISHERS,
    "GET /issues/{issue}/readers/{reader}": PUBLISHERS,
    "GET /issues/{issue}/readers/{reader}/mail": PUBLISHERS,
    "GET /issues/{issue}/checks": VIEWERS,
    "GET /issues/{issue}/versions": VIEWERS,
    "GET /issues/{issue}/stories": EDITORS,
    "GET /issues/{issue}/stories/{story}": EDITORS,
    "GET /act/{token}": ANYBODY,
    "POST /act/{token}": ANYBODY,
    "GET /act/{token}/checks": ANYBODY,
    "GET /act/{token}/pressed": ANYBODY,
    "GET /issues/{issue}/tests": EDITORS,
    "POST /issues/{issue}/tests": EDITORS,
    "POST /issues/{issue}/tests/addresses": EDITORS,
    "GET /issues/{issue}/rehearsal": VIEWERS,
    "POST /issues/{issue}/rehearsal": EDITORS,
    "GET /issues/{issue}/review": VIEWERS,
    "GET /issues/{issue}/review/readers": VIEWERS,
    "GET /issues/{issue}/review/checks": VIEWERS,
    "POST /issues/{issue}/approve": PUBLISHERS,
    "POST /issues/{issue}/hold": EDITORS,
    "POST /issues/{issue}/release": EDITORS,
    "POST /issues/{issue}/cancel": EDITORS,
    "POST /issues/{issue}/cancel/undo": EDITORS,
    "POST /issues/{issue}/time": PUBLISHERS,
    "POST /issues/{issue}/now": PUBLISHERS,
    "POST /issues/{issue}/take-back": PUBLISHERS,
    "GET /issues/{issue}/sending": VIEWERS,
    "POST /issues/{issue}/pause": PUBLISHERS,
    "POST /issues/{issue}/resume": PUBLISHERS,
    "POST /issues/{issue}/recall": PUBLISHERS,
    "POST /issues/{issue}/stop": PUBLISHERS,
    "GET /issues/{issue}/correct": PUBLISHERS,
    "POST /issues/{issue}/correct": PUBLISHERS,
    "GET /issues/{issue}/report": VIEWERS,
    "GET /issues/{issue}/report/stories.csv": VIEWERS,
    "GET /issues/{issue}/report/readers.csv": PUBLISHERS,
    "GET /sign-in": ANYBODY,
    "POST /sign-in": ANYBODY,
    "GET /sign-in/sent": ANYBODY,
    "GET /sign-in/{token}": ANYBODY,
    "POST /sign-in/{token}": ANYBODY,
    "POST /sign-out": VIEWERS,
    "GET /history": EDITORS,
    "GET /editors": ADMINS,
    "POST /editors": ADMINS,
    "POST /editors/{editor}/role": ADMINS,
    "POST /editors/{editor}/sign-out": ADMINS,
    "POST /editors/{editor}/remove": ADMINS,
    "GET /me": VIEWERS,
    "POST /me": VIEWERS,
    "POST /me/sign-out": VIEWERS,
    "POST /me/sessions/{session}/end": VIEWERS,
    "GET /readers": VIEWERS,
    "POST /readers/count": PUBLISHERS,
    "GET /readers/sign-up": VIEWERS,
    "GET /readers/sign-up/{newsletter}/{placement}/{way}": VIEWERS,
    "GET /readers/find": PUBLISHERS,
    "POST /readers/find": PUBLISHERS,
    "GET /readers/one/{reader}": PUBLISHERS,
    "POST /readers/one/{reader}/off": PUBLISHERS,
    "POST /readers/one/{reader}/back": PUBLISHERS,
    "POST /readers/one/{reader}/suppress": PUBLISHERS,
    "POST /readers/one/{reader}/forget": PUBLISHERS,
    "POST /readers/one/{reader}/data": PUBLISHERS,
    "GET /readers/segments": PUBLISHERS,
    "GET /readers/segments/count": PUBLISHERS,
    "POST /readers/segments/export": PUBLISHERS,
    "GET /readers/suppressed": PUBLISHERS,
    "POST /readers/suppressed/search": PUBLISHERS,
    "POST /readers/suppressed/add": PUBLISHERS,
    "POST /readers/suppressed/lift": PUBLISHERS,
    "POST /readers/suppressed/export": PUBLISHERS,
    "GET /settings": ADMINS,
    "GET /settings/brand": ADMINS,
    "POST /settings/brand": ADMINS,
    "POST /settings/brand/try": ADMINS,
    "GET /settings/brand/preview/{view}": ADMINS,
    "GET /settings/history": ADMINS,
    "POST /settings/history/{version}/undo": ADMINS,
    "POST /settings/history/{version}/restore": ADMINS,
    "GET /settings/newsletters": ADMINS,
    "POST /settings/newsletters/_order": ADMINS,
    "GET /settings/newsletters/_new": ADMINS,
    "POST /settings/newsletters/_new": ADMINS,
    "GET /settings/newsletters/{newsletter}": ADMINS,
    "POST /settings/newsletters/{newsletter}": ADMINS,
    "POST /settings/newsletters/{newsletter}/remove": ADMINS,
    "POST /settings/newsletters/{newsletter}/schedule/try": ADMINS,
    "POST /settings/newsletters/{newsletter}/skip": ADMINS,
    "GET /settings/newsletters/{newsletter}/{place}": ADMINS,
    "POST /settings/newsletters/{newsletter}/{place}": ADMINS,
    "GET /settings/newsletters/{newsletter}/parts/{part}": ADMINS,
    "POST /settings/newsletters/{newsletter}/parts/{part}/_order": ADMINS,
    "GET /settings/newsletters/{newsletter}/parts/{part}/{entry}": ADMINS,
    "POST /settings/newsletters/{newsletter}/parts/{part}/{entry}": ADMINS,
    "POST /settings/newsletters/{newsletter}/parts/{part}/{entry}/remove": ADMINS,
    "GET /settings/sources": ADMINS,
    "GET /settings/sources/{array}/{entry}": ADMINS,
    "POST /settings/sources/{array}/{entry}": ADMINS,
    "POST /settings/sources/{array}/{entry}/remove": ADMINS,
    "POST /settings/sources/{array}/{entry}/pause": ADMINS,
    "POST /settings/sources/{array}/{entry}/look": ADMINS,
    "GET /settings/relays": ADMINS,
    "GET /settings/{place}": ADMINS,
    "POST /settings/{place}": ADMINS,
    "POST /readers/suppressed/import": PUBLISHERS,
    "GET /readers/imports": PUBLISHERS,
    "POST /readers/imports": PUBLISHERS,
    "GET /readers/imports/{upload}": PUBLISHERS,
    "GET /readers/imports/{upload}/state": PUBLISHERS,
    "GET /readers/imports/{upload}/refused": PUBLISHERS,
    "POST /readers/imports/{upload}/start": PUBLISHERS,
    "POST /readers/imports/{upload}/drop": PUBLISHERS,
    "POST /readers/imports/{upload}/undo": PUBLISHERS,
}
ROUTES = desk_table()


def name_of(route: DeskRoute) -> str:
    return f"{route.method} {route.path}"


def test_the_table_is_the_expected_one() -> None:
    assert [name_of(route) for route in ROUTES] == list(dict.fromkeys(map(name_of, ROUTES)))
    assert {name_of(route) for route in ROUTES} == set(EXPECTED)


def test_a_route_without_an_act_is_none() -> None:
    with pytest.raises(TypeError, match="needs"):
        show("/somewhere", lambda visit: visit.page("home"))  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="names no Act"):
        show("/somewhere", lambda visit: visit.page("home"), needs=None)  # type: ignore[arg-type]


def path_of(route: DeskRoute) -> str:
    return "/desk" + re.sub(r"\{\w+\}", "unknown", route.path)


def ask(person: Person, route: DeskRoute, token: str) -> Response:
    path = path_of(route)
    return person.get(path) if route.method == "GET" else person.post(path, csrf=token)


@pytest.mark.parametrize("role", ROLES)
def test_who_may_not(site: Site, role: Role | None) -> None:
    person = stranger(site) if role is None else somebody(site, role)
    token = person.csrf()
    before = site.dump()
    for route in ROUTES:
        if role in EXPECTED[name_of(route)]:
            continue
        answer = ask(person, route, token)
        if role is None:
            assert answer.status_code == 303, name_of(route)
            assert answer.headers["location"].startswith("/desk/sign-in"), name_of(route)
        else:
            assert answer.status_code == 403, name_of(route)
            assert "Not with your role" in answer.text
    assert site.dump() == before


@pytest.mark.parametrize("role", ROLES)
def test_who_may(site: Site, role: Role | None) -> None:
    editor = role and put_editor(site, role)
    person, token = stranger(site), ""
    for route in ROUTES:
        if role not in EXPECTED[name_of(route)]:
            continue
        if editor and not token:
            person = sign_in(site, editor)
            token = person.csrf()
        answer = ask(person, route, token)
        if "sign-" in route.path:
            token = ""
        assert answer.status_code not in (401, 403, 405, 500), name_of(route)
        assert answer.headers.get("location") != "/desk/sign-in", name_of(route)
        assert "page=" not in answer.headers.get("location", ""), name_of(route)


FOREIGN = [
    {},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "cross-site", "origin": "https://news.paper.example"},
    {"origin": "https://evil.example"},
    {"origin": "https://news.paper.example.evil.example"},
    {"origin": "http://news.paper.example"},
    {"origin": "null"},
]
POSTS = [route for route in ROUTES if route.method == "POST"]


def test_no_form_is_taken_from_elsewhere(site: Site) -> None:
    admin = somebody(site, Role.ADMIN)
    token = admin.csrf()
    before = site.dump()
    for route in POSTS:
        for headers in FOREIGN:
            answer = admin.post(path_of(route), headers=headers, csrf=token)
            assert answer.status_code == 403, (name_of(route), headers)
            assert "did not come from here" in answer.text
    assert site.dump() == before


def test_no_form_is_taken_without_the_token_of_its_session(site: Site) -> None:
    admin = somebody(site, Role.ADMIN)
    assert admin.editor is not None
    again, other = sign_in(site, admin.editor), somebody(site, Role.EDITOR)
    foreign = (other.csrf(), again.csrf(), "", admin.cookie, "\u0561")
    assert len({*foreign, admin.csrf()}) == len(foreign) + 1
    before = site.dump()
    for route in POSTS:
        if route.needs is Act.SIGN_IN:
            continue
        for token in foreign:
            answer = admin.post(path_of(route), csrf=token)
            assert answer.status_code == 403, name_of(route)
            assert "no longer good" in answer.text
        assert admin.client.post(path_of(route), headers=FROM_US).status_code == 403
    assert site.dump() == before


def test_a_browser_without_the_newer_header_is_known_by_its_origin(site: Site) -> None:
    person = somebody(site, Role.VIEWER)
    origin = {"origin": "https://news.paper.example"}
    assert person.post("/desk/sign-out", headers=origin).status_code == 303
