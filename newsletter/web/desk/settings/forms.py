"""Forms made of the settings' keys, and forms read back into changes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.datastructures import ImmutableMultiDict

from newsletter.publication.fixed_keys import FixedKeys
from newsletter.publication.secret_parts import hide_secrets
from newsletter.publication.settings_document import UNSET, Path
from newsletter.publication.settings_keys import Key, KeyKind, value_at
from newsletter.web.desk.settings.labels import label_of
from newsletter.web.desk.settings.places import Target
from newsletter.words import Words, gettext_noop
from newsletter.workflows.change_settings import Problem

_NUMBER = re.compile(r"-?[0-9]{1,12}(?:[.,][0-9]{1,12})?")
_PAIR = re.compile(r"\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)\s*=\s*(.*\S)\s*")
_NUMBER_NEEDED = gettext_noop("Write a number here, such as 5 or 0.05.")
_PAIR_NEEDED = gettext_noop("Write one language a line, such as: hy = Շաբաթվա լրահոս")
_NEEDED = gettext_noop("This is needed.")
# What pydantic says, in words of the catalogues, with the names of its bounds.
_SAID: Mapping[str, str] = {
    "missing": _NEEDED,
    "string_too_short": _NEEDED,
    "string_type": _NEEDED,
    "too_short": _NEEDED,
    "greater_than_equal": gettext_noop("It has to be at least %(ge)s."),
    "greater_than": gettext_noop("It has to be more than %(gt)s."),
    "less_than_equal": gettext_noop("It may be at most %(le)s."),
    "int_parsing": _NUMBER_NEEDED,
    "int_type": _NUMBER_NEEDED,
    "int_from_float": gettext_noop("Write a whole number here."),
    "float_parsing": _NUMBER_NEEDED,
    "literal_error": gettext_noop("Choose one of those that are offered."),
    # Ours: the form could not be read.
    "number": _NUMBER_NEEDED,
    "pair": _PAIR_NEEDED,
    "taken": gettext_noop("There is one of that name already."),
}


@dataclass(frozen=True)
class Told:
    """A sentence about something that can't be, and its language where that is not the page's."""

    sentence: str
    language: str = ""


@dataclass(frozen=True)
class Field:
    """A key as the form shows it. ``text`` is what stands in it, ``texts`` its lines,
    ``hint`` what helps to fill it.

    ``fixed`` says what fixes it; such a one can't be changed here, nor can one that is
    ``only_file``.
    """

    name: str
    key: Key
    label: str
    hint: str
    text: str
    fixed: str = ""
    usual: str = ""
    problem: Told | None = None

    @property
    def texts(self) -> list[str]:
        return self.text.split("\n") if self.text else []

    @property
    def open(self) -> bool:
        """Whether it can be changed here."""
        return not self.fixed and not self.key.only_file


@dataclass(frozen=True)
class FieldGroup:
    """Fields under a heading."""

    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Sent:
    """What a form asked for: changes by path, what was typed of them, and what can't be read."""

    edits: dict[Path, Any] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def make_fields(
    target: Target,
    table: BaseModel | None,
    fixed: FixedKeys,
    words: Words,
    *,
    typed: Mapping[str, str],
    problems: Iterable[Problem] = (),
) -> list[FieldGroup]:
    """The form of ``table``; None is one that is to be added.

    ``typed`` takes the place of what is there, by the fields' names.
    """
    found = tuple(problems)
    return [
        FieldGroup(
            words.gettext(group.title),
            tuple(
                _field(target, key, table, fixed, words, typed, found)
                for key in keys
                if table is not None or not key.only_file
            ),
        )
        for group, keys in target.grouped()
    ]


def read_form(
    target: Target,
    table: BaseModel | None,
    fixed: FixedKeys,
    form: ImmutableMultiDict[str, Any],
) -> Sent:
    """What a form changes of ``table``; only what differs from it is asked for.

    What is fixed, an identity, or not for the desk is not read: what has no field can't
    be sent by a page of ours.
    """
    edits: dict[Path, Any] = {}
    typed: dict[str, str] = {}
    problems = []
    for key in target.keys:
        name, path = ".".join(key.path), (*target.root, *key.path)
        texts = [text for text in form.getlist(name) if isinstance(text, str)]
        if not texts or key.only_file or fixed.where(path):
            continue
        if table is not None and key.path == ("slug",):
            continue
        text = _cleaned(key, texts)
        if text == text_of(key, _value(table, key)):
            continue
        typed[name] = text
        problem, value = _parse(key, text)
        if problem:
            problems.append(Problem(path, "", problem))
        else:
            edits[path] = value
    return Sent(edits, typed, tuple(problems))


def text_of(key: Key, value: Any) -> str:
    """A value as it stands in its field, without what opens doors."""
    if value is None or value is UNSET:
        return ""
    if key.kind is KeyKind.SWITCH:
        return "true" if value else ""
    if key.kind is KeyKind.LIST:
        return "\n".join(map(str, hide_secrets(value)))
    if key.kind is KeyKind.PAIRS:
        return "\n".join(f"{language} = {text}" for language, text in value.items())
    if key.kind is KeyKind.NUMBER:
        return str(int(value)) if value == int(value) else str(value)
    return str(hide_secrets(str(value)))


def tell_problem(words: Words, problem: Problem) -> Told:
    """A problem in a sentence: in the page's language where it is a usual one."""
    message = _SAID.get(problem.kind)
    if message:
        return Told(words.gettext(message, **_plain(problem.bounds or {})))
    if problem.saying:
        return Told(words.tell(problem.saying))
    sentence = problem.sentence.rstrip(".")
    # A key stays as it is written.
    first = sentence[:1] if "_" in sentence.partition(" ")[0] else sentence[:1].upper()
    return Told(f"{first}{sentence[1:]}.", "en")


def _plain(bounds: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in bounds.items()
    }


def _field(
    target: Target,
    key: Key,
    table: BaseModel | None,
    fixed: FixedKeys,
    words: Words,
    typed: Mapping[str, str],
    problems: tuple[Problem, ...],
) -> Field:
    name, path = ".".join(key.path), (*target.root, *key.path)
    problem = next((one for one in problems if one.path[: len(path)] == path), None)
    text = text_of(key, _value(table, key))
    where = fixed.where(path)
    usual = text_of(key, key.default)
    return Field(
        name=name,
        key=key,
        label=label_of(words, path),
        hint=words.gettext(key.description),
        text=text if where else typed.get(name, text),
        fixed=where,
        usual=usual if key.kind not in (KeyKind.SWITCH, KeyKind.PAIRS) else "",
        problem=tell_problem(words, problem) if problem else None,
    )


def _value(table: BaseModel | None, key: Key) -> Any:
    return key.default if table is None else value_at(table, key.path)


def _cleaned(key: Key, texts: list[str]) -> str:
    """What was sent, as `text_of` writes it; of several the last, as a box stands behind its
    empty companion."""
    text = texts[-1].replace("\r\n", "\n").replace("\r", "\n")
    if key.kind in (KeyKind.LIST, KeyKind.PAIRS):
        return "\n".join(line.strip() for line in text.split("\n") if line.strip())
    return " ".join(text.split("\n")).strip()


def _parse(key: Key, text: str) -> tuple[str, Any]:
    """What can't be read (a kind of problem, or empty), and the value."""
    if key.kind is KeyKind.SWITCH:
        return "", bool(text)
    if key.kind is KeyKind.LIST:
        return "", text.split("\n") if text else ([] if key.default else UNSET)
    if key.kind is KeyKind.PAIRS:
        return _parse_pairs(text)
    if not text:
        empty = key.kind is KeyKind.LINE and key.default not in (UNSET, None, "")
        return "", "" if empty else UNSET
    if key.kind is not KeyKind.NUMBER:
        return "", text
    if not _NUMBER.fullmatch(text):
        return "number", None
    number = float(text.replace(",", "."))
    return "", int(number) if number.is_integer() else number


def _parse_pairs(text: str) -> tuple[str, Any]:
    pairs = [_PAIR.fullmatch(line) for line in text.split("\n") if line]
    found = {match[1]: match[2] for match in pairs if match}
    if len(found) < len(pairs):
        return "pair", None
    return "", found or UNSET
