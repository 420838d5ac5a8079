"""What ranking receives and answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

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
class Pool:
    """All that a selection may look at.

    ``reads`` counts each story's reads inside the section's window, by public
    id; a story missing from it was not counted. ``past_uses`` by public id.
    ``taken`` maps the stories already in this issue to their section's title.
    """

    stories: tuple[Story, ...]
    now: datetime
    reads: Mapping[str, int] = field(default_factory=dict)
    past_uses: Mapping[str, tuple[PastUse, ...]] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """A chosen story: ``reasons`` are sentences an editor would say."""

    story: Story
    reads: int | None
    rank: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class PassedOver:
    """A story that would have come next, and why it did not."""

    story: Story
    reads: int | None
    rank: int
    reason: str


@dataclass(frozen=True)
class Selection:
    """What a section gets. ``passed_over`` holds at most a handful, best first."""

    chosen: tuple[Choice, ...]
    passed_over: tuple[PassedOver, ...] = ()
    considered: int = 0
