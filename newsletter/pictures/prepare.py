"""A picture made ready for each of the mail's slots."""

from collections.abc import Mapping

from PIL import Image

from newsletter.pictures.crop import find_window, window_around
from newsletter.pictures.decode import NotAPicture, decode_picture, shows_what_is_behind
from newsletter.pictures.encode import EncodedPicture, encode_picture
from newsletter.pictures.model import LEAD, LOGO, SLOTS, PictureSlot, SlotName

# Below this stand icons, avatars and counting pixels: as in a story's text.
SMALLEST_SIDE = 120
_SMALLEST_LOGO = 16


def prepare_picture(
    data: bytes, focus: tuple[float, float] | None = None
) -> Mapping[SlotName, EncodedPicture]:
    """``data`` as a file for each slot, cropped around its subject; NotAPicture says why not.

    ``focus`` is what is to be in the middle, as shares of width and height; without it
    the subject is found by rule.
    """
    image = decode_picture(data, LEAD.pixels)
    if min(image.size) < SMALLEST_SIDE:
        raise NotAPicture(
            f"it has only {image.width} x {image.height} pixels; "
            f"{SMALLEST_SIDE} each way are the least"
        )
    if image.mode == "RGBA" and not image.getchannel("A").getbbox():
        raise NotAPicture("it is transparent all over")
    # All slots have the same proportions, but for a rounded pixel. What stands on
    # nothing is a drawing or a logo: it needs no cutting, only more nothing around it.
    if shows_what_is_behind(image):
        part = _widen(image, LEAD.pixels)
    elif focus is not None:
        part = image.crop(window_around(image.size, LEAD.pixels, focus))
    else:
        part = image.crop(find_window(image, LEAD.pixels))
    return {slot.name: encode_picture(_fit(part, slot)) for slot in SLOTS}


def prepare_logo(data: bytes) -> Mapping[SlotName, EncodedPicture]:
    """``data`` as the masthead's file, whole, without the empty margin around it."""
    width, height = LOGO.pixels
    # Much of it may be margin.
    image = decode_picture(data, (4 * width, 4 * height))
    if image.mode == "RGBA":
        seen = image.getchannel("A").getbbox()
        if not seen:
            raise NotAPicture("it is transparent all over")
        image = image.crop(seen)
    if min(image.size) < _SMALLEST_LOGO:
        raise NotAPicture(f"it has only {image.width} x {image.height} pixels")
    scale = min(width / image.width, height / image.height)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    return {LOGO.name: encode_picture(image)}


def _widen(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The whole picture in the middle of a transparent ground of the proportions of ``size``."""
    width = max(image.width, round(image.height * size[0] / size[1]))
    height = max(image.height, round(image.width * size[1] / size[0]))
    ground = Image.new("RGBA", (width, height), (255, 255, 255, 0))
    ground.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return ground


def _fit(part: Image.Image, slot: PictureSlot) -> Image.Image:
    width, height = slot.pixels
    if part.width <= width and part.height <= height:
        return part
    return part.resize((width, height), Image.Resampling.LANCZOS)
