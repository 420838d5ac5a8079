"""The issue: one dated number of a newsletter, as it was put together.

An issue holds copies of what it prints, so that what was sent can be
reproduced whatever becomes of the story.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from newsletter.publication.cadence import Edition
from newsletter.ranking.model import Pin
from newsletter.stories.model import Picture


class IssueState(StrEnum):
    """Where an issue is on its way; the moves are in `issues.states`."""

    DRAFT = "draft"
    APPROVED = "approved"
    HELD = "held"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    RECALLED = "recalled"
    CANCELLED = "cancelled"


class ItemField(StrEnum):
    """What an editor may say otherwise of a story, for the mail only."""

    HEADLINE = "headline"
    EXCERPT = "excerpt"
    PICTURE = "picture"  # whether there is one
    ALT = "alt"
    CROP = "crop"


@dataclass(frozen=True)
class SiteWords:
    """What the site has of a story where an editor said otherwise; None: the item has it so."""

    headline: str | None = None
    excerpt: str | None = None
    picture: Picture | None = None


AS_THE_SITE = SiteWords()


@dataclass(frozen=True)
class Item:
    """A story's place in a section.

    ``syndicated_from`` names the publication that had the story first, if it is
    not the paper's own. ``still_read`` marks one that ran not long ago and comes
    again because it is read. ``site`` keeps the site's words beside an editor's.
    """

    story_id: str
    position: int
    headline: str
    url: str
    excerpt: str = ""
    byline: str = ""
    department: str = ""
    language: str | None = None
    minutes: int = 0
    published_at: datetime | None = None
    picture: Picture | None = None
    reads: int | None = None
    reasons: tuple[str, ...] = ()
    # What `ranking.score` gave it; None where it was not scored.
    score: float | None = None
    syndicated_from: str = ""
    still_read: bool = False
    site: SiteWords = AS_THE_SITE

    @property
    def changed(self) -> tuple[ItemField, ...]:
        """What an editor said otherwise than the site, for the mail only."""
        site, picture = self.site.picture, self.picture
        differs = {
            ItemField.HEADLINE: self.site.headline is not None,
            ItemField.EXCERPT: self.site.excerpt is not None,
            ItemField.PICTURE: site is not None and picture is None,
            ItemField.ALT: bool(site and picture and site.alt != picture.alt),
            ItemField.CROP: bool(site and picture and site.focus != picture.focus),
        }
        return tuple(field for field, other in differs.items() if other)


@dataclass(frozen=True)
class RunnerUp:
    """A story that just missed a section, and why."""

    story_id: str
    headline: str
    url: str
    reads: int | None
    reason: str
    score: float | None = None


@dataclass(frozen=True)
class Section:
    """A part of an issue. ``window`` says in words what it looked at.

    ``language`` is the title's where that is not the issue's. ``relaxed`` says
    which limits gave way because too few stories were left. ``made_title`` is the title
    that it had before an editor wrote another, else empty.
    """

    slug: str
    kind: str
    title: str
    window: str
    items: tuple[Item, ...]
    runners_up: tuple[RunnerUp, ...] = ()
    relaxed: tuple[str, ...] = ()
    language: str | None = None
    made_title: str = ""


@dataclass(frozen=True)
class DroppedSection:
    """A section that an editor took out, and the slug of the one it stood behind ("": of none)."""

    section: Section
    behind: str = ""


class BlockKind(StrEnum):
    """What a block that is no story is."""

    QUOTE = "quote"
    NUMBER = "number"
    QUESTION = "question"


@dataclass(frozen=True)
class Block:
    """The one part of an issue that is no story: an editor writes it.

    ``text`` is what was said, the number, or what readers are asked; ``source`` who
    said it, or what the number counts.
    """

    kind: BlockKind
    text: str
    source: str = ""


@dataclass(frozen=True)
class FreshCheck:
    """A look at an issue's stories where they come from: when, and what it found.

    ``changes`` are sentences on what it changed in the issue or tells the editors,
    ``notes`` on stories that could not be looked at.
    """

    at: datetime
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Issue:
    """One dated number.

    ``date`` is the local date it goes out on; ``covers_until`` is the instant
    at which the draft looked, and where the next issue's "latest" begins.
    ``week`` is the ISO week of ``date``. ``title`` stands above the stories
    ("Top Stories · Week 32"). ``lead`` is the story that leads, by its public id;
    ``held_over`` are those that an editor holds for the next issue, ``pins`` and
    ``excluded`` what else they said of single stories. ``checks`` are the fresh
    checks it went through, the oldest first. ``logo`` is the paper's, as the
    masthead shows it; without one the name is set in type. In a variant
    ``editors_language`` is that of the note and the block, and ``title_language`` the
    title's, where they are not the issue's. ``version`` counts what was saved of it:
    each change of its content is one. ``lead_kept``: an editor chose the lead.
    ``dropped`` are sections that an editor took out. ``first_approved_by`` gave the first
    of two approvals, where the newsletter asks for two. ``edition`` says whom of
    the newsletter's readers it is for.
    """

    public_id: str
    newsletter: str
    slot: str
    state: IssueState
    date: date
    send_at: datetime
    covers_from: datetime
    covers_until: datetime
    title: str
    subject: str
    preheader: str
    sections: tuple[Section, ...]
    language: str
    note: str = ""
    held_because: str = ""
    approved_by: str = ""
    approved_at: datetime | None = None
    lead: str = ""
    held_over: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()
    excluded: tuple[str, ...] = ()
    checks: tuple[FreshCheck, ...] = ()
    block: Block | None = None
    logo: Picture | None = None
    editors_language: str | None = None
    title_language: str | None = None
    version: int = 1
    lead_kept: bool = False
    dropped: tuple[DroppedSection, ...] = ()
    first_approved_by: str = ""
    first_approved_at: datetime | None = None
    edition: Edition = Edition.REGULAR

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(item for section in self.sections for item in section.items)

    @property
    def minutes(self) -> int:
        return sum(item.minutes for item in self.items)

    @property
    def week(self) -> int:
        return self.date.isocalendar().week


@dataclass(frozen=True)
class SentIssue:
    """An issue that readers have: its slot, and the instant when its sending began."""

    slot: str
    began_at: datetime


@dataclass(frozen=True)
class Variant:
    """One rendering of an issue; without ``departments`` it is the full one.

    ``departments`` are in the order of the alphabet, as readers wrote them.
    """

    language: str
    departments: tuple[str, ...] = ()

    @property
    def is_full(self) -> bool:
        return not self.departments

    @property
    def name(self) -> str:
        """What it is called in reports: "hy", "en: Arts, Community"."""
        chosen = ", ".join(self.departments)
        return f"{self.language}: {chosen}" if chosen else self.language

    @property
    def key(self) -> tuple[str, ...]:
        """What it is known by: a department is the same in capitals or not."""
        return (self.language, *(name.casefold() for name in self.departments))


@dataclass(frozen=True)
class Choice:
    """What readers have chosen: their language as they gave it, None where unknown."""

    language: str | None = None
    departments: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServedVariant:
    """A variant and the choices that it serves; of no reader's for one that is only archived.

    ``subject`` is the one that a correction leaves it.
    """

    variant: Variant
    choices: tuple[Choice, ...] = ()
    subject: str | None = None


class LinkPlace(StrEnum):
    """Where in the mail a story's link stands: each place is counted by itself."""

    HEADLINE = "headline"
    PICTURE = "picture"
    TEXT = "text"  # the text part


@dataclass(frozen=True)
class StoryLink:
    """One place of one item: its public id, and the web address that it leads to.

    ``withdrawn_at`` is when an editor took it back: it leads nowhere since then.
    """

    public_id: str
    section: str
    position: int
    story_id: str
    place: LinkPlace
    url: str
    withdrawn_at: datetime | None = None

    @property
    def name(self) -> str:
        """The item's place in the issue, by which a person calls its story."""
        return f"{self.section}/{self.position}"


@dataclass(frozen=True)
class FoundLink:
    """What a link's id was looked up as, and the newsletter and slot of its issue."""

    public_id: str
    newsletter: str
    slot: str
    url: str
    withdrawn: bool


class CorrectionKind(StrEnum):
    """What was done to an issue that readers have: to a story's links, or by a revision."""

    CHANGED = "changed"  # its links lead elsewhere
    WITHDRAWN = "withdrawn"
    HEADLINE = "headline"
    SUMMARY = "summary"
    REMOVED = "removed"  # the story is out
    SUBJECT = "subject"  # or the preheader
    NOTE = "note"
    BLOCK = "block"


# What was done to a story's links.
OF_LINKS = frozenset((CorrectionKind.CHANGED, CorrectionKind.WITHDRAWN))


@dataclass(frozen=True)
class CorrectionNote:
    """What was corrected after the mail had gone out, to be told in the archive.

    ``story_id`` and ``headline`` are empty where it is no story's; ``headline`` is as
    the issue has it then. ``told`` are the editor's own words, empty where they gave none.
    """

    at: datetime
    kind: CorrectionKind
    story_id: str
    headline: str
    url: str = ""
    told: str = ""


class SaveKind(StrEnum):
    """By what a version came about."""

    DRAFTED = "drafted"
    EDITED = "edited"
    REFRESHED = "refreshed"  # ranked anew, with what editors said of it
    FRESHENED = "freshened"  # looked up at the site before it was sent
    CORRECTED = "corrected"
    UNDONE = "undone"
    REDONE = "redone"
    RESTORED = "restored"
    RESCHEDULED = "rescheduled"
    SENT_SOON = "sent soon"  # in a minute, in which it can be taken back
    TAKEN_BACK = "taken back"


@dataclass(frozen=True)
class PartChange:
    """What a part of an issue (see `issues.parts`) was, and what it became, in words."""

    part: str
    before: str
    after: str


@dataclass(frozen=True)
class Save:
    """What is saved with a version: ``told`` says it in words, ``changes`` by part.

    ``touched`` are the parts that it was about. ``of`` is the version that an undo or redo
    reverts, or that was restored.
    """

    kind: SaveKind
    told: str
    changes: tuple[PartChange, ...] = ()
    touched: frozenset[str] = frozenset()
    of: int | None = None


@dataclass(frozen=True)
class Version:
    """A saved state of an issue; ``number`` only grows."""

    number: int
    at: datetime
    actor: str
    save: Save
