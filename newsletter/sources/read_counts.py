"""Reads from a CSV file or address, and the difference of two totals."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from newsletter.errors import ParseError, SourceError
from newsletter.net.fetcher import Fetcher
from newsletter.publication.model import Reads
from newsletter.sources.model import DayReads, ReadBatch, ReadKind, StoryKey, TotalReads
from newsletter.sources.text import cap_problems, collapse_space, web_address

MAX_CSV_BYTES = 50_000_000
_DELIMITERS = (",", ";", "\t", "|")

# Header names as the exports of the common counters write them, in lower case.
_URL_NAMES = ("url", "address", "link", "page url", "permalink", "full page url")
_PATH_NAMES = (
    "path",
    "page path",
    "pagepath",
    "page",
    "pathname",
    "page path and screen class",
    "landing page",
)
_ID_NAMES = ("id", "post_id", "post id", "native_id")
_DATE_NAMES = ("date", "day")
_COUNT_NAMES = {
    **dict.fromkeys(
        ("reads", "views", "pageviews", "page views", "page_views", "hits", "screenpageviews"),
        ReadKind.VIEWS,
    ),
    **dict.fromkeys(
        ("visitors", "unique visitors", "users", "active users", "activeusers"), ReadKind.VISITORS
    ),
    **dict.fromkeys(("visits", "sessions"), ReadKind.VISITS),
}

_GROUPED = re.compile(r"[0-9]{1,3}(?:([ ,.'’\u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*")
_DAY_FORMATS = (
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "%Y-%m-%d"),
    (re.compile(r"[0-9]{8}"), "%Y%m%d"),
    (re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2}"), "%Y/%m/%d"),
    (re.compile(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}"), "%d.%m.%Y"),
)


def difference_totals(previous: int | None, current: int) -> int:
    """What a counter grew by between two polls.

    A counter not seen before (None) grew by all it shows; one that went back
    was reset, and grew by all it shows since.
    """
    if previous is None or current < previous:
        return current
    return current - previous


def fetch_csv(fetcher: Fetcher, reads: Reads) -> ReadBatch:
    """The reads at a CSV's address; paths are taken as those of the address's site."""
    response = fetcher.get(
        counter_address(reads),
        max_bytes=MAX_CSV_BYTES,
        accept="text/csv, text/tab-separated-values, text/plain;q=0.8, */*;q=0.1",
        allow_private=reads.allow_private,
    )
    return read_csv(response.body, site=response.url, name=response.url.partition("?")[0])


def counter_address(reads: Reads) -> str:
    """Where a counter is asked; SourceError for one whose counts are brought by hand."""
    if reads.url is None:
        raise SourceError(
            f'the counter "{reads.slug}" has no address to ask: give it a url, or bring its '
            "counts by `newsletter reads import FILE`",
            subject=reads.slug,
        )
    return reads.url


def read_csv(text: str | bytes, *, site: str = "", name: str = "the CSV") -> ReadBatch:
    """Reads from a table with a header line; ParseError where it has no usable one.

    One column names the story (``url``, ``path`` or ``id``), one counts
    (``reads``, ``views``, ``pageviews``, or ``visitors``, ``visits`` as other
    kinds). With a ``date`` column the rows are reads of days, else totals.
    Paths become addresses of ``site``, if one is given. Rows of the same story
    (and day) are added up: exports part them by what we don't ask for. A bad
    row becomes a problem that names its line.
    """
    if isinstance(text, bytes):
        text = _decode(text)
    try:
        return _read_table(text, site, name)
    except csv.Error as error:
        raise ParseError(
            f"{name} is not a table that can be read ({error}); save it as CSV in UTF-8",
            subject=name,
        ) from error


@dataclass(frozen=True)
class _Columns:
    """Where the columns are; ``story_is`` is url, path or id."""

    story: int
    story_is: str
    count: int
    kind: ReadKind
    day: int | None

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


def _read_table(text: str, site: str, name: str) -> ReadBatch:
    lines = _rows(text)
    columns = _find_columns(next(lines, (0, []))[1], name)
    sums = _Sums()
    problems = []
    for number, row in lines:
        problem = _add_row(row, columns, site, sums)
        if problem:
            problems.append(f"line {number} of {name} was left out: {problem}")
    return ReadBatch(
        kind=columns.kind,
        days=tuple(DayReads(story, day, count) for (story, day), count in sums.days.items()),
        totals=tuple(TotalReads(story, total) for story, total in sums.totals.items()),
        problems=cap_problems(problems, f"lines of {name}"),
    )


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
        if any(cell.strip() for cell in row) and not row[0].startswith("#"):
            yield skip + reader.line_num, row


def _is_preface(line: str) -> bool:
    return not line.strip() or line.startswith("#") or line.lower().startswith("sep=")


def _known_names(cells: list[str]) -> int:
    known = {*_URL_NAMES, *_PATH_NAMES, *_ID_NAMES, *_DATE_NAMES, *_COUNT_NAMES}
    return sum(_header_name(cell) in known for cell in cells)


def _header_name(cell: str) -> str:
    return collapse_space(cell.strip().strip("\"'")).lower()


def _find_columns(header: list[str], name: str) -> _Columns:
    names: dict[str, int] = {}
    for index, cell in enumerate(header):
        names.setdefault(_header_name(cell), index)
    story = _first(names, {"url": _URL_NAMES, "path": _PATH_NAMES, "id": _ID_NAMES})
    count = next((known for known in _COUNT_NAMES if known in names), None)
    if story is None or count is None:
        missing = "url, path or id" if story is None else "reads, views or pageviews"
        raise ParseError(
            f'{name} has no column "{missing}"; its first line must name the columns, as in '
            "url,date,reads",
            subject=name,
        )
    return _Columns(
        story=story[1],
        story_is=story[0],
        count=names[count],
        kind=_COUNT_NAMES[count],
        day=next((names[known] for known in _DATE_NAMES if known in names), None),
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
