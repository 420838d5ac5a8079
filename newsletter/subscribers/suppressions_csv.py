"""The suppression list as a CSV, out and in: addresses, their keyed hashes, domains."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

from newsletter.errors import AddressError, UsageError
from newsletter.subscribers.address import normalise_address, show_address
from newsletter.subscribers.csv_cells import guard_cell, unguard_cell
from newsletter.subscribers.csv_import import RefusedRow
from newsletter.subscribers.instants import parse_instant
from newsletter.subscribers.model import DomainRule, Suppression, SuppressionReason

HEADER = ("address", "hash", "reason", "source", "at")
MAX_ROWS = 2_000_000
_MAX_CELL = 2_000
_HASH = re.compile(r"[a-z2-7]{52}")
_ADDRESS_WORDS = ("address", "email", "emailaddress", "mail", "domain", "pattern")
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
    rules: Iterable[DomainRule], suppressions: Iterable[Suppression], stream: TextIO
) -> int:
    """Write one row each to ``stream`` (opened with ``newline=""``); how many."""
    writer = csv.writer(stream)
    writer.writerow(HEADER)
    count = 0
    for rule in rules:
        writer.writerow(_cells(rule.pattern, "", rule))
        count += 1
    return count + write_suppressed(suppressions, stream)


def write_suppressed(suppressions: Iterable[Suppression], stream: TextIO) -> int:
    """The rows of addresses alone, for a part of a file; how many."""
    writer = csv.writer(stream)
    count = 0
    for each in suppressions:
        writer.writerow(_cells(each.address or "", each.address_hash, each))
        count += 1
    return count


def read_suppressions(
    stream: TextIO, reason: SuppressionReason
) -> Iterator[SuppressedRow | RefusedRow]:
    """Each row of a CSV in turn; ``reason`` is that of rows that give none.

    The first line may name the columns (address or email, hash, reason, source,
    at); without one the first column is read. UsageError where there is neither.
    """
    reader = csv.reader(stream)
    try:
        first = next(reader, [])
        words = ["".join(c for c in cell.casefold() if c.isalnum()) for cell in first]
        places = {word: place for place, word in reversed(list(enumerate(words)))}
        address = next((places[word] for word in _ADDRESS_WORDS if word in places), None)
        has_header = address is not None or "hash" in places
        if not has_header:
            places, address = {}, 0
            if first:
                yield _read(1, first, places, address, reason)
        line = reader.line_num + 1
        for count, cells in enumerate(reader):
            if count >= MAX_ROWS:
                yield RefusedRow(line, f"the file has more than {MAX_ROWS:,} rows: cut it in parts")
                return
            if any(cell.strip() for cell in cells):
                yield _read(line, cells, places, address, reason)
            line = reader.line_num + 1
    except csv.Error:
        yield RefusedRow(reader.line_num, "a cell has no end; the rest of the file was not read")


def _read(
    line: int,
    cells: list[str],
    places: dict[str, int],
    address: int | None,
    reason: SuppressionReason,
) -> SuppressedRow | RefusedRow:
    def cell(place: int | None) -> str:
        if place is None or place >= len(cells):
            return ""
        return unguard_cell(cells[place][:_MAX_CELL]).strip()

    try:
        written = cell(address)
        given = cell(places.get("reason"))
        why = _reason(given) if given else reason
        source, at = cell(places.get("source")), parse_instant(cell(places.get("at")))
        if is_rule(written):
            check_rule_reason(why)
            return SuppressedRow(line, why, source, at, pattern=parse_rule(written))
        if written:
            return SuppressedRow(line, why, source, at, address=normalise_address(written))
        address_hash = cell(places.get("hash"))
        if not _HASH.fullmatch(address_hash):
            raise UsageError("there is neither an address nor a hash as our exports have it")
        return SuppressedRow(line, why, source, at, address_hash=address_hash)
    except (AddressError, UsageError) as error:
        return RefusedRow(line, str(error), tuple(cells))


def _reason(text: str) -> SuppressionReason:
    try:
        return SuppressionReason(text.casefold())
    except ValueError as error:
        known = ", ".join(SuppressionReason)
        raise UsageError(
            f'the reason "{show_address(text)}" is not known; write one of {known}'
        ) from error


def _cells(address: str, address_hash: str, told: DomainRule | Suppression) -> list[str]:
    cells = (address, address_hash, str(told.reason), told.source, told.at.isoformat())
    return [guard_cell(cell) for cell in cells]
