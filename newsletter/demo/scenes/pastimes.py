"""Books, chess, a playing field."""

import math
from random import Random

from newsletter.demo.scenes.canvas import HEIGHT, WIDTH, Canvas, star
from newsletter.demo.scenes.palettes import Colour, Palette, mix


def draw_books(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Shelves of old bindings, a lamp's light on them."""
    wood = mix(palette.ridge(0.75), palette.lit, 0.25)
    canvas.box(0, 0, WIDTH, HEIGHT, mix(wood, palette.ink, 0.6))
    dyes = [*palette.cloth, palette.accent, palette.green, palette.shade]
    for shelf in range(3):
        floor = 252 + 266 * shelf
        x = rng.uniform(-20, 10)
        while x < WIDTH:
            x = _paint_book(
                canvas,
                rng,
                (x, floor),
                mix(rng.choice(dyes), palette.ink, rng.uniform(0.05, 0.3)),
                palette,
            )
        canvas.box(0, floor, WIDTH, floor + 20, wood)
        canvas.box(0, floor + 16, WIDTH, floor + 24, mix(wood, palette.ink, 0.5))
    light = rng.uniform(300, 900)
    canvas.glow(light, 330, 620, palette.window, 0.3)


def _paint_book(
    canvas: Canvas, rng: Random, at: tuple[float, float], colour: Colour, palette: Palette
) -> float:
    """One book, standing or leaning. Gives where the next one may stand."""
    x, floor = at
    wide, tall = rng.uniform(22, 58), rng.uniform(150, 214)
    gold = mix(palette.window, palette.cloth[2], 0.4)
    if rng.random() < 0.07:
        for k in range(3):
            stack = mix(rng.choice(palette.cloth), palette.ink, 0.15)
            canvas.box(x + 6 + k * 5, floor - 26 * (k + 1), x + 150 - k * 9, floor - 26 * k, stack)
            canvas.box(
                x + 22 + k * 5, floor - 26 * (k + 1) + 3, x + 26 + k * 5, floor - 26 * k, gold
            )
        return x + 166
    lean = rng.uniform(12, 30) if rng.random() < 0.1 else 0.0
    canvas.polygon(
        [(x, floor), (x + lean, floor - tall), (x + lean + wide, floor - tall), (x + wide, floor)],
        colour,
    )
    canvas.polygon(
        [
            (x + wide * 0.72, floor),
            (x + lean + wide * 0.72, floor - tall),
            (x + lean + wide, floor - tall),
            (x + wide, floor),
        ],
        mix(colour, palette.ink, 0.28),
    )
    bands = rng.choice(((0.12, 0.2, 0.8), (0.3, 0.7), (0.1, 0.9), (0.16, 0.5, 0.84)))
    for band in bands:
        y, shift = floor - tall * band, lean * band
        canvas.box(x + shift, y - 3, x + shift + wide, y + 1, mix(gold, colour, 0.25))
    if rng.random() < 0.5:
        canvas.polygon(
            star(
                x + wide / 2 + lean * 0.6,
                floor - tall * 0.6,
                wide * 0.26,
                wide * 0.12,
                rng.choice((4, 6, 8)),
            ),
            gold,
        )
    return x + wide + lean + 2


def draw_chess(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """A board seen from a player's side, a few pieces left on it, a lamp above."""
    canvas.gradient(
        0,
        HEIGHT,
        [mix(palette.sky[0], palette.ink, 0.5), mix(palette.ridge(0.8), palette.ink, 0.2)],
    )
    canvas.glow(600, 130, 620, palette.window, 0.5)
    light, dark = mix(palette.cloth[1], palette.snow, 0.2), mix(palette.cloth[0], palette.ink, 0.3)

    def place(column: float, row: float) -> tuple[float, float, float]:
        depth = row / 8
        y = 300 + 440 * depth**1.3
        half = 300 + 230 * depth**1.1
        return 600 + half * (column / 4 - 1), y, half / 4

    far, near = (place(-0.35, 0), place(8.35, 0)), (place(8.35, 8), place(-0.35, 8))
    canvas.polygon(
        [*((x, y - 12) for x, y, _ in far), *((x, y + 18) for x, y, _ in near)],
        mix(palette.ridge(0.8), palette.lit, 0.3),
    )
    for row in range(8):
        for column in range(8):
            corners = [
                place(column, row),
                place(column + 1, row),
                place(column + 1, row + 1),
                place(column, row + 1),
            ]
            canvas.polygon([c[:2] for c in corners], dark if (row + column) % 2 else light)
    spots = rng.sample([(c, r) for c in range(8) for r in range(8)], 11)
    for column, row in sorted(spots, key=lambda s: s[1]):
        x, y, cell = place(column + 0.5, row + 0.62)
        white = rng.random() < 0.5
        tone = (
            mix(palette.snow, palette.cloth[1], 0.5)
            if white
            else mix(palette.ink, palette.shade, 0.25)
        )
        _piece(canvas, (x, y), cell, rng.choice((1.0, 1.0, 1.35, 1.6, 1.75)), tone)


def _piece(
    canvas: Canvas, at: tuple[float, float], cell: float, tall: float, colour: Colour
) -> None:
    x, y = at
    edge = mix(colour, (20, 14, 24), 0.38)
    top = y - cell * tall
    canvas.disc(x + cell * 0.14, y + cell * 0.05, cell * 0.4, (22, 14, 22), 0.32)
    canvas.disc(x, y, cell * 0.34, edge, 0.36)
    canvas.disc(x, y - cell * 0.07, cell * 0.31, colour, 0.34)
    canvas.polygon(
        [
            (x - cell * 0.24, y - cell * 0.1),
            (x - cell * 0.1, top),
            (x + cell * 0.1, top),
            (x + cell * 0.24, y - cell * 0.1),
        ],
        colour,
    )
    canvas.polygon(
        [
            (x + cell * 0.06, y - cell * 0.08),
            (x + cell * 0.02, top),
            (x + cell * 0.1, top),
            (x + cell * 0.24, y - cell * 0.1),
        ],
        edge,
    )
    canvas.disc(x, top, cell * 0.2, edge, 0.34)
    canvas.disc(x, top - cell * 0.14, cell * 0.19, colour)
    canvas.disc(x + cell * 0.06, top - cell * 0.12, cell * 0.13, mix(colour, edge, 0.5))
    if tall > 1.2:
        canvas.polygon(
            star(x, top - cell * 0.38, cell * 0.16, cell * 0.07, 5 if tall > 1.5 else 4), colour
        )


def draw_pitch(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """A playing field under floodlights, the stands behind it."""
    canvas.gradient(0, 330, palette.sky[:3])
    for row in range(5):
        y = 190 + row * 30
        canvas.box(0, y, WIDTH, y + 30, mix(palette.ridge(0.6), palette.ink, 0.1 + 0.08 * row))
        for i in range(100):
            if rng.random() < 0.8:
                head = mix(rng.choice(palette.cloth), palette.ridge(0.6), 0.25)
                canvas.disc(i * 12.2 + (row % 2) * 6, y + 12 + rng.uniform(-3, 3), 5.2, head)
    grass = mix(palette.green, palette.ridge(0.6), 0.18)
    for i in range(-8, 9):
        shade = grass if i % 2 else mix(grass, palette.snow, 0.08)
        canvas.polygon(
            [
                (600 + i * 95, 340),
                (600 + (i + 1) * 95, 340),
                (600 + (i + 1) * 235, 800),
                (600 + i * 235, 800),
            ],
            shade,
        )
    chalk = mix(palette.snow, grass, 0.12)
    canvas.line([(0, 352), (WIDTH, 352)], chalk, 3)
    canvas.line([(600, 352), (600, 800)], chalk, 5)
    ring = [(600 + 240 * math.cos(a / 20), 590 + 104 * math.sin(a / 20)) for a in range(127)]
    canvas.line(ring, chalk, 5)
    canvas.disc(600, 590, 9, chalk, 0.5)
    for x in (130.0, 1070.0):
        canvas.box(x - 4, 40, x + 4, 340, mix(palette.ink, palette.shade, 0.3))
        canvas.glow(x, 50, 210, palette.window, 0.7)
        for k in range(8):
            canvas.disc(
                x - 30 + (k % 4) * 20, 36 + (k // 4) * 22, 8, mix(palette.window, palette.snow, 0.6)
            )
    ball = (600 + rng.uniform(-190, 190), rng.uniform(610, 690))
    canvas.disc(ball[0] + 10, ball[1] + 24, 28, mix(grass, palette.ink, 0.5), 0.3)
    canvas.disc(ball[0], ball[1], 25, palette.snow)
    canvas.polygon(star(ball[0], ball[1], 11, 9, 5), palette.ink)
    for k in range(5):
        angle = math.radians(72 * k - 90)
        canvas.disc(
            ball[0] + 20 * math.cos(angle), ball[1] + 20 * math.sin(angle), 4.5, palette.ink
        )
