"""A picture's nouns: the slots that the mail has for it, and the files kept for them."""

import hashlib
from dataclasses import dataclass
from typing import Literal

SlotName = Literal["lead", "card", "logo"]


@dataclass(frozen=True)
class PictureSlot:
    """A place for a picture, in CSS px; its file has twice as many pixels."""

    name: SlotName
    width: int
    height: int

    @property
    def pixels(self) -> tuple[int, int]:
        """The width and height of a file that is sharp on a screen of double density."""
        return 2 * self.width, 2 * self.height


# A card's picture is 200 px wide beside its text, and as wide as the screen on a
# phone, where most mail is read: 360 px there is what its file must be sharp for.
LEAD = PictureSlot("lead", 592, 395)
CARD = PictureSlot("card", 360, 240)
SLOTS = (LEAD, CARD)
# What a logo must fit into; it is never cropped.
LOGO = PictureSlot("logo", 480, 64)


@dataclass(frozen=True)
class PictureFile:
    """A file that we keep of a picture: its name below /media, its size in pixels.

    A picture smaller than its slot is not enlarged.
    """

    slot: SlotName
    name: str
    width: int
    height: int


@dataclass(frozen=True)
class FetchedPicture:
    """What was made of a picture's address, and what to ask for it again with."""

    files: tuple[PictureFile, ...]
    etag: str | None = None
    last_modified: str | None = None


# Raise it when the same bytes give other files than before.
_RECIPE = 1


def picture_key(url: str, focus: tuple[float, float] | None = None) -> str:
    """What a picture's address, with today's way of making files of it, is remembered by.

    ``focus`` is the middle of its crop where an editor named one.
    """
    around = f" around {focus[0]:.3f},{focus[1]:.3f}" if focus else ""
    made = f"{_RECIPE} {url}{around}"
    return hashlib.sha256(made.encode("utf-8", "surrogatepass")).hexdigest()
