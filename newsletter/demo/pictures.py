"""The demo paper's pictures: drawn by code, the same for the same story every time."""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from newsletter.demo.scenes import land, still, town
from newsletter.demo.scenes.canvas import HEIGHT, WIDTH, Canvas
from newsletter.demo.scenes.palettes import PALETTES, Palette

__all__ = ["HEIGHT", "SCENES", "WIDTH", "draw_picture"]

Scene = Callable[[Canvas, Random, Palette], None]

SCENES: Mapping[str, Scene] = MappingProxyType(
    {
        "mountain": land.draw_mountain,
        "lake": land.draw_lake,
        "vineyard": land.draw_vineyard,
        "orchard": land.draw_orchard,
        "road": land.draw_road,
        "sea": land.draw_sea,
        "town": town.draw_town,
        "arcade": town.draw_arcade,
        "lane": town.draw_lane,
        "stage": town.draw_stage,
        "observatory": town.draw_observatory,
        "weave": still.draw_weave,
        "tiles": still.draw_tiles,
        "fruit": still.draw_fruit,
        "books": still.draw_books,
        "bread": still.draw_bread,
        "letters": still.draw_letters,
        "chess": still.draw_chess,
        "pitch": still.draw_pitch,
    }
)


def draw_picture(slug: str, scene: str, palette: str) -> bytes:
    """A JPEG of 1200 x 800 pixels: the scene in that palette, its details seeded by the slug."""
    colours = PALETTES[palette]
    canvas = Canvas(colours.horizon)
    SCENES[scene](canvas, Random(slug), colours)  # noqa: S311 - a picture is no secret
    return canvas.jpeg()
