"""Arcades, stages, viaducts, and a dome for looking at the stars."""

import math
from random import Random

from newsletter.demo.scenes.backdrop import (
    paint_clouds,
    paint_heaven,
    paint_range,
    paint_sky,
    sprinkle_stars,
)
from newsletter.demo.scenes.canvas import HEIGHT, WIDTH, Canvas, down_to, ridge, star
from newsletter.demo.scenes.palettes import Colour, Palette, mix


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
        canvas.line(
            _arch((x, spring, floor, half)), mix(wall, light, 0.3 - 0.15 * near), 7 + 15 * near
        )
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
        canvas.polygon(
            [(top - reach, foot), (top, foot - rise), (top + reach, foot)], palette.ridge(0.3)
        )
        canvas.polygon(
            [(top, foot - rise), (top + reach, foot), (top + reach * 0.1, foot)],
            palette.ridge(0.42),
        )
        cap = [
            (top - reach * 0.3, foot - rise * 0.7),
            (top, foot - rise),
            (top + reach * 0.3, foot - rise * 0.7),
        ]
        canvas.polygon(
            [
                *cap,
                (top + reach * 0.1, foot - rise * 0.78),
                (top, foot - rise * 0.66),
                (top - reach * 0.12, foot - rise * 0.76),
            ],
            palette.snow,
        )
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


def _paint_floor_light(canvas: Canvas, centre: float, light: Colour, palette: Palette) -> None:
    """The light that falls through the arches lies on the floor in bars."""
    tone = mix(palette.shade, palette.ink, 0.35)
    for i in range(7):
        near = i / 6
        top = 566 + 230 * near**1.3
        half = 84 + 330 * near
        tall = 9 + 24 * near
        canvas.polygon(
            [
                (centre - half, top),
                (centre + half, top),
                (centre + half * 1.12, top + tall),
                (centre - half * 1.12, top + tall),
            ],
            mix(light, tone, 0.25 + 0.6 * near),
        )


def draw_stage(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Curtains drawn aside, a spot of light on the boards, one chair or none."""
    velvet, gold = palette.cloth[0], mix(palette.window, palette.accent, 0.2)
    canvas.gradient(
        0, HEIGHT, [mix(velvet, palette.ink, 0.8), mix(palette.sky[1], palette.ink, 0.55)]
    )
    canvas.box(0, 600, WIDTH, HEIGHT, mix(palette.ridge(0.55), palette.lit, 0.3))
    for i in range(14):
        y = 600 + 200 * (i / 14) ** 1.5
        canvas.box(0, y, WIDTH, y + 2, mix(palette.ridge(0.6), palette.ink, 0.35))
    spot = rng.uniform(480, 720)
    beam = mix(palette.sky[1], palette.window, 0.35)
    canvas.polygon(
        [(spot - 26, 0), (spot + 26, 0), (spot + 230, 668), (spot - 230, 668)],
        mix(beam, palette.ink, 0.42),
    )
    canvas.polygon(
        [(spot - 16, 0), (spot + 16, 0), (spot + 170, 668), (spot - 170, 668)],
        mix(beam, palette.ink, 0.25),
    )
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
    sprinkle_stars(canvas, rng, 430, mix(palette.snow, palette.sun, 0.3), palette.sky[0])
    pole = (rng.uniform(380, 820), rng.uniform(60, 150))
    for _ in range(70):
        radius, start = rng.uniform(40, 760), rng.uniform(0, 6.28)
        arc = rng.uniform(0.12, 0.34)
        points = [
            (
                pole[0] + radius * math.cos(start + arc * k / 8),
                pole[1] + radius * math.sin(start + arc * k / 8),
            )
            for k in range(9)
        ]
        if all(y < 560 for _, y in points):
            canvas.line(
                points,
                mix(palette.sky[1], palette.snow, rng.uniform(0.25, 0.7)),
                rng.choice((1, 1.4, 2)),
            )
    for i in range(3):
        canvas.polygon(down_to(ridge(rng, 560 + 52 * i, 46, 0.45)), palette.ridge(0.35 + 0.2 * i))
    x = rng.uniform(340, 860)
    wall, shade = (
        mix(palette.snow, palette.sky[1], 0.35),
        mix(palette.snow_shade, palette.ink, 0.35),
    )
    canvas.box(x - 130, 520, x + 130, 690, wall)
    canvas.box(x + 40, 520, x + 130, 690, shade)
    canvas.slice(x, 520, 142, (180, 360), wall)
    canvas.slice(x, 520, 142, (292, 360), shade)
    canvas.polygon([(x - 64, 400), (x - 20, 376), (x + 6, 516), (x - 44, 516)], palette.ink)
    canvas.polygon(
        [(x - 84, 362), (x - 58, 350), (x - 14, 470), (x - 40, 482)],
        mix(palette.snow, palette.ink, 0.3),
    )
    canvas.box(x - 146, 512, x + 146, 528, mix(wall, palette.ink, 0.4))
    canvas.box(x - 96, 590, x - 56, 690, mix(palette.ink, shade, 0.2))
    canvas.box(x - 20, 574, x + 12, 606, palette.window)
    canvas.polygon(down_to(ridge(rng, 700, 26, 0.4)), palette.ridge(1.0))
    canvas.polygon(star(pole[0], pole[1], 12, 3.5, 4), mix(palette.snow, palette.sun, 0.5))


def draw_train(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """A train with lit windows on a viaduct across a valley, the snow-topped mountain behind."""
    horizon = rng.uniform(430, 470)
    light = paint_heaven(canvas, rng, palette, horizon)
    paint_clouds(canvas, rng, palette, horizon, light)
    paint_range(canvas, rng, palette, horizon, light[0])
    for i in range(2):
        canvas.polygon(
            down_to(ridge(rng, horizon + 30 + 44 * i, 30, 0.45)), palette.ridge(0.5 + 0.14 * i)
        )
    deck = 560.0
    stone, dark = mix(palette.lit, palette.ridge(0.6), 0.35), mix(palette.shade, palette.ink, 0.35)
    _paint_viaduct(canvas, deck, stone, dark, palette)
    _paint_carriages(canvas, rng, deck, palette)
    canvas.polygon(down_to(ridge(rng, 770, 26, 0.45)), palette.ridge(1.0))


def _paint_viaduct(
    canvas: Canvas, deck: float, stone: Colour, dark: Colour, palette: Palette
) -> None:
    canvas.box(0, deck, WIDTH, HEIGHT, stone)
    canvas.box(0, deck + 22, WIDTH, deck + 30, dark)
    canvas.box(0, deck - 5, WIDTH, deck + 4, mix(stone, palette.snow, 0.3))
    valley = palette.ridge(0.72)
    for i in range(9):
        middle = 50 + i * 137.5
        canvas.disc(middle, deck + 100, 55, dark)
        canvas.box(middle - 55, deck + 100, middle + 55, HEIGHT, dark)
        canvas.disc(middle + 9, deck + 102, 46, valley)
        canvas.box(middle - 37, deck + 102, middle + 55, HEIGHT, valley)
    canvas.veil(deck + 60, HEIGHT, palette.ridge(0.85), (0.0, 0.75))


def _paint_carriages(canvas: Canvas, rng: Random, deck: float, palette: Palette) -> None:
    body, roof = mix(palette.accent, palette.ink, 0.35), mix(palette.ink, palette.shade, 0.25)
    start = rng.uniform(-250, -60)
    for i in range(7):
        left = start + i * 196
        right = left + 188
        canvas.box(left + 4, deck - 66, right - 4, deck - 14, body)
        canvas.box(left, deck - 74, right, deck - 62, roof)
        canvas.box(left + 4, deck - 30, right - 4, deck - 25, mix(palette.window, body, 0.35))
        for k in range(9):
            x = left + 15 + k * 18.6
            on = rng.random() < 0.86
            canvas.box(x, deck - 56, x + 12, deck - 36, palette.window if on else roof)
        for wheel in (28, 52, 136, 160):
            canvas.disc(left + wheel, deck - 11, 8, roof)
        canvas.box(right - 4, deck - 34, right + 12, deck - 26, roof)
    canvas.glow(start + 600, deck - 46, 420, palette.window, 0.14)
