"""The editors' page, one's own page, and the history of who did what."""

import html
import re

import pytest

from newsletter.publication.editors import Role, Theme
from newsletter.web.desk.history import tell_differences
from newsletter.web.desk.me import tell_agent
from tests.web.desk.people import Person, put_editor, sign_in, somebody, stranger
from tests.web.site import NOW, Site
from tests.web.test_web_issues import issue_of, put_issue


def text_of(person: Person, path: str) -> str:
    page = person.get(path)
    assert page.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.text)))


def test_an_admin_lets_somebody_in_who_comes_by_the_mailed_link(site: Site) -> None:
    admin = sign_in(site, put_editor(site, Role.ADMIN, name="Lilit"))
    form = {"address": "Nare@paper.example", "name": "Nare", "role": "publisher", "tongue": "hy"}
    answer = admin.post("/desk/editors", form)
    assert answer.headers["location"] == "/desk/editors?done=added"
    assert "Let in. A first link is on its way" in text_of(admin, "/desk/editors?done=added")
    ((delivery, mailing),) = site.outgoing()
    assert (delivery.address, mailing.language) == ("nare@paper.example", "hy")
    assert "Lilit" in mailing.text
    (link,) = re.findall(r"https://news\.paper\.example(/desk/sign-in/\S+)", mailing.text)
    nare = stranger(site)
    assert nare.client.post(link, headers={"sec-fetch-site": "same-origin"}).status_code == 303
    assert 'lang="hy"' in nare.get("/desk/").text


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"address": "nobody", "role": "editor"}, "That is no e-mail address."),
        ({"address": "admin@paper.example", "role": "viewer"}, "is an editor already"),
        ({"address": "a@b.example", "name": "\u202ex", "role": "viewer"}, "The name is too long"),
        ({"address": "a@b.example", "role": "boss"}, "There is no role"),
        ({"address": "a@b.example", "role": "viewer", "tongue": "tlh"}, "does not speak"),
    ],
)
def test_what_is_wrong_with_the_form_is_said(site: Site, form: dict[str, str], told: str) -> None:
    admin = somebody(site, Role.ADMIN)
    answer = admin.post("/desk/editors", form)
    assert answer.status_code == 400
    assert told in html.unescape(answer.text)
    with site.database.read() as tx:
        assert len(tx.editors.all()) == 1


def test_an_admin_gives_roles_and_removes_but_never_the_last_admin(site: Site) -> None:
    admin, other = somebody(site, Role.ADMIN), somebody(site, Role.EDITOR)
    assert admin.editor is not None
    assert other.editor is not None
    mine, theirs = (f"/desk/editors/{p.editor.public_id}" for p in (admin, other) if p.editor)
    for act in ("role", "remove"):
        answer = admin.post(f"{mine}/{act}", {"role": "viewer"})
        assert answer.status_code == 409
        assert "is the only admin" in answer.text
    assert admin.post(f"{theirs}/role", {"role": "publisher"}).status_code == 303
    assert "publisher" in other.get("/desk/").text
    assert admin.post(f"{theirs}/sign-out").status_code == 303
    assert other.get("/desk/").status_code == 303
    assert admin.post(f"{theirs}/remove").status_code == 303
    assert admin.post(f"{theirs}/remove").status_code == 404
    assert "editor@paper.example" not in text_of(admin, "/desk/editors")
    text = text_of(admin, "/desk/history?kind=editor")
    assert "admin gave another role : editor" in text
    assert "role editor publisher" in text
    assert "admin removed : editor" in text


def test_everybody_keeps_their_own_page(site: Site) -> None:
    person = somebody(site, Role.VIEWER)
    assert person.editor is not None
    form = {"name": "Ani", "tongue": "hy", "theme": "dark"}
    assert person.post("/desk/me", form).headers["location"] == "/desk/me?done=saved"
    with site.database.read() as tx:
        kept = tx.editors.get(person.editor.public_id)
    assert (kept.name, kept.language, kept.theme) == ("Ani", "hy", Theme.DARK)
    assert 'data-theme="dark"' in person.get("/desk/me").text
    assert person.post("/desk/me", {"name": "A" * 121}).status_code == 400
    assert person.post("/desk/me", {"name": "", "theme": "neon"}).status_code == 303
    assert "data-theme" not in person.get("/desk/me").text


def test_one_signs_out_elsewhere_and_everywhere(site: Site) -> None:
    here = somebody(site, Role.EDITOR)
    assert here.editor is not None
    there, other = sign_in(site, here.editor), somebody(site, Role.VIEWER)
    with site.database.read() as tx:
        sessions = {s.public_id for s in tx.editors.sessions(here.editor.public_id)}
    assert other.editor is not None
    for session in sessions:
        # Nobody ends another's session.
        assert other.post(f"/desk/me/sessions/{session}/end").status_code == 303
    (path,) = re.findall(r'"(/desk/me/sessions/\w+/end)"', here.get("/desk/me").text)
    assert there.get("/desk/").status_code == 200
    assert here.post(path).status_code == 303
    assert there.get("/desk/").status_code == 303
    again = sign_in(site, here.editor)
    assert here.post("/desk/me/sign-out").headers["location"] == "/desk/sign-in?done=out"
    assert [p.get("/desk/").status_code for p in (here, again, other)] == [303, 303, 200]


@pytest.mark.parametrize(
    ("agent", "told"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko Firefox/140.0", ("Firefox", "Linux")),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/140 Safari/537 Edg/140",
            ("Edge", "Windows"),
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18) Version/18 Safari/604", ("Safari", "iPhone")),
        ("Mozilla/5.0 (Macintosh) Chrome/140 Safari/537", ("Chrome", "macOS")),
        ("curl/8", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_browser_is_told_by_its_agent(agent: str, told: tuple[str, str]) -> None:
    assert tell_agent(agent) == told


def test_the_history_tells_who_did_what_with_before_and_after(site: Site) -> None:
    editor = somebody(site, Role.EDITOR)
    assert editor.editor is not None
    issue = put_issue(site, issue_of())
    with site.database.write() as tx:
        tx.changes.record(
            NOW,
            editor.editor.public_id,
            "issue",
            issue.public_id,
            "edited",
            {"before": {"subject": "Old <i>"}, "after": {"subject": "New"}},
        )
        tx.changes.record(NOW, "scheduler", "issue", issue.public_id, "puzzled over", {"why": [1]})
        tx.changes.record(NOW, "reader", "subscription", "someone", "active")
    text = text_of(editor, "/desk/history")
    name = site.settings.newsletter[0].name
    line = f"editor edited : {name}, {issue.slot} · {issue.subject}"
    assert line in text
    assert "subject Old <i> New" in text
    assert "the scheduler puzzled over" in text
    assert "why [1]" in text
    assert "someone" not in text
    mine = text_of(editor, f"/desk/history?actor={editor.editor.public_id}")
    assert line in mine
    assert "puzzled" not in mine
    assert "Only what editor did" in mine
    about = text_of(editor, f"/desk/history?subject={issue.public_id}")
    assert "signed in" not in about
    assert "puzzled" in about
    assert "Nothing of that is in the log." in text_of(editor, "/desk/history?kind=installation")


def test_the_history_is_turned_page_by_page(site: Site) -> None:
    editor = somebody(site, Role.EDITOR)
    with site.database.write() as tx:
        for number in range(120):
            tx.changes.record(NOW, "test", "settings", "settings", f"did {number}.")
    seen, path = [], "/desk/history?actor=test&kind=settings"
    while path:
        page = editor.get(path).text
        assert len(page) < 100_000
        seen += [int(number) for number in re.findall(r"did (\d+)\.", page)]
        older = re.findall(r'href="(\?[^"]*before=[^"]+)"', page)
        path = f"/desk/history{html.unescape(older[0])}" if older else ""
    assert seen == [*range(119, -1, -1)]
    assert editor.get("/desk/history?before=x").status_code == 200
    assert editor.get("/desk/history?before=" + "9" * 30).status_code == 200


def test_a_detail_of_any_form_can_be_told() -> None:
    told = {
        one.key: (one.before, one.after)
        for one in tell_differences(
            {"before": {"a": 1, "gone": "x"}, "after": {"a": 2, "new": None}, "reason": "why"}
        )
    }
    assert told == {
        "a": ("1", "2"),
        "gone": ("x", None),
        "new": (None, "null"),
        "reason": (None, "why"),
    }
    assert [one.key for one in tell_differences({"before": "text", "after": [1]})] == [
        "before",
        "after",
    ]
    (long,) = tell_differences({"note": "x" * 9000})
    assert long.after is not None
    assert len(long.after) == 5001
