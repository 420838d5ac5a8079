"""From pixels to a small file: JPEG, or PNG where what is behind shows through."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from newsletter.pictures.decode import on_paper, shows_what_is_behind

# A mail has a dozen pictures, and is read on the way.
MAX_FILE_BYTES = 150_000
# Below 58 JPEG shows its blocks; then fewer pixels look better than coarser ones.
_QUALITIES = (82, 75, 67, 58)
_JPEG_SCALES = (0.85, 0.7, 0.58, 0.48, 0.4, 0.33)
_PNG_SCALES = (1.0, 0.75)
_COLOURS = 256


@dataclass(frozen=True)
class EncodedPicture:
    """A file's bytes, its suffix and its size in pixels."""

    data: bytes
    suffix: str
    width: int
    height: int


def encode_picture(image: Image.Image) -> EncodedPicture:
    """An RGB or RGBA picture as a file of at most 150,000 bytes; the same bytes each time."""
    tries = _tries(image)
    made = next(tries)
    # The last try is a JPEG of 390 x 260 pixels: of mere noise it has some 40 KB.
    for smaller in tries:
        if len(made.data) <= MAX_FILE_BYTES:
            break
        made = smaller
    return made


def _tries(image: Image.Image) -> Iterator[EncodedPicture]:
    """Ever smaller files; of a picture with transparent parts first as PNG.

    What is too large as a PNG is a photo, and better off as a JPEG on white.
    """
    if shows_what_is_behind(image):
        yield _png(image)
        for scale in _PNG_SCALES:
            smaller = _scaled(image, scale)
            yield _png(smaller.quantize(_COLOURS, Image.Quantize.FASTOCTREE))
    flat = on_paper(image)
    for quality in _QUALITIES:
        yield _jpeg(flat, quality)
    for scale in _JPEG_SCALES:
        yield _jpeg(_scaled(flat, scale), _QUALITIES[-1])


def _scaled(image: Image.Image, scale: float) -> Image.Image:
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)


def _jpeg(image: Image.Image, quality: int) -> EncodedPicture:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True, progressive=True, subsampling="4:2:0")
    return EncodedPicture(out.getvalue(), "jpg", *image.size)


def _png(image: Image.Image) -> EncodedPicture:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return EncodedPicture(out.getvalue(), "png", *image.size)
