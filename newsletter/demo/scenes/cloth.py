"""Woven carpets and painted tiles."""

import math
from random import Random

from newsletter.demo.scenes.canvas import HEIGHT, WIDTH, Canvas, paint_lozenge, star
from newsletter.demo.scenes.palettes import Colour, Palette, mix


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
            paint_lozenge(canvas, x, y, 15, 4, tone)
            canvas.box(x - 4, y - 4, x + 4, y + 4, field)
    count = rng.choice((1, 3, 3))
    for i in range(count):
        x = WIDTH / 2 + (i - (count - 1) / 2) * 320
        size = 170 if count == 1 else 118
        paint_lozenge(canvas, x, HEIGHT / 2, size * 1.5, 14, mix(field, palette.ink, 0.35))
        shades = (dyes[1 + i % 2], dyes[3], palette.cloth[0], palette.cloth[2], palette.cloth[1])
        _hooked(canvas, x, HEIGHT / 2, size, shades)
    _thread(canvas, rng, palette.ink)


def _hooked(canvas: Canvas, x: float, y: float, size: float, colours: tuple[Colour, ...]) -> None:
    """A lozenge within a lozenge, with hooks at its four tips."""
    for turn, (dx, dy) in enumerate(((1, 0), (0, 1), (-1, 0), (0, -1))):
        for k in (0.72, 1.0, 1.28):
            cx, cy = x + dx * size * k, y + dy * size * k
            half = size * (0.34 - 0.16 * (k - 0.72))
            wide, tall = (size * 0.05, half) if turn % 2 == 0 else (half, size * 0.05)
            canvas.box(cx - wide, cy - tall, cx + wide, cy + tall, colours[0])
    for share, colour in zip((1.0, 0.8, 0.58, 0.36, 0.18), colours, strict=False):
        paint_lozenge(canvas, x, y, size * share, max(3, round(9 * share)), colour)


def _cloth_border(canvas: Canvas, rng: Random, palette: Palette, dyes: list[Colour]) -> float:
    """Bands with a running motif round the field. Gives how deep they reach."""
    inset = 0.0
    for band, depth in enumerate((16, 64, 12, 40, 10)):
        colour = dyes[(band * 2 + 1) % len(dyes)] if band % 2 else dyes[(band + 2) % len(dyes)]
        canvas.box(inset, inset, WIDTH - inset, HEIGHT - inset, colour)
        if depth > 20:
            _run_motif(
                canvas,
                rng,
                inset + depth / 2,
                depth * 0.36,
                (dyes[band % len(dyes)], palette.cloth[1]),
            )
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
                paint_lozenge(canvas, x, y, size, 5, colour)
            canvas.box(
                x - size * 0.2, y - size * 0.2, x + size * 0.2, y + size * 0.2, colours[(i + 1) % 2]
            )


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
            canvas.polygon(
                star(x, y, size * 0.22, size * 0.1, 8, 22.5), red if (row + column) % 2 else blue
            )
            canvas.disc(x, y, size * 0.075, gold)
            for cx, cy in (
                (left, top),
                (left + size, top),
                (left, top + size),
                (left + size, top + size),
            ):
                turn = (
                    0
                    if cx == left and cy == top
                    else 90
                    if cy == top
                    else 270
                    if cx == left
                    else 180
                )
                canvas.slice(cx, cy, size * 0.2, (turn, turn + 90), blue)
                canvas.slice(cx, cy, size * 0.13, (turn, turn + 90), gold)


def _tulip(
    canvas: Canvas,
    at: tuple[float, float],
    reach: float,
    turn: float,
    colours: tuple[Colour, Colour, Colour],
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
        canvas.polygon(
            [place(0.56, 0), place(0.7, side * 0.2), place(0.83, side * 0.13), place(0.68, 0.0)],
            colours[0],
        )
    canvas.polygon(
        [
            place(0.7, 0),
            place(0.76, 0.11),
            place(0.94, 0.1),
            place(0.86, 0.03),
            place(0.98, 0),
            place(0.86, -0.03),
            place(0.94, -0.1),
            place(0.76, -0.11),
        ],
        colours[1],
    )
    canvas.polygon(
        [place(0.76, 0), place(0.82, 0.03), place(0.88, 0), place(0.82, -0.03)], colours[2]
    )
