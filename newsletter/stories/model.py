"""The story: our cleaned record of a source's item."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from newsletter.pictures.model import PictureFile, SlotName

WORDS_A_MINUTE = 230


@dataclass(frozen=True)
class Picture:
    """A story's picture. ``credit`` is the photographer or agency, without "Photo:".

    ``url`` is the site's own file, of ``width`` and ``height`` pixels where told.
    ``files`` are those that we keep of it, one for each slot of the mail; an
    issue's item has them, a story has none. ``focus`` is what an editor wants to be in
    the middle of the crop, as shares of width and height; None: found by rule.
    """

    url: str
    width: int | None = None
    height: int | None = None
    alt: str = ""
    caption: str = ""
    credit: str = ""
    files: tuple[PictureFile, ...] = ()
    focus: tuple[float, float] | None = None

    def file_for(self, slot: SlotName) -> PictureFile | None:
        """The file that we keep for that slot, if any."""
        return next((file for file in self.files if file.slot == slot), None)


@dataclass(frozen=True)
class StoryKeys:
    """What a story may be recognised by, strongest first: the merge ladder.

    ``native_id`` and ``guid`` count within ``source``; ``title_key`` is the
    normalised title and counts with the local date it was published on.
    """

    source: str
    native_id: str | None = None
    guid: str | None = None
    url: str | None = None
    title_key: str = ""
    published_on: date | None = None


@dataclass(frozen=True)
class Story:
    """What we believe of a story.

    ``public_id`` is its identity everywhere. ``url`` is canonical; ``byline`` is
    the writer (from the text where it names one), ``house_author`` what the CMS
    says. ``title_key`` and ``published_on`` (local date) serve to recognise it
    again, see `StoryKeys`. ``departments`` are the paper's categories, the first one counting for
    caps. ``published_known`` is False where no source told a date and the first
    sight stands in. ``hidden`` says why it may not be used, else it is empty.
    ``syndicated_from`` names the publication that had the story first, at
    ``syndicated_url`` where that is known; empty for the paper's own.
    """

    public_id: str
    source: str
    url: str
    title: str
    published_at: datetime
    first_seen_at: datetime
    title_key: str
    published_on: date
    native_id: str | None = None
    guid: str | None = None
    byline: str = ""
    house_author: str = ""
    departments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    excerpt: str = ""
    words: int = 0
    language: str | None = None
    published_known: bool = True
    modified_at: datetime | None = None
    picture: Picture | None = None
    comments: int | None = None
    hidden: str = ""
    syndicated_from: str = ""
    syndicated_url: str = ""

    @property
    def department(self) -> str:
        """The first department, or nothing."""
        return self.departments[0] if self.departments else ""

    @property
    def minutes(self) -> int:
        """Reading time, at least one minute; 0 where the text is unknown."""
        return max(1, round(self.words / WORDS_A_MINUTE)) if self.words else 0


class TrailKind(StrEnum):
    """What befell a story: one word for each thing an editor asks about."""

    SEEN = "seen"
    RETITLED = "retitled"
    MOVED = "moved"
    HIDDEN = "hidden"
    SHOWN = "shown"
    EMBARGOED = "embargoed"
    REDATED = "redated"
    REWRITTEN = "rewritten"
    BYLINE = "byline"
    DEPARTMENTS = "departments"
    PICTURE = "picture"
    TAKEN_OVER = "taken over"
    SYNDICATED = "syndicated"


@dataclass(frozen=True)
class TrailEntry:
    """One line of a story's trail: what ``source`` told at ``at``, never changed afterwards.

    ``before`` and ``after`` are what changed, as text; instants in ISO 8601.
    """

    story_id: str
    at: datetime
    source: str
    kind: TrailKind
    before: str = ""
    after: str = ""
