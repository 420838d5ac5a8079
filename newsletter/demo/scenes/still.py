"""Woven cloth, tiles, fruit, books, bread, letters: things close at hand."""

import math
from random import Random

from newsletter.demo.scenes.canvas import HEIGHT, WIDTH, Canvas, star
from newsletter.demo.scenes.palettes import Colour, Palette, mix


def _stepped(canvas: Canvas, x: float, y: float, size: float, steps: int, colour: Colour) -> None:
    """A lozenge with stair-like edges, as a loom makes it."""
    for i in range(steps):
        half_wide = size * (steps - i) / steps
        tall = size * (i + 1) / steps
        canvas.box(x - half_wide, y - tall, x + half_wide, y + tall, colour)


def _hooked(canvas: Canvas, x: float, y: float, size: float, colours: tuple[Colour, ...]) -> None:
    """A lozenge within a lozenge, with hooks at its four tips."""
    for turn, (dx, dy) in enumerate(((1, 0), (0, 1), (-1, 0), (0, -1))):
        for k in (0.72, 1.0, 1.28):
            cx, cy = x + dx * size * k, y + dy * size * k
            half = size * (0.34 - 0.16 * (k - 0.72))
            wide, tall = (size * 0.05, half) if turn % 2 == 0 else (half, size * 0.05)
            canvas.box(cx - wide, cy - tall, cx + wide, cy + tall, colours[0])
    for share, colour in zip((1.0, 0.8, 0.58, 0.36, 0.18), colours, strict=False):
        _stepped(canvas, x, y, size * share, max(3, round(9 * share)), colour)


def _cloth_border(canvas: Canvas, rng: Random, palette: Palette, dyes: list[Colour]) -> float:
    """Bands with a running motif round the field. Gives how deep they reach."""
    inset = 0.0
    for band, depth in enumerate((16, 64, 12, 40, 10)):
        colour = dyes[(band * 2 + 1) % len(dyes)] if band % 2 else dyes[(band + 2) % len(dyes)]
        canvas.box(inset, inset, WIDTH - inset, HEIGHT - inset, colour)
        if depth > 20:
            _run_motif(canvas, rng, inset + depth / 2, depth * 0.36, (dyes[band % len(dyes)], palette.cloth[1]))
        inset += depth
    return inset


def _run_motif(
    canvas: Canvas, rng: Random, inset: float, size: float, colours: tuple[Colour, Colour]
) -> None:
    eight = rng.random() < 0.5
    for x0, y0, x1, y1 in (
        (inset, inset, WIDTH - inset, inset),
        (inset, HEIGHT - inset, WIDTH - inset, HEIGHT - inset),
        (inset, inset, inset, HEIGHT - inset),
        (WIDTH - inset, inset, WIDTH - inset, HEIGHT - inset),
    ):
        length = math.hypot(x1 - x0, y1 - y0)
        count = max(2, round(length / (size * 2.7)))
        for i in range(count + 1):
            x, y = x0 + (x1 - x0) * i / count, y0 + (y1 - y0) * i / count
            colour = colours[i % 2]
            if eight:
                canvas.polygon(star(x, y, size, size * 0.62, 8, 22.5), colour)
            else:
                _stepped(canvas, x, y, size, 5, colour)
            canvas.box(x - size * 0.2, y - size * 0.2, x + size * 0.2, y + size * 0.2, colours[(i + 1) % 2])


def draw_weave(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """A carpet: borders, a field of small lozenges, medallions with hooks."""
    dyes = list(palette.cloth)
    rng.shuffle(dyes)
    field = palette.cloth[0]
    dyes.remove(field)
    dyes.insert(0, field)
    inset = _cloth_border(canvas, rng, palette, dyes)
    canvas.box(inset, inset, WIDTH - inset, HEIGHT - inset, field)
    quiet = mix(field, palette.cloth[1], 0.2)
    gap = 50.0
    columns, rows = round((WIDTH - 2 * inset) / gap), round((HEIGHT - 2 * inset) / gap)
    for row in range(rows):
        for column in range(columns):
            x = inset + (column + 0.5) * (WIDTH - 2 * inset) / columns
            y = inset + (row + 0.5) * (HEIGHT - 2 * inset) / rows
            tone = palette.cloth[2] if (row + column) % 3 == 0 else quiet
            _stepped(canvas, x, y, 15, 4, tone)
            canvas.box(x - 4, y - 4, x + 4, y + 4, field)
    count = rng.choice((1, 3, 3))
    for i in range(count):
        x = WIDTH / 2 + (i - (count - 1) / 2) * 320
        size = 170 if count == 1 else 118
        _stepped(canvas, x, HEIGHT / 2, size * 1.5, 14, mix(field, palette.ink, 0.35))
        shades = (dyes[1 + i % 2], dyes[3], palette.cloth[0], palette.cloth[2], palette.cloth[1])
        _hooked(canvas, x, HEIGHT / 2, size, shades)
    _thread(canvas, rng, palette.ink)


def _thread(canvas: Canvas, rng: Random, ink: Colour) -> None:
    """Rows of weft: darker bands of uneven dye, hardly seen, that make it cloth."""
    y = 0.0
    while y < HEIGHT:
        tall = rng.uniform(5, 26)
        shade = rng.uniform(0, 0.09)
        canvas.veil(y, min(y + tall, HEIGHT), ink, (shade, shade))
        y += tall


def draw_tiles(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Painted tiles: eight-pointed stars, tulips between them, white joints."""
    glaze, blue = mix(palette.snow, palette.cloth[1], 0.35), palette.cloth[3]
    red, gold = palette.cloth[0], palette.cloth[2]
    size = rng.choice((266.7, 300.0, 240.0))
    canvas.box(0, 0, WIDTH, HEIGHT, mix(glaze, palette.ink, 0.25))
    for row in range(int(HEIGHT / size) + 1):
        for column in range(int(WIDTH / size) + 1):
            left, top = column * size, row * size
            tint = mix(glaze, palette.ink, rng.uniform(0, 0.05))
            canvas.box(left + 2, top + 2, left + size - 2, top + size - 2, tint)
            x, y = left + size / 2, top + size / 2
            for k in range(4):
                _tulip(canvas, (x, y), size * 0.6, 45 + 90 * k, (blue, red, gold))
            canvas.polygon(star(x, y, size * 0.33, size * 0.25, 8), blue)
            canvas.polygon(star(x, y, size * 0.28, size * 0.21, 8), tint)
            canvas.polygon(star(x, y, size * 0.22, size * 0.1, 8, 22.5), red if (row + column) % 2 else blue)
            canvas.disc(x, y, size * 0.075, gold)
            for cx, cy in ((left, top), (left + size, top), (left, top + size), (left + size, top + size)):
                turn = 0 if cx == left and cy == top else 90 if cy == top else 270 if cx == left else 180
                canvas.slice(cx, cy, size * 0.2, (turn, turn + 90), blue)
                canvas.slice(cx, cy, size * 0.13, (turn, turn + 90), gold)


def _tulip(
    canvas: Canvas, at: tuple[float, float], reach: float, turn: float, colours: tuple[Colour, Colour, Colour]
) -> None:
    angle = math.radians(turn)
    along, across = (math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))

    def place(far: float, aside: float) -> tuple[float, float]:
        return (
            at[0] + reach * (along[0] * far + across[0] * aside),
            at[1] + reach * (along[1] * far + across[1] * aside),
        )

    canvas.line([place(0.5, 0), place(0.72, 0)], colours[0], reach * 0.035)
    for side in (1, -1):
        canvas.polygon([place(0.56, 0), place(0.7, side * 0.2), place(0.83, side * 0.13), place(0.68, 0.0)], colours[0])
    canvas.polygon([place(0.7, 0), place(0.76, 0.11), place(0.94, 0.1), place(0.86, 0.03), place(0.98, 0), place(0.86, -0.03), place(0.94, -0.1), place(0.76, -0.11)], colours[1])
    canvas.polygon([place(0.76, 0), place(0.82, 0.03), place(0.88, 0), place(0.82, -0.03)], colours[2])


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
        _stepped(canvas, 14 + i * 28, 764, 11, 4, palette.cloth[0] if i % 2 else palette.cloth[3])
    canvas.box(0, 738, WIDTH, 744, palette.cloth[0])
    canvas.box(0, 784, WIDTH, 790, palette.cloth[0])
    x = rng.uniform(480, 700)
    _paint_bowl(canvas, rng, (x, 590), palette)
    for i in range(rng.randint(2, 3)):
        _pomegranate(canvas, x - 330 + i * rng.uniform(210, 250) * (1.6 if i else 1), 640 + rng.uniform(-14, 30), rng.uniform(64, 82), palette)
    _cut_half(canvas, rng, (x + rng.choice((-190, 300)), 676), 78, palette)


def _paint_window(canvas: Canvas, left: float, palette: Palette) -> None:
    """A window to the hills, and its light on the wall."""
    canvas.box(left - 16, 60, left + 276, 430, mix(palette.lit, palette.snow, 0.35))
    for i in range(14):
        canvas.box(left, 76 + i * 24, left + 260, 100 + i * 24, _along(palette.sky, i / 13))
    canvas.polygon(
        [(left, 412), (left, 350), (left + 90, 250), (left + 150, 318), (left + 190, 286), (left + 260, 356), (left + 260, 412)],
        palette.ridge(0.3),
    )  # fmt: skip
    canvas.polygon([(left + 60, 283), (left + 90, 250), (left + 118, 282), (left + 104, 276), (left + 90, 292), (left + 76, 278)], palette.snow)
    canvas.disc(left + 200, 150, 26, palette.sun)
    canvas.box(left + 124, 76, left + 134, 412, mix(palette.lit, palette.snow, 0.35))
    canvas.box(left, 232, left + 260, 242, mix(palette.lit, palette.snow, 0.35))
    canvas.box(left - 30, 424, left + 290, 442, mix(palette.lit, palette.ink, 0.15))


def _along(colours: tuple[Colour, ...], share: float) -> Colour:
    place = share * (len(colours) - 1)
    low = min(int(place), len(colours) - 2)
    return mix(colours[low], colours[low + 1], place - low)


RED, DEEP, SEED = (168, 34, 44), (112, 16, 34), (206, 42, 66)


def _pomegranate(canvas: Canvas, x: float, y: float, radius: float, palette: Palette) -> None:
    skin, dark = mix(RED, palette.accent, 0.2), mix(DEEP, palette.ink, 0.3)
    canvas.disc(x + radius * 0.25, y + radius * 0.86, radius * 1.05, mix(palette.shade, palette.ink, 0.45), 0.2)
    canvas.polygon(
        [(x - radius * 0.26, y - radius * 0.86), (x - radius * 0.36, y - radius * 1.3), (x - radius * 0.13, y - radius * 1.1),
         (x, y - radius * 1.36), (x + radius * 0.13, y - radius * 1.1), (x + radius * 0.36, y - radius * 1.3), (x + radius * 0.26, y - radius * 0.86)],
        mix(skin, dark, 0.35),
    )  # fmt: skip
    for share, tone in ((1.0, 0.55), (0.93, 0.3), (0.82, 0.1), (0.62, 0.0)):
        shift = radius * (1 - share) * 0.62
        canvas.disc(x - shift, y - shift, radius * share, mix(skin, dark, tone))
    canvas.disc(x - radius * 0.36, y - radius * 0.4, radius * 0.26, mix(skin, (255, 214, 190), 0.22))
    canvas.disc(x - radius * 0.42, y - radius * 0.47, radius * 0.1, mix(skin, (255, 236, 220), 0.6))


def _cut_half(
    canvas: Canvas, rng: Random, at: tuple[float, float], radius: float, palette: Palette
) -> None:
    x, y = at
    canvas.disc(x + 12, y + radius * 0.55, radius * 1.1, mix(palette.shade, palette.ink, 0.45), 0.25)
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


def _paint_bowl(
    canvas: Canvas, rng: Random, at: tuple[float, float], palette: Palette
) -> None:
    x, y = at
    for dx, dy, size in ((-96, -118, 62), (98, -112, 64), (0, -138, 72), (-46, -196, 54), (62, -200, 56)):
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


def draw_books(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """Shelves of old bindings, a lamp's light on them."""
    wood = mix(palette.ridge(0.75), palette.lit, 0.25)
    canvas.box(0, 0, WIDTH, HEIGHT, mix(wood, palette.ink, 0.6))
    dyes = [*palette.cloth, palette.accent, palette.green, palette.shade]
    for shelf in range(3):
        floor = 252 + 266 * shelf
        x = rng.uniform(-20, 10)
        while x < WIDTH:
            x = _paint_book(canvas, rng, (x, floor), mix(rng.choice(dyes), palette.ink, rng.uniform(0.05, 0.3)), palette)
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
            canvas.box(x + 22 + k * 5, floor - 26 * (k + 1) + 3, x + 26 + k * 5, floor - 26 * k, gold)
        return x + 166
    lean = rng.uniform(12, 30) if rng.random() < 0.1 else 0.0
    canvas.polygon([(x, floor), (x + lean, floor - tall), (x + lean + wide, floor - tall), (x + wide, floor)], colour)
    canvas.polygon([(x + wide * 0.72, floor), (x + lean + wide * 0.72, floor - tall), (x + lean + wide, floor - tall), (x + wide, floor)], mix(colour, palette.ink, 0.28))
    bands = rng.choice(((0.12, 0.2, 0.8), (0.3, 0.7), (0.1, 0.9), (0.16, 0.5, 0.84)))
    for band in bands:
        y, shift = floor - tall * band, lean * band
        canvas.box(x + shift, y - 3, x + shift + wide, y + 1, mix(gold, colour, 0.25))
    if rng.random() < 0.5:
        canvas.polygon(star(x + wide / 2 + lean * 0.6, floor - tall * 0.6, wide * 0.26, wide * 0.12, rng.choice((4, 6, 8))), gold)
    return x + wide + lean + 2


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
        x = 116 + i * 42
        _stepped(canvas, x, 96 - i * 1.1, 13, 4, palette.cloth[0])
        _stepped(canvas, x, 716 - i * 1.0, 13, 4, palette.cloth[3])
    shadow = mix(cloth, palette.ink, 0.3)
    for x, y, radius in ((360, 310, 190), (560, 500, 168)):
        _flat_bread(canvas, rng, (x + rng.uniform(-20, 20), y), radius, shadow)
    _braid(canvas, (880 + rng.uniform(-20, 20), 390), shadow)
    for _ in range(9):
        x, y = rng.choice((rng.uniform(130, 240), rng.uniform(1010, 1090))), rng.uniform(190, 630)
        canvas.disc(x + 3, y + 5, 17, shadow)
        canvas.disc(x, y, 17, mix(palette.green, palette.ink, 0.2))
        canvas.disc(x - 5, y - 5, 6, mix(palette.green, palette.snow, 0.35))


CRUST, CRUMB, CHAR = (196, 128, 62), (236, 194, 128), (120, 66, 30)


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
            canvas.disc(x + radius * ring * math.cos(angle), y + radius * ring * math.sin(angle), 5.5, mix(CRUST, CHAR, 0.35))
    for _ in range(26):
        angle, reach = rng.uniform(0, 2 * math.pi), rng.uniform(0.1, 0.9)
        size = rng.uniform(4, 17)
        canvas.disc(x + radius * reach * math.cos(angle), y + radius * reach * math.sin(angle), size, mix(CRUST, CHAR, rng.uniform(0, 0.5)), 0.7)


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
            canvas.disc(x - 44 + i * 21 + (k % 3) * 6, y + k * 32 - 8 + (i % 2) * 12, 3, (250, 236, 204))


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
    canvas: Canvas, rng: Random, at: tuple[float, float], angle: float, paper: Colour, palette: Palette, *, back: bool
) -> None:
    turn = math.radians(angle)

    def place(across: float, down: float) -> tuple[float, float]:
        return (
            at[0] + across * math.cos(turn) - down * math.sin(turn),
            at[1] + across * math.sin(turn) + down * math.cos(turn),
        )

    def sheet(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
        return [place(left, top), place(right, top), place(right, bottom), place(left, bottom)]

    canvas.polygon([(x + 9, y + 12) for x, y in sheet(-190, -122, 190, 122)], mix(palette.ink, palette.ridge(0.9), 0.25))
    canvas.polygon(sheet(-190, -122, 190, 122), paper)
    line = mix(paper, palette.ink, 0.3)
    if back:
        canvas.polygon([place(-190, -122), place(0, 26), place(190, -122)], mix(paper, palette.ink, 0.07))
        canvas.line([place(-190, -122), place(0, 26), place(190, -122)], line, 2)
        canvas.line([place(-190, 122), place(-44, -8)], line, 1.5)
        canvas.line([place(190, 122), place(44, -8)], line, 1.5)
        seal = place(0, 22)
        canvas.disc(seal[0], seal[1], 27, mix(palette.cloth[0], palette.ink, 0.2))
        canvas.disc(seal[0] - 2, seal[1] - 2, 21, palette.cloth[0])
        canvas.polygon(star(seal[0], seal[1], 13, 6, 6), mix(palette.cloth[0], palette.ink, 0.35))
        return
    for i in range(3):
        canvas.line([place(-70, 6 + i * 30), place(-70 + rng.uniform(90, 170), 6 + i * 30)], mix(paper, palette.ink, 0.62), 3.4)
    canvas.polygon(sheet(104, -100, 168, -24), mix(paper, palette.snow, 0.6))
    canvas.polygon(sheet(110, -94, 162, -30), rng.choice(palette.cloth[:1] + palette.cloth[2:4]))
    canvas.polygon([place(112, -34), place(130, -66), place(142, -50), place(150, -58), place(160, -34)], mix(paper, palette.snow, 0.5))
    mark = place(76, -62)
    for radius in (38, 27):
        canvas.line([(mark[0] + radius * math.cos(a / 10), mark[1] + radius * math.sin(a / 10)) for a in range(64)], mix(paper, palette.ink, 0.45), 2)
    for i in range(14):
        colour = palette.cloth[0] if i % 2 else palette.cloth[3]
        canvas.polygon(sheet(-190 + i * 27.2, 112, -190 + i * 27.2 + 18, 122), colour)


def draw_chess(canvas: Canvas, rng: Random, palette: Palette) -> None:
    """A board seen from a player's side, a few pieces left on it, a lamp above."""
    canvas.gradient(0, HEIGHT, [mix(palette.sky[0], palette.ink, 0.5), mix(palette.ridge(0.8), palette.ink, 0.2)])
    canvas.glow(600, 130, 620, palette.window, 0.5)
    light, dark = mix(palette.cloth[1], palette.snow, 0.2), mix(palette.cloth[0], palette.ink, 0.3)

    def place(column: float, row: float) -> tuple[float, float, float]:
        depth = row / 8
        y = 300 + 440 * depth**1.3
        half = 300 + 230 * depth**1.1
        return 600 + half * (column / 4 - 1), y, half / 4

    frame = [place(-0.35, -0.3 if False else 0)[:2], place(8.35, 0)[:2], place(8.35, 8)[:2], place(-0.35, 8)[:2]]
    canvas.polygon([(x, y + (18 if i > 1 else -12)) for i, (x, y) in enumerate(frame)], mix(palette.ridge(0.8), palette.lit, 0.3))
    for row in range(8):
        for column in range(8):
            corners = [place(column, row), place(column + 1, row), place(column + 1, row + 1), place(column, row + 1)]
            canvas.polygon([c[:2] for c in corners], dark if (row + column) % 2 else light)
    spots = rng.sample([(c, r) for c in range(8) for r in range(8)], 11)
    for column, row in sorted(spots, key=lambda s: s[1]):
        x, y, cell = place(column + 0.5, row + 0.62)
        white = rng.random() < 0.5
        tone = mix(palette.snow, palette.cloth[1], 0.5) if white else mix(palette.ink, palette.shade, 0.25)
        _piece(canvas, (x, y), cell, rng.choice((1.0, 1.0, 1.35, 1.6, 1.75)), tone)


def _piece(canvas: Canvas, at: tuple[float, float], cell: float, tall: float, colour: Colour) -> None:
    x, y = at
    edge = mix(colour, (20, 14, 24), 0.38)
    top = y - cell * tall
    canvas.disc(x + cell * 0.14, y + cell * 0.05, cell * 0.4, (22, 14, 22), 0.32)
    canvas.disc(x, y, cell * 0.34, edge, 0.36)
    canvas.disc(x, y - cell * 0.07, cell * 0.31, colour, 0.34)
    canvas.polygon([(x - cell * 0.24, y - cell * 0.1), (x - cell * 0.1, top), (x + cell * 0.1, top), (x + cell * 0.24, y - cell * 0.1)], colour)
    canvas.polygon([(x + cell * 0.06, y - cell * 0.08), (x + cell * 0.02, top), (x + cell * 0.1, top), (x + cell * 0.24, y - cell * 0.1)], edge)
    canvas.disc(x, top, cell * 0.2, edge, 0.34)
    canvas.disc(x, top - cell * 0.14, cell * 0.19, colour)
    canvas.disc(x + cell * 0.06, top - cell * 0.12, cell * 0.13, mix(colour, edge, 0.5))
    if tall > 1.2:
        canvas.polygon(star(x, top - cell * 0.38, cell * 0.16, cell * 0.07, 5 if tall > 1.5 else 4), colour)


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
        canvas.polygon([(600 + i * 95, 340), (600 + (i + 1) * 95, 340), (600 + (i + 1) * 235, 800), (600 + i * 235, 800)], shade)
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
            canvas.disc(x - 30 + (k % 4) * 20, 36 + (k // 4) * 22, 8, mix(palette.window, palette.snow, 0.6))
    ball = (600 + rng.uniform(-190, 190), rng.uniform(610, 690))
    canvas.disc(ball[0] + 10, ball[1] + 24, 28, mix(grass, palette.ink, 0.5), 0.3)
    canvas.disc(ball[0], ball[1], 25, palette.snow)
    canvas.polygon(star(ball[0], ball[1], 11, 9, 5), palette.ink)
    for k in range(5):
        angle = math.radians(72 * k - 90)
        canvas.disc(ball[0] + 20 * math.cos(angle), ball[1] + 20 * math.sin(angle), 4.5, palette.ink)
