"""Mountains, lakes, vineyards, orchards, roads, the sea."""

import math
from random import Random

from newsletter.demo.scenes.canvas import (
    HEIGHT,
    WIDTH,
    Canvas,
    Point,
    down_to,
    height_at,
    paint_sky,
    ridge,
    sprinkle_stars,
    wander,
)
from newsletter.demo.scenes.palettes import Colour, Palette, mix


def _paint_heaven(canvas: Canvas, rng: Random, palette: Palette, horizon: float) -> Point:
    """Sky, stars, sun or moon. Gives the place of the light."""
    paint_sky(canvas, palette.sky, horizon)
    if palette.dark and sum(palette.sky[0]) < 260:
        sprinkle_stars(canvas, rng, horizon * 0.7, palette.snow, palette.sky[0])
    x = rng.choice((rng.uniform(170, 380), rng.uniform(800, 1030)))
    y = horizon * rng.uniform(0.24, 0.5)
    radius = rng.uniform(34, 58)
    canvas.glow(x, y, radius * 5.5, palette.sun, 0.42 if palette.dark else 0.55)
    canvas.disc(x, y, radius, palette.sun)
    return x, y


def _paint_clouds(
    canvas: Canvas, rng: Random, palette: Palette, horizon: float, light: Point
) -> None:
    """Long flat clouds that keep clear of the sun."""
    for _ in range(rng.randint(4, 6)):
        x, y = rng.uniform(-100, WIDTH - 200), horizon * rng.uniform(0.1, 0.68)
        if abs(y + 9 - light[1]) < 92:
            continue
        length = rng.uniform(240, 520)
        tint = mix(palette.sky[1], palette.sky[-1], rng.uniform(0.35, 0.7))
        for row in range(3):
            left = x + rng.uniform(0, 90)
            right = left + length * rng.uniform(0.5, 0.9)
            thick = 7 - row
            top = y + row * 9
            canvas.box(left, top - thick, right, top + thick, tint)
            canvas.disc(left, top, thick, tint)
            canvas.disc(right, top, thick, tint)


def _peak(rng: Random, x: float, base: float, height: float, half: float) -> list[Point]:
    """A mountain's outline: steeper near the top, with a broken edge."""
    steps = 64
    rough = wander(rng, steps * 2, 0.55)
    line = []
    for i in range(-steps, steps + 1):
        away = abs(i) / steps
        rise = (1 - away) ** 1.35
        shake = rough[i + steps] * height * 0.045 * (0.25 + away * (1 - away) * 4)
        line.append((x + half * i / steps, base - height * rise - shake))
    return line


def _paint_peak(
    canvas: Canvas, rng: Random, palette: Palette, line: list[Point], snow: float, light: float
) -> None:
    """A mountain, its shaded flank away from the light, and snow above ``snow``."""
    body = palette.ridge(0.32)
    top = min(line, key=lambda p: p[1])
    base = line[0][1]
    canvas.polygon(line, body)
    side = 1 if light < top[0] else -1
    flank = [p for p in line if (p[0] - top[0]) * side >= 0]
    edge = []
    for i in range(13):
        y = top[1] + (base - top[1]) * i / 12
        edge.append((top[0] + side * (i * 5 + rng.uniform(-11, 11)), y))
    shadow = [*flank, *reversed(edge)] if side > 0 else [*edge, *flank]
    canvas.polygon(shadow, mix(body, palette.ink, 0.22))
    cap = [p for p in line if p[1] < snow]
    if len(cap) > 4:
        _paint_snow(canvas, rng, palette, cap, (top, side, edge))


def _paint_snow(
    canvas: Canvas,
    rng: Random,
    palette: Palette,
    cap: list[Point],
    shape: tuple[Point, int, list[Point]],
) -> None:
    """Snow hangs down in tongues, long ones in the gullies."""
    top, side, edge = shape
    left, right = cap[0], cap[-1]
    depth = max(left[1], right[1]) - top[1]
    teeth = max(6, int((right[0] - left[0]) / 20))
    fringe = []
    for i in range(teeth + 1):
        x = right[0] + (left[0] - right[0]) * i / teeth
        line = right[1] + (left[1] - right[1]) * i / teeth
        drop = rng.uniform(0.02, 0.32) * depth * (1 if i % 2 else -0.25)
        inside = min(i, teeth - i) > 0
        fringe.append((x, line + (drop if inside else 0)))
    canvas.polygon([*cap, *fringe], palette.snow)
    bound = max(y for _, y in fringe)
    core = [p for p in edge if p[1] <= bound]
    shaded_cap = [p for p in cap if (p[0] - top[0]) * side >= 0]
    shaded_fringe = [p for p in fringe if (p[0] - top[0]) * side >= 8]
    if len(shaded_cap) > 2 and len(core) > 1:
        shaded = (
            [*shaded_cap, *shaded_fringe, *reversed(core)]
            if side > 0
            else [*shaded_fringe, *core[::-1], *shaded_cap[::-1]]
        )
        if side < 0:
            shaded = [*core, *reversed(shaded_cap), *reversed(shaded_fringe)]
        canvas.polygon(shaded, palette.snow_shade)


def _paint_range(canvas: Canvas, rng: Random, palette: Palette, horizon: float, light: float) -> None:
    """The great peak and the lesser one beside it, behind a band of haze."""
    middle = rng.uniform(420, 640)
    turn = rng.choice((1, -1))
    centre = middle if turn > 0 else WIDTH - middle
    lesser = _peak(rng, centre + turn * 350, horizon + 12, horizon * 0.44, 330)
    greater = _peak(rng, centre, horizon + 12, horizon * 0.72, 520)
    canvas.polygon(down_to(ridge(rng, horizon - 46, 30), horizon + 20), palette.ridge(0.0))
    _paint_peak(canvas, rng, palette, lesser, horizon * 0.68, light)
    _paint_peak(canvas, rng, palette, greater, horizon * 0.56, light)
    canvas.veil(horizon - 120, horizon + 14, palette.horizon, (0.0, 0.55))
    plain = mix(palette.ridge(0.36), palette.horizon, 0.3)
    canvas.polygon(down_to(ridge(rng, horizon + 4, 7, 0.4)), plain)


def _poplar(canvas: Canvas, x: float, foot: float, height: float, colour: Colour) -> None:
    """A slender tree, as they stand along the fields of the plain."""
    wide = height * 0.115
    canvas.box(x - height * 0.012, foot - height * 0.2, x + height * 0.012, foot, colour)
    outline = []
    for i in range(25):
        share = i / 24
        half = wide * math.sin(math.pi * share) ** 0.7 * (1.15 - 0.55 * share)
        outline.append((half, foot - height * (0.1 + 0.9 * share)))
    canvas.polygon([*((x - w, y) for w, y in outline), *((x + w, y) for w, y in outline[::-1])], colour)


def draw_mountain(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """The snow-topped mountain above layers of hills, poplars in front."""
    horizon = rng.uniform(480, 540)
    light = _paint_heaven(canvas, rng, palette, horizon)
    _paint_clouds(canvas, rng, palette, horizon, light)
    _paint_range(canvas, rng, palette, horizon, light[0])
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
                    _poplar(canvas, x, height_at(line, x) + 4, size, palette.ridge(0.62 + 0.2 * i))


def _paint_ripples(canvas: Canvas, rng: Random, palette: Palette, horizon: float, light: float) -> None:
    """Strokes of light on water, wider towards us."""
    for _ in range(170):
        depth = rng.random() ** 1.4
        y = horizon + 5 + (HEIGHT - horizon) * depth
        length = 14 + 120 * depth * rng.uniform(0.3, 1)
        spread = 34 + 210 * depth
        near = rng.random() < 0.45
        x = rng.gauss(light, spread) if near else rng.uniform(-60, WIDTH)
        tint = mix(palette.sky[-2], palette.sun, 0.75 if near else 0.2)
        canvas.box(x - length / 2, y, x + length / 2, y + 1 + 2 * depth, tint)


def _church(canvas: Canvas, x: float, foot: float, size: float, colours: tuple[Colour, Colour]) -> None:
    """A small domed church: nave, drum, pointed cone, each with a shaded half."""
    lit, shade = colours
    canvas.polygon(
        [(x - size, foot), (x - size, foot - size * 0.62), (x - size * 0.5, foot - size * 0.95),
         (x, foot - size * 0.62), (x, foot)],
        lit,
    )  # fmt: skip
    canvas.polygon(
        [(x, foot), (x, foot - size * 0.62), (x - size * 0.5, foot - size * 0.95),
         (x + size * 0.55, foot - size * 0.95), (x + size, foot - size * 0.62), (x + size, foot)],
        shade,
    )  # fmt: skip
    canvas.box(x - size * 0.3, foot - size * 1.5, x, foot - size * 0.85, lit)
    canvas.box(x, foot - size * 1.5, x + size * 0.3, foot - size * 0.85, shade)
    tip = (x, foot - size * 2.25)
    canvas.polygon([(x - size * 0.38, foot - size * 1.5), tip, (x, foot - size * 1.5)], mix(lit, shade, 0.3))
    canvas.polygon([(x, foot - size * 1.5), tip, (x + size * 0.38, foot - size * 1.5)], mix(shade, (0, 0, 0), 0.2))
    canvas.box(x - size * 0.09, foot - size * 0.36, x + size * 0.09, foot, mix(shade, (0, 0, 0), 0.45))
    canvas.box(x - size * 0.62, foot - size * 0.5, x - size * 0.54, foot - size * 0.26, mix(shade, (0, 0, 0), 0.4))


def draw_lake(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """A lake below the hills, a church on its headland, a boat or two."""
    horizon = rng.uniform(400, 450)
    light = _paint_heaven(canvas, rng, palette, horizon)
    _paint_clouds(canvas, rng, palette, horizon, light)
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
    _paint_ripples(canvas, rng, palette, horizon, light[0])
    for boat in range(rng.randint(1, 3)):
        x = WIDTH / 2 + side * rng.uniform(20, 420)
        y = horizon + 70 + boat * 95 + rng.uniform(0, 50)
        _paint_boat(canvas, x, y, 26 + 26 * boat, palette)


def _paint_boat(canvas: Canvas, x: float, y: float, size: float, palette: Palette) -> None:
    hull = mix(palette.ink, palette.accent, 0.35)
    sail = palette.snow if not palette.dark else mix(palette.snow, palette.sky[-1], 0.4)
    canvas.polygon([(x - 3, y - size * 2.3), (x - 3, y - 6), (x - size * 0.95, y - 6)], mix(sail, palette.shade, 0.3))
    canvas.polygon([(x + 2, y - size * 2.5), (x + 2, y - 6), (x + size * 1.15, y - 6)], sail)
    canvas.polygon(
        [(x - size * 1.2, y - 3), (x + size * 1.35, y - 3), (x + size * 0.8, y + size * 0.4), (x - size * 0.8, y + size * 0.4)],
        hull,
    )  # fmt: skip
    canvas.box(x - size * 0.9, y + size * 0.4 + 4, x + size * 0.9, y + size * 0.4 + 7, mix(hull, palette.sky[1], 0.4))


def draw_vineyard(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Rows of vines running away towards the mountain."""
    horizon = rng.uniform(380, 430)
    light = _paint_heaven(canvas, rng, palette, horizon)
    _paint_range(canvas, rng, palette, horizon, light[0])
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
        _poplar(canvas, x, height_at(hill, x) + 3, rng.uniform(34, 70), palette.ridge(0.8))


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
            canvas.disc(x - size * 0.2, y - size * 0.55, size * 0.55, mix(leaf, (255, 244, 200), 0.16), 0.7)


def draw_orchard(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Round fruit trees on a slope, full of fruit, hills behind."""
    horizon = rng.uniform(330, 380)
    light = _paint_heaven(canvas, rng, palette, horizon)
    _paint_range(canvas, rng, palette, horizon, light[0])
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
        [(x - size * 0.1, y), (x - size * 0.05, y - size), (x + size * 0.05, y - size), (x + size * 0.12, y)],
        mix(ink, green, 0.12),
    )  # fmt: skip
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
        fx, fy = x + size * reach * math.cos(angle), y - size * (1.45 + 0.72 * reach * math.sin(angle))
        canvas.disc(fx, fy, max(2.0, size * 0.085), fruit)
        canvas.disc(fx - size * 0.02, fy - size * 0.025, max(0.8, size * 0.03), mix(fruit, (255, 255, 255), 0.4))


def draw_road(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """A road winding up into the hills, one small bus on it."""
    horizon = rng.uniform(390, 440)
    light = _paint_heaven(canvas, rng, palette, horizon)
    _paint_clouds(canvas, rng, palette, horizon, light)
    _paint_range(canvas, rng, palette, horizon, light[0])
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
    canvas.box(x - size * 1.2, y - size * 1.15, x + size * 1.2, y - size * 1.02, mix(palette.accent, palette.snow, 0.6))
    for i in range(5):
        left = x - size * 1.08 + i * size * 0.45
        canvas.box(left, y - size * 0.92, left + size * 0.36, y - size * 0.52, palette.window)
    for wheel in (-0.72, 0.72):
        canvas.disc(x + wheel * size, y - size * 0.06, size * 0.22, palette.ink)
        canvas.disc(x + wheel * size, y - size * 0.06, size * 0.09, palette.snow_shade)


def draw_sea(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Waves in rows, a ship on the line between water and sky."""
    horizon = rng.uniform(360, 420)
    light = _paint_heaven(canvas, rng, palette, horizon)
    _paint_clouds(canvas, rng, palette, horizon, light)
    water = mix(palette.sky[0], palette.ridge(0.4), 0.35)
    canvas.box(0, horizon, WIDTH, HEIGHT, water)
    _paint_ship(canvas, rng.uniform(280, 920), horizon + 6, palette)
    _paint_ripples(canvas, rng, palette, horizon, light[0])
    for i in range(9):
        depth = (i + 1) / 9
        y = horizon + 24 + (HEIGHT - horizon - 30) * depth**1.5
        tall, long = 4 + 20 * depth, 60 + 190 * depth
        phase = rng.uniform(0, 2 * math.pi)
        crest = [
            (x, y - tall * abs(math.sin(phase + x * math.pi / long)) ** 1.6) for x in range(0, 1205, 6)
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
