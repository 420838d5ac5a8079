"""What a template may not do, and that it costs little to stop it."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from newsletter.errors import RenderError
from newsletter.rendering import bounded
from newsletter.rendering.environment import Templates, open_sandbox, render_template
from newsletter.rendering.issue import render_issue
from tests.rendering.sample_issue import BASE_URL, NEWSLETTER, PUBLICATION, sample_issue


@dataclass(frozen=True)
class Thing:
    """Plain data, and what templates must not reach."""

    name: str = "data"
    _secret: str = "secret"
    inner: "Thing | None" = None
    parts: tuple[str, ...] = field(default=("a", "b"))

    def act(self) -> str:
        return "acted"

    @property
    def title(self) -> str:
        return "Title"


@pytest.fixture(scope="module")
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def own(own_folder: Path) -> Templates:
    """Templates with a folder of the paper's own: in a process with bounds."""
    return Templates(own_folder)


def render(own: Templates, folder: Path, text: str, **context: object) -> str:
    # Under a new name each time: the process keeps what it has compiled.
    name = f"page{len(list(folder.iterdir()))}.html"
    (folder / name).write_text(text, encoding="utf-8")
    return own.render(name, **context)


def refusal(own: Templates, folder: Path, text: str, **context: object) -> str:
    with pytest.raises(RenderError) as error:
        render(own, folder, text, **context)
    sentence = str(error.value)
    assert "\n" not in sentence
    return re.sub(r"^\S+/page\d+\.html", "page.html", sentence)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ '' | attr('__class__') }}",
        "{{ thing._secret }}",
        "{{ thing['_secret'] }}",
        "{{ thing.act() }}",
        "{{ (thing | attr('act'))() }}",
        "{{ [thing] | map(attribute='_secret') | join }}",
        "{{ [thing] | map(attribute='act') | join }}",
        "{{ '{0._secret}'.format(thing) }}",
        "{{ '{0.__class__.__init__.__globals__}'.format(thing) }}",
        "{{ '{t._secret}'.format_map({'t': thing}) }}",
        "{{ 'x'.format.__self__ }}",
        "{{ lipsum.__globals__['os'].environ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ range.__class__ }}",
        "{{ self.__init__ }}",
        "{{ publication.model_copy() }}",
        "{{ publication.__class__ }}",
        "{{ words.append('x') }}",
        "{{ design.fonts.update({}) }}",
        "{{ gettext_in.__globals__ }}",
        "{% import 'lib.html' as lib %}{{ lib.__class__ }}",
        "{% include '../outside.html' %}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_templates_have_no_reach_to_objects(own: Templates, own_folder: Path, attack: str) -> None:
    (own_folder / "lib.html").write_text("{% macro x() %}{% endmacro %}")
    (own_folder.parent / "outside.html").write_text("outside")
    sentence = refusal(
        own, own_folder, f"\n\n{attack}", thing=Thing(), publication=PUBLICATION, words=["a"]
    )
    assert "secret" not in sentence.replace("_secret", "")
    assert "line 3" in sentence or "there is no template" in sentence


def test_templates_print_plain_values(own: Templates, own_folder: Path) -> None:
    text = (
        "{{ thing.name }} {{ thing.title }} {{ thing.inner.name }} {{ thing.parts | join('-') }} "
        "{{ 'a b'.upper() }} {{ '{:>3}'.format(1) }} {{ 'x' * 3 }} {{ 2 ** 8 }} {{ [1] * 2 }}"
        "{% macro m(x) %} {{ x }}{% endmacro %}{{ m(1) }}"
        "{% for n in range(3) %}{{ loop.cycle('o', 'e') }}{% endfor %}"
    )
    told = render(own, own_folder, text, thing=Thing(inner=Thing("within")))
    assert told == "data Title within a-b A B   1 xxx 256 [1, 1] 1oeo"


@pytest.mark.parametrize(
    ("greedy", "what"),
    [
        ("{% for i in range(10**9) %}x{% endfor %}", "Range too big"),
        ("{{ 'x' * 10**9 }}", "too large"),
        ("{{ [1] * 10**9 }}", "too large"),
        ("{{ 10 ** (10 ** 10) }}", "too large"),
        ("{{ '%1000000000d' % 1 }}", "memory"),
        ("{{ '{:1000000000}'.format(1) }}", "memory"),
        ("{{ 'x' | center(10 ** 9) }}", "memory"),
        (
            "{% for i in range(90000) %}{{ 'x' * 10000 }}{% endfor %}",
            "more than 1,000,000 characters",
        ),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "circle"),
        ("{% include self._TemplateReference__context.name %}", "unsafe"),
    ],
)
def test_templates_have_little_memory(
    own: Templates, own_folder: Path, greedy: str, what: str
) -> None:
    sentence = refusal(own, own_folder, f"\n{greedy}")
    assert sentence.startswith("page.html, line 2: ")
    assert what in sentence
    # What it needed is given back.
    assert render(own, own_folder, "still {{ 1 + 1 }}") == "still 2"


def test_what_writes_too_much_is_named_where_it_stands(own: Templates, own_folder: Path) -> None:
    endless = "\n\n{% for i in range(90000) %}{{ 'x' * 1000 }}{% endfor %}"
    (own_folder / "part.html").write_text(endless)
    (own_folder / "base.html").write_text("{% block a %}{% endblock %}")
    for page in (
        "{% include 'part.html' %}",
        "{% for _ in range(2) %}{% include 'part.html' %}{% endfor %}",
        "{% extends 'base.html' %}{% block a %}{% include 'part.html' %}{% endblock %}",
    ):
        sentence = refusal(own, own_folder, page)
        assert sentence.startswith(f"{own_folder / 'part.html'}, line 3: it writes more")
    page = "{% extends 'base.html' %}{% block a %}" + endless + "{% endblock %}"
    assert refusal(own, own_folder, page).startswith("page.html, line 3: ")


@pytest.mark.parametrize(
    "text",
    [
        "{{ [thing] | map(attribute='__class__') | list }}",
        "{{ [thing] | map(attribute='nothing') | list }}",
        "{{ {'a': thing.nothing} }}",
        "{{ (thing.nothing,) }}",
    ],
)
def test_what_is_missing_is_an_error_within_a_list_too(
    own: Templates, own_folder: Path, text: str
) -> None:
    sentence = refusal(own, own_folder, f"\n{text}", thing=Thing())
    assert sentence.startswith("page.html, line 2: ")
    assert "nothing" in sentence or "unsafe" in sentence


def test_templates_have_little_time(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "\n\n{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}"
    own = Templates(own_folder, seconds=0.5)
    assert refusal(own, own_folder, endless) == "page.html, line 3: it takes too long"
    # What can't be interrupted is ended from outside, and the next page has a new process.
    monkeypatch.setattr(bounded, "PATIENCE", 0.5)
    assert "broken off" in refusal(own, own_folder, endless)
    monkeypatch.undo()
    assert render(own, own_folder, "again") == "again"


def test_the_process_of_own_templates_sees_no_secret(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_RELAY__MAIN__PASSWORD", "secret")
    own = Templates(own_folder)
    render(own, own_folder, "x")
    process = own._bounded._process  # type: ignore[union-attr]
    assert process is not None
    assert b"NEWSLETTER" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert re.search(rf"Max address space\s+{bounded.MEMORY_BYTES}\s", limits)
    assert re.search(r"Max file size\s+0\s", limits)


def test_the_process_ends_with_its_templates(own_folder: Path) -> None:
    own = Templates(own_folder)
    render(own, own_folder, "x")
    process = own._bounded._process  # type: ignore[union-attr]
    assert process is not None
    del own
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_a_process_that_was_killed_starts_again(own_folder: Path) -> None:
    own = Templates(own_folder)
    render(own, own_folder, "x")
    process = own._bounded._process  # type: ignore[union-attr]
    assert process is not None
    process.kill()
    process.wait()
    assert render(own, own_folder, "again") == "again"


def test_own_templates_write_the_same_issue(own: Templates) -> None:
    ours, theirs = (
        render_issue(sample_issue(), PUBLICATION, NEWSLETTER, base_url=BASE_URL, templates=each)
        for each in (Templates(), own)
    )
    assert ours == theirs


def test_what_can_not_be_handed_on_is_named(own: Templates, own_folder: Path) -> None:
    with pytest.raises(RenderError, match="can't be handed on"):
        render(own, own_folder, "x", thing=lambda: None)


def test_the_shipped_templates_are_in_the_sandbox_too() -> None:
    sandbox = open_sandbox(None)
    page = sandbox.from_string("{{ thing.act() }}")
    with pytest.raises(Exception, match="unsafe"):
        page.render(thing=Thing())
    assert render_template(sandbox, "email/styles/outlook.css", {})
