"""A canvas at twice the size, so that every edge comes out smooth when it is halved."""

import io
import itertools
import math
from collections.abc import Sequence
from random import Random

from PIL import Image, ImageDraw

from newsletter.demo.scenes.palettes import Colour

WIDTH, HEIGHT = 1200, 800
# Two pixels a point: halving at the end is the smoothing.
SCALE = 2
# What an e-mail's picture may weigh without making readers wait.
MAX_BYTES = 150_000

Point = tuple[float, float]


class Canvas:
    """Draws in points of a 1200 x 800 field, origin top left."""

    def __init__(self, ground: Colour) -> None:
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), ground)
        self._draw = ImageDraw.Draw(self.image)

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour) -> None:
        if right > left and bottom > top:
            corners = (left * SCALE, top * SCALE, right * SCALE - 1, bottom * SCALE - 1)
            self._draw.rectangle(corners, fill=fill)

    def disc(self, x: float, y: float, radius: float, fill: Colour, squash: float = 1.0) -> None:
        """A disc, or with ``squash`` below 1 a flat ellipse."""
        tall = radius * squash
        corners = (
            (x - radius) * SCALE,
            (y - tall) * SCALE,
            (x + radius) * SCALE,
            (y + tall) * SCALE,
        )
        self._draw.ellipse(corners, fill=fill)

    def slice(
        self, x: float, y: float, radius: float, angles: tuple[float, float], fill: Colour
    ) -> None:
        """A slice of a disc between two angles in degrees, clockwise from the right."""
        corners = [
            (v + d) * SCALE for v, d in ((x, -radius), (y, -radius), (x, radius), (y, radius))
        ]
        self._draw.pieslice(corners, angles[0], angles[1], fill=fill)

    def line(self, points: Sequence[Point], fill: Colour, width: float) -> None:
        self._draw.line(
            [(x * SCALE, y * SCALE) for x, y in points],
            fill=fill,
            width=max(1, round(width * SCALE)),
            joint="curve",
        )

    def gradient(self, top: float, bottom: float, colours: Sequence[Colour]) -> None:
        """A band across the whole width, its colours running from top to bottom."""
        height = round((bottom - top) * SCALE)
        column = Image.new("RGB", (1, len(colours)))
        column.putdata(list(colours))
        # Smooth from top to bottom first; across, every pixel of a row is the same.
        steps = column.resize((1, height), Image.Resampling.BILINEAR)
        band = steps.resize((WIDTH * SCALE, height), Image.Resampling.NEAREST)
        self.image.paste(band, (0, round(top * SCALE)))

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """Light that fades out from a point; ``strength`` (0 to 1) at its middle."""
        size = round(radius * 2)
        # Pillow's gradient is 0 in the middle and 181 where the circle touches the
        # edges; beyond that a square would show.
        fade = [round(strength * 255 * (max(0, 181 - v) / 181) ** 1.8) for v in range(256)]
        # Doubled without a filter: the canvas is halved again in the end, and
        # smooth stretching of so large a square is what takes the time.
        mask = (
            Image.radial_gradient("L")
            .point(fade)
            .resize((size, size), Image.Resampling.BILINEAR)
            .resize((size * SCALE, size * SCALE), Image.Resampling.NEAREST)
        )
        place = (round((x - radius) * SCALE), round((y - radius) * SCALE))
        self.image.paste(colour, (*place, place[0] + size * SCALE, place[1] + size * SCALE), mask)

    def veil(
        self, top: float, bottom: float, colour: Colour, strengths: tuple[float, float]
    ) -> None:
        """Haze over a band: how much of the colour at its top and at its bottom (0 to 1)."""
        height = round((bottom - top) * SCALE)
        column = Image.new("L", (1, 2))
        column.putdata([round(255 * s) for s in strengths])
        mask = column.resize((1, height), Image.Resampling.BILINEAR)
        mask = mask.resize((WIDTH * SCALE, height), Image.Resampling.NEAREST)
        start = round(top * SCALE)
        self.image.paste(colour, (0, start, WIDTH * SCALE, start + height), mask)

    def mirror(self, horizon: float, squash: float = 1.0) -> None:
        """Repeat what stands above the horizon upside down below it, as still water does."""
        depth = round((HEIGHT - horizon) * SCALE)
        reach = min(round(depth / squash), round(horizon * SCALE))
        top = round(horizon * SCALE)
        above = self.image.crop((0, top - reach, WIDTH * SCALE, top))
        below = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        self.image.paste(below.resize((WIDTH * SCALE, depth), Image.Resampling.NEAREST), (0, top))

    def jpeg(self) -> bytes:
        """The picture as a JPEG of at most ``MAX_BYTES``, as good as fits."""
        small = self.image.reduce(SCALE)
        for quality in (86, 76, 66):
            out = io.BytesIO()
            small.save(out, "JPEG", quality=quality, optimize=True)
            if out.tell() <= MAX_BYTES:
                break
        return out.getvalue()


def wander(rng: Random, steps: int, roughness: float = 0.5) -> list[float]:
    """A line of ``steps`` + 1 heights between about -1 and 1, by midpoint displacement."""
    size = 1 << max(1, (steps - 1).bit_length())
    heights = [0.0] * (size + 1)
    heights[0], heights[size] = rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.5)
    span, swing = size, 0.8
    while span > 1:
        half = span // 2
        for left in range(0, size, span):
            middle = (heights[left] + heights[left + span]) / 2
            heights[left + half] = middle + rng.uniform(-swing, swing)
        span, swing = half, swing * roughness
    return heights[: steps + 1]


def ridge(rng: Random, base: float, height: float, roughness: float = 0.5) -> list[Point]:
    """A rolling line across the whole width, around ``base``, as far as ``height`` from it."""
    steps = 128
    line = wander(rng, steps, roughness)
    return [(WIDTH * i / steps, base - height * line[i]) for i in range(steps + 1)]


def down_to(line: Sequence[Point], bottom: float = HEIGHT) -> list[Point]:
    """The area below a line, for filling."""
    return [*line, (line[-1][0], bottom), (line[0][0], bottom)]


def height_at(line: Sequence[Point], x: float) -> float:
    """Where a line, given from left to right, stands at ``x``."""
    for (left, first), (right, second) in itertools.pairwise(line):
        if left <= x <= right and right > left:
            return first + (second - first) * (x - left) / (right - left)
    return line[-1][1]


def star(
    x: float, y: float, outer: float, inner: float, tips: int, turn: float = 0.0
) -> list[Point]:
    """A star's outline; ``turn`` in degrees."""
    points = []
    for i in range(tips * 2):
        radius = outer if i % 2 == 0 else inner
        angle = math.radians(turn + 180 * i / tips - 90)
        points.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
    return points


def paint_lozenge(
    canvas: Canvas, x: float, y: float, size: float, steps: int, colour: Colour
) -> None:
    """A lozenge with stair-like edges, as a loom makes it."""
    for i in range(steps):
        half_wide = size * (steps - i) / steps
        tall = size * (i + 1) / steps
        canvas.box(x - half_wide, y - tall, x + half_wide, y + tall, colour)
