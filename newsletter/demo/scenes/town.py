"""Towns, lanes, arcades, stages: what people have built."""

import math
from random import Random

from newsletter.demo.scenes.canvas import (
    HEIGHT,
    WIDTH,
    Canvas,
    down_to,
    paint_sky,
    ridge,
    sprinkle_stars,
    star,
)
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
        canvas.polygon([(x - 4, top), (x + front / 2, top - rise), (x + front, top)], mix(tile, palette.lit, 0.25))
        canvas.polygon(
            [(x + front, top), (x + front / 2, top - rise), (x + front / 2 + side, top - rise), (x + wide + 4, top)],
            tile,
        )  # fmt: skip
    elif kind < 0.6:
        canvas.box(x - 4, top - 9, x + wide + 4, top, mix(palette.shade, palette.ink, 0.3))
        tank = x + wide * rng.uniform(0.2, 0.6)
        canvas.box(tank, top - 32, tank + 22, top - 9, mix(palette.shade, palette.ink, 0.15))
        canvas.line([(tank + 40, top - 9), (tank + 40, top - 46)], mix(palette.ink, palette.shade, 0.4), 1.6)
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
                colour = palette.window if rng.random() < 0.8 else mix(palette.window, palette.snow, 0.4)
            if arched:
                canvas.disc(x, y + 3, 6, colour)
            canvas.box(x - 6, y + 2, x + 6, y + 18, colour)
        y += 36


def _paint_dome(canvas: Canvas, x: float, foot: float, size: float, palette: Palette) -> None:
    """A church in the old manner: a many-sided drum under a pleated cone."""
    lit, shade = mix(palette.lit, palette.snow, 0.15), palette.shade
    canvas.box(x - size, foot - size * 2.0, x, HEIGHT, lit)
    canvas.box(x, foot - size * 2.0, x + size, HEIGHT, shade)
    canvas.polygon([(x - size * 1.08, foot - size * 2), (x, foot - size * 2.7), (x, foot - size * 2)], mix(lit, shade, 0.35))
    canvas.polygon([(x + size * 1.08, foot - size * 2), (x, foot - size * 2.7), (x, foot - size * 2)], mix(shade, palette.ink, 0.2))
    sides = 8
    drum, top = size * 0.58, foot - size * 2.35
    for i in range(sides):
        first, second = (-math.cos(math.pi * (i + d) / sides) * drum for d in (0, 1))
        tone = mix(lit, shade, (i + 0.5) / sides)
        canvas.box(x + first, top - size * 0.95, x + second, top, tone)
        middle = x + (first + second) / 2
        if 1 <= i <= 6:
            canvas.box(middle - 3, top - size * 0.72, middle + 3, top - size * 0.3, mix(tone, palette.ink, 0.55))
        cone = mix(mix(lit, palette.accent, 0.25), palette.ink, 0.1 + 0.45 * i / sides)
        canvas.polygon(
            [(x + first * 1.12, top - size * 0.95), (x, top - size * 2.1), (x + second * 1.12, top - size * 0.95)],
            cone,
        )  # fmt: skip
    canvas.line([(x, top - size * 2.1), (x, top - size * 2.42)], palette.window, 3)
    canvas.line([(x - 9, top - size * 2.3), (x + 9, top - size * 2.3)], palette.window, 3)


def draw_arcade(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Arches one behind another, light at the far end, lamps between."""
    light = mix(palette.sun, palette.sky[-1], 0.35)
    canvas.box(0, 0, WIDTH, HEIGHT, mix(palette.shade, palette.ink, 0.55))
    centre = rng.uniform(540, 660)
    depth = 6
    for i in range(depth, -1, -1):
        near = 1 - i / depth
        half = 92 + 430 * near**1.35
        spring = 430 - 150 * near
        floor = 560 + 300 * near**1.2
        x = centre + (600 - centre) * near
        wall = mix(mix(palette.lit, light, 0.4), mix(palette.shade, palette.ink, 0.45), near**0.8)
        if i == depth:
            canvas.gradient(0, 620, palette.sky)
            _paint_opening(canvas, (x, spring, floor, half), palette)
            continue
        _paint_wall_with_arch(canvas, (x, spring, floor, half), wall)
        _paint_arch_edge(canvas, (x, spring, floor, half), mix(wall, light, 0.3 - 0.15 * near), 7 + 15 * near)
    _paint_floor_light(canvas, centre, light, palette)


def _paint_opening(
    canvas: Canvas, shape: tuple[float, float, float, float], palette: Palette
) -> None:
    x, _, floor, half = shape
    canvas.glow(x, floor - 190, 330, palette.sun, 0.6)
    canvas.disc(x + half * 0.3, floor - 250, 26, palette.sun)
    foot = floor - 40
    for shift, rise, wide in ((-0.15, 118, 0.95), (0.62, 62, 0.6)):
        top, reach = x + half * shift, half * wide
        canvas.polygon([(top - reach, foot), (top, foot - rise), (top + reach, foot)], palette.ridge(0.3))
        canvas.polygon([(top, foot - rise), (top + reach, foot), (top + reach * 0.1, foot)], palette.ridge(0.42))
        cap = [(top - reach * 0.3, foot - rise * 0.7), (top, foot - rise), (top + reach * 0.3, foot - rise * 0.7)]
        canvas.polygon([*cap, (top + reach * 0.1, foot - rise * 0.78), (top, foot - rise * 0.66), (top - reach * 0.12, foot - rise * 0.76)], palette.snow)
    canvas.box(x - half * 2, foot - 2, x + half * 2, floor + 20, palette.ridge(0.6))


def _arch(shape: tuple[float, float, float, float]) -> list[tuple[float, float]]:
    """The opening's outline from the left foot over the top to the right foot, a little pointed."""
    x, spring, floor, half = shape
    curve = []
    for i in range(41):
        angle = math.pi * i / 40
        lift = 1 + 0.16 * math.sin(angle) ** 8
        curve.append((x - half * math.cos(angle), spring - half * 0.98 * math.sin(angle) * lift))
    return [(x - half, floor), *curve, (x + half, floor)]


def _paint_wall_with_arch(
    canvas: Canvas, shape: tuple[float, float, float, float], wall: Colour
) -> None:
    outline = _arch(shape)
    x, floor = shape[0], shape[2]
    middle = len(outline) // 2
    canvas.polygon([(0, 0), (x, 0), *reversed(outline[: middle + 1]), (0, floor)], wall)
    canvas.polygon([(WIDTH, 0), (x, 0), *outline[middle:], (WIDTH, floor)], wall)
    canvas.box(0, floor, WIDTH, HEIGHT, mix(wall, (0, 0, 0), 0.18))


def _paint_arch_edge(
    canvas: Canvas, shape: tuple[float, float, float, float], colour: Colour, width: float
) -> None:
    canvas.line(_arch(shape), colour, width)


def _paint_floor_light(canvas: Canvas, centre: float, light: Colour, palette: Palette) -> None:
    """The light that falls through the arches lies on the floor in bars."""
    tone = mix(palette.shade, palette.ink, 0.35)
    for i in range(7):
        near = i / 6
        top = 566 + 230 * near**1.3
        half = 84 + 330 * near
        tall = 9 + 24 * near
        canvas.polygon(
            [(centre - half, top), (centre + half, top), (centre + half * 1.12, top + tall), (centre - half * 1.12, top + tall)],
            mix(light, tone, 0.25 + 0.6 * near),
        )  # fmt: skip


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
        canvas.box(left, y, left + rng.uniform(20, 90), y + 2.5, mix(palette.shade, palette.window, 0.18))
    for string in range(3):
        _paint_lamps(canvas, palette, 60 + 66 * string + rng.uniform(-12, 12), rng.uniform(60, 100))


def _paint_shop(
    canvas: Canvas, rng: Random, palette: Palette, place: tuple[float, float, float]
) -> None:
    x, top, wide = place
    wall = mix(mix(palette.lit, rng.choice(palette.cloth), 0.28), palette.ink, 0.12 if palette.dark else 0)
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
        canvas.polygon([(left + 4, 500), (left + step + 4, 500), (left + step, 542), (left, 542)], colour)
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


def draw_stage(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Curtains drawn aside, a spot of light on the boards, one chair or none."""
    velvet, gold = palette.cloth[0], mix(palette.window, palette.accent, 0.2)
    canvas.gradient(0, HEIGHT, [mix(velvet, palette.ink, 0.8), mix(palette.sky[1], palette.ink, 0.55)])
    canvas.box(0, 600, WIDTH, HEIGHT, mix(palette.ridge(0.55), palette.lit, 0.3))
    for i in range(14):
        y = 600 + 200 * (i / 14) ** 1.5
        canvas.box(0, y, WIDTH, y + 2, mix(palette.ridge(0.6), palette.ink, 0.35))
    spot = rng.uniform(480, 720)
    beam = mix(palette.sky[1], palette.window, 0.35)
    canvas.polygon([(spot - 26, 0), (spot + 26, 0), (spot + 230, 668), (spot - 230, 668)], mix(beam, palette.ink, 0.42))
    canvas.polygon([(spot - 16, 0), (spot + 16, 0), (spot + 170, 668), (spot - 170, 668)], mix(beam, palette.ink, 0.25))
    canvas.disc(spot, 668, 232, mix(palette.window, palette.ridge(0.6), 0.35), 0.2)
    canvas.disc(spot, 668, 180, mix(palette.window, palette.snow, 0.3), 0.2)
    _paint_chair(canvas, spot, 668, mix(palette.ink, palette.accent, 0.15))
    for side in (1, -1):
        _paint_curtain(canvas, rng, velvet, palette, side)
    for i in range(13):
        x = WIDTH * i / 12
        canvas.disc(x, 26, 62, mix(velvet, palette.ink, 0.12 + 0.2 * (i % 2)), 1.15)
        canvas.line([(x - 62, 30), (x - 40, 78), (x, 98), (x + 40, 78), (x + 62, 30)], gold, 4)
    canvas.box(0, 0, WIDTH, 34, mix(velvet, palette.ink, 0.35))


def _paint_chair(canvas: Canvas, x: float, y: float, wood: Colour) -> None:
    canvas.disc(x, y + 4, 62, mix(wood, (90, 70, 50), 0.3), 0.18)
    canvas.box(x - 40, y - 176, x - 32, y, wood)
    canvas.box(x + 30, y - 86, x + 38, y, wood)
    canvas.box(x - 40, y - 92, x + 38, y - 82, wood)
    for i in range(3):
        canvas.box(x - 40, y - 170 + i * 26, x - 14, y - 160 + i * 26, wood)
    canvas.box(x - 18, y - 176, x - 12, y - 86, wood)


def _paint_curtain(
    canvas: Canvas, rng: Random, velvet: Colour, palette: Palette, side: int
) -> None:
    """Folds that hang down and are gathered to the side at a third of the height."""
    folds = 8
    edge = 0 if side > 0 else WIDTH
    for i in range(folds, 0, -1):
        wide = 390 * i / folds + rng.uniform(-6, 6)
        outer = []
        for k in range(31):
            share = k / 30
            pull = math.exp(-(((share - 0.66) / 0.2) ** 2))
            reach = wide * (1 - 0.55 * pull) * (1 - 0.1 * share)
            outer.append((edge + side * reach, 760 * share))
        tone = mix(velvet, palette.ink, 0.42) if i % 2 else mix(velvet, palette.snow, 0.07)
        canvas.polygon([(edge, 0), *outer, (edge, 760)], tone)


def draw_observatory(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """A dome with its slit open under the turning sky."""
    paint_sky(canvas, palette.sky, 660)
    sprinkle_stars(canvas, rng, 640, mix(palette.snow, palette.sun, 0.3), palette.sky[0])
    pole = (rng.uniform(380, 820), rng.uniform(60, 150))
    for _ in range(70):
        radius, start = rng.uniform(40, 760), rng.uniform(0, 6.28)
        arc = rng.uniform(0.12, 0.34)
        points = [
            (pole[0] + radius * math.cos(start + arc * k / 8), pole[1] + radius * math.sin(start + arc * k / 8))
            for k in range(9)
        ]
        if all(y < 560 for _, y in points):
            canvas.line(points, mix(palette.sky[1], palette.snow, rng.uniform(0.25, 0.7)), rng.choice((1, 1.4, 2)))
    for i in range(3):
        canvas.polygon(down_to(ridge(rng, 560 + 52 * i, 46, 0.45)), palette.ridge(0.35 + 0.2 * i))
    x = rng.uniform(340, 860)
    wall, shade = mix(palette.snow, palette.sky[1], 0.35), mix(palette.snow_shade, palette.ink, 0.35)
    canvas.box(x - 130, 520, x + 130, 690, wall)
    canvas.box(x + 40, 520, x + 130, 690, shade)
    canvas.slice(x, 520, 142, (180, 360), wall)
    canvas.slice(x, 520, 142, (292, 360), shade)
    canvas.polygon([(x - 64, 400), (x - 20, 376), (x + 6, 516), (x - 44, 516)], palette.ink)
    canvas.polygon([(x - 84, 362), (x - 58, 350), (x - 14, 470), (x - 40, 482)], mix(palette.snow, palette.ink, 0.3))
    canvas.box(x - 146, 512, x + 146, 528, mix(wall, palette.ink, 0.4))
    canvas.box(x - 96, 590, x - 56, 690, mix(palette.ink, shade, 0.2))
    canvas.box(x - 20, 574, x + 12, 606, palette.window)
    canvas.polygon(down_to(ridge(rng, 700, 26, 0.4)), palette.ridge(1.0))
    canvas.polygon(star(pole[0], pole[1], 12, 3.5, 4), mix(palette.snow, palette.sun, 0.5))
