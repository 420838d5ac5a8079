"""A CSV of whatever hand: its bytes judged once, and its rows read one by one.

Memory stays flat, whatever the file. A row that has no end stops no other: its
first line is refused, and those after it are read by themselves.
"""

import codecs
import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TypeVar

from newsletter.errors import AddressError, UsageError

T = TypeVar("T")
DELIMITERS = (",", ";", "\t", "|")
_SNIFFED_BYTES = 64 * 1024
_READ_BYTES = 1 << 20
# A row of 200 columns with 2,000 characters each has less than half of it.
_MOST_CHARACTERS = 1_000_000
_SHOWN_CHARACTERS = 2_000


@dataclass(frozen=True)
class ImportLimits:
    """What a file may hold; sizes in bytes and characters."""

    file_bytes: int = 1_000_000_000
    rows: int = 2_000_000
    columns: int = 200
    cell_characters: int = 2_000


# Where a row begins, where it ends, and its cells; of a blank line there are none.
# A plain tuple: a million named ones take a quarter of a second more.
Row = tuple[int, int, list[str]]


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that can't be used, and why. ``cells`` are the row as it was read."""

    line: int
    sentence: str
    cells: tuple[str, ...] = field(default=(), compare=False)


class _NoEnd(Exception):
    """The row goes on for longer than any does."""


@dataclass(frozen=True)
class CsvSource:
    """A file that may be read as text.

    ``digest`` tells it from any other by its content; ``row_bound`` is at least
    the number of its rows, for progress; ``head`` are its first bytes.
    """

    source: bytes | Path
    digest: str
    encoding: str
    row_bound: int
    head: bytes = field(repr=False)

    def first_rows(self, delimiter: str) -> Iterator[list[str]]:
        """The cells of the first rows, parted by ``delimiter``, for a look at them."""
        with _text(io.BytesIO(self.head), self.encoding) as stream:
            for row in _read_rows(stream, delimiter, None):
                yield [] if isinstance(row, RefusedRow) else row[2]

    def each(
        self,
        delimiter: str,
        escape: str | None,
        *,
        has_header: bool,
        read: Callable[[int, list[str]], T],
    ) -> Iterator[T | RefusedRow]:
        """What ``read`` makes of each row's line and cells; blank rows are passed over.

        A row of which it makes an AddressError or UsageError is refused in its words.
        """
        for row in self.rows(delimiter, escape):
            if isinstance(row, RefusedRow):
                yield row
                continue
            line, _, cells = row
            if cells and (line > 1 or not has_header):
                try:
                    yield read(line, cells)
                except (AddressError, UsageError) as error:
                    if any(cell.strip() for cell in cells):
                        yield _refuse(row, error)

    def rows(self, delimiter: str, escape: str | None = None) -> Iterator[Row | RefusedRow]:
        """Each row in turn; ``escape`` stands before a quotation mark in a cell."""
        with _text(_open(self.source), self.encoding) as stream:
            yield from _read_rows(stream, delimiter, escape)


def open_csv(source: bytes | Path, limits: ImportLimits) -> CsvSource:
    """Judge a file as a whole; UsageError says in one sentence why it can't be read."""
    try:
        with _open(source) as stream:
            digest, encoding, row_bound = _survey(stream, limits)
        with _open(source) as stream:
            head = stream.read(_SNIFFED_BYTES)
    except OSError as error:
        raise UsageError(
            f"{source!s}: can't be read ({error.strerror})", subject=str(source)
        ) from error
    return CsvSource(source, digest, encoding, row_bound, head)


def _refuse(row: Row, error: Exception) -> RefusedRow:
    """A row that is read and can't be used."""
    line, last, cells = row
    beyond = f"; the row goes on to line {last}" if last > line else ""
    return RefusedRow(line, f"{error}{beyond}", tuple(cells))


class _Held:
    """Lines for a reader of CSV, those of the row at hand held in case that it has no end."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.row: list[str] = []
        self.ended = False
        self._lines = lines

    def __iter__(self) -> Iterator[str]:
        row, most, size = self.row, _MOST_CHARACTERS, 0
        for line in self._lines:
            size = size + len(line) if row else len(line)
            row.append(line)
            if size >= most:
                raise _NoEnd
            yield line
        self.ended = True

    def first_left_out(self) -> Iterator[str]:
        """What is to be read where the first line of the row is not."""
        if self.row[0].endswith(("\n", "\r")):
            return chain(self.row[1:], self._lines)
        # Only a piece of it was read.
        for piece in self._lines:
            if piece.endswith(("\n", "\r")):
                break
        return self._lines


def _read_rows(
    stream: io.TextIOWrapper, delimiter: str, escape: str | None
) -> Iterator[Row | RefusedRow]:
    csv.field_size_limit(_MOST_CHARACTERS)
    held = _Held(iter(partial(stream.readline, _MOST_CHARACTERS), ""))
    before = 0
    while True:
        row = held.row
        try:
            for cells in csv.reader(held, delimiter=delimiter, escapechar=escape):
                if held.ended and len(row) > 1 and _is_open("".join(row), escape):
                    raise _NoEnd
                begin, before = before + 1, before + len(row)
                yield begin, before, cells
                row.clear()
            return
        except _NoEnd:
            before += 1
            yield RefusedRow(before, _no_end(row), (row[0][:_SHOWN_CHARACTERS].rstrip("\r\n"),))
            held = _Held(held.first_left_out())


def _no_end(row: list[str]) -> str:
    if len(row) > 1:
        return "a quotation mark is not closed; the lines after this one are read without it"
    return f"the line has more than {_MOST_CHARACTERS:,} characters"


def _is_open(text: str, escape: str | None) -> bool:
    """Whether a quotation mark waits for another one at the end of ``text``."""
    marks = text.count('"') - (text.count(f'{escape}"') if escape else 0)
    return marks % 2 == 1


def _open(source: bytes | Path) -> BinaryIO:
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def _text(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(stream, encoding, errors="replace", newline="")


def _survey(stream: BinaryIO, limits: ImportLimits) -> tuple[str, str, int]:
    """(digest, encoding, bound of the number of rows) from one pass over the bytes."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    first, is_utf_8 = b"", True
    size = feeds = returns = 0
    while data := stream.read(_READ_BYTES):
        first = first or data
        size += len(data)
        if size > limits.file_bytes:
            raise UsageError(
                f"the file has more than {limits.file_bytes // 1_000_000} MB: import it in parts"
            )
        digest.update(data)
        feeds += data.count(b"\n")
        returns += data.count(b"\r")
        is_utf_8 = is_utf_8 and _decodes(decoder, data)
    # Quoted line ends, the header and the end of the last line count too.
    row_bound = max(feeds, returns) + 1
    if row_bound > limits.rows + 2:
        raise UsageError(f"the file has more than {limits.rows:,} rows: import it in parts")
    is_utf_8 = is_utf_8 and _decodes(decoder, b"", final=True)
    return digest.hexdigest(), _encoding(first, is_utf_8=is_utf_8), row_bound


def _decodes(decoder: codecs.IncrementalDecoder, data: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(data, final)
    except UnicodeDecodeError:
        return False
    return True


def _encoding(head: bytes, *, is_utf_8: bool) -> str:
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # ASCII written as UTF-16 without a mark has a zero in every second byte.
    if b"\0" in head[:2]:
        return "utf-16-be" if head[0] == 0 else "utf-16-le"
    # Else what spreadsheets on Windows write where asked for plain "CSV".
    return "utf-8" if is_utf_8 else "cp1252"
