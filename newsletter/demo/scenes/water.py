"""The lake and the sea."""

import math
from random import Random

from newsletter.demo.scenes.backdrop import paint_clouds, paint_heaven, paint_ripples
from newsletter.demo.scenes.canvas import HEIGHT, WIDTH, Canvas, down_to, ridge
from newsletter.demo.scenes.palettes import Colour, Palette, mix


def draw_lake(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """A lake below the hills, a church on its headland, a boat or two."""
    horizon = rng.uniform(400, 450)
    light = paint_heaven(canvas, rng, palette, horizon)
    paint_clouds(canvas, rng, palette, horizon, light)
    for i in range(3):
        line = ridge(rng, horizon - 110 + 42 * i, 62 - 12 * i, 0.5)
        canvas.polygon(down_to(line, horizon + 1), palette.ridge(0.05 + 0.2 * i))
    canvas.veil(horizon - 90, horizon, palette.horizon, (0.0, 0.35))
    side = rng.choice((1, -1))
    edge = 0 if side > 0 else WIDTH
    bank = [
        (edge + side * 470 * i / 24, horizon - 88 * math.cos(math.pi / 2 * i / 24) ** 0.8)
        for i in range(25)
    ]
    canvas.polygon([*bank, (edge, horizon)], palette.ridge(0.82))
    _church(canvas, edge + side * 190, horizon - 70, 44, (palette.lit, palette.shade))
    canvas.mirror(horizon, 0.9)
    canvas.veil(horizon, HEIGHT, mix(palette.ridge(0.7), palette.sky[0], 0.5), (0.28, 0.72))
    paint_ripples(canvas, rng, palette, horizon, light[0])
    for boat in range(rng.randint(1, 3)):
        x = WIDTH / 2 + side * rng.uniform(20, 420)
        y = horizon + 70 + boat * 95 + rng.uniform(0, 50)
        _paint_boat(canvas, x, y, 26 + 26 * boat, palette)


def _church(
    canvas: Canvas, x: float, foot: float, size: float, colours: tuple[Colour, Colour]
) -> None:
    """A small domed church: nave, drum, pointed cone, each with a shaded half."""
    lit, shade = colours
    canvas.polygon(
        [
            (x - size, foot),
            (x - size, foot - size * 0.62),
            (x - size * 0.5, foot - size * 0.95),
            (x, foot - size * 0.62),
            (x, foot),
        ],
        lit,
    )
    canvas.polygon(
        [
            (x, foot),
            (x, foot - size * 0.62),
            (x - size * 0.5, foot - size * 0.95),
            (x + size * 0.55, foot - size * 0.95),
            (x + size, foot - size * 0.62),
            (x + size, foot),
        ],
        shade,
    )
    canvas.box(x - size * 0.3, foot - size * 1.5, x, foot - size * 0.85, lit)
    canvas.box(x, foot - size * 1.5, x + size * 0.3, foot - size * 0.85, shade)
    tip = (x, foot - size * 2.25)
    canvas.polygon(
        [(x - size * 0.38, foot - size * 1.5), tip, (x, foot - size * 1.5)], mix(lit, shade, 0.3)
    )
    canvas.polygon(
        [(x, foot - size * 1.5), tip, (x + size * 0.38, foot - size * 1.5)],
        mix(shade, (0, 0, 0), 0.2),
    )
    canvas.box(
        x - size * 0.09, foot - size * 0.36, x + size * 0.09, foot, mix(shade, (0, 0, 0), 0.45)
    )
    canvas.box(
        x - size * 0.62,
        foot - size * 0.5,
        x - size * 0.54,
        foot - size * 0.26,
        mix(shade, (0, 0, 0), 0.4),
    )


def _paint_boat(canvas: Canvas, x: float, y: float, size: float, palette: Palette) -> None:
    hull = mix(palette.ink, palette.accent, 0.35)
    sail = palette.snow if not palette.dark else mix(palette.snow, palette.sky[-1], 0.4)
    canvas.polygon(
        [(x - 3, y - size * 2.3), (x - 3, y - 6), (x - size * 0.95, y - 6)],
        mix(sail, palette.shade, 0.3),
    )
    canvas.polygon([(x + 2, y - size * 2.5), (x + 2, y - 6), (x + size * 1.15, y - 6)], sail)
    canvas.polygon(
        [
            (x - size * 1.2, y - 3),
            (x + size * 1.35, y - 3),
            (x + size * 0.8, y + size * 0.4),
            (x - size * 0.8, y + size * 0.4),
        ],
        hull,
    )
    canvas.box(
        x - size * 0.9,
        y + size * 0.4 + 4,
        x + size * 0.9,
        y + size * 0.4 + 7,
        mix(hull, palette.sky[1], 0.4),
    )


def draw_sea(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Waves in rows, a ship on the line between water and sky."""
    horizon = rng.uniform(360, 420)
    light = paint_heaven(canvas, rng, palette, horizon)
    paint_clouds(canvas, rng, palette, horizon, light)
    water = mix(palette.sky[0], palette.ridge(0.4), 0.35)
    canvas.box(0, horizon, WIDTH, HEIGHT, water)
    _paint_ship(canvas, rng.uniform(280, 920), horizon + 6, palette)
    paint_ripples(canvas, rng, palette, horizon, light[0])
    for i in range(9):
        depth = (i + 1) / 9
        y = horizon + 24 + (HEIGHT - horizon - 30) * depth**1.5
        tall, long = 4 + 20 * depth, 60 + 190 * depth
        phase = rng.uniform(0, 2 * math.pi)
        crest = [
            (x, y - tall * abs(math.sin(phase + x * math.pi / long)) ** 1.6)
            for x in range(0, 1205, 6)
        ]
        tone = mix(water, palette.ridge(1.0), 0.12 + 0.6 * depth)
        canvas.line([(x, t - 2) for x, t in crest], mix(tone, palette.snow, 0.55), 1 + 2.4 * depth)
        canvas.polygon(down_to(crest), tone)


def _paint_ship(canvas: Canvas, x: float, y: float, palette: Palette) -> None:
    hull = mix(palette.ink, palette.accent, 0.2)
    canvas.polygon([(x - 92, y - 24), (x + 104, y - 24), (x + 84, y + 6), (x - 78, y + 6)], hull)
    canvas.box(x - 60, y - 46, x + 34, y - 24, palette.snow if not palette.dark else palette.lit)
    canvas.box(x - 44, y - 62, x + 6, y - 46, palette.snow_shade)
    canvas.box(x - 22, y - 92, x - 2, y - 62, palette.accent)
    for i in range(6):
        canvas.disc(x - 50 + i * 15, y - 34, 3, palette.window if palette.dark else palette.ink)
    canvas.line([(x + 62, y - 24), (x + 62, y - 84)], hull, 2)
    canvas.line([(x + 62, y - 82), (x + 34, y - 46)], hull, 1)
