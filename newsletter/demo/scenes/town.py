"""A town on its hill, a lane of shops."""

import math
from random import Random

from newsletter.demo.scenes.backdrop import paint_sky, sprinkle_stars
from newsletter.demo.scenes.canvas import HEIGHT, WIDTH, Canvas, down_to, ridge
from newsletter.demo.scenes.palettes import Colour, Palette, mix


def draw_town(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Houses in three rows with lit windows, a domed church among them, hills behind."""
    paint_sky(canvas, palette.sky, 600)
    if palette.dark:
        sprinkle_stars(canvas, rng, 330, palette.snow, palette.sky[0])
    x, y = rng.uniform(160, 1040), rng.uniform(110, 240)
    canvas.glow(x, y, 260, palette.sun, 0.4)
    canvas.disc(x, y, rng.uniform(36, 58), palette.sun)
    canvas.polygon(down_to(ridge(rng, 410, 90, 0.45)), palette.ridge(0.1))
    canvas.polygon(down_to(ridge(rng, 480, 50, 0.5)), palette.ridge(0.25))
    canvas.veil(380, 600, palette.horizon, (0.0, 0.45))
    dome = rng.uniform(260, 940)
    for row in range(3):
        if row == 1:
            _paint_dome(canvas, dome, 600, 84, palette)
        _paint_houses(canvas, rng, palette, row)


def _paint_houses(canvas: Canvas, rng: Random, palette: Palette, row: int) -> None:
    depth = row / 2
    base_lit = mix(palette.lit, palette.ridge(0.2), 0.62 - 0.5 * depth)
    base_shade = mix(palette.shade, palette.ridge(0.2), 0.62 - 0.5 * depth)
    ground = 590 + 130 * row
    x = -rng.uniform(0, 60)
    while x < WIDTH:
        wide = rng.uniform(70, 130) * (0.8 + 0.4 * depth)
        tall = rng.uniform(90, 230) * (1.15 - 0.25 * depth)
        side = wide * rng.uniform(0.24, 0.36)
        tint = rng.uniform(-0.08, 0.16)
        lit = mix(base_lit, palette.snow if tint > 0 else palette.ink, abs(tint))
        shade = mix(base_shade, palette.ink, rng.uniform(0, 0.15))
        top = ground - tall
        canvas.box(x, top, x + wide - side, HEIGHT, lit)
        canvas.box(x + wide - side, top, x + wide, HEIGHT, shade)
        _paint_roof(canvas, rng, palette, (x, top, wide, side))
        _paint_windows(canvas, rng, palette, (x, top, wide - side, ground + 200), lit)
        x += wide + (rng.uniform(4, 16) if rng.random() < 0.3 else 0)


def _paint_roof(
    canvas: Canvas, rng: Random, palette: Palette, place: tuple[float, float, float, float]
) -> None:
    x, top, wide, side = place
    kind = rng.random()
    front = wide - side
    tile = mix(palette.accent, palette.shade, 0.45)
    if kind < 0.38:
        rise = wide * rng.uniform(0.26, 0.4)
        canvas.polygon(
            [(x - 4, top), (x + front / 2, top - rise), (x + front, top)],
            mix(tile, palette.lit, 0.25),
        )
        canvas.polygon(
            [
                (x + front, top),
                (x + front / 2, top - rise),
                (x + front / 2 + side, top - rise),
                (x + wide + 4, top),
            ],
            tile,
        )
    elif kind < 0.6:
        canvas.box(x - 4, top - 9, x + wide + 4, top, mix(palette.shade, palette.ink, 0.3))
        tank = x + wide * rng.uniform(0.2, 0.6)
        canvas.box(tank, top - 32, tank + 22, top - 9, mix(palette.shade, palette.ink, 0.15))
        canvas.line(
            [(tank + 40, top - 9), (tank + 40, top - 46)], mix(palette.ink, palette.shade, 0.4), 1.6
        )
    else:
        canvas.box(x - 3, top - 7, x + wide + 3, top, mix(palette.lit, palette.snow, 0.3))


def _paint_windows(
    canvas: Canvas,
    rng: Random,
    palette: Palette,
    wall: tuple[float, float, float, float],
    lit: Colour,
) -> None:
    left, top, wide, bottom = wall
    columns = max(2, int(wide / 26))
    gap = wide / columns
    arched = rng.random() < 0.35
    dark = mix(lit, palette.ink, 0.42)
    y = top + 18
    while y < min(bottom, HEIGHT):
        for i in range(columns):
            x = left + gap * (i + 0.5)
            on = rng.random() < (0.5 if palette.dark else 0.0)
            colour = palette.window if on else dark
            if not palette.dark:
                colour = (
                    palette.window if rng.random() < 0.8 else mix(palette.window, palette.snow, 0.4)
                )
            if arched:
                canvas.disc(x, y + 3, 6, colour)
            canvas.box(x - 6, y + 2, x + 6, y + 18, colour)
        y += 36


def _paint_dome(canvas: Canvas, x: float, foot: float, size: float, palette: Palette) -> None:
    """A church in the old manner: a many-sided drum under a pleated cone."""
    lit, shade = mix(palette.lit, palette.snow, 0.15), palette.shade
    canvas.box(x - size, foot - size * 2.0, x, HEIGHT, lit)
    canvas.box(x, foot - size * 2.0, x + size, HEIGHT, shade)
    canvas.polygon(
        [(x - size * 1.08, foot - size * 2), (x, foot - size * 2.7), (x, foot - size * 2)],
        mix(lit, shade, 0.35),
    )
    canvas.polygon(
        [(x + size * 1.08, foot - size * 2), (x, foot - size * 2.7), (x, foot - size * 2)],
        mix(shade, palette.ink, 0.2),
    )
    sides = 8
    drum, top = size * 0.58, foot - size * 2.35
    for i in range(sides):
        first, second = (-math.cos(math.pi * (i + d) / sides) * drum for d in (0, 1))
        tone = mix(lit, shade, (i + 0.5) / sides)
        canvas.box(x + first, top - size * 0.95, x + second, top, tone)
        middle = x + (first + second) / 2
        if 1 <= i <= 6:
            canvas.box(
                middle - 3,
                top - size * 0.72,
                middle + 3,
                top - size * 0.3,
                mix(tone, palette.ink, 0.55),
            )
        cone = mix(mix(lit, palette.accent, 0.25), palette.ink, 0.1 + 0.45 * i / sides)
        canvas.polygon(
            [
                (x + first * 1.12, top - size * 0.95),
                (x, top - size * 2.1),
                (x + second * 1.12, top - size * 0.95),
            ],
            cone,
        )
    canvas.line([(x, top - size * 2.1), (x, top - size * 2.42)], palette.window, 3)
    canvas.line([(x - 9, top - size * 2.3), (x + 9, top - size * 2.3)], palette.window, 3)


def draw_lane(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """A street of shopfronts with awnings, strings of lamps above it."""
    paint_sky(canvas, palette.sky, 560)
    if palette.dark:
        sprinkle_stars(canvas, rng, 260, palette.snow, palette.sky[0])
    canvas.polygon(down_to(ridge(rng, 330, 50, 0.45)), palette.ridge(0.2))
    x = -rng.uniform(0, 80)
    while x < WIDTH:
        wide = rng.uniform(210, 300)
        _paint_shop(canvas, rng, palette, (x, rng.uniform(150, 300), wide))
        x += wide
    canvas.box(0, 690, WIDTH, HEIGHT, mix(palette.shade, palette.ink, 0.5))
    canvas.box(0, 690, WIDTH, 702, mix(palette.lit, palette.shade, 0.5))
    for _ in range(50):
        y = rng.uniform(712, 798)
        left = rng.uniform(-40, WIDTH)
        canvas.box(
            left, y, left + rng.uniform(20, 90), y + 2.5, mix(palette.shade, palette.window, 0.18)
        )
    for string in range(3):
        _paint_lamps(canvas, palette, 60 + 66 * string + rng.uniform(-12, 12), rng.uniform(60, 100))


def _paint_shop(
    canvas: Canvas, rng: Random, palette: Palette, place: tuple[float, float, float]
) -> None:
    x, top, wide = place
    wall = mix(
        mix(palette.lit, rng.choice(palette.cloth), 0.28), palette.ink, 0.12 if palette.dark else 0
    )
    canvas.box(x, top, x + wide, 700, wall)
    canvas.box(x - 4, top - 12, x + wide + 4, top, mix(wall, palette.snow, 0.35))
    _paint_shutters(canvas, rng, palette, (x, top, wide), wall)
    glass = palette.window if palette.dark else mix(palette.window, palette.snow, 0.25)
    canvas.box(x + 22, 556, x + wide - 86, 672, glass)
    canvas.box(x + 22, 634, x + wide - 86, 640, mix(glass, palette.ink, 0.5))
    for i in range(int((wide - 124) / 22)):
        tall = rng.uniform(16, 44)
        left = x + 30 + i * 22
        canvas.box(left, 634 - tall, left + 15, 634, mix(rng.choice(palette.cloth), glass, 0.15))
    canvas.box(x + wide - 70, 548, x + wide - 20, 692, mix(palette.ink, palette.accent, 0.3))
    canvas.box(x + wide - 60, 562, x + wide - 30, 620, mix(glass, palette.ink, 0.15))
    stripe = rng.choice(palette.cloth)
    stripes = 9
    step = (wide - 20) / stripes
    for i in range(stripes):
        left = x + 10 + i * step
        colour = stripe if i % 2 == 0 else palette.cloth[4 if not palette.dark else 2]
        if palette.dark:
            colour = mix(colour, palette.ink, 0.2)
        canvas.polygon(
            [(left + 4, 500), (left + step + 4, 500), (left + step, 542), (left, 542)], colour
        )
        canvas.disc(left + step / 2, 542, step / 2, colour, 0.6)


def _paint_shutters(
    canvas: Canvas, rng: Random, palette: Palette, place: tuple[float, float, float], wall: Colour
) -> None:
    x, top, wide = place
    count = max(2, int(wide / 84))
    shutter = mix(rng.choice(palette.cloth), palette.ink, 0.25)
    y = top + 34
    while y < 440:
        for i in range(count):
            middle = x + wide * (i + 0.5) / count
            on = palette.dark and rng.random() < 0.55
            pane = palette.window if on else mix(wall, palette.ink, 0.55)
            canvas.disc(middle, y + 3, 15, pane)
            canvas.box(middle - 15, y, middle + 15, y + 54, pane)
            canvas.line([(middle, y - 12), (middle, y + 54)], mix(wall, palette.snow, 0.3), 2)
            for turn in (-1, 1):
                canvas.box(middle + turn * 24 - 8, y - 8, middle + turn * 24 + 8, y + 56, shutter)
            canvas.box(middle - 34, y + 56, middle + 34, y + 61, mix(wall, palette.snow, 0.4))
        y += 104


def _paint_lamps(canvas: Canvas, palette: Palette, height: float, sag: float) -> None:
    points = []
    for i in range(61):
        share = i / 60
        points.append((WIDTH * share, height + sag * 4 * share * (1 - share)))
    canvas.line(points, mix(palette.ink, palette.shade, 0.3), 2)
    for x, y in points[2::4]:
        canvas.glow(x, y + 9, 34, palette.window, 0.5)
        canvas.disc(x, y + 9, 7, mix(palette.window, (255, 255, 255), 0.3))
