"""`newsletter templates check` on a paper's own templates."""

import re
import shutil
from pathlib import Path

import pytest

from newsletter.rendering.environment import shipped_templates
from tests.acceptance.command_line import must, write_config
from tests.cli.conftest import Call
from tests.marking import first_soon
from tests.workflows.under_way import FEED

CHECK = ("templates", "check", "--json")
LEAD = "email/parts/lead.html"
BASE = "email/styles/base.css"


class Paper:
    """A paper with templates of its own; `say` gives what is said of them."""

    def __init__(self, call: Call, folder: Path) -> None:
        self.call = call
        self.folder = folder
        self.own = folder / "own"
        self.own.mkdir()
        path = write_config(folder, feed=FEED, port=9)
        path.write_text(f'templates_dir = "own"\n{path.read_text("utf-8")}', encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        path = self.own / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (shipped_templates() / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new, 1))

    def say(self) -> list[tuple[str, str, str, int, str]]:
        answer = self.call(self.folder, *CHECK)
        document = answer.json
        assert document["folder"] == str(self.own)
        findings = document["findings"]
        assert all(one["mend"] for one in findings)
        assert answer.status == (1 if any(one["level"] == "stop" for one in findings) else 0)
        return [
            (one["level"], one["key"], one["file"], one["line"], one["sentence"])
            for one in findings
        ]


@pytest.fixture
def paper(call: Call, tmp_path: Path) -> Paper:
    return Paper(call, tmp_path)


def test_a_copy_of_the_shipped_ones_is_fine(paper: Paper) -> None:
    shutil.copytree(shipped_templates() / "email", paper.own / "email")
    assert paper.say() == []


@pytest.mark.parametrize(
    ("text", "key", "line", "words"),
    [
        ("\n{% if %}\n", "source", 2, "xpected"),
        ("\n\n{{ view | nothing }}", "source", 3, "nothing"),
        ("\n{{ view.__class__ }}", "source", 2, "__class__"),
        ("\n{{ view['__dict__'] }}", "source", 2, "__dict__"),
        ("\n{{ view | attr('__init__') }}", "source", 2, "__init__"),
        pytest.param(
            "\n{{ view.lead.nothing }}", "rendering", 2, "nothing", marks=pytest.mark.long
        ),
        # Only an issue without pictures shows it.
        (
            "\n{{ view.lead.headline }}\n{{ view.lead.picture.url }}",
            *("rendering", 3, "without pictures"),
        ),
    ],
)
def test_a_template_that_can_not_be_printed(
    paper: Paper, text: str, key: str, line: int, words: str
) -> None:
    paper.write(LEAD, text)
    (found, *_) = [one for one in paper.say() if one[1] == key]
    assert found[:4] == ("stop", key, LEAD, line)
    assert words in found[4]


@pytest.mark.parametrize(
    ("rule", "words"),
    first_soon(
        [
            (".a:not(.b, .c) { margin: 0; }", "selector"),
            ("@media print { .a { margin: 0; } }", "base sheet"),
            (".lead { padding-left: 4px; }", "same element"),
            (".mine { color: #112233; }", "prefers-color-scheme"),
            (".mine { font-size: 2rem; }", "rem"),
            (".mine { margin: 0 !important; }", "!important"),
            (".mine { display: flex; }", "Outlook and others"),
            (".mine { float: left; }", "out of the flow"),
            (".mine { position: relative; }", "out of the flow"),
            (".mine { margin: 0 -4px; }", "negative margin"),
            (".mine { width: 720px; }", "wider than the 700 px"),
            # What the inliner would trip over is named by its place all the same.
            ('a[title="x,y"] { margin: 0; }', "selector"),
            ("@media screen { @media print { .a { margin: 0; } } }", "base sheet"),
            ("@import url(https://paper.example/x.css);", "mail programs refuse"),
            (".mine { margin: 0;", "A brace is missing"),
            (".mine { margin: 0; } }", "A brace is missing"),
            ("/* mine .a { margin: 0; }", "has no end"),
        ]
    ),
)
def test_a_base_sheet_that_premailer_gets_wrong(paper: Paper, rule: str, words: str) -> None:
    text = (shipped_templates() / BASE).read_text(encoding="utf-8")
    paper.write(BASE, f"{text}{rule}\n")
    line = text.count("\n") + 1
    said = paper.say()
    found = [one for one in said if words in one[4]]
    assert found
    assert found[0][:4] == ("stop", "style", BASE, line)
    # Nothing is blamed on another file.
    assert {one[2] for one in said} == {BASE}


@pytest.mark.parametrize(
    ("text", "mend"),
    first_soon(
        [
            ("{% for _ in range(99999) %}{{ view.title * 99 }}{% endfor %}", "too often"),
            ("{{ view.lead.nothing }}", "is defined"),
            ("{{ view.year // 0 }}", "Mend what is named"),
        ]
    ),
)
def test_a_mend_is_one_of_what_is_wrong(paper: Paper, text: str, mend: str) -> None:
    paper.write(LEAD, text)
    findings = paper.call(paper.folder, *CHECK).json["findings"]
    (said, *_) = [one["mend"] for one in findings if one["key"] == "rendering"]
    assert mend in said


def test_a_dark_sheet_that_forgets_a_colour(paper: Paper) -> None:
    rule = "{{ fill }}.sheet { background-color: {{ night.card }} !important; }\n"
    paper.edit("email/styles/dark.css", rule, "")
    (found,) = [one for one in paper.say() if one[1] == "style"]
    assert (found[0], found[2]) == ("stop", BASE)
    assert "“.sheet” has colours" in found[4]


@pytest.mark.long
def test_what_the_printed_mail_lacks_is_a_warning_or_stops(paper: Paper) -> None:
    paper.edit("email/parts/footer.html", "{{ view.unsubscribe_url }}", "https://paper.example/")
    paper.edit("email/parts/ranked.html", '"h3", "medium"', '"h5", "medium"')
    said = {(level, key) for level, key, *_ in paper.say()}
    assert {("stop", "unsubscribe"), ("warn", "headings")} <= said


@pytest.mark.long
def test_letters_are_looked_at_as_issues_are(paper: Paper) -> None:
    letter = (shipped_templates() / "email/message.html").read_text(encoding="utf-8")
    block = re.search(r"{% block (\w+) %}", letter)
    assert block
    paper.write(
        "email/message.html",
        '{% extends "shipped/email/message.html" %}{% block ' + block[1] + " %}"
        '<form><input name="x"></form><img src="data:image/png;base64,AA">'
        '<a href="/leave">x</a>{{ super() }}{% endblock %}',
    )
    said = {(level, key) for level, key, file, *_ in paper.say() if "message" in file}
    assert {("stop", "elements"), ("stop", "pictures"), ("stop", "links"), ("warn", "alt")} <= said


@pytest.mark.parametrize(
    "mark", first_soon(["*|FNAME|*", "%%last_name%%", "{{ '{{' }} name", "XXNAMEXX"])
)
def test_a_letter_with_a_place_left_open_is_told_and_never_written(paper: Paper, mark: str) -> None:
    paper.edit("email/message.html", "{{ title | isolates }}", "{{ title }} " + mark)
    (one,) = [one for one in paper.say() if one[1] == "rendering"]
    assert (one[0], one[2]) == ("stop", "email/message.html")
    assert "a place is left unfilled" in one[4]


@pytest.mark.long
def test_a_page_that_reads_what_no_page_is_given_is_told(paper: Paper) -> None:
    own = '{% extends "shipped/web/subscribe.html" %}\n{% block title %}{{ XX }}{% endblock %}'
    paper.write("web/subscribe.html", own.replace("XX", "nosuch.thing"))
    assert [one[:4] for one in paper.say()] == [("stop", "page", "web/subscribe.html", 2)]
    paper.write("web/subscribe.html", own.replace("XX", "publication.name"))
    assert paper.say() == []


@pytest.mark.long
def test_a_name_that_nothing_reads_is_told(paper: Paper) -> None:
    paper.write("email/isue.html", "<p>Hello</p>")
    assert [one[:3] for one in paper.say()] == [("warn", "name", "email/isue.html")]


def test_a_file_that_is_no_utf_8_is_told(paper: Paper) -> None:
    path = paper.own / LEAD
    path.parent.mkdir(parents=True)
    path.write_bytes("one\ntwo é".encode("latin-1"))
    assert ("stop", "encoding", LEAD, 2) in [one[:4] for one in paper.say()]


@pytest.mark.long
def test_without_a_folder_the_shipped_ones_are_checked(tmp_path: Path) -> None:
    write_config(tmp_path, feed=FEED, port=9)
    assert must(tmp_path, "templates", "check").out == "nothing to complain of\n"


def test_what_the_inliner_would_mend_or_drop_unsaid_is_told_before(paper: Paper) -> None:
    lines = {
        "alt": '<img src="https://paper.example/a.png">',
        "pictures": '<img src="data:image/png;base64,AAAA" alt="Hills">',
        "longhand": '<p class="small" style="padding-left: 3px; padding: 2px">One</p>',
        "beside": '<p class="note" style="margin-left: 30px">One</p>',
        "modern": '<p style="color: rgb(1 2 3 / 50%)">One</p>',
        "role": '<table border="0" cellpadding="0" cellspacing="0"><tr><td>1</td></tr></table>',
        "fine": '<p style="color: #777777"></p>',
    }
    paper.edit(
        "email/issue.html",
        "{% block content %}",
        "{% block content %}\n" + "\n".join(lines.values()),
    )
    first = (
        paper.own.joinpath("email/issue.html").read_text("utf-8").split("\n").index(lines["alt"])
    )
    said = {
        (level, key, line - first - 1): sentence for level, key, _, line, sentence in paper.say()
    }
    at = {name: number for number, name in enumerate(lines)}
    assert "says nothing" in said.pop(("stop", "tags", at["alt"]))
    assert "not on the web" in said.pop(("stop", "pictures", at["pictures"]))
    assert "whose order premailer gets wrong" in said.pop(("stop", "style", at["longhand"]))
    assert "the style attribute margin-left" in said.pop(("stop", "style", at["beside"]))
    assert "uses rgb()" in said.pop(("stop", "style", at["modern"]))
    assert "table of figures" in said.pop(("stop", "tags", at["role"]))
    assert said == {}


@pytest.mark.long
def test_tags_that_are_not_closed_are_told(paper: Paper) -> None:
    paper.edit("email/parts/dateline.html", "</tr></table>", "</table>")
    paper.edit("email/parts/cards.html", "</td></tr></table><![endif]-->", "</td></tr></table>")
    said = [one for one in paper.say() if one[1] == "tags"]
    assert {one[0] for one in said} == {"stop"}
    assert any("has no counterpart" in one[4] for one in said)
    assert ("email/parts/cards.html", True) in [(one[2], "condition" in one[4]) for one in said]


@pytest.mark.long
def test_a_border_that_the_dark_sheet_forgets_is_told(paper: Paper) -> None:
    text = (shipped_templates() / BASE).read_text(encoding="utf-8")
    paper.write(BASE, f"{text}.excerpt {{ border-left: 3px solid #d9cfc0; }}\n")
    (found,) = paper.say()
    assert found[:3] == ("stop", "style", BASE)
    assert "colours (border)" in found[4]
