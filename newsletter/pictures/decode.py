"""From a site's bytes to pixels: verified by decoding to the end, upright, in sRGB."""

import io
import math
import re

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from newsletter.errors import ParseError

MAX_PIXELS = 50_000_000
# What papers publish. SVG is no picture but a program, and the rest is not of the web.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
_SVG = re.compile(rb"^\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE svg[^>]*>\s*)*<svg[\s>]", re.S)
_MARKUP = re.compile(rb"^\s*<(?:!DOCTYPE html|html|head|body|\?xml)", re.IGNORECASE)
_SNIFFED_BYTES = 4096
# An alpha below this shows what lies behind.
_OPAQUE = 250
_USED_SHARE = 0.01


class NotAPicture(ParseError):
    """The bytes are no picture that we can use. Its sentence begins with "it"."""


def decode_picture(data: bytes, cover: tuple[int, int]) -> Image.Image:
    """The picture in RGB, or RGBA where it has transparent parts; NotAPicture says why not.

    It is shrunk as far as it still covers ``cover`` (pixels), never enlarged. Of
    an animation the first frame is taken; the orientation told by EXIF is applied.
    The result carries no metadata.
    """
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            pixels = opened.width * opened.height
            if pixels > MAX_PIXELS:
                raise NotAPicture(_too_many(pixels))
            # A JPEG can be decoded at an eighth of its size, at an eighth of the cost.
            # Asked for as a square, since EXIF may turn it.
            opened.draft(None, (max(cover), max(cover)))
            opened.load()
            profile = opened.info.get("icc_profile")
            upright = ImageOps.exif_transpose(opened)
        small = _shrink(_in_plain_mode(upright), cover)
        return _in_srgb(small, profile if isinstance(profile, bytes) else b"")
    except NotAPicture:
        raise
    except UnidentifiedImageError as error:
        raise NotAPicture(_what_it_is(data)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotAPicture(_too_many(None)) from error
    except Exception as error:
        raise NotAPicture("it is broken and can't be decoded to its end") from error


def _in_plain_mode(image: Image.Image) -> Image.Image:
    """The picture in L, RGB, RGBA or CMYK, with 8 bits a channel."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _in_eight_bits(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """Greys of 16 bits in 8; Pillow's own conversion cuts off what is above 255."""
    grey = image.convert("F").point(lambda value: value * (1 / 257) + 0).convert("L")
    grey.info.pop("transparency", None)  # a grey of 16 bits, which means nothing now
    return grey


def _shrink(image: Image.Image, cover: tuple[int, int]) -> Image.Image:
    scale = max(cover[0] / image.width, cover[1] / image.height)
    if scale >= 1:
        return image
    # A gap of 2 averages whole pixels first: much faster, and no difference to the eye.
    size = (math.ceil(image.width * scale), math.ceil(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The picture in RGB or RGBA with the colours of sRGB, which mail programs assume."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha is not None else image
    colours = _apply_profile(colours, profile) if profile else colours.convert("RGB")
    if alpha is not None:
        colours.putalpha(alpha)
    bare = Image.new(colours.mode, colours.size)
    bare.paste(colours)
    return bare


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (OSError, ImageCms.PyCMSError):
        # A broken profile, or one of another colour space, says nothing of the pixels.
        return image.convert("RGB")
    return converted if converted is not None else image.convert("RGB")


def shows_what_is_behind(image: Image.Image) -> bool:
    """Whether a picture has transparent parts, more than the rounded corners of a photo."""
    if image.mode != "RGBA":
        return False
    counts = image.getchannel("A").histogram()
    return sum(counts[:_OPAQUE]) >= _USED_SHARE * sum(counts)


def on_paper(image: Image.Image) -> Image.Image:
    """An RGB or RGBA picture as it looks on white."""
    if image.mode == "RGB":
        return image
    flat = Image.new("RGB", image.size, (255, 255, 255))
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _too_many(pixels: int | None) -> str:
    found = f"it has {pixels / 1e6:,.0f} million pixels" if pixels else "it has too many pixels"
    return f"{found}; {MAX_PIXELS // 10**6} million are the limit"


def _what_it_is(data: bytes) -> str:
    beginning = data[:_SNIFFED_BYTES]
    if not beginning:
        return "it is empty"
    if _SVG.match(beginning):
        return "it is an SVG drawing, which mail programs don't show"
    if _MARKUP.match(beginning):
        return "it is a web page and no picture"
    return "it is no JPEG, PNG, GIF, WebP or AVIF, or is cut at its beginning"
