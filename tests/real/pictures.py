"""Pictures for a test's paper, drawn from a seed: hills in the evening, woven patterns.

They are plain shapes on purpose: a real JPEG in every respect, but quick to
draw, to resize and to tell apart on a screenshot.
"""

import math
import random
from pathlib import Path

from PIL import Image, ImageDraw

from tests.real.paper import PaperPicture

_PALETTES = (
    ((244, 222, 190), (214, 140, 105), (140, 29, 47), (58, 24, 35)),
    ((214, 229, 236), (124, 160, 176), (58, 92, 112), (24, 40, 56)),
    ((238, 232, 205), (176, 178, 112), (98, 116, 66), (44, 58, 36)),
    ((246, 214, 178), (228, 160, 72), (160, 84, 44), (66, 38, 30)),
)


def draw_picture(seed: str, style: str, size: tuple[int, int]) -> Image.Image:
    """Draw ``hills`` or a ``pattern``; the same seed gives the same picture."""
    chance = random.Random(seed)
    colours = chance.choice(_PALETTES)
    image = Image.new("RGB", size, colours[0])
    if style == "pattern":
        _draw_pattern(ImageDraw.Draw(image), size, colours, chance)
    else:
        _draw_hills(ImageDraw.Draw(image), size, colours, chance)
    return image


def save_picture(seed: str, picture: PaperPicture, path: Path) -> None:
    """Draw a post's picture and save it as the suffix of ``path`` says."""
    draw_picture(seed, picture.style, picture.size).save(path, quality=82)


def draw_icon(letter_colour: str = "#fffdf9", ground: str = "#8c1d2f") -> Image.Image:
    """A square of 512 pixels: WordPress asks at least that of a site icon."""
    image = Image.new("RGB", (512, 512), ground)
    pencil = ImageDraw.Draw(image)
    pencil.line([(116, 420), (256, 92), (396, 420)], fill=letter_colour, width=56)
    pencil.line([(176, 308), (336, 308)], fill=letter_colour, width=44)
    return image


def _draw_hills(
    pencil: ImageDraw.ImageDraw,
    size: tuple[int, int],
    colours: tuple[tuple[int, int, int], ...],
    chance: random.Random,
) -> None:
    width, height = size
    radius = height // 11
    centre = (chance.randint(radius, width - radius), chance.randint(radius, height // 3))
    pencil.ellipse(
        [centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius],
        fill=(255, 248, 232),
    )
    layers = 5
    for layer in range(layers):
        share = layer / (layers - 1)
        colour = tuple(
            round(a + (b - a) * share) for a, b in zip(colours[1], colours[3], strict=True)
        )
        base = height * (0.42 + 0.13 * layer)
        waves = [
            (chance.uniform(1, 4), chance.uniform(0, 6.3), chance.uniform(20, 70)) for _ in "abc"
        ]
        ridge = [
            (
                x,
                base
                - sum(high * math.sin(x / width * pace * 6.3 + at) for pace, at, high in waves),
            )
            for x in range(0, width + 20, 20)
        ]
        pencil.polygon([*ridge, (width, height), (0, height)], fill=colour)


def _draw_pattern(
    pencil: ImageDraw.ImageDraw,
    size: tuple[int, int],
    colours: tuple[tuple[int, int, int], ...],
    chance: random.Random,
) -> None:
    width, height = size
    step = width // chance.choice((10, 14, 18))
    for row, y in enumerate(range(-step, height + step, step)):
        for column, x in enumerate(range(-step, width + step, step)):
            across = step // 2 if row % 2 else 0
            middle = (x + across, y)
            for ring, colour in enumerate(colours[1:]):
                reach = step * (3 - ring) // 6 if (row + column) % 3 else step * (3 - ring) // 8
                pencil.polygon(
                    [
                        (middle[0], middle[1] - reach),
                        (middle[0] + reach, middle[1]),
                        (middle[0], middle[1] + reach),
                        (middle[0] - reach, middle[1]),
                    ],
                    fill=colour,
                )
