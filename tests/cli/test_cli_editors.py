"""`newsletter editors`, as whoever runs the service calls it."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Call

CONFIG = """
[publication]
name = "The Araks Courier"
url = "https://paper.example"
[web]
base_url = "https://news.paper.example"
[log]
level = "warning"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def test_the_first_editor_is_an_admin_and_gets_a_link(call: Call, folder: Path) -> None:
    answer = call(folder, "editors", "add", "Lilit@paper.example", "--name", "Lilit")
    assert answer.status == 0
    assert answer.out.startswith("https://news.paper.example/desk/sign-in/")
    assert "lilit@paper.example is admin" in answer.err
    answer = call(folder, "editors", "add", "aram@paper.example", "--json")
    document = json.loads(answer.out)
    assert document["role"] == "editor"
    assert document["link"].startswith("https://news.paper.example/desk/sign-in/")
    listed = json.loads(call(folder, "editors", "list", "--json").out)
    assert [(one["address"], one["role"]) for one in listed] == [
        ("lilit@paper.example", "admin"),
        ("aram@paper.example", "editor"),
    ]
    assert "Lilit" in call(folder, "editors", "list").out


def test_roles_change_and_people_go_but_never_the_last_admin(call: Call, folder: Path) -> None:
    assert "nobody sits" in call(folder, "editors", "list").err
    call(folder, "editors", "add", "lilit@paper.example")
    call(folder, "editors", "add", "aram@paper.example", "--role", "publisher")
    for command in (("role", "lilit@paper.example", "viewer"), ("remove", "lilit@paper.example")):
        answer = call(folder, "editors", *command)
        assert answer.status == 1
        assert answer.err.endswith("lilit is the only admin: make somebody else one first\n")
    answer = call(folder, "editors", "role", "aram@paper.example", "admin", "--json")
    assert json.loads(answer.out)["role"] == "admin"
    assert call(folder, "editors", "remove", "lilit@paper.example").status == 0
    (left,) = json.loads(call(folder, "editors", "list", "--json").out)
    assert left["address"] == "aram@paper.example"


def test_a_lost_mail_is_made_good_by_a_shown_link(call: Call, folder: Path) -> None:
    call(folder, "editors", "add", "lilit@paper.example")
    first, second = (
        call(folder, "editors", "login-link", "lilit@paper.example").out for _ in range(2)
    )
    assert first.startswith("https://news.paper.example/desk/sign-in/")
    assert first != second


def test_a_desk_of_its_own_host_is_linked_there(call: Call, folder: Path) -> None:
    text = CONFIG.replace("[log]", 'desk_url = "https://desk.paper.example"\n[log]')
    (folder / "config.toml").write_text(text, encoding="utf-8")
    link = call(folder, "editors", "add", "lilit@paper.example").out
    assert link.startswith("https://desk.paper.example/desk/sign-in/")


@pytest.mark.parametrize(
    ("command", "status", "told"),
    [
        (("add", "lilit"), 1, "lilit"),
        (("add", "aram@paper.example"), 1, "aram@paper.example is an editor already"),
        (("add", "a@b.example", "--name", "a\nb"), 2, "no name has"),
        (("add", "a@b.example", "--language", "fr"), 2, 'does not speak "fr"'),
        (("add", "a@b.example", "--role", "boss"), 2, "boss"),
        (("remove", "a@b.example"), 1, "no editor has the address a@b.example"),
        (("login-link", "a@b.example"), 1, "no editor has the address a@b.example"),
    ],
)
def test_what_cannot_be_done_is_said(
    call: Call, folder: Path, command: tuple[str, ...], status: int, told: str
) -> None:
    call(folder, "editors", "add", "aram@paper.example")
    answer = call(folder, "editors", *command)
    assert answer.status == status
    assert told in answer.err
    assert "Traceback" not in answer.err
