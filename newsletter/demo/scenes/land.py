"""Mountains, vineyards, orchards, roads."""

import math
from random import Random

from newsletter.demo.scenes.backdrop import paint_clouds, paint_heaven, paint_poplar, paint_range
from newsletter.demo.scenes.canvas import HEIGHT, WIDTH, Canvas, Point, down_to, height_at, ridge
from newsletter.demo.scenes.palettes import Colour, Palette, mix


def draw_mountain(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """The snow-topped mountain above layers of hills, poplars in front."""
    horizon = rng.uniform(480, 540)
    light = paint_heaven(canvas, rng, palette, horizon)
    paint_clouds(canvas, rng, palette, horizon, light)
    paint_range(canvas, rng, palette, horizon, light[0])
    depths = 4
    for i in range(depths):
        share = (i + 1) / depths
        line = ridge(rng, horizon + 20 + (HEIGHT - horizon - 70) * share, 34 + 14 * i, 0.42)
        colour = mix(palette.ridge(0.4 + 0.6 * share), palette.green, 0.0 if palette.dark else 0.25)
        canvas.polygon(down_to(line), colour)
        if i in (1, 2):
            start = rng.uniform(60, 800)
            for tree in range(rng.randint(4, 9)):
                x = start + tree * rng.uniform(24, 38)
                if x < WIDTH:
                    size = (44 + 42 * i) * rng.uniform(0.75, 1.1)
                    paint_poplar(
                        canvas, x, height_at(line, x) + 4, size, palette.ridge(0.62 + 0.2 * i)
                    )


def draw_vineyard(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Rows of vines running away towards the mountain."""
    horizon = rng.uniform(380, 430)
    light = paint_heaven(canvas, rng, palette, horizon)
    paint_range(canvas, rng, palette, horizon, light[0])
    hill = ridge(rng, horizon + 8, 14, 0.4)
    soil = mix(palette.ridge(0.55), palette.lit, 0.38)
    canvas.polygon(down_to(hill), soil)
    vanish = (rng.uniform(380, 820), horizon - 30)
    rows = 15
    for i in range(-rows, rows + 1):
        foot = vanish[0] + i * 150
        leaf = mix(palette.green, palette.ridge(0.75), 0.2 + 0.25 * (i % 2))
        _paint_row(canvas, rng, vanish, foot, leaf, mix(leaf, palette.ink, 0.45))
    for _ in range(7):
        x = rng.uniform(0, WIDTH)
        paint_poplar(canvas, x, height_at(hill, x) + 3, rng.uniform(34, 70), palette.ridge(0.8))


def _paint_row(
    canvas: Canvas, rng: Random, vanish: Point, foot: float, leaf: Colour, shadow: Colour
) -> None:
    """One row of vines: its shadow, then bushes that grow as they come near."""
    steps = 26
    for i in range(steps):
        depth = 0.07 * (1.125**i)
        if depth > 1.25:
            break
        x = vanish[0] + (foot - vanish[0]) * depth
        y = vanish[1] + (HEIGHT - vanish[1]) * depth
        size = 48 * depth * rng.uniform(0.85, 1.15)
        if -80 < x < WIDTH + 80:
            canvas.disc(x + size * 0.35, y + size * 0.35, size, shadow, 0.5)
            canvas.disc(x, y - size * 0.3, size, leaf, 0.8)
            canvas.disc(
                x - size * 0.2, y - size * 0.55, size * 0.55, mix(leaf, (255, 244, 200), 0.16), 0.7
            )


def draw_orchard(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Round fruit trees on a slope, full of fruit, hills behind."""
    horizon = rng.uniform(330, 380)
    light = paint_heaven(canvas, rng, palette, horizon)
    paint_range(canvas, rng, palette, horizon, light[0])
    fruit = palette.accent if palette.dark else mix(palette.accent, (240, 150, 50), 0.45)
    for row in range(4):
        depth = (row + 1) / 4
        line = ridge(rng, horizon + 20 + 330 * depth**1.5, 14 + 8 * row, 0.35)
        ground = mix(palette.ridge(0.45 + 0.3 * depth), palette.green, 0.35)
        canvas.polygon(down_to(line), ground)
        size = 26 + 84 * depth**1.4
        gap = size * 2.5
        x = -gap * rng.random()
        while x < WIDTH + size:
            foot = height_at(line, min(max(x, 0), WIDTH)) + size * 0.5
            _paint_tree(canvas, rng, (x, foot), size, (palette.green, palette.ink, fruit))
            x += gap * rng.uniform(0.85, 1.15)


def _paint_tree(
    canvas: Canvas, rng: Random, foot: Point, size: float, colours: tuple[Colour, Colour, Colour]
) -> None:
    """A trunk, a crown of discs, fruit in it, its shadow on the ground."""
    x, y = foot
    green, ink, fruit = colours
    canvas.disc(x + size * 0.3, y, size * 1.05, mix(green, ink, 0.5), 0.22)
    canvas.polygon(
        [
            (x - size * 0.1, y),
            (x - size * 0.05, y - size),
            (x + size * 0.05, y - size),
            (x + size * 0.12, y),
        ],
        mix(ink, green, 0.12),
    )
    for share, tone in ((0.0, 0.34), (0.5, 0.16), (1.0, 0.0)):
        for _ in range(5):
            dx, dy = rng.uniform(-0.55, 0.55), rng.uniform(-0.35, 0.35)
            canvas.disc(
                x + size * (dx - 0.12 * share),
                y - size * (1.45 + dy + 0.14 * share),
                size * (0.62 - 0.16 * share),
                mix(green, ink, tone) if share < 1 else mix(green, (255, 246, 200), 0.1),
            )
    for _ in range(11):
        angle, reach = rng.uniform(0, 2 * math.pi), rng.uniform(0.1, 0.86)
        fx, fy = (
            x + size * reach * math.cos(angle),
            y - size * (1.45 + 0.72 * reach * math.sin(angle)),
        )
        canvas.disc(fx, fy, max(2.0, size * 0.085), fruit)
        canvas.disc(
            fx - size * 0.02,
            fy - size * 0.025,
            max(0.8, size * 0.03),
            mix(fruit, (255, 255, 255), 0.4),
        )


def draw_road(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """A road winding up into the hills, one small bus on it."""
    horizon = rng.uniform(390, 440)
    light = paint_heaven(canvas, rng, palette, horizon)
    paint_clouds(canvas, rng, palette, horizon, light)
    paint_range(canvas, rng, palette, horizon, light[0])
    for i in range(3):
        line = ridge(rng, horizon + 6 + 30 * i, 20, 0.4)
        canvas.polygon(down_to(line), mix(palette.ridge(0.5 + 0.17 * i), palette.green, 0.22))
    swing, phase = rng.uniform(210, 300), rng.uniform(0, 3)
    road = mix(palette.lit, palette.ridge(0.5), 0.35)
    left, right, middle = [], [], []
    for i in range(91):
        depth = i / 90
        y = horizon + 44 + (HEIGHT - horizon - 44) * depth**1.7
        x = WIDTH / 2 + swing * math.sin(phase + 6.2 * depth**0.75) * (1 - depth * 0.35)
        half = 3 + 92 * depth**1.8
        left.append((x - half, y))
        right.append((x + half, y))
        middle.append((x, y))
    canvas.polygon([*left, *right[::-1]], road)
    for i in range(16, 90, 5):
        canvas.line(middle[i : i + 3], mix(road, palette.snow, 0.75), 1 + 6 * (i / 90) ** 2)
    _paint_bus(canvas, middle[52], 30, palette)


def _paint_bus(canvas: Canvas, place: Point, size: float, palette: Palette) -> None:
    x, y = place
    canvas.disc(x, y + 2, size * 1.4, palette.ink, 0.16)
    canvas.box(x - size * 1.2, y - size * 1.15, x + size * 1.2, y - size * 0.1, palette.accent)
    canvas.box(
        x - size * 1.2,
        y - size * 1.15,
        x + size * 1.2,
        y - size * 1.02,
        mix(palette.accent, palette.snow, 0.6),
    )
    for i in range(5):
        left = x - size * 1.08 + i * size * 0.45
        canvas.box(left, y - size * 0.92, left + size * 0.36, y - size * 0.52, palette.window)
    for wheel in (-0.72, 0.72):
        canvas.disc(x + wheel * size, y - size * 0.06, size * 0.22, palette.ink)
        canvas.disc(x + wheel * size, y - size * 0.06, size * 0.09, palette.snow_shade)
