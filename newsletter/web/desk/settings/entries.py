"""Entries of arrays: newsletters, sections, sources: added, edited, put in order, taken out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from newsletter.errors import Conflict
from newsletter.publication.settings_document import ORDER, UNSET, Path
from newsletter.publication.settings_keys import value_at
from newsletter.web.desk.settings.labels import table_label
from newsletter.web.desk.settings.page import (
    SAID,
    Base,
    Notice,
    again,
    change,
    go_on,
    latest_base,
    problem_notice,
    save,
    sent_version,
    show_form,
    take_edits,
    undo_number,
)
from newsletter.web.desk.settings.places import Place, Target, entry_target
from newsletter.web.desk.visit import Visit
from newsletter.words import gettext_noop
from newsletter.workflows.change_settings import Changed, Outcome, Problem, Refused

ADD = gettext_noop("Add")
_EDIT = gettext_noop("Change what you like; a help line stands at each.")
# No slug has a line in it.
NEW = "_new"


@dataclass(frozen=True)
class Array:
    """An array of tables; ``page`` is that of its list, below ``below`` are its entries'.

    ``beside`` is what a new entry has from the start.
    """

    path: Path
    model: type[BaseModel]
    page: str
    below: str
    new: Place
    beside: Mapping[str, Any]

    @classmethod
    def of(cls, path: Path, model: type[BaseModel], page: str, below: str = "") -> "Array":
        """One whose entries are added with all their keys in one form."""
        return cls(path, model, page, below or page, Place(NEW, ADD, _EDIT, ()), {})

    def target(self, slug: str) -> Target:
        """What the form of an entry changes."""
        if slug == NEW and self.new.groups:
            return Target((*self.path, slug), self.model, self.new.groups)
        return entry_target(self.path, self.model, slug)


@dataclass(frozen=True)
class EntryLine:
    """An entry in its list. ``fixed`` says what fixes that it is there."""

    slug: str
    title: str
    kind: str
    fixed: str


def entry_lines(visit: Visit, base: Base, array: Array) -> list[EntryLine]:
    """The entries of an array in their order."""
    entries: tuple[Any, ...] = value_at(base.settings, array.path)
    return [
        EntryLine(
            entry.slug,
            getattr(entry, "title", "") or getattr(entry, "name", "") or entry.slug,
            getattr(entry, "kind", ""),
            visit.context.fixed.where((*array.path, entry.slug)),
        )
        for entry in entries
    ]


def show_entries(
    visit: Visit,
    array: Array,
    base: Base,
    *,
    status: int = 200,
    notice: Notice | None = None,
    **values: Any,
) -> Response:
    """The list, with what moves, removes and adds."""
    return visit.page(
        "settings/entries",
        status=status,
        said=SAID,
        title=table_label(visit.words, array.path),
        lines=entry_lines(visit, base, array),
        page=array.page,
        version=base.version.version,
        notice=notice,
        undo=undo_number(visit),
        **values,
    )


def show_entry(visit: Visit, array: Array, slug: str, **values: Any) -> Response:
    """An entry's form, or that of a new one."""
    return _show(visit, array, slug, latest_base(visit), **values)


def take_entry(visit: Visit, array: Array, slug: str, **values: Any) -> Response:
    """Save an entry, or add it."""
    if slug == NEW:
        return take_new_entry(visit, array, **values)
    target = array.target(slug)
    base, sent = take_edits(visit, target)
    outcome = save(visit, base, sent)
    if isinstance(outcome, Changed):
        return go_on(visit, f"{array.below}/{slug}", outcome)
    base, status = again(outcome, base)
    return _show(visit, array, slug, base, sent=sent, outcome=outcome, status=status, **values)


def take_new_entry(visit: Visit, array: Array, **values: Any) -> Response:
    """Add an entry at the end of its array."""
    target = array.target(NEW)
    base, sent = take_edits(visit, target, adds=True)
    entry = _entry_of(array, target, sent.edits)
    slug = str(entry.get("slug", ""))
    path = (*array.path, slug)
    taken = [one.slug for one in value_at(base.settings, array.path)]
    outcome: Outcome
    if sent.problems:
        outcome = Refused(())
    elif not slug:
        outcome = Refused((Problem((*target.root, "slug"), "", "missing"),))
    elif slug in taken:
        outcome = Refused((Problem((*target.root, "slug"), "", "taken"),))
    else:
        outcome = change(visit, {path: entry}, base.version.version)
    if isinstance(outcome, Changed):
        return go_on(visit, array.page, outcome, "added")
    if isinstance(outcome, Refused):
        outcome = Refused(tuple(_as_new(problem, path, target) for problem in outcome.problems))
    base, status = again(outcome, base)
    return _show(visit, array, NEW, base, sent=sent, outcome=outcome, status=status, **values)


def take_order(visit: Visit, array: Array, **values: Any) -> Response:
    """Put one entry up, down, or at a place of its own."""
    version, slug = sent_version(visit), visit.field("slug")
    with visit.context.database.read() as tx:
        document = tx.settings.get(version).document
    order = [str(entry["slug"]) for entry in _entries_at(document, array.path)]
    if slug not in order:
        raise Conflict(f'"{slug}" is not there any more: load the page anew', subject=slug)
    place = order.index(slug)
    to = {"up": place - 1, "down": place + 1}.get(visit.field("move"), _place_in(visit, place))
    order.remove(slug)
    order.insert(max(0, to), slug)
    return _done(
        visit, array, change(visit, {(*array.path, ORDER): tuple(order)}, version), "moved", values
    )


def take_removal(visit: Visit, array: Array, slug: str, **values: Any) -> Response:
    """Take an entry out; the page that follows offers to take that back."""
    outcome = change(visit, {(*array.path, slug): UNSET}, sent_version(visit))
    return _done(visit, array, outcome, "removed", values)


def _done(
    visit: Visit, array: Array, outcome: Outcome, done: str, values: Mapping[str, Any]
) -> Response:
    if isinstance(outcome, Changed):
        return go_on(visit, array.page, outcome, done)
    base, status = again(outcome, latest_base(visit))
    notice = problem_notice(visit, outcome)
    return show_entries(visit, array, base, status=status, notice=notice, **values)


def _show(visit: Visit, array: Array, slug: str, base: Base, **values: Any) -> Response:
    adds = slug == NEW
    name = table_label(visit.words, array.path) if adds else slug
    place = array.new if adds else Place(slug, name, _EDIT, ())
    return show_form(
        visit,
        "form",
        place,
        array.target(slug),
        base,
        adds=adds,
        removable=not adds and not visit.context.fixed.where((*array.path, slug)),
        page=f"{array.below}/{slug}",
        **{
            "over": name,
            "back": array.page,
            "back_name": table_label(visit.words, array.path),
            **values,
        },
    )


def _entry_of(array: Array, target: Target, edits: Mapping[Path, Any]) -> dict[str, Any]:
    """The table that a form for a new entry made."""
    entry: dict[str, Any] = dict(array.beside)
    for path, value in edits.items():
        place = entry
        *tables, last = path[len(target.root) :]
        for table in tables:
            place = place.setdefault(table, {})
        if value is not UNSET:
            place[last] = value
    return entry


def _as_new(problem: Problem, path: Path, target: Target) -> Problem:
    """A problem of the entry that was to be added, at the form that was to add it."""
    if problem.path[: len(path)] != path:
        return problem
    inner = problem.path[len(path) :]
    return replace(problem, path=(*target.root, *inner))


def _entries_at(document: Any, path: Path) -> list[Any]:
    for part in path:
        if isinstance(document, list):
            document = next((one for one in document if one.get("slug") == part), {})
        else:
            document = document.get(part, {})
    return document if isinstance(document, list) else []


def _place_in(visit: Visit, place: int) -> int:
    number = visit.field("place")
    return int(number) - 1 if number.isascii() and number.isdigit() and len(number) < 4 else place
