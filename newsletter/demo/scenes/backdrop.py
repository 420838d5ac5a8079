"""What stands behind: sky, sun, clouds, the mountain, water, trees."""

import math
from collections.abc import Sequence
from random import Random

from newsletter.demo.scenes.canvas import HEIGHT, WIDTH, Canvas, Point, down_to, ridge, wander
from newsletter.demo.scenes.palettes import Colour, Palette, mix


def paint_sky(canvas: Canvas, colours: Sequence[Colour], horizon: float) -> None:
    """The sky down to the horizon, and its last colour below."""
    canvas.box(0, horizon - 1, WIDTH, HEIGHT, colours[-1])
    canvas.gradient(0, horizon, colours)


def sprinkle_stars(canvas: Canvas, rng: Random, bottom: float, light: Colour, sky: Colour) -> None:
    """Stars, fewer and fainter towards the bottom."""
    for _ in range(150):
        y = bottom * rng.random() ** 1.6
        faint = rng.uniform(0.45, 0.95) * (1 - 0.3 * y / bottom)
        canvas.disc(rng.uniform(0, WIDTH), y, rng.choice((0.8, 1.1, 1.5)), mix(sky, light, faint))


def paint_heaven(canvas: Canvas, rng: Random, palette: Palette, horizon: float) -> Point:
    """Sky, stars, sun or moon. Gives the place of the light."""
    paint_sky(canvas, palette.sky, horizon)
    if palette.dark and sum(palette.sky[0]) < 260:
        sprinkle_stars(canvas, rng, horizon * 0.42, palette.snow, palette.sky[0])
    x = rng.choice((rng.uniform(170, 380), rng.uniform(800, 1030)))
    y = horizon * rng.uniform(0.24, 0.5)
    radius = rng.uniform(34, 58)
    canvas.glow(x, y, radius * 5.5, palette.sun, 0.42 if palette.dark else 0.55)
    canvas.disc(x, y, radius, palette.sun)
    return x, y


def paint_clouds(
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


def paint_range(
    canvas: Canvas, rng: Random, palette: Palette, horizon: float, light: float
) -> None:
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


def paint_poplar(canvas: Canvas, x: float, foot: float, height: float, colour: Colour) -> None:
    """A slender tree, as they stand along the fields of the plain."""
    wide = height * 0.115
    canvas.box(x - height * 0.012, foot - height * 0.2, x + height * 0.012, foot, colour)
    outline = []
    for i in range(25):
        share = i / 24
        half = wide * math.sin(math.pi * share) ** 0.7 * (1.15 - 0.55 * share)
        outline.append((half, foot - height * (0.1 + 0.9 * share)))
    canvas.polygon(
        [*((x - w, y) for w, y in outline), *((x + w, y) for w, y in outline[::-1])], colour
    )


def paint_ripples(
    canvas: Canvas, rng: Random, palette: Palette, horizon: float, light: float
) -> None:
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
