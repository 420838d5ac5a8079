"""A picture made ready for each of the mail's slots."""

from collections.abc import Mapping

from PIL import Image

from newsletter.pictures.crop import find_window
from newsletter.pictures.decode import NotAPicture, decode_picture
from newsletter.pictures.encode import EncodedPicture, encode_picture
from newsletter.pictures.model import LEAD, SLOTS, PictureSlot, SlotName

# Below this stand icons, avatars and counting pixels: as in a story's text.
SMALLEST_SIDE = 120


def prepare_picture(data: bytes) -> Mapping[SlotName, EncodedPicture]:
    """``data`` as a file for each slot, cropped around its subject; NotAPicture says why not."""
    image = decode_picture(data, LEAD.pixels)
    if min(image.size) < SMALLEST_SIDE:
        raise NotAPicture(
            f"it has only {image.width} x {image.height} pixels; "
            f"{SMALLEST_SIDE} each way are the least"
        )
    if image.mode == "RGBA" and not image.getchannel("A").getbbox():
        raise NotAPicture("it is transparent all over")
    # All slots have the same proportions, but for a rounded pixel.
    part = image.crop(find_window(image, LEAD.pixels))
    return {slot.name: encode_picture(_fit(part, slot)) for slot in SLOTS}


def _fit(part: Image.Image, slot: PictureSlot) -> Image.Image:
    width, height = slot.pixels
    if part.width <= width and part.height <= height:
        return part
    return part.resize((width, height), Image.Resampling.LANCZOS)
