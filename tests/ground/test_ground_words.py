"""The catalogues are whole, and what is printed is in them."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, nodes

from docs.write_messages import (
    ROOT,
    SETTINGS_FILE,
    TEMPLATE_FILE,
    begin_catalogue,
    catalogue_files,
    collect_messages,
    template_bytes,
    updated_bytes,
)
from newsletter import words
from newsletter.words import (
    name_day,
    names_in,
    nearest_language,
    pick_language,
    shipped_languages,
    words_of,
)

CATALOGUES = catalogue_files()
GETTEXT = {"gettext", "ngettext", "pgettext", "npgettext", "gettext_noop", "ngettext_noop"}


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parents[1].name)


def texts_of(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())  # type: ignore[arg-type]


def test_the_template_is_as_the_code() -> None:
    assert TEMPLATE_FILE.read_bytes() == template_bytes(), "run `make messages`"
    assert len(collect_messages()) > 100


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parents[1].name)
def test_a_shipped_language_is_whole(path: Path) -> None:
    assert path.read_bytes() == updated_bytes(path), "run `make messages`"
    for message in read(path):
        if not message.id:
            continue
        forms = texts_of(message.string)
        assert not message.fuzzy, message.id
        assert all(form.strip() for form in forms), f"not translated: {message.id}"
        wanted = {names_in(text) for text in texts_of(message.id)}
        assert {names_in(form) for form in forms} == wanted, message.id
        for form in forms:
            assert form % dict.fromkeys(frozenset().union(*wanted), "x"), message.id


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parents[1].name)
def test_plural_forms_are_those_of_cldr(path: Path) -> None:
    rule = Locale.parse(path.parents[1].name).plural_form
    categories = [*(tag for tag in ("zero", "one", "two", "few", "many") if tag in rule.tags)]
    categories.append("other")
    catalogue = read(path)
    assert catalogue.num_plurals == len(categories)
    translations = words_of(path.parents[1].name.replace("_", "-")).translations
    plural = translations.plural  # type: ignore[attr-defined]  # how gettext keeps the header's rule
    assert [plural(n) for n in range(201)] == [categories.index(rule(n)) for n in range(201)]


def test_messages_hold_no_markup() -> None:
    """They are printed into pages as they are: only what fills them is escaped.

    The settings' help lines are values to their template, so that they are escaped too.
    """
    for catalogue in (collect_messages(), *map(read, CATALOGUES)):
        for message in catalogue:
            if message.id and {where for where, _ in message.locations} != {SETTINGS_FILE}:
                for text in (*texts_of(message.id), *texts_of(message.string)):
                    assert not re.search(r"[<>&\"]", text), text


def test_armenian_is_written_in_the_reformed_orthography_with_its_own_marks() -> None:
    for message in read(words.LOCALE_FOLDER / "hy/LC_MESSAGES/newsletter.po"):
        for text in texts_of(message.string) if message.id else ():
            # The ligature is one letter; Western quotes, colons and question marks are foreign.
            # What is typed as it stands, an address or a time of the day, keeps its colon.
            own = re.sub(r"https?://\S+|\b\d\d:\d\d\b", "", text)
            assert not re.search('[եԵ]ւ|իւ|[?:;!“”"]', own), text
            # A full stop is a verjaket; a dot joins clauses or shortens a word.
            assert not text.endswith("."), text


def test_every_call_for_words_is_found_by_the_collection() -> None:
    """An f-string hides a call from the collection, and its words would stay English."""
    known = {text for message in collect_messages() for text in texts_of(message.id)}
    for path in sorted((ROOT / "newsletter").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for call in ast.walk(ast.parse(text)) if "gettext" in text else ():
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name in GETTEXT:
                texts = [
                    arg.value
                    for arg in call.args
                    if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                ]
                assert set(texts[name in {"pgettext", "npgettext"} :]) <= known, (path, texts)


# The editor's page tells of its stories in English, as everything that the service says of its
# own work; pieces of CSS hold no words.
@pytest.mark.parametrize(
    "path",
    [
        path.relative_to(ROOT / "templates").as_posix()
        for folder in ("email", "web")
        for path in sorted((ROOT / "templates" / folder).rglob("*.html"))
        if path.name != "preview.html"
    ],
)
def test_no_word_of_a_template_is_outside_the_catalogues(path: str) -> None:
    parsed = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(
        (ROOT / "templates" / path).read_text(encoding="utf-8")
    )
    # What stands for a value keeps tags whole.
    told = "".join(
        node.data if isinstance(node, nodes.TemplateData) else "\x00"
        for output in parsed.find_all(nodes.Output)
        for node in output.nodes
    )
    shown = re.sub(r"<style.*?</style>|<!--.*?-->", "", told, flags=re.DOTALL)
    spoken = re.findall(r'\b(?:aria-label|alt|title|placeholder)="([^"\x00]+)"', shown)
    visible = re.sub(r"<[^>]*>", " ", shown)
    # An entity, or an attribute that a macro prints for others.
    visible = re.sub(r"&\w+;|[\w-]+=\"[^\"]*\"", "", visible)
    found = [*spoken, *re.findall(r"[^\W\d_]{2,}(?: [^\W\d_]+)*", visible)]
    assert found == []


@pytest.mark.parametrize(
    ("tag", "nearest"),
    [
        ("hy", "hy"),
        ("HY-am", "hy"),
        ("hy_AM", "hy"),
        ("hy-Latn-IT-arevela", "hy"),
        ("hyw", "hy"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("", "en"),
        ("../hy", "en"),
    ],
)
def test_a_tag_is_served_by_the_nearest_language(tag: str, nearest: str) -> None:
    assert nearest_language(tag) == nearest


def test_the_first_wish_that_is_offered_is_taken() -> None:
    assert pick_language(["fr", "hy-AM", "en"], ("en", "hy")) == "hy"
    assert pick_language(["pt-BR"], ("pt", "pt-BR")) == "pt-BR"
    assert pick_language(["fr"], ("en", "hy")) is None
    assert shipped_languages()[0] == "en"


@given(st.text(max_size=40))
def test_any_tag_has_words_and_dates(tag: str) -> None:
    assert words_of(tag).gettext("Save")
    assert name_day(date(2025, 8, 5), tag)


def test_counts_go_by_the_language() -> None:
    forms = "%(count)s story", "%(count)s stories"
    assert [words_of("en").ngettext(*forms, n, count=n) for n in (0, 1, 2)] == [
        "0 stories",
        "1 story",
        "2 stories",
    ]
    # Armenian leaves the noun in the singular after a number.
    assert words_of("hy").ngettext(*forms, 21, count=21) == "21 հոդված"


HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


@pytest.fixture
def other_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of catalogues of its own, forgotten afterwards."""
    monkeypatch.setattr(words, "LOCALE_FOLDER", tmp_path)
    monkeypatch.setattr("docs.write_messages.LOCALE_FOLDER", tmp_path)
    words.forget_loaded()
    yield tmp_path
    monkeypatch.undo()
    words.forget_loaded()


def put(folder: Path, language: str, body: str) -> None:
    path = folder / language / "LC_MESSAGES" / "newsletter.po"
    path.parent.mkdir(parents=True)
    path.write_text(HEAD + body, encoding="utf-8")


def test_a_language_is_one_file(other_folder: Path) -> None:
    put(other_folder, "pt_BR", 'msgid "Save"\nmsgstr "Salvar"\n')
    assert shipped_languages() == ("en", "pt-BR")
    assert words_of("pt-BR").gettext("Save") == "Salvar"
    # What is not translated stays English, and Portugal's readers have no words yet.
    assert words_of("pt-BR").gettext("Sign up") == "Sign up"
    assert words_of("pt").gettext("Save") == "Save"


def test_a_translation_that_cannot_be_filled_stays_english(other_folder: Path) -> None:
    put(
        other_folder,
        "fr",
        'msgid "Photo: %(name)s"\nmsgstr "Photo : %(nom)s"\n\n'
        'msgid "By %(name)s"\nmsgstr "Par %(name)"\n\n'
        'msgid "Week %(number)s"\nmsgstr "100 % semaine"\n\n'
        '#, fuzzy\nmsgid "Saved."\nmsgstr "Sauvé ?"\n\n'
        'msgid "Save"\nmsgstr "Enregistrer"\n',
    )
    french = words_of("fr")
    assert french.gettext("Photo: %(name)s", name="Ani") == "Photo: Ani"
    assert french.gettext("By %(name)s", name="Ani") == "By Ani"
    assert french.gettext("Week %(number)s", number=3) == "Week 3"
    assert french.gettext("Saved.") == "Saved."
    assert french.gettext("Save") == "Enregistrer"


def test_a_new_language_begins_with_its_own_plurals(other_folder: Path) -> None:
    begin_catalogue("ar")
    path = other_folder / "ar/LC_MESSAGES/newsletter.po"
    path.write_bytes(updated_bytes(path))
    assert read(path).num_plurals == 6
    assert len(read(path)) == len(collect_messages())
    assert words_of("ar").ngettext("%(count)s story", "%(count)s stories", 2, count=2) == (
        "2 stories"
    )
