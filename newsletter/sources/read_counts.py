"""Reads from a table, CSV or JSON, that is fetched from an address or brought as a file."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from newsletter.errors import ParseError
from newsletter.sources.exports import (
    COUNT_NAMES,
    DATE_NAMES,
    ID_NAMES,
    PATH_NAMES,
    URL_NAMES,
    advise_export,
    recognise_export,
)
from newsletter.sources.json_table import looks_like_json, read_json_table
from newsletter.sources.model import DayReads, ReadBatch, ReadKind, StoryKey, TotalReads
from newsletter.sources.poll import Poll
from newsletter.sources.text import cap_problems, collapse_space, web_address

MAX_TABLE_BYTES = 50_000_000
# The csv module's own limit is one for the whole process, and importing readers raises it.
_MOST_CELL_CHARACTERS = 100_000
_DELIMITERS = (",", ";", "\t", "|")

_PREFACE_DAY = re.compile(r"#?\s*(start|end) date:\s*([0-9-]{8,10})", re.IGNORECASE)
_GROUPED = re.compile(r"[0-9]{1,3}(?:([ ,.'’\u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*")
_DAY_FORMATS = (
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "%Y-%m-%d"),
    (re.compile(r"[0-9]{8}"), "%Y%m%d"),
    (re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2}"), "%Y/%m/%d"),
    (re.compile(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}"), "%d.%m.%Y"),
)


def fetch_table(poll: Poll) -> ReadBatch:
    """The reads at a table's address; paths are taken as those of the address's site."""
    response = poll.fetcher.get(
        poll.url,
        max_bytes=MAX_TABLE_BYTES,
        accept="text/csv, application/json, text/tab-separated-values, text/plain;q=0.8, */*;q=0.1",
        allow_private=poll.reads.allow_private,
    )
    return read_table(
        response.body,
        site=response.url,
        name=response.url.partition("?")[0],
        stats_kind=poll.reads.stats_kind,
    )


def read_table(
    text: str | bytes,
    *,
    site: str = "",
    name: str = "the CSV",
    stats_kind: str | None = None,
    window: tuple[date, date] | None = None,
) -> ReadBatch:
    """Reads from a table with a header line; ParseError where it has no usable one.

    One column names the story (``url``, ``path`` or ``id``), one counts
    (``reads``, ``views``, ``pageviews``, or ``visitors``, ``visits`` as other
    kinds; ``stats_kind`` chooses). With a ``date`` column the rows are reads of
    days, with a ``window`` (first and last day) they are spread evenly over its
    days, else they are totals. Paths become addresses of ``site``, if one is
    given. Rows of the same story (and day) are added up: exports part them by
    what we don't ask for. A bad row becomes a problem that names its line.
    """
    if isinstance(text, bytes):
        text = _decode(text)
    try:
        if looks_like_json(text):
            table = read_json_table(text, name)
            lines = iter([(1, table.header), *enumerate(table.rows, 1)])
            return _read_rows(lines, "row", site, name, stats_kind, window or table.window)
        lines = _rows(text)
        return _read_rows(lines, "line", site, name, stats_kind, window or _preface_window(text))
    except csv.Error as error:
        raise ParseError(
            f"{name} is not a table that can be read ({error}); save it as CSV in UTF-8",
            subject=name,
        ) from error


@dataclass(frozen=True)
class _Columns:
    """Where the columns are; ``story_is`` is url, path or id, ``export`` whose table it is."""

    story: int
    story_is: str
    count: int
    kind: ReadKind
    day: int | None
    export: str

    @property
    def width(self) -> int:
        return max(self.story, self.count, self.day or 0) + 1


@dataclass
class _Sums:
    """What the rows came to; ``stories`` and ``dates`` hold what names were found to mean.

    A year of days names each story hundreds of times, and reading an address
    costs more than all the rest of a row.
    """

    stories: dict[str, StoryKey | None] = field(default_factory=dict)
    dates: dict[str, date | None] = field(default_factory=dict)
    days: Counter[tuple[StoryKey, date]] = field(default_factory=Counter)
    totals: Counter[StoryKey] = field(default_factory=Counter)


def _read_rows(
    lines: Iterator[tuple[int, list[str]]],
    unit: str,
    site: str,
    name: str,
    stats_kind: str | None,
    window: tuple[date, date] | None,
) -> ReadBatch:
    columns = _find_columns(next(lines, (0, []))[1], name, stats_kind)
    if columns.export and columns.day is None and window is None:
        raise ParseError(
            f"{name} is an export of {columns.export} and does not tell which days it covers: "
            "name them by --from and --until, or export it by day",
            subject=name,
        )
    sums = _Sums()
    problems = []
    for number, row in lines:
        problem = _add_row(row, columns, site, sums)
        if problem:
            problems.append(f"{unit} {number} of {name} was left out: {problem}")
    if window is not None:
        _spread_totals(sums, *window)
    return ReadBatch(
        kind=columns.kind,
        days=tuple(DayReads(story, day, count) for (story, day), count in sums.days.items()),
        totals=tuple(TotalReads(story, total) for story, total in sums.totals.items()),
        problems=cap_problems(problems, f"{unit}s of {name}"),
        recognised=columns.export,
    )


def _spread_totals(sums: _Sums, first: date, last: date) -> None:
    """Turn what a window of days came to into reads of its days."""
    days = [last - timedelta(days=back) for back in range((last - first).days + 1)]
    for story, total in sums.totals.items():
        for day, share in zip(days, spread_evenly(total, len(days)), strict=True):
            if share:
                sums.days[story, day] += share
    sums.totals.clear()


def spread_evenly(count: int, parts: int) -> Sequence[int]:
    """``count`` in whole ``parts`` that differ by one at most, the larger ones first."""
    share, rest = divmod(count, parts)
    return [share + (1 if index < rest else 0) for index in range(parts)]


def _preface_window(text: str) -> tuple[date, date] | None:
    """The days that GA4 names in the comments before its table."""
    days = {}
    for line in text.lstrip("\ufeff").splitlines()[:20]:
        match = _PREFACE_DAY.match(line)
        if match and (day := parse_day(match[2])):
            days[match[1].lower()] = day
    window = (days.get("start"), days.get("end"))
    return (window[0], window[1]) if window[0] and window[1] and window[0] <= window[1] else None


def _add_row(row: list[str], columns: _Columns, site: str, sums: _Sums) -> str:
    """Count one row; what is wrong with it, or nothing."""
    if len(row) < columns.width:
        return f"it has {len(row)} of {columns.width} columns"
    named = row[columns.story].strip()
    if named not in sums.stories:
        sums.stories[named] = _story(named, columns.story_is, site)
    story = sums.stories[named]
    if story is None:
        return f'"{named[:80]}" names no story' if named else "it names no story"
    count = parse_count(row[columns.count])
    if count is None:
        return f'"{row[columns.count].strip()[:40]}" is not a whole number'
    if columns.day is None:
        sums.totals[story] += count
        return ""
    written = row[columns.day]
    if written not in sums.dates:
        sums.dates[written] = parse_day(written)
    day = sums.dates[written]
    if day is None:
        return f'"{written.strip()[:40]}" is not a date such as 2025-08-05'
    sums.days[story, day] += count
    return ""


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold something, with their line numbers; the header row is the first."""
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff").replace("\0", ""))
    skip = 0
    # Exports of GA4 begin with comments, those of Excel may name their delimiter.
    while skip < len(lines) and _is_preface(lines[skip]):
        skip += 1
    header = lines[skip] if skip < len(lines) else ""
    delimiter = max(_DELIMITERS, key=lambda mark: _known_names(header.split(mark)))
    reader = csv.reader(io.StringIO("\n".join(lines[skip:])), delimiter=delimiter)
    for row in reader:
        if any(len(cell) > _MOST_CELL_CHARACTERS for cell in row):
            raise csv.Error(f"a cell has more than {_MOST_CELL_CHARACTERS:,} characters")
        if any(cell.strip() for cell in row) and not row[0].startswith("#"):
            yield skip + reader.line_num, row


def _is_preface(line: str) -> bool:
    return not line.strip() or line.startswith("#") or line.lower().startswith("sep=")


def _known_names(cells: list[str]) -> int:
    known = {*URL_NAMES, *PATH_NAMES, *ID_NAMES, *DATE_NAMES, *COUNT_NAMES}
    return sum(_header_name(cell) in known for cell in cells)


def _header_name(cell: str) -> str:
    return collapse_space(cell.strip().strip("\"'")).lower()


def _find_columns(header: list[str], name: str, stats_kind: str | None) -> _Columns:
    names: dict[str, int] = {}
    for index, cell in enumerate(header):
        names.setdefault(_header_name(cell), index)
    export = recognise_export(frozenset(names))
    paths = (*PATH_NAMES, *(export.paths if export else ()))
    story = _first(names, {"url": URL_NAMES, "path": paths, "id": ID_NAMES})
    wanted = [k for k in COUNT_NAMES if stats_kind in (None, COUNT_NAMES[k].value)]
    count = next((known for known in wanted if known in names), None)
    if story is None or count is None:
        missing = "url, path or id" if story is None else stats_kind or "reads, views or pageviews"
        advice = advise_export([_header_name(cell) for cell in header]) if story is None else ""
        usual = "its first line must name the columns, as in url,date,reads"
        raise ParseError(f'{name} has no column "{missing}"; {advice or usual}', subject=name)
    return _Columns(
        story=story[1],
        story_is=story[0],
        count=names[count],
        kind=COUNT_NAMES[count],
        day=next((names[known] for known in DATE_NAMES if known in names), None),
        export=export.name if export else "",
    )


def _first(
    names: Mapping[str, int], wanted: Mapping[str, tuple[str, ...]]
) -> tuple[str, int] | None:
    for what, spellings in wanted.items():
        for spelling in spellings:
            if spelling in names:
                return what, names[spelling]
    return None


def _story(named: str, story_is: str, site: str) -> StoryKey | None:
    if story_is == "id":
        return StoryKey(native_id=named) if named else None
    if named.startswith("/") and not named.startswith("//"):
        return StoryKey(url=web_address(site, named) if site else named)
    # An address without its scheme is how several exports print it.
    url = named if "://" in named else f"https://{named}"
    if "." not in url.partition("://")[2].partition("/")[0] and "://" not in named:
        return None
    return StoryKey(url=found) if (found := web_address("", url)) else None


def parse_count(text: str) -> int | None:
    """A whole number, with or without thousands separators, or None."""
    text = text.strip()
    if not text.isascii() and not _GROUPED.fullmatch(text):
        return None
    if _GROUPED.fullmatch(text):
        text = re.sub(r"\D", "", text)
    whole, _, fraction = text.partition(".")
    if not re.fullmatch(r"[0-9]{1,12}", whole) or fraction.strip("0"):
        return None
    return int(whole)


def parse_day(text: str) -> date | None:
    """A local date as exports write it, or None; 05/08/2025 could be two days and is none."""
    text = text.strip()
    for pattern, form in _DAY_FORMATS:
        match = pattern.match(text)
        if match and (match.end() == len(text) or text[match.end()] in "T "):
            try:
                return datetime.strptime(match[0], form).date()  # noqa: DTZ007
            except ValueError:
                return None
    return None


def _decode(body: bytes) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")
