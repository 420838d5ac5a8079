"""Where the subject of a picture is, by a simple rule.

What draws the eye stands out from what is around it, in detail or in colour;
skin does so most, and a face is skin with detail. The window is taken that holds
most of that, cuts through little of it, and lies near the top: heads are there, and
feet are not. The weights were set by looking at portraits, animals, buildings and still lifes.
"""

from PIL import Image, ImageChops, ImageFilter

from newsletter.pictures.decode import on_paper

# The picture is looked at in this size: the threads of a coat are gone, a face is not.
_LOOKED_AT = 128
# What stands out within so many of its pixels: small things, and large ones.
_FINE, _COARSE = 2, 16
_COARSE_WEIGHT = 4.0
_SKIN_WEIGHT = 0.8
# Skin has some detail; a wall that has its colour has none.
_LEAST_DETAIL = 4
# What a window loses by cutting through something, and by lying away from its usual place.
_CUT_COST = 0.05
_AWAY_COST = 0.4
# The usual place: so much of what is cut off is cut at the top, or at the left.
_USUAL_TOP = 0.15
_USUAL_LEFT = 0.5


def find_window(image: Image.Image, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of an RGB or RGBA picture to show in the proportions of ``size``.

    As left, upper, right and lower edge in pixels; as large as fits.
    """
    width, height = image.size
    wanted = size[0] / size[1]
    if width / height > wanted:
        part = max(1, min(width, round(height * wanted)))
        place = _best_place(_weigh(image, across=True), part / width, _USUAL_LEFT)
        left = round(place * (width - part))
        return left, 0, left + part, height
    part = max(1, min(height, round(width / wanted)))
    place = _best_place(_weigh(image, across=False), part / height, _USUAL_TOP)
    upper = round(place * (height - part))
    return 0, upper, width, upper + part


def window_around(
    whole: tuple[int, int], size: tuple[int, int], focus: tuple[float, float]
) -> tuple[int, int, int, int]:
    """The part of a picture of ``whole`` pixels around ``focus``, in the proportions of ``size``.

    As large as fits, and no further from the focus than the edges ask for.
    """
    width, height = whole
    wanted = size[0] / size[1]
    across = max(1, min(width, round(height * wanted)))
    down = max(1, min(height, round(width / wanted)))
    left = min(max(round(focus[0] * width - across / 2), 0), width - across)
    upper = min(max(round(focus[1] * height - down / 2), 0), height - down)
    return left, upper, left + across, upper + down


def _weigh(image: Image.Image, *, across: bool) -> list[float]:
    """How much each column (or row) of the picture holds."""
    small = image.copy()
    small.thumbnail((_LOOKED_AT, _LOOKED_AT), Image.Resampling.BOX)
    small = on_paper(small)
    fine = _stand_out(small, _FINE)
    lively = fine.filter(ImageFilter.BoxBlur(3)).point(
        lambda value: 255 if value >= _LEAST_DETAIL else 0
    )
    face = ImageChops.multiply(_skin(small), lively)
    line = (small.width, 1) if across else (1, small.height)
    layers = (_means(layer, line) for layer in (fine, _stand_out(small, _COARSE), face))
    return [
        detail + _COARSE_WEIGHT * shape + _SKIN_WEIGHT * skin
        for detail, shape, skin in zip(*layers, strict=True)
    ]


def _stand_out(small: Image.Image, radius: int) -> Image.Image:
    """How much each pixel differs from what is within some ``radius`` around it."""
    difference = ImageChops.difference(small, small.filter(ImageFilter.GaussianBlur(radius)))
    red, green, blue = difference.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _skin(small: Image.Image) -> Image.Image:
    """White where the colour may be skin, of any shade: in YCbCr they lie close together."""
    _, blue, red = small.convert("YCbCr").split()
    in_blue = blue.point(lambda value: 255 if 77 <= value <= 127 else 0)
    in_red = red.point(lambda value: 255 if 135 <= value <= 173 else 0)
    return ImageChops.multiply(in_blue, in_red)


def _means(layer: Image.Image, line: tuple[int, int]) -> list[float]:
    flat = layer.convert("F").resize(line, Image.Resampling.BOX)
    return [float(str(value)) for value in flat.get_flattened_data()]


def _best_place(weights: list[float], share: float, usual: float) -> float:
    """Where the best window of that share of the line lies, from 0 (its beginning) to 1."""
    count = len(weights)
    length = max(1, min(count, round(share * count)))
    slack = count - length
    if not slack:
        return usual
    total = sum(weights) or 1.0
    mean = total / count

    def value(start: int) -> float:
        end = start + length
        cut = (weights[start] if start else 0.0) + (weights[end] if end < count else 0.0)
        away = abs(start / slack - usual)
        return sum(weights[start:end]) / total - _CUT_COST * cut / mean - _AWAY_COST * away

    return max(range(slack + 1), key=value) / slack
