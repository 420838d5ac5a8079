"""What ranking receives and answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.ranking.score import Score
from newsletter.stories.model import Story


@dataclass(frozen=True)
class Window:
    """From ``start`` (inclusive) to ``end`` (exclusive), instants in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class PastUse:
    """Where a story ran before, by its section; sent issues only, the newest first.

    ``issues_ago`` is 1 for the newsletter's previous issue.
    """

    section: str
    kind: str
    slot: str
    issues_ago: int


@dataclass(frozen=True)
class PastStory:
    """A story at the end of its life, and its reads on each local day of it.

    ``first_hours`` is how much was left of its first day when it came out;
    ``days`` begins with that day and has one count for each, 0 included.
    """

    department: str
    first_hours: float
    days: tuple[int, ...]


@dataclass(frozen=True)
class Standing:
    """A story and its reads so far, without what is printed of it."""

    public_id: str
    published_at: datetime
    departments: tuple[str, ...]
    syndicated: bool
    reads: int


@dataclass(frozen=True)
class Field:
    """The stories that compete for a section, where only the best were fetched.

    ``considered`` is how many compete; ``complete`` is False where these are
    more than were fetched.
    """

    considered: int
    complete: bool


@dataclass(frozen=True)
class Pin:
    """A story at a fixed place of a section: ``position`` counts from 1."""

    section: str
    position: int
    story_id: str


@dataclass(frozen=True)
class Instructions:
    """What an editor said of single stories, by public id.

    A pin overrules caps and the cool-down. What is excluded does not come. What
    is held does not come in this issue and may among the latest of the next,
    though it is no news by then. ``kept`` are stories that have a place already,
    with their section's slug: they keep it whatever the caps say, and what comes
    anew is chosen around them.
    """

    pins: tuple[Pin, ...] = ()
    excluded: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    kept: Mapping[str, str] = field(default_factory=dict)

    def story_ids(self) -> frozenset[str]:
        """All stories that are spoken of."""
        pinned = frozenset(pin.story_id for pin in self.pins)
        return pinned | self.excluded | self.held | self.kept.keys()


NO_INSTRUCTIONS = Instructions()


@dataclass(frozen=True)
class Pool:
    """All that a selection may look at.

    ``reads`` counts each story's reads inside the section's window, by public
    id; a story missing from it was not counted. ``own`` are reads that our mails
    caused and that were left out of these. ``scores`` and ``past_uses`` by
    public id. ``taken`` maps the stories already in this issue to their
    section's title. ``barred`` says why single stories may not come. ``house``
    are the writers' names, in small letters, that stand for the paper itself.
    ``kept`` maps the stories that have a place already to their section's slug.
    ``held_over`` are the stories that an editor held back from the previous
    issue. ``field`` tells of stories beyond these; None: there are none.
    """

    stories: tuple[Story, ...]
    now: datetime
    reads: Mapping[str, int] = field(default_factory=dict)
    past_uses: Mapping[str, tuple[PastUse, ...]] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, Score] = field(default_factory=dict)
    pins: tuple[Pin, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    barred: Mapping[str, str] = field(default_factory=dict)
    house: frozenset[str] = frozenset()
    held_over: frozenset[str] = frozenset()
    own: Mapping[str, int] = field(default_factory=dict)
    field: Field | None = None

    @property
    def complete(self) -> bool:
        """Whether all stories that compete are here."""
        return self.field is None or self.field.complete


@dataclass(frozen=True)
class Choice:
    """A chosen story: ``reasons`` are sentences an editor would say.

    ``rank`` is its place in the section's order before any cap; None for a
    pinned story that has no place there. ``still_read``: the cool-down spared it.
    """

    story: Story
    reads: int | None
    rank: int | None
    reasons: tuple[str, ...]
    score: Score | None = None
    pinned: bool = False
    still_read: bool = False


@dataclass(frozen=True)
class PassedOver:
    """A story that would have come next, and why it did not."""

    story: Story
    reads: int | None
    rank: int
    reason: str
    score: Score | None = None


@dataclass(frozen=True)
class Selection:
    """What a section gets. ``passed_over`` holds at most a handful, best first.

    ``relaxed`` says which limits gave way, in the order they did. ``starved``:
    with the stories beyond the pool's it might be fuller.
    """

    chosen: tuple[Choice, ...]
    passed_over: tuple[PassedOver, ...] = ()
    considered: int = 0
    relaxed: tuple[str, ...] = ()
    starved: bool = False
