"""On the table: pomegranates, bread, letters."""

import math
from random import Random

from newsletter.demo.scenes.canvas import HEIGHT, WIDTH, Canvas, paint_lozenge, star
from newsletter.demo.scenes.palettes import Colour, Palette, mix

RED, DEEP, SEED = (168, 34, 44), (112, 16, 34), (206, 42, 66)
CRUST, CRUMB, CHAR = (196, 128, 62), (236, 194, 128), (120, 66, 30)


def draw_fruit(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Pomegranates on a table by a window, one cut open, a bowl of them behind."""
    wall = mix(palette.sky[2], palette.lit, 0.35)
    canvas.gradient(0, 560, [mix(wall, palette.ink, 0.35), mix(wall, palette.snow, 0.1)])
    _paint_window(canvas, rng.choice((150.0, 800.0)), palette)
    cloth = mix(palette.cloth[1], palette.snow, 0.2)
    if palette.dark:
        cloth = mix(cloth, palette.shade, 0.4)
    canvas.box(0, 540, WIDTH, HEIGHT, cloth)
    canvas.box(0, 540, WIDTH, 548, mix(cloth, palette.ink, 0.3))
    for i in range(44):
        paint_lozenge(
            canvas, 14 + i * 28, 764, 11, 4, palette.cloth[0] if i % 2 else palette.cloth[3]
        )
    canvas.box(0, 738, WIDTH, 744, palette.cloth[0])
    canvas.box(0, 784, WIDTH, 790, palette.cloth[0])
    x = rng.uniform(480, 700)
    _paint_bowl(canvas, rng, (x, 590), palette)
    for i in range(rng.randint(2, 3)):
        _pomegranate(
            canvas,
            x - 330 + i * rng.uniform(210, 250) * (1.6 if i else 1),
            640 + rng.uniform(-14, 30),
            rng.uniform(64, 82),
            palette,
        )
    _cut_half(canvas, rng, (x + rng.choice((-190, 300)), 676), 78, palette)


def _paint_window(canvas: Canvas, left: float, palette: Palette) -> None:
    """A window to the hills, and its light on the wall."""
    canvas.box(left - 16, 60, left + 276, 430, mix(palette.lit, palette.snow, 0.35))
    for i in range(14):
        canvas.box(left, 76 + i * 24, left + 260, 100 + i * 24, _along(palette.sky, i / 13))
    canvas.polygon(
        [
            (left, 412),
            (left, 350),
            (left + 90, 250),
            (left + 150, 318),
            (left + 190, 286),
            (left + 260, 356),
            (left + 260, 412),
        ],
        palette.ridge(0.3),
    )
    canvas.polygon(
        [
            (left + 60, 283),
            (left + 90, 250),
            (left + 118, 282),
            (left + 104, 276),
            (left + 90, 292),
            (left + 76, 278),
        ],
        palette.snow,
    )
    canvas.disc(left + 200, 150, 26, palette.sun)
    canvas.box(left + 124, 76, left + 134, 412, mix(palette.lit, palette.snow, 0.35))
    canvas.box(left, 232, left + 260, 242, mix(palette.lit, palette.snow, 0.35))
    canvas.box(left - 30, 424, left + 290, 442, mix(palette.lit, palette.ink, 0.15))


def _along(colours: tuple[Colour, ...], share: float) -> Colour:
    place = share * (len(colours) - 1)
    low = min(int(place), len(colours) - 2)
    return mix(colours[low], colours[low + 1], place - low)


def _pomegranate(canvas: Canvas, x: float, y: float, radius: float, palette: Palette) -> None:
    skin, dark = mix(RED, palette.accent, 0.2), mix(DEEP, palette.ink, 0.3)
    canvas.disc(
        x + radius * 0.25,
        y + radius * 0.86,
        radius * 1.05,
        mix(palette.shade, palette.ink, 0.45),
        0.2,
    )
    canvas.polygon(
        [
            (x - radius * 0.26, y - radius * 0.86),
            (x - radius * 0.36, y - radius * 1.3),
            (x - radius * 0.13, y - radius * 1.1),
            (x, y - radius * 1.36),
            (x + radius * 0.13, y - radius * 1.1),
            (x + radius * 0.36, y - radius * 1.3),
            (x + radius * 0.26, y - radius * 0.86),
        ],
        mix(skin, dark, 0.35),
    )
    for share, tone in ((1.0, 0.55), (0.93, 0.3), (0.82, 0.1), (0.62, 0.0)):
        shift = radius * (1 - share) * 0.62
        canvas.disc(x - shift, y - shift, radius * share, mix(skin, dark, tone))
    canvas.disc(
        x - radius * 0.36, y - radius * 0.4, radius * 0.26, mix(skin, (255, 214, 190), 0.22)
    )
    canvas.disc(x - radius * 0.42, y - radius * 0.47, radius * 0.1, mix(skin, (255, 236, 220), 0.6))


def _cut_half(
    canvas: Canvas, rng: Random, at: tuple[float, float], radius: float, palette: Palette
) -> None:
    x, y = at
    canvas.disc(
        x + 12, y + radius * 0.55, radius * 1.1, mix(palette.shade, palette.ink, 0.45), 0.25
    )
    canvas.disc(x, y, radius, mix(RED, DEEP, 0.3))
    canvas.disc(x, y, radius * 0.93, (240, 222, 186))
    for k in range(6):
        middle = 60 * k
        for ring, count in ((0.34, 2), (0.54, 3), (0.74, 4)):
            for i in range(count):
                angle = math.radians(middle + (i - (count - 1) / 2) * 13 + rng.uniform(-2, 2))
                cx, cy = x + radius * ring * math.cos(angle), y + radius * ring * math.sin(angle)
                canvas.disc(cx, cy, radius * 0.095, mix(SEED, DEEP, rng.uniform(0, 0.4)))
                canvas.disc(cx - 2, cy - 2, radius * 0.026, (255, 190, 196))


def _paint_bowl(canvas: Canvas, rng: Random, at: tuple[float, float], palette: Palette) -> None:
    x, y = at
    for dx, dy, size in (
        (-96, -118, 62),
        (98, -112, 64),
        (0, -138, 72),
        (-46, -196, 54),
        (62, -200, 56),
    ):
        _pomegranate(canvas, x + dx + rng.uniform(-6, 6), y + dy, size, palette)
    glaze, pattern = mix(palette.snow, palette.cloth[1], 0.3), palette.cloth[3]
    canvas.disc(x + 26, y + 84, 190, mix(palette.shade, palette.ink, 0.45), 0.16)
    canvas.slice(x, y - 96, 196, (0, 180), glaze)
    canvas.slice(x, y - 96, 196, (0, 62), mix(glaze, palette.ink, 0.16))
    canvas.box(x - 74, y + 78, x + 74, y + 96, mix(glaze, palette.ink, 0.2))
    canvas.box(x - 206, y - 112, x + 206, y - 92, mix(glaze, palette.snow, 0.4))
    for i in range(9):
        cx = x - 152 + i * 38
        canvas.polygon(star(cx, y - 56, 15, 6, 8), pattern)
    canvas.box(x - 190, y - 84, x + 190, y - 79, pattern)
    canvas.box(x - 176, y - 31, x + 176, y - 26, pattern)


def draw_bread(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Flat breads and braided loaves on a woven cloth, seen from above."""
    cloth = mix(palette.cloth[1], palette.snow, 0.3)
    if palette.dark:
        cloth = mix(cloth, palette.shade, 0.3)
    canvas.box(0, 0, WIDTH, HEIGHT, mix(palette.ridge(0.6), palette.lit, 0.35))
    for i in range(9):
        canvas.box(0, i * 92, WIDTH, i * 92 + 3, mix(palette.ridge(0.7), palette.ink, 0.2))
    canvas.polygon([(90, 60), (1130, 30), (1160, 730), (60, 760)], cloth)
    for i in range(24):
        x = 116.0 + i * 42
        paint_lozenge(canvas, x, 96 - i * 1.1, 13, 4, palette.cloth[0])
        paint_lozenge(canvas, x, 716 - i * 1.0, 13, 4, palette.cloth[3])
    shadow = mix(cloth, palette.ink, 0.3)
    for x, y, radius in ((360.0, 310.0, 190.0), (560.0, 500.0, 168.0)):
        _flat_bread(canvas, rng, (x + rng.uniform(-20, 20), y), radius, shadow)
    _braid(canvas, (880 + rng.uniform(-20, 20), 390), shadow)
    for _ in range(9):
        x, y = rng.choice((rng.uniform(130, 240), rng.uniform(1010, 1090))), rng.uniform(190, 630)
        canvas.disc(x + 3, y + 5, 17, shadow)
        canvas.disc(x, y, 17, mix(palette.green, palette.ink, 0.2))
        canvas.disc(x - 5, y - 5, 6, mix(palette.green, palette.snow, 0.35))


def _flat_bread(
    canvas: Canvas, rng: Random, at: tuple[float, float], radius: float, shadow: Colour
) -> None:
    x, y = at
    canvas.disc(x + 9, y + 12, radius, shadow)
    canvas.disc(x, y, radius, CRUST)
    canvas.disc(x - 3, y - 3, radius * 0.94, mix(CRUST, CRUMB, 0.55))
    canvas.disc(x - 4, y - 4, radius * 0.8, mix(CRUST, CRUMB, 0.8))
    for ring in (0.22, 0.42, 0.62):
        count = round(30 * ring) + 3
        for i in range(count):
            angle = 2 * math.pi * i / count + ring * 3
            canvas.disc(
                x + radius * ring * math.cos(angle),
                y + radius * ring * math.sin(angle),
                5.5,
                mix(CRUST, CHAR, 0.35),
            )
    for _ in range(26):
        angle, reach = rng.uniform(0, 2 * math.pi), rng.uniform(0.1, 0.9)
        size = rng.uniform(4, 17)
        canvas.disc(
            x + radius * reach * math.cos(angle),
            y + radius * reach * math.sin(angle),
            size,
            mix(CRUST, CHAR, rng.uniform(0, 0.5)),
            0.7,
        )


def _braid(canvas: Canvas, at: tuple[float, float], shadow: Colour) -> None:
    """A sweet loaf: two strands that cross seven times, sesame on top."""
    x, y = at
    canvas.disc(x + 12, y + 14, 118, shadow, 2.2)
    for k in range(-7, 8):
        across = 46 * math.cos(k * math.pi / 2 + 0.6)
        wide = 78 * (1 - (abs(k) / 9) ** 2)
        for side in (1, -1):
            cx, cy = x + side * across * 0.9, y + k * 32
            canvas.disc(cx, cy, wide, mix(CRUST, CHAR, 0.3), 0.55)
            canvas.disc(cx - 4, cy - 5, wide * 0.9, CRUST, 0.5)
            canvas.disc(cx - 10, cy - 10, wide * 0.6, mix(CRUST, CRUMB, 0.5), 0.4)
        for i in range(5):
            canvas.disc(
                x - 44 + i * 21 + (k % 3) * 6, y + k * 32 - 8 + (i % 2) * 12, 3, (250, 236, 204)
            )


def draw_letters(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Old envelopes and a ribbon on a dark table, a stamp on each."""
    wood = mix(palette.ridge(0.85), palette.ink, 0.25)
    canvas.box(0, 0, WIDTH, HEIGHT, wood)
    for i in range(12):
        y = i * 68 + rng.uniform(-6, 6)
        canvas.box(0, y, WIDTH, y + 2, mix(wood, palette.ink, 0.4))
        canvas.box(0, y + 3, WIDTH, y + 5, mix(wood, palette.lit, 0.1))
    canvas.glow(rng.uniform(200, 1000), 120, 640, palette.window, 0.28)
    for i in range(6):
        angle = rng.uniform(-24, 24)
        x, y = 600 + rng.uniform(-270, 270), 400 + rng.uniform(-170, 170)
        paper = mix(mix(palette.snow, palette.cloth[1], 0.6), palette.ink, rng.uniform(0, 0.14))
        _envelope(canvas, rng, (x, y), angle, paper, palette, back=i % 3 == 1)


def _envelope(
    canvas: Canvas,
    rng: Random,
    at: tuple[float, float],
    angle: float,
    paper: Colour,
    palette: Palette,
    *,
    back: bool,
) -> None:
    turn = math.radians(angle)

    def place(across: float, down: float) -> tuple[float, float]:
        return (
            at[0] + across * math.cos(turn) - down * math.sin(turn),
            at[1] + across * math.sin(turn) + down * math.cos(turn),
        )

    def sheet(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
        return [place(left, top), place(right, top), place(right, bottom), place(left, bottom)]

    canvas.polygon(
        [(x + 9, y + 12) for x, y in sheet(-190, -122, 190, 122)],
        mix(palette.ink, palette.ridge(0.9), 0.25),
    )
    canvas.polygon(sheet(-190, -122, 190, 122), paper)
    line = mix(paper, palette.ink, 0.3)
    if back:
        canvas.polygon(
            [place(-190, -122), place(0, 26), place(190, -122)], mix(paper, palette.ink, 0.07)
        )
        canvas.line([place(-190, -122), place(0, 26), place(190, -122)], line, 2)
        canvas.line([place(-190, 122), place(-44, -8)], line, 1.5)
        canvas.line([place(190, 122), place(44, -8)], line, 1.5)
        seal = place(0, 22)
        canvas.disc(seal[0], seal[1], 27, mix(palette.cloth[0], palette.ink, 0.2))
        canvas.disc(seal[0] - 2, seal[1] - 2, 21, palette.cloth[0])
        canvas.polygon(star(seal[0], seal[1], 13, 6, 6), mix(palette.cloth[0], palette.ink, 0.35))
        return
    for i in range(3):
        canvas.line(
            [place(-70, 6 + i * 30), place(-70 + rng.uniform(90, 170), 6 + i * 30)],
            mix(paper, palette.ink, 0.62),
            3.4,
        )
    canvas.polygon(sheet(104, -100, 168, -24), mix(paper, palette.snow, 0.6))
    canvas.polygon(sheet(110, -94, 162, -30), rng.choice(palette.cloth[:1] + palette.cloth[2:4]))
    canvas.polygon(
        [place(112, -34), place(130, -66), place(142, -50), place(150, -58), place(160, -34)],
        mix(paper, palette.snow, 0.5),
    )
    _postmark(canvas, place(76, -62), mix(paper, palette.ink, 0.45))
    for i in range(14):
        colour = palette.cloth[0] if i % 2 else palette.cloth[3]
        canvas.polygon(sheet(-190 + i * 27.2, 112, -190 + i * 27.2 + 18, 122), colour)


def _postmark(canvas: Canvas, at: tuple[float, float], ink: Colour) -> None:
    for radius in (38, 27):
        ring = [
            (at[0] + radius * math.cos(turn / 10), at[1] + radius * math.sin(turn / 10))
            for turn in range(64)
        ]
        canvas.line(ring, ink, 2)
