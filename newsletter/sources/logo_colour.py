"""The colour that a logo is mostly made of, where a site tells none of its own."""

import colorsys
import io

from PIL import Image

MAX_LOGO_BYTES = 2_000_000
_MAX_PIXELS = 20_000_000
_COLOURS = 16
# Below these a colour is a grey, a black or a white of the logo's ground or letters.
_LEAST_SATURATION = 0.25
_LEAST_SHARE = 0.03


def dominant_colour(data: bytes) -> str | None:
    """The most common real colour of a picture as ``#rrggbb``, or None if it has none."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
            if image.width * image.height > _MAX_PIXELS:
                return None
            image.thumbnail((96, 96))
            small = image.convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning):
        return None  # what is no picture has no colour; a bomb is told by warning or error
    ground = Image.new("RGBA", small.size, (255, 255, 255, 255))
    flat = Image.alpha_composite(ground, small).convert("RGB").quantize(_COLOURS)
    palette = flat.getpalette() or []
    total = flat.width * flat.height
    best = (0.0, "")
    for entry in flat.getcolors() or ():
        count, index = int(entry[0]), int(str(entry[1]))
        red, green, blue = palette[index * 3 : index * 3 + 3]
        _, lightness, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
        share = count / total
        if saturation < _LEAST_SATURATION or not 0.1 < lightness < 0.9 or share < _LEAST_SHARE:
            continue
        best = max(best, (share * saturation, f"#{red:02x}{green:02x}{blue:02x}"))
    return best[1] or None
