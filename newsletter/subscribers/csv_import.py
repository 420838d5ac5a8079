"""A CSV of subscribers, read row by row: each row becomes an addition or a refusal.

The file is judged as a whole once (`open_subscriber_file`: size, encoding,
separator, columns) and then read in one pass, so that memory stays flat. A bad
row never stops the others; it is told with its line number.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from newsletter.errors import AddressError, UsageError
from newsletter.publication.zones import find_zone
from newsletter.subscribers.address import normalise_address
from newsletter.subscribers.csv_cells import unguard_cell
from newsletter.subscribers.departments import parse_departments
from newsletter.subscribers.names import clean_name

_DELIMITERS = (",", ";", "\t", "|")
_SNIFFED_BYTES = 64 * 1024
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*")


class ImportStatus(StrEnum):
    """What a row says of its subscriber, in our words."""

    ACTIVE = "active"
    PENDING = "pending"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"


class Column(StrEnum):
    """The columns we read; all others are ignored."""

    ADDRESS = "address"
    NAME = "name"
    FIRST_NAME = "first name"
    LAST_NAME = "last name"
    LANGUAGE = "language"
    TIMEZONE = "time zone"
    STATUS = "status"
    DEPARTMENTS = "departments"


# Header words, reduced to their letters, in order of preference.
_HEADERS: Mapping[Column, tuple[str, ...]] = {
    Column.ADDRESS: ("email", "emailaddress", "mail", "subscriberemail", "address"),
    Column.NAME: ("name", "fullname", "subscribername"),
    Column.FIRST_NAME: ("firstname", "first", "fname", "givenname"),
    Column.LAST_NAME: ("lastname", "last", "lname", "surname", "familyname"),
    Column.LANGUAGE: ("language", "lang", "locale"),
    Column.TIMEZONE: ("timezone", "tz", "timezonename"),
    Column.STATUS: ("status", "state", "subscriptionstatus"),
    Column.DEPARTMENTS: ("departments",),
}

_STATUSES: Mapping[str, ImportStatus] = {
    "": ImportStatus.ACTIVE,
    "active": ImportStatus.ACTIVE,
    "subscribed": ImportStatus.ACTIVE,
    "confirmed": ImportStatus.ACTIVE,
    "enabled": ImportStatus.ACTIVE,
    "pending": ImportStatus.PENDING,
    "unconfirmed": ImportStatus.PENDING,
    "paused": ImportStatus.PAUSED,
    "unsubscribed": ImportStatus.UNSUBSCRIBED,
    "inactive": ImportStatus.UNSUBSCRIBED,
    "disabled": ImportStatus.UNSUBSCRIBED,
    "bounced": ImportStatus.BOUNCED,
    "cleaned": ImportStatus.BOUNCED,
}


@dataclass(frozen=True)
class ImportLimits:
    """What a file may hold; sizes in bytes and characters."""

    file_bytes: int = 100_000_000
    rows: int = 1_000_000
    columns: int = 200
    cell_characters: int = 2_000


@dataclass(frozen=True, slots=True)
class Addition:
    """A row that can be imported. ``line`` is where it begins in the file."""

    line: int
    address: str
    name: str
    language: str | None
    status: ImportStatus
    timezone: str | None = None
    departments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that cannot, and why."""

    line: int
    sentence: str


@dataclass(frozen=True)
class SubscriberFile:
    """A file that was understood: what is where in it.

    ``columns`` gives the place (from 0) of each column found; ``row_bound`` is
    at least the number of rows, for progress.
    """

    data: bytes
    encoding: str
    delimiter: str
    columns: Mapping[Column, int]
    has_header: bool
    row_bound: int
    limits: ImportLimits

    def rows(self) -> Iterator[Addition | RefusedRow]:
        """Each row in turn; blank ones are passed over."""
        reader = csv.reader(_lines(self.data, self.encoding), delimiter=self.delimiter)
        line = 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield RefusedRow(
                    line,
                    "a cell has no end; perhaps a quotation mark is not closed: the rest of the "
                    "file was not read",
                )
                return
            skipped = (line == 1 and self.has_header) or not any(cell.strip() for cell in cells)
            if not skipped:
                yield self._read(line, cells)
            line = reader.line_num + 1

    def _read(self, line: int, cells: Sequence[str]) -> Addition | RefusedRow:
        try:
            return self._plan(line, cells)
        except (AddressError, UsageError) as error:
            return RefusedRow(line, str(error))

    def _plan(self, line: int, cells: Sequence[str]) -> Addition:
        if any(len(cell) > self.limits.cell_characters for cell in cells):
            raise UsageError(f"a cell has more than {self.limits.cell_characters} characters")
        return Addition(
            line,
            normalise_address(self._cell(cells, Column.ADDRESS)),
            clean_name(self._name(cells)),
            parse_language(self._cell(cells, Column.LANGUAGE)),
            _status(self._cell(cells, Column.STATUS)),
            _timezone(self._cell(cells, Column.TIMEZONE)),
            parse_departments(self._cell(cells, Column.DEPARTMENTS)),
        )

    def _name(self, cells: Sequence[str]) -> str:
        whole = self._cell(cells, Column.NAME)
        parts = (self._cell(cells, Column.FIRST_NAME), self._cell(cells, Column.LAST_NAME))
        return whole or " ".join(part for part in parts if part)

    def _cell(self, cells: Sequence[str], column: Column) -> str:
        place = self.columns.get(column)
        if place is None or place >= len(cells):
            return ""
        return unguard_cell(cells[place]).strip()


def open_subscriber_file(data: bytes, limits: ImportLimits | None = None) -> SubscriberFile:
    """Understand a file's form; UsageError says in one sentence why it can't be read."""
    limits = limits or ImportLimits()
    if len(data) > limits.file_bytes:
        raise UsageError(
            f"the file has more than {limits.file_bytes // 1_000_000} MB: import it in parts"
        )
    # Quoted line ends, the header and the end of the last line count too.
    row_bound = max(data.count(b"\n"), data.count(b"\r")) + 1
    if row_bound > limits.rows + 2:
        raise UsageError(f"the file has more than {limits.rows:,} rows: import it in parts")
    encoding = _encoding(data)
    delimiter, columns, has_header = _layout(data, encoding, limits)
    return SubscriberFile(data, encoding, delimiter, columns, has_header, row_bound, limits)


def _encoding(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # ASCII written as UTF-16 without a mark has a zero in every second byte.
    if b"\0" in data[:2]:
        return "utf-16-be" if data[0] == 0 else "utf-16-le"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), 1 << 20):
            decoder.decode(data[start : start + (1 << 20)])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"  # what spreadsheets on Windows write where asked for plain "CSV"
    return "utf-8"


def _lines(data: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data), encoding, errors="replace", newline="")


def _layout(
    data: bytes, encoding: str, limits: ImportLimits
) -> tuple[str, Mapping[Column, int], bool]:
    """(delimiter, columns, has a header): the separator that finds most columns wins."""
    found: list[tuple[int, str, Mapping[Column, int], bool]] = []
    for delimiter in _DELIMITERS:
        cells = _first_row(data, encoding, delimiter)
        if len(cells) > limits.columns:
            raise UsageError(f"the file has more than {limits.columns} columns")
        columns = _columns(cells)
        if Column.ADDRESS in columns:
            found.append((len(cells), delimiter, columns, True))
        elif (place := _address_place(cells)) is not None:
            found.append((len(cells), delimiter, {Column.ADDRESS: place}, False))
    if not found:
        raise UsageError(
            "the file has no column of addresses: its first line must name one, such as "
            '"email", and may name "name", "language", "timezone", "departments" and "status"'
        )
    _, delimiter, columns, has_header = max(found, key=lambda layout: (layout[3], layout[0]))
    return delimiter, columns, has_header


def _first_row(data: bytes, encoding: str, delimiter: str) -> list[str]:
    reader = csv.reader(_lines(data[:_SNIFFED_BYTES], encoding), delimiter=delimiter)
    try:
        return next(reader, [])
    except csv.Error:
        return []


def _columns(cells: Sequence[str]) -> Mapping[Column, int]:
    words = ["".join(c for c in cell.casefold() if c.isalnum()) for cell in cells]
    columns: dict[Column, int] = {}
    for column, names in _HEADERS.items():
        places = [words.index(name) for name in names if name in words]
        if places:
            columns[column] = places[0]
    return columns


def _address_place(cells: Sequence[str]) -> int | None:
    for place, cell in enumerate(cells):
        try:
            normalise_address(unguard_cell(cell))
        except AddressError:
            continue
        return place
    return None


def parse_language(text: str) -> str | None:
    """A language tag, or None for an empty text; UsageError where it is none."""
    if not text:
        return None
    if not _LANGUAGE.fullmatch(text):
        raise UsageError("the language is no tag such as en or hy")
    return text.replace("_", "-")


def _timezone(text: str) -> str | None:
    if text and find_zone(text) is None:
        raise UsageError("the time zone is no name such as Asia/Yerevan")
    return text or None


def _status(text: str) -> ImportStatus:
    status = _STATUSES.get(text.casefold())
    if status is None:
        shown = "".join(c for c in text[:40] if c.isprintable())
        raise UsageError(
            f'the status "{shown}" is not known; write active, pending, paused, '
            "unsubscribed or bounced"
        )
    return status
