"""A CSV of subscribers, read row by row: each row becomes an addition or a refusal.

The file is judged as a whole once (`open_subscriber_file`: size, encoding,
separator, whose export it is) and then read in one pass, so that memory stays
flat. A bad row never stops the others; it is told with its line number.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from newsletter.errors import AddressError, UsageError
from newsletter.publication.cadence import Cadence
from newsletter.publication.zones import find_zone
from newsletter.subscribers.address import normalise_address
from newsletter.subscribers.attributes import (
    attribute_name,
    check_attributes,
    parse_attributes,
    parse_tags,
)
from newsletter.subscribers.csv_cells import unguard_cell
from newsletter.subscribers.csv_source import (
    DELIMITERS,
    CsvSource,
    ImportLimits,
    RefusedRow,
    open_csv,
)
from newsletter.subscribers.departments import parse_departments
from newsletter.subscribers.instants import parse_instant
from newsletter.subscribers.list_formats import (
    PLAIN,
    RANK,
    Column,
    ImportStatus,
    ListFormat,
    header_word,
    recognise_format,
)
from newsletter.subscribers.names import clean_name

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")
# Whatever is asked for, all that the file has beside what we know.
ALL_ATTRIBUTES = "*"
# Cells of few different values; a million rows have a few hundred of them.
_REMEMBERED = 4096
_remembering = lru_cache(maxsize=_REMEMBERED)


class Addition(NamedTuple):
    """A row that can be imported. ``line`` is where it begins in the file.

    ``consent_at`` and ``consent_wording`` are what the file itself says of the
    consent; ``attributes`` is not to be changed.
    """

    line: int
    address: str
    name: str
    language: str | None
    status: ImportStatus
    timezone: str | None = None
    departments: tuple[str, ...] = ()
    attributes: Mapping[str, Any] | None = None
    consent_at: datetime | None = None
    consent_wording: str = ""
    cadence: Cadence = Cadence.EACH


class _Places(NamedTuple):
    """The places of each column, in the order in which they count."""

    address: tuple[int, ...]
    name: tuple[int, ...]
    first_name: tuple[int, ...]
    last_name: tuple[int, ...]
    language: tuple[int, ...]
    timezone: tuple[int, ...]
    departments: tuple[int, ...]
    cadence: tuple[int, ...]
    consent_at: tuple[int, ...]
    consent_wording: tuple[int, ...]
    attributes: tuple[int, ...]


_ORDER = tuple(Column[name.upper()] for name in _Places._fields)


@dataclass(frozen=True)
class _Layout:
    """What is where. ``attributes`` are (name, place, whether it holds tags)."""

    delimiter: str
    format: ListFormat
    has_header: bool
    columns: Mapping[Column, tuple[int, ...]]
    statuses: Sequence[tuple[int, Mapping[str, ImportStatus]]] = ()
    filled: Sequence[tuple[int, ImportStatus]] = ()
    least: ImportStatus = ImportStatus.ACTIVE
    opt_in: Sequence[int] = ()
    attributes: Sequence[tuple[str, int, bool]] = ()
    extra: Sequence[str] = ()
    width: int = 0

    @cached_property
    def places(self) -> "_Places":
        """Where each column stands."""
        return _Places(*(self.columns.get(column, ()) for column in _ORDER))

    @cached_property
    def attribute_cells(self) -> Callable[[Sequence[str]], Any] | None:
        """What gives of a row all cells that attributes are taken from, if there are any."""
        places = (*self.places.attributes, *(place for _, place, _ in self.attributes))
        return itemgetter(*places) if places else None


@dataclass(frozen=True)
class SubscriberFile:
    """A file that was understood.

    ``extra`` are the columns of which nothing is taken.
    """

    csv: CsvSource
    limits: ImportLimits
    layout: _Layout
    _known_attributes: dict[str | tuple[str, ...], Mapping[str, Any] | None] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def digest(self) -> str:
        """What tells it from any other by its content."""
        return self.csv.digest

    @property
    def encoding(self) -> str:
        return self.csv.encoding

    @property
    def row_bound(self) -> int:
        """At least the number of its rows."""
        return self.csv.row_bound

    @property
    def delimiter(self) -> str:
        return self.layout.delimiter

    @property
    def format(self) -> str:
        """Whose export it is, in words."""
        return self.layout.format.name

    @property
    def columns(self) -> tuple[str, ...]:
        """What is taken from it, in words."""
        statuses = ("status",) if self.layout.statuses or self.layout.filled else ()
        names = tuple(f"attribute {name}" for name, _, _ in self.layout.attributes)
        return (*(str(column) for column in self.layout.columns), *statuses, *names)

    @property
    def extra(self) -> tuple[str, ...]:
        return tuple(self.layout.extra)

    def rows(self) -> Iterator[Addition | RefusedRow]:
        """Each row in turn; blank ones are passed over."""
        layout = self.layout
        return self.csv.each(
            layout.delimiter, layout.format.escape, has_header=layout.has_header, read=self._plan
        )

    def _plan(self, line: int, cells: list[str]) -> Addition:
        layout = self.layout
        limits = self.limits
        # A short row, as most are, has no long cell.
        longest = limits.cell_characters
        if len("".join(cells)) > longest and max(map(len, cells)) > longest:
            raise UsageError(f"a cell has more than {limits.cell_characters} characters")
        if len(cells) > limits.columns:
            raise UsageError(f"the row has more than {limits.columns} columns")
        cells += [""] * (layout.width - len(cells))
        at, strict = layout.places, layout.format.strict
        # Most files have few of the columns: of the others no cell is looked for.
        language = _cell(cells, at.language) if at.language else ""
        timezone = _cell(cells, at.timezone) if at.timezone else ""
        departments = _cell(cells, at.departments) if at.departments else ""
        consent_at = _cell(cells, at.consent_at) if at.consent_at else ""
        cadence = _cell(cells, at.cadence) if at.cadence else ""
        return Addition(
            line,
            normalise_address(_cell(cells, at.address)),
            clean_name(_name(cells, at)),
            _language(language, strict) if language else None,
            self._status(cells),
            _timezone(timezone, strict) if timezone else None,
            _departments(departments) if departments else (),
            self._attributes(layout.attribute_cells(cells), cells)
            if layout.attribute_cells
            else None,
            parse_instant(consent_at) if consent_at else None,
            _cell(cells, at.consent_wording) if at.consent_wording else "",
            parse_cadence(cadence) if cadence else Cadence.EACH,
        )

    def _status(self, cells: Sequence[str]) -> ImportStatus:
        layout = self.layout
        status = layout.least
        for place, meanings in layout.statuses:
            cell = cells[place]
            said = meanings.get(cell) or meanings.get(unguard_cell(cell).strip().casefold())
            if said is None:
                raise _unknown_status(cell, layout.format)
            if RANK[said] > RANK[status]:
                status = said
        told = not layout.opt_in or any(cells[place].strip() for place in layout.opt_in)
        if status is ImportStatus.ACTIVE and not told:
            status = ImportStatus.NOT_ASKED
        for place, said in layout.filled:
            if RANK[said] > RANK[status] and cells[place].strip():
                status = said
        return status

    def _attributes(
        self, said: str | tuple[str, ...], cells: Sequence[str]
    ) -> Mapping[str, Any] | None:
        """What rows with the same cells share, which many have."""
        try:
            return self._known_attributes[said]
        except KeyError:
            if len(self._known_attributes) >= _REMEMBERED:
                self._known_attributes.clear()
            found = self._known_attributes[said] = self._parse_attributes(cells)
            return found

    def _parse_attributes(self, cells: Sequence[str]) -> Mapping[str, Any] | None:
        whole = self.layout.places.attributes
        found = parse_attributes(_cell(cells, whole)) if whole else {}
        for name, place, holds_tags in self.layout.attributes:
            cell = unguard_cell(cells[place]).strip() if cells[place] else ""
            if cell:
                found[name] = parse_tags(cell) if holds_tags else cell
        return check_attributes(found) if found else None


def open_subscriber_file(
    source: bytes | Path,
    limits: ImportLimits | None = None,
    *,
    attributes: Sequence[str] = (),
    without_opt_in: bool = False,
) -> SubscriberFile:
    """Understand a file's form; UsageError says in one sentence why it can't be read.

    ``attributes`` are the headers of columns to keep as attributes, or
    `ALL_ATTRIBUTES`; the tags of exports that are recognised are kept anyway. With
    ``without_opt_in`` it does not matter that an export tells no opt-in of somebody.
    """
    limits = limits or ImportLimits()
    found = open_csv(source, limits)
    layout = _layout(found, limits, attributes)
    if without_opt_in:
        layout = replace(layout, opt_in=())
    return SubscriberFile(found, limits, layout)


def parse_language(text: str) -> str | None:
    """A language tag, or None for an empty text; UsageError where it is none."""
    return _language(text, strict=True) if text else None


def parse_cadence(text: str) -> Cadence:
    """How often somebody wants it; UsageError where the text says neither."""
    try:
        return Cadence(text.casefold())
    except ValueError as error:
        shown = "".join(c for c in text[:40] if c.isprintable())
        raise UsageError(
            f'the cadence "{shown}" is not known; write each or monthly', subject="cadence"
        ) from error


def _layout(source: CsvSource, limits: ImportLimits, attributes: Sequence[str]) -> _Layout:
    """The separator that finds most columns wins."""
    found: list[tuple[int, _Layout]] = []
    for delimiter in DELIMITERS:
        cells = next(source.first_rows(delimiter), [])
        if len(cells) > limits.columns:
            raise UsageError(f"the file has more than {limits.columns} columns")
        layout = _with_header(cells, delimiter, attributes)
        if layout is None and (place := _address_place(cells)) is not None:
            columns = {Column.ADDRESS: (place,)}
            layout = _Layout(delimiter, PLAIN, False, columns, width=place + 1)
        if layout is not None:
            found.append((len(cells), layout))
    if not found:
        raise UsageError(
            "the file has no column of addresses: its first line must name one, such as "
            '"email", and may name "name", "language", "timezone", "departments" and "status"'
        )
    _, layout = max(found, key=lambda each: (each[1].has_header, each[0]))
    _check_asked_for(layout, attributes)
    return layout


def _with_header(cells: Sequence[str], delimiter: str, attributes: Sequence[str]) -> _Layout | None:
    """The layout that a header describes; None where it names no column of addresses."""
    words = [header_word(cell) for cell in cells]
    places = {word: place for place, word in reversed(list(enumerate(words)))}
    form = recognise_format(places.keys())
    columns = {
        column: tuple(places[name] for name in names if name in places)
        for column, names in form.columns.items()
    }
    columns = {column: there for column, there in columns.items() if there}
    if Column.ADDRESS not in columns:
        return None
    statuses = [(places[word], said) for word, said in form.statuses.items() if word in places]
    if form is PLAIN:
        # Of several words for one thing the first there is.
        columns = {
            column: there if column is Column.ADDRESS else there[:1]
            for column, there in columns.items()
        }
        columns[Column.ADDRESS] = columns[Column.ADDRESS][:1]
        statuses = statuses[:1]
    used = {place for there in columns.values() for place in there}
    used |= {place for place, _ in statuses}
    used |= {places[word] for word in (*form.filled, *form.present) if word in places}
    tags = {places[word] for word in form.tags if word in places}
    free = [
        place
        for place, word in enumerate(words)
        if word and place not in used | tags and word not in form.private
    ]
    wanted = {attribute_name(name) for name in attributes}
    taken = [
        place
        for place in free
        if ALL_ATTRIBUTES in attributes or attribute_name(cells[place]) in wanted
    ]
    present = [status for word, status in form.present.items() if word in places]
    return _Layout(
        delimiter,
        form,
        True,
        columns,
        statuses,
        [(places[word], status) for word, status in form.filled.items() if word in places],
        max(present, key=lambda status: RANK[status], default=ImportStatus.ACTIVE),
        [places[word] for word in form.opt_in if word in places],
        [(attribute_name(cells[place]), place, place in tags) for place in sorted([*tags, *taken])],
        [cells[place].strip() for place in free if place not in taken],
        len(cells),
    )


def _check_asked_for(layout: _Layout, attributes: Sequence[str]) -> None:
    taken = {name for name, _, _ in layout.attributes}
    for asked in attributes:
        if asked != ALL_ATTRIBUTES and attribute_name(asked) not in taken:
            there = ", ".join(layout.extra) or "none beside those that are read anyway"
            raise UsageError(
                f'--attributes: the file has no other column "{asked}"; there are: {there}'
            )


def _address_place(cells: Sequence[str]) -> int | None:
    for place, cell in enumerate(cells):
        try:
            normalise_address(unguard_cell(cell))
        except AddressError:
            continue
        return place
    return None


def _cell(cells: Sequence[str], places: tuple[int, ...]) -> str:
    """The first cell that is not empty of the places where a column stands."""
    for place in places:
        cell = cells[place]
        if cell:
            cell = unguard_cell(cell).strip() if cell[0] == "'" else cell.strip()
            if cell:
                return cell
    return ""


def _name(cells: Sequence[str], at: _Places) -> str:
    whole = _cell(cells, at.name) if at.name else ""
    if whole:
        return whole
    first = _cell(cells, at.first_name) if at.first_name else ""
    last = _cell(cells, at.last_name) if at.last_name else ""
    return f"{first} {last}" if first and last else first or last


@_remembering
def _language(text: str, strict: bool) -> str | None:
    if _LANGUAGE.fullmatch(text):
        return text.replace("_", "-")
    if strict:
        raise UsageError("the language is no tag such as en or hy")
    return None


@_remembering
def _timezone(text: str, strict: bool) -> str | None:
    if find_zone(text) is not None:
        return text
    if strict:
        raise UsageError("the time zone is no name such as Asia/Yerevan")
    return None


_departments = _remembering(parse_departments)


def _unknown_status(cell: str, form: ListFormat) -> UsageError:
    shown = "".join(c for c in cell.strip()[:40] if c.isprintable())
    if form.strict:
        known = "active, pending, paused, unsubscribed or bounced"
    else:
        known = f"what {form.name} writes"
    return UsageError(f'the status "{shown}" is not known; write {known}')
