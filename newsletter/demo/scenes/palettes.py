"""Colours by the time of day, and what to do with colours."""

from dataclasses import dataclass

Colour = tuple[int, int, int]


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour ``share`` of the way (0 to 1) from the first to the second."""
    return (
        round(first[0] + (second[0] - first[0]) * share),
        round(first[1] + (second[1] - first[1]) * share),
        round(first[2] + (second[2] - first[2]) * share),
    )


def from_hex(text: str) -> Colour:
    """``#rrggbb`` as three numbers from 0 to 255."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


@dataclass(frozen=True)
class Palette:
    """The colours of one light.

    ``sky`` runs from the top to the horizon; ``ridges`` from the farthest to the
    nearest; ``lit`` and ``shade`` are the two sides of a wall; ``snow`` and
    ``snow_shade`` those of a peak; ``cloth`` are the dyes of a weaver.
    """

    sky: tuple[Colour, ...]
    sun: Colour
    ridges: tuple[Colour, ...]
    snow: Colour
    snow_shade: Colour
    green: Colour
    lit: Colour
    shade: Colour
    window: Colour
    ink: Colour
    accent: Colour
    cloth: tuple[Colour, ...]
    dark: bool

    def ridge(self, depth: float) -> Colour:
        """The colour of a ridge at ``depth``: 0 the farthest, 1 the nearest."""
        place = min(max(depth, 0.0), 1.0) * (len(self.ridges) - 1)
        low = min(int(place), len(self.ridges) - 2)
        return mix(self.ridges[low], self.ridges[low + 1], place - low)

    @property
    def horizon(self) -> Colour:
        return self.sky[-1]


def _palette(
    sky: str, ridges: str, snow: str, walls: str, signs: str, cloth: str, *, dark: bool
) -> Palette:
    """Read the colours off strings of hex numbers, which keep the tables below legible."""
    snows, sides, signals = ([from_hex(c) for c in text.split()] for text in (snow, walls, signs))
    return Palette(
        sky=tuple(from_hex(c) for c in sky.split()),
        ridges=tuple(from_hex(c) for c in ridges.split()),
        snow=snows[0],
        snow_shade=snows[1],
        green=signals[0],
        sun=signals[1],
        accent=signals[2],
        ink=signals[3],
        lit=sides[0],
        shade=sides[1],
        window=sides[2],
        cloth=tuple(from_hex(c) for c in cloth.split()),
        dark=dark,
    )


PALETTES = {
    "dawn": _palette(
        "#5d7396 #a99bb0 #e8b9a3 #f8dcb8",
        "#b79aa8 #8d7f97 #5f6480 #414a63 #2b3347",
        "#fff3ea #c9a9b4",
        "#e3b08e #8a6474 #ffe3a6",
        "#66795f #fff0d0 #c8584f #2a2b3a",
        "#7c2f3f #e8c9a0 #c9774f #3f5168 #f6ead6",
        dark=False,
    ),
    "day": _palette(
        "#78b0cf #a3cad8 #cfe2de #efe9d4",
        "#a6bcc6 #7f9aaa #6d8f7c #56804f #365c3a",
        "#ffffff #bccddb",
        "#f0d9b5 #b98a66 #5b6f80",
        "#6a9a4c #fffbe6 #b83a36 #2b3a3a",
        "#a3263a #f4e7cf #d79b3b #2f5d7c #1f3044",
        dark=False,
    ),
    "dusk": _palette(
        "#26314f #57527a #b3706f #e9a76c",
        "#8b6f80 #66597a #4a4563 #352f47 #221d2e",
        "#efe3e3 #8e84a3",
        "#a8665a #54405c #ffd387",
        "#4c5648 #ffe2a8 #e07a4f #1c1826",
        "#8c1d2f #e4b363 #f0e2c8 #34425e #1b1a2a",
        dark=True,
    ),
    "night": _palette(
        "#0e1630 #182549 #2b3d66 #47587d",
        "#3d4f77 #30406a #24325a #182344 #0e162e",
        "#dfe6f5 #7385ad",
        "#5a6c98 #2a3860 #ffd98a",
        "#2b4654 #f4efdc #d98d4a #0a1024",
        "#1f2f5c #c9a45a #e9e2cd #7a2638 #0f1833",
        dark=True,
    ),
    "pomegranate": _palette(
        "#4a1426 #8c2a3c #d0665a #f3b48a",
        "#b4596a #8f3a50 #6c263e #4a182d #2e0f1e",
        "#ffece2 #c98a90",
        "#d9735f #74253c #ffdca0",
        "#6a5a3a #ffe7c4 #f2b263 #260b18",
        "#7d1128 #f3e0c4 #d8973c #3a1220 #b8433f",
        dark=True,
    ),
    "apricot": _palette(
        "#e7b578 #f1c690 #f8dbae #fdeed2",
        "#dcab7e #c48a5c #a36d47 #7a4e35 #523424",
        "#fffaf0 #e3c09c",
        "#f3cf9b #b06a43 #6f4630",
        "#8a8a45 #fffaf0 #c24a2c #3a2419",
        "#b5532c #fbe8c8 #e39a3b #6d7a45 #5a2b1d",
        dark=False,
    ),
}
