"""The demo paper's pictures: drawn by code, the same for the same story every time."""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from newsletter.demo.scenes import cloth, halls, land, pastimes, table, town, water
from newsletter.demo.scenes.canvas import HEIGHT, WIDTH, Canvas
from newsletter.demo.scenes.palettes import PALETTES, Palette

__all__ = ["HEIGHT", "SCENES", "WIDTH", "draw_picture"]

Scene = Callable[[Canvas, Random, Palette], None]

SCENES: Mapping[str, Scene] = MappingProxyType(
    {
        "mountain": land.draw_mountain,
        "lake": water.draw_lake,
        "vineyard": land.draw_vineyard,
        "orchard": land.draw_orchard,
        "road": land.draw_road,
        "sea": water.draw_sea,
        "town": town.draw_town,
        "train": halls.draw_train,
        "arcade": halls.draw_arcade,
        "lane": town.draw_lane,
        "stage": halls.draw_stage,
        "observatory": halls.draw_observatory,
        "weave": cloth.draw_weave,
        "tiles": cloth.draw_tiles,
        "fruit": table.draw_fruit,
        "books": pastimes.draw_books,
        "bread": table.draw_bread,
        "letters": table.draw_letters,
        "chess": pastimes.draw_chess,
        "pitch": pastimes.draw_pitch,
    }
)


def draw_picture(slug: str, scene: str, palette: str) -> bytes:
    """A JPEG of 1200 x 800 pixels: the scene in that palette, its details seeded by the slug."""
    colours = PALETTES[palette]
    canvas = Canvas(colours.horizon)
    SCENES[scene](canvas, Random(slug), colours)  # noqa: S311 - a picture is no secret
    return canvas.jpeg()
