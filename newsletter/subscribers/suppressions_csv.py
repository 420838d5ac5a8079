"""The suppression list as a CSV, out and in: addresses, their keyed hashes, domains."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TextIO

from newsletter.errors import AddressError, UsageError
from newsletter.subscribers.address import normalise_address, show_address
from newsletter.subscribers.csv_cells import guard_cell, unguard_cell
from newsletter.subscribers.csv_source import (
    DELIMITERS,
    CsvSource,
    ImportLimits,
    RefusedRow,
    open_csv,
)
from newsletter.subscribers.instants import parse_instant
from newsletter.subscribers.list_formats import (
    OWN_LIST,
    PLAIN,
    Column,
    ListFormat,
    header_word,
    recognise_format,
)
from newsletter.subscribers.model import DomainRule, Suppression, SuppressionReason

HEADER = ("address", "hash", "reason", "source", "at", "key")
_MAX_CELL = 2_000
_HASH = re.compile(r"[a-z2-7]{52}")
_DOMAIN_WORDS = ("domain", "pattern")
# A file without names of columns has an address or a domain in one of so many first rows.
_LOOKED_AT = 20
_RULES_REASONS = "legal or complaint"


@dataclass(frozen=True, slots=True)
class SuppressedRow:
    """One of an address, a hash of one, or a domain's pattern, that may not be mailed."""

    line: int
    reason: SuppressionReason
    source: str
    at: datetime | None
    address: str = ""
    address_hash: str = ""
    pattern: str = ""


def is_rule(written: str) -> bool:
    """Whether a text is meant for a whole domain rather than for an address."""
    return written.strip().startswith(("@", "*."))


def parse_rule(written: str) -> str:
    """``@example.org`` or ``*.example.org`` as `DomainRule` has it; AddressError."""
    text = written.strip()
    mark, domain = ("@", text[1:]) if text.startswith("@") else ("*.", text[2:])
    try:
        found = normalise_address(f"a@{domain}")
    except AddressError as error:
        raise AddressError(
            f'"{show_address(text)}" names no domain; write @example.org, or *.example.org for '
            "all below it",
            subject="domain",
        ) from error
    return mark + found[2:]


def check_rule_reason(reason: SuppressionReason) -> None:
    """UsageError where a reason can't be a domain's: a confirmation of one reader lifts it."""
    if not reason.blocks_confirmation:
        raise UsageError(
            f"a whole domain is suppressed as {_RULES_REASONS}, not as {reason}", subject="reason"
        )


def write_suppressions(
    rules: Iterable[DomainRule], suppressions: Iterable[Suppression], mark: str, stream: TextIO
) -> int:
    """Write one row each to ``stream`` (opened with ``newline=""``); how many.

    ``mark`` names the key of the hashes (`Keyring.hash_mark`).
    """
    writer = csv.writer(stream)
    writer.writerow(HEADER)
    count = 0
    for rule in rules:
        writer.writerow(_cells(rule.pattern, "", rule, ""))
        count += 1
    return count + write_suppressed(suppressions, mark, stream)


def write_suppressed(suppressions: Iterable[Suppression], mark: str, stream: TextIO) -> int:
    """The rows of addresses alone, for a part of a file; how many."""
    writer = csv.writer(stream)
    count = 0
    for each in suppressions:
        writer.writerow(_cells(each.address or "", each.address_hash, each, mark))
        count += 1
    return count


@dataclass(frozen=True)
class SuppressionFile:
    """A list that was understood; ``places`` are those of the columns that are taken.

    ``extra`` are the columns of which nothing is taken.
    """

    csv: CsvSource
    delimiter: str
    form: ListFormat
    has_header: bool
    places: Mapping[str, int]
    extra: tuple[str, ...] = ()

    @property
    def format(self) -> str:
        """Whose list it is, in words."""
        return self.form.name

    @property
    def encoding(self) -> str:
        return self.csv.encoding

    @property
    def row_bound(self) -> int:
        """At least the number of its rows."""
        return self.csv.row_bound

    @property
    def columns(self) -> tuple[str, ...]:
        """What is taken from it, in words."""
        return tuple(self.places)

    def rows(self, reason: SuppressionReason, mark: str) -> Iterator[SuppressedRow | RefusedRow]:
        """Each row in turn, blank ones passed over; ``reason`` is that of rows that give none.

        A hash is taken only where the row says that the key of ``mark`` made it: that of
        another installation's is of no address that we ever meet.
        """
        return self.csv.each(
            self.delimiter,
            self.form.escape,
            has_header=self.has_header,
            read=lambda line, cells: _read(line, cells, self.places, reason, mark),
        )


def open_suppression_file(source: bytes | Path) -> SuppressionFile:
    """Understand a list's form; UsageError says in one sentence why it can't be read.

    The first line may name the columns (address or email, hash, reason, source, at), or be
    that of an export of subscribers; without one, the column is read in which most addresses
    and domains stand.
    """
    limits = ImportLimits()
    csv = open_csv(source, limits)
    found: list[tuple[bool, int, SuppressionFile]] = []
    for delimiter in DELIMITERS:
        rows = list(islice(csv.first_rows(delimiter), _LOOKED_AT))
        head = rows[0] if rows else []
        if len(head) > limits.columns:
            raise UsageError(f"the file has more than {limits.columns} columns")
        words = [header_word(cell) for cell in head]
        places = {word: place for place, word in reversed(list(enumerate(words)))}
        form = OWN_LIST if OWN_LIST.recognised_by <= places.keys() else recognise_format(set(words))
        wanted = (*form.columns[Column.ADDRESS], *_DOMAIN_WORDS)
        address = next((places[word] for word in wanted if word in places), None)
        if address is not None or "hash" in places:
            taken = {} if address is None else {HEADER[0]: address}
            taken |= {word: places[word] for word in HEADER[1:] if word in places}
            extra = [cell.strip() for n, cell in enumerate(head) if n not in taken.values()]
            told = SuppressionFile(csv, delimiter, form, True, taken, tuple(filter(None, extra)))
            found.append((True, len(head), told))
            continue
        there = Counter(n for cells in rows for n, cell in enumerate(cells) if _names_some(cell))
        if there:
            ((place, count),) = there.most_common(1)
            told = SuppressionFile(csv, delimiter, PLAIN, False, {HEADER[0]: place})
            found.append((False, count, told))
    if not found:
        raise UsageError(
            "the file names no addresses: its first line must name a column of them, such as "
            '"email" or "hash", or addresses or domains (@example.org) must be in its first lines'
        )
    return max(found, key=lambda each: each[:2])[2]


def _names_some(cell: str) -> bool:
    """Whether a cell is an address or a domain's pattern."""
    written = unguard_cell(cell).strip()
    try:
        parse_rule(written) if is_rule(written) else normalise_address(written)
    except AddressError:
        return False
    return True


def _read(
    line: int,
    cells: Sequence[str],
    places: Mapping[str, int],
    reason: SuppressionReason,
    mark: str,
) -> SuppressedRow:
    def cell(word: str) -> str:
        place = places.get(word, len(cells))
        return unguard_cell(cells[place][:_MAX_CELL]).strip() if place < len(cells) else ""

    written, given = cell("address"), cell("reason")
    why = _reason(given) if given else reason
    source, at = cell("source"), parse_instant(cell("at"))
    if is_rule(written):
        check_rule_reason(why)
        return SuppressedRow(line, why, source, at, pattern=parse_rule(written))
    if written:
        return SuppressedRow(line, why, source, at, address=normalise_address(written))
    address_hash = cell("hash")
    if not _HASH.fullmatch(address_hash):
        raise UsageError("there is neither an address nor a hash as our exports have it")
    if not cell("key"):
        raise UsageError(
            "the file does not say which installation made this hash (a column key): export the "
            "list anew, or bring in the address"
        )
    if cell("key") != mark:
        raise UsageError(
            "a hash is of use only to the installation that made it, which this one is not: bring "
            "in its address"
        )
    return SuppressedRow(line, why, source, at, address_hash=address_hash)


def _reason(text: str) -> SuppressionReason:
    try:
        return SuppressionReason(text.casefold())
    except ValueError as error:
        known = ", ".join(SuppressionReason)
        raise UsageError(
            f'the reason "{show_address(text)}" is not known; write one of {known}'
        ) from error


def _cells(address: str, address_hash: str, told: DomainRule | Suppression, mark: str) -> list[str]:
    cells = (address, address_hash, str(told.reason), told.source, told.at.isoformat(), mark)
    return [guard_cell(cell) for cell in cells]
