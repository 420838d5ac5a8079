"""A form of the settings: shown, sent, and what comes of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from pydantic import BaseModel
from starlette.responses import Response

from newsletter.errors import NotFound
from newsletter.publication.model import Settings
from newsletter.publication.secret_parts import hide_secrets
from newsletter.publication.settings_document import UNSET, Path, dotted, flatten
from newsletter.publication.settings_document import change as apply_edits
from newsletter.publication.settings_keys import value_at
from newsletter.storage.settings import SettingsVersion
from newsletter.web.desk.history import tell_actor
from newsletter.web.desk.settings.forms import (
    FieldGroup,
    Sent,
    Told,
    make_fields,
    read_form,
    tell_problem,
)
from newsletter.web.desk.settings.labels import label_of
from newsletter.web.desk.settings.places import Place, Target
from newsletter.web.desk.visit import Visit
from newsletter.words import gettext_noop
from newsletter.workflows.change_settings import (
    Changed,
    Outcome,
    Overtaken,
    Problem,
    Refused,
    change_settings,
    check_document,
)

SAID: Mapping[str, str] = {
    "saved": gettext_noop("Saved. It holds from now on, in every part of the service."),
    "same": gettext_noop("Nothing was changed: it was so already."),
    "added": gettext_noop("Added."),
    "removed": gettext_noop("Removed."),
    "moved": gettext_noop("Moved."),
    "undone": gettext_noop("Taken back. What was changed since stays."),
    "restored": gettext_noop("The settings are as they were then, but for what is fixed."),
    "skipped": gettext_noop("It does not come. Nothing is drafted for it."),
    "comes": gettext_noop("It comes again."),
    "asked": gettext_noop("It is looked at within half a minute."),
    "paused": gettext_noop("Paused. What it brought until now stays."),
    "resumed": gettext_noop("It is asked again."),
}

_NOTHING_SENT = Sent()


@dataclass(frozen=True)
class Base:
    """The version that a page shows, and its settings."""

    version: SettingsVersion
    settings: Settings

    def table(self, root: Path) -> BaseModel:
        """The table at ``root``; NotFound."""
        try:
            found: BaseModel = value_at(self.settings, root)
        except KeyError as error:
            raise NotFound(f'there is no "{root[-1]}" any more', subject=root[-1]) from error
        return found


@dataclass(frozen=True)
class Line:
    """One line of what is told above a form: a sentence, and the field it leads to."""

    told: Told
    label: str = ""
    field: str = ""


@dataclass(frozen=True)
class Notice:
    """What is told above a form that was not taken."""

    heading: str
    lines: tuple[Line, ...]


def latest_base(visit: Visit) -> Base:
    """The version in force; NotFound in a database without settings."""
    with visit.context.database.read() as tx:
        version = tx.settings.latest()
    if version is None:
        raise NotFound("the database holds no settings yet")
    return _base(version)


def sent_base(visit: Visit) -> Base:
    """The version that a form was made from; NotFound."""
    with visit.context.database.read() as tx:
        return _base(tx.settings.get(sent_version(visit)))


def sent_version(visit: Visit) -> int:
    """The number of that version, as the form says; NotFound where it says none."""
    number = visit.field("version")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise NotFound("the form names no version of the settings: load its page anew")
    return int(number)


def _base(version: SettingsVersion) -> Base:
    settings = check_document(version.document)
    if not isinstance(settings, Settings):
        raise NotFound(
            f"version {version.version} of the settings is of an older program: load the page anew"
        )
    return Base(version, settings)


def change(visit: Visit, edits: Mapping[Path, Any], base: int) -> Outcome:
    """Make changes on version ``base`` in the name of who is here."""
    context = visit.context
    return change_settings(
        context.database,
        context.fixed,
        edits,
        base=base,
        actor=visit.actor,
        now=context.clock.now(),
    )


def show_form(
    visit: Visit,
    template: str,
    place: Place,
    target: Target,
    base: Base,
    *,
    sent: Sent = _NOTHING_SENT,
    outcome: Outcome | None = None,
    status: int = 200,
    adds: bool = False,
    **values: Any,
) -> Response:
    """The page of a form, with what was typed and could not be taken, if anything."""
    table = None if adds else base.table(target.root)
    problems = (*sent.problems, *(outcome.problems if isinstance(outcome, Refused) else ()))
    groups = make_fields(
        target,
        table,
        visit.context.fixed,
        visit.words,
        typed=sent.typed,
        problems=problems,
    )
    return visit.page(
        f"settings/{template}",
        status=status,
        said=SAID,
        title=visit.words.gettext(place.title),
        about=visit.words.gettext(place.about),
        groups=groups,
        version=base.version.version,
        fixed_file=visit.context.fixed.file,
        all_fixed=not any(one.open for group in groups for one in group.fields),
        notice=_notice(visit, target, groups, problems, outcome),
        undo=undo_number(visit),
        adds=adds,
        zones=_zones() if any(f.key.kind == "zone" for g in groups for f in g.fields) else (),
        **values,
    )


def undo_number(visit: Visit) -> int | None:
    """The version that the page just told of, to be taken back."""
    number = visit.query("version")
    short = number.isascii() and number.isdigit() and len(number) < 10
    return int(number) if short and visit.query("done") else None


def take_edits(visit: Visit, target: Target, *, adds: bool = False) -> tuple[Base, Sent]:
    """What the form that was sent asks for, and what it was made from."""
    base = sent_base(visit)
    table = None if adds else base.table(target.root)
    return base, read_form(target, table, visit.context.fixed, visit.form)


def save(visit: Visit, base: Base, sent: Sent) -> Outcome:
    """What a form asks for, done where it could be read."""
    if sent.problems:
        return Refused(sent.problems)
    return change(visit, sent.edits, base.version.version)


def try_out(visit: Visit, base: Base, sent: Sent) -> Settings | Refused:
    """The settings as they would be by a form that is not saved."""
    if sent.problems:
        return Refused(sent.problems)
    document = apply_edits(base.version.document, sent.edits)
    checked = check_document(visit.context.fixed.lay_over(document))
    return checked if isinstance(checked, Settings) else Refused(checked)


def go_on(visit: Visit, page: str, outcome: Changed, done: str = "saved") -> Response:
    """Go on to ``page``, which tells what was done and offers to take it back."""
    if not outcome.anew:
        return visit.go(page, done="same")
    return visit.go(page, done=done, version=str(outcome.version))


def again(outcome: Outcome, base: Base) -> tuple[Base, int]:
    """What a form that was not taken is shown over, and with which status.

    Where somebody else was quicker it is their version: what is sent next goes over it.
    """
    if isinstance(outcome, Overtaken):
        return _base(outcome.latest), 409
    return base, 422


@cache
def _zones() -> tuple[str, ...]:
    """The zones that are named by a place."""
    regions = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe")
    names = available_timezones()
    return ("UTC", *sorted(n for n in names if n.startswith((*regions, "Indian", "Pacific"))))


def problem_notice(visit: Visit, outcome: Outcome) -> Notice:
    """Why something was not done, where no form is there to tell it."""
    if isinstance(outcome, Overtaken):
        sentence = visit.words.gettext("Somebody else has changed the same meanwhile. Look again.")
        return Notice(sentence, ())
    problems = outcome.problems if isinstance(outcome, Refused) else ()
    lines = tuple(
        Line(tell_problem(visit.words, problem), dotted(problem.path)) for problem in problems
    )
    return Notice(visit.words.gettext("That can’t be:"), lines)


def _notice(
    visit: Visit,
    target: Target,
    groups: list[FieldGroup],
    problems: Iterable[Problem],
    outcome: Outcome | None,
) -> Notice | None:
    words = visit.words
    if isinstance(outcome, Overtaken):
        with visit.context.database.read() as tx:
            names = tx.editors.names()
        heading = words.gettext(
            "%(name)s has changed the same meanwhile. Nothing of yours was saved. What is there "
            "now stands below; save again to put yours over it.",
            name=tell_actor(words, outcome.by, names),
        )
        now = flatten(outcome.latest.document)
        return Notice(
            heading, tuple(_overtaken_line(visit, target, path, now) for path in outcome.paths)
        )
    lines = tuple(_problem_line(visit, target, groups, problem) for problem in problems)
    return Notice(words.gettext("Not saved yet:"), lines) if lines else None


def _overtaken_line(visit: Visit, target: Target, path: Path, now: Mapping[Path, Any]) -> Line:
    value = now.get(path, UNSET)
    words = visit.words
    text = words.gettext("not set") if value is UNSET else _tell(value)
    return Line(Told(text), label_of(words, path), _field_of(target, path))


def _problem_line(visit: Visit, target: Target, groups: list[FieldGroup], problem: Problem) -> Line:
    told, name = tell_problem(visit.words, problem), _field_of(target, problem.path)
    field = next((one for group in groups for one in group.fields if one.name == name), None)
    if field is not None:
        return Line(told, field.label, name)
    return Line(told, dotted(problem.path))


def _field_of(target: Target, path: Path) -> str:
    """The name of the form's field for a key, or for a part of it; empty where there is none."""
    if path[: len(target.root)] != target.root:
        return ""
    inner = path[len(target.root) :]
    found = (key.path for key in target.keys if inner[: len(key.path)] == key.path)
    return ".".join(next(found, ()))


def _tell(value: Any) -> str:
    shown = hide_secrets(value)
    return ", ".join(map(str, shown)) if isinstance(shown, list) else str(shown)
