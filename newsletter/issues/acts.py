"""An editor's acts on an issue, each as a value that says what is wanted.

What becomes of the issue by them `issues.edit` says. A story goes by its public id, a
section by its slug, a position counts from 1.
"""

from dataclasses import dataclass
from enum import StrEnum

from newsletter.issues.model import Block, Issue, Item, ItemField
from newsletter.issues.places import find_section


@dataclass(frozen=True)
class MoveItem:
    """To ``position``, or ``by`` so many places; into another section where one is named.

    Without either it becomes the section's last. What was placed by hand is pinned there.
    """

    story: str
    section: str = ""
    position: int | None = None
    by: int = 0


@dataclass(frozen=True)
class PinItem:
    """Pin it where it stands, so that no fresh ranking moves it, or let it go again."""

    story: str
    pinned: bool = True


@dataclass(frozen=True)
class LeadItem:
    """Let it lead the issue in the place of the one that does."""

    story: str


@dataclass(frozen=True)
class RemoveItem:
    """Take it out; it stays on offer as a runner-up, and no fresh ranking brings it back."""

    story: str


@dataclass(frozen=True)
class HoldItem:
    """Take it out and hold it for the next issue."""

    story: str


@dataclass(frozen=True)
class SwapItem:
    """Give its place to another story."""

    story: str
    item: Item


@dataclass(frozen=True)
class AddItem:
    """Add a story: at ``position`` of the section, else as its last."""

    item: Item
    section: str
    position: int | None = None


@dataclass(frozen=True)
class EditItem:
    """Say a headline, excerpt or alternative text otherwise for the mail; None: as the site.

    Of a picture "" leaves it out; its crop is changed by `CropItem`.
    """

    story: str
    field: ItemField
    text: str | None


@dataclass(frozen=True)
class CropItem:
    """What is to be in the middle of the crop, as shares of width and height; None: by rule."""

    story: str
    focus: tuple[float, float] | None


class Line(StrEnum):
    """The lines of an issue that an editor may write."""

    SUBJECT = "subject"
    PREHEADER = "preheader"
    TITLE = "title"
    NOTE = "note"


@dataclass(frozen=True)
class EditLine:
    """Write a line; None: as it is made from the stories (no note then)."""

    line: Line
    text: str | None


@dataclass(frozen=True)
class SetBlock:
    """Set the part that is no story, or take it out."""

    block: Block | None


@dataclass(frozen=True)
class RetitleSection:
    """Call a section otherwise; None: as it was made."""

    section: str
    title: str | None


@dataclass(frozen=True)
class DropSection:
    """Take a section out of the issue with all that is in it."""

    section: str


@dataclass(frozen=True)
class RestoreSection:
    """Bring a section back, or begin one of the newsletter that the draft left out."""

    section: str


Act = (
    MoveItem
    | PinItem
    | LeadItem
    | RemoveItem
    | HoldItem
    | SwapItem
    | AddItem
    | EditItem
    | CropItem
    | EditLine
    | SetBlock
    | RetitleSection
    | DropSection
    | RestoreSection
)


def touched_by(act: Act, issue: Issue) -> frozenset[str]:
    """The parts of ``issue`` that the act is about, by the keys of `issues.parts`.

    Acts of two editors that touch nothing in common go one after the other.
    """
    match act:
        case MoveItem(story=story) | RemoveItem(story=story) | HoldItem(story=story):
            return frozenset({f"story:{story}:place"})
        case PinItem(story=story):
            return frozenset({f"story:{story}:pin"})
        case LeadItem():
            return frozenset({"lead"})
        case SwapItem(story=story, item=item):
            return frozenset({f"story:{story}:place", f"story:{item.story_id}:place"})
        case AddItem(item=item):
            return frozenset({f"story:{item.story_id}:place"})
        case EditItem(story=story, field=field):
            return frozenset({f"story:{story}:{field}"})
        case CropItem(story=story):
            return frozenset({f"story:{story}:{ItemField.CROP}"})
        case EditLine(line=line):
            return frozenset({str(line)})
        case SetBlock():
            return frozenset({"block"})
        case RetitleSection(section=slug):
            return frozenset({f"section:{slug}:title"})
        case DropSection(section=slug) | RestoreSection(section=slug):
            section = find_section(issue, slug)
            items = section.items if section else ()
            places = {f"story:{item.story_id}:place" for item in items}
            return frozenset({f"section:{slug}:shown", *places})
