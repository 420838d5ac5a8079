"""What sources give us: items as received, reads as counted, a site's profile."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

# Why the public may not read a story, in the words of `SourceItem.hidden`. Of one
# that its source no longer has nobody can see whether it was unpublished, trashed,
# deleted or put off; and a password may be taken off again.
GONE = "gone"
PASSWORD = "password"  # noqa: S105 - a reason, and no secret


@dataclass(frozen=True)
class Validators:
    """What a server gave us to ask again with: sent back exactly as received."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class SourcePicture:
    """A picture as a source names it. ``width`` and ``height`` in pixels, where told.

    ``credit`` is told by few sources on its own; most hide it in the caption.
    """

    url: str
    width: int | None = None
    height: int | None = None
    alt: str = ""
    caption: str = ""
    credit: str = ""


@dataclass(frozen=True)
class SourceItem:
    """One entry of a source, as received: entities decoded once, otherwise untouched.

    ``native_id`` is the source's own key (WordPress post id), ``guid`` a feed's.
    ``published_at`` and ``modified_at`` are aware UTC, or None where the source
    tells none. ``categories`` keep their order. ``hidden`` says in a few words
    why the public may not read it ("password"), else it is empty.
    ``canonical_url`` is what the site calls the first address (``rel=canonical``),
    where it tells one.
    """

    title: str
    url: str | None
    native_id: str | None = None
    guid: str | None = None
    html: str = ""
    excerpt_html: str = ""
    author: str = ""
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published_at: datetime | None = None
    modified_at: datetime | None = None
    picture: SourcePicture | None = None
    language: str | None = None
    comments: int | None = None
    hidden: str = ""
    canonical_url: str | None = None


@dataclass(frozen=True)
class Batch:
    """What one poll of a source brought.

    ``unchanged`` means that the server said so and ``items`` is empty.
    ``latest_modified`` is the cursor for the next poll of WordPress REST or
    Ghost. ``interval`` is how long the source asks to be left alone.
    ``problems`` are sentences about entries that had to be left out.
    """

    items: tuple[SourceItem, ...] = ()
    validators: Validators = field(default_factory=Validators)
    latest_modified: datetime | None = None
    unchanged: bool = False
    interval: timedelta | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListedIds:
    """The source's own ids of all stories that it published at ``since`` or later.

    ``complete`` is False where there were more than one scan reads.
    """

    since: datetime
    ids: frozenset[str]
    complete: bool = True


@dataclass(frozen=True)
class SourceState:
    """What we remember of a source between polls.

    ``failures`` counts those in a row. ``due_at`` is when the scheduler asks it
    next, ``held_until`` how long it asked us to wait (Retry-After),
    ``scanned_at`` when it was last compared with what we have, and ``asked_at``
    since when somebody waits for it to be looked at.
    """

    validators: Validators = field(default_factory=Validators)
    latest_modified: datetime | None = None
    last_success_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str = ""
    failures: int = 0
    due_at: datetime | None = None
    held_until: datetime | None = None
    scanned_at: datetime | None = None
    asked_at: datetime | None = None

    @property
    def is_failing(self) -> bool:
        """Whether the last poll failed."""
        return self.failures > 0


class ReadKind(StrEnum):
    """What a counter counts; kinds are never added up."""

    VIEWS = "views"
    VISITORS = "visitors"
    VISITS = "visits"


@dataclass(frozen=True)
class KindChange:
    """A counter that counted ``before`` and counts ``after`` since ``at``."""

    before: ReadKind
    after: ReadKind
    at: datetime


@dataclass(frozen=True)
class ReadDoubt:
    """Reads that a counter can hardly have counted, set aside until it is known better.

    ``story`` is a public id, ``reads`` what they would add to ``day``, ``total``
    the running total that showed them, where the counter keeps one: a jump, or
    where it is less than the one before a fall.
    """

    story: str
    day: date
    kind: ReadKind
    reads: int
    total: int | None = None


@dataclass(frozen=True)
class LogPosition:
    """How far a log file was read: ``position`` in bytes as they are when unpacked.

    The file is known by the hash of its first ``head_bytes``.
    """

    head_hash: str
    head_bytes: int
    position: int


@dataclass(frozen=True)
class StoryKey:
    """How a counter names a story: by address, or by the source's own id."""

    url: str | None = None
    native_id: str | None = None


@dataclass(frozen=True)
class DayReads:
    """Reads of a story on one local date of the paper."""

    story: StoryKey
    day: date
    count: int


@dataclass(frozen=True)
class TotalReads:
    """Reads of a story since it was published, as the counter stood when asked."""

    story: StoryKey
    total: int


@dataclass(frozen=True)
class ReadBatch:
    """What one poll of a counter brought: days, or totals, and what was left out.

    ``recognised`` says whose export it was, where that could be told.
    """

    kind: ReadKind = ReadKind.VIEWS
    days: tuple[DayReads, ...] = ()
    totals: tuple[TotalReads, ...] = ()
    problems: tuple[str, ...] = ()
    recognised: str = ""


@dataclass(frozen=True)
class Finding:
    """One fact that a site told of itself: ``what`` (name, zone, feed…), and from where."""

    what: str
    value: str
    origin: str


@dataclass(frozen=True)
class FoundSource:
    """A source or counter that discovery proposes; ``kind`` as in the settings."""

    kind: str
    url: str


@dataclass(frozen=True)
class PrintedCounter(FoundSource):
    """A number that the page at ``url`` prints where ``selector`` tells."""

    selector: str


@dataclass(frozen=True)
class SiteProfile:
    """What one site address told: everything is a proposal that can be edited.

    ``sources`` and ``reads`` come best first; ``counters`` are the names of
    further counters that the site uses. ``colour`` is ``#rrggbb``.
    ``warnings`` are sentences, such as a site that tells only an offset and no
    zone.
    """

    url: str
    name: str = ""
    short_name: str = ""
    description: str = ""
    timezone: str | None = None
    language: str | None = None
    logo: str | None = None
    colour: str | None = None
    social: tuple[str, ...] = ()
    sources: tuple[FoundSource, ...] = ()
    reads: tuple[FoundSource, ...] = ()
    counters: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()
