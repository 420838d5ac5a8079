"""The pictures: the same each time, of the promised size, light enough for a mail."""

import io

import pytest
from PIL import Image

from newsletter.demo.manuscripts import load_manuscripts
from newsletter.demo.pictures import HEIGHT, SCENES, WIDTH, draw_picture
from newsletter.demo.scenes.palettes import PALETTES


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_is_drawn_alike_twice_and_otherwise_for_another_story(scene: str) -> None:
    first = draw_picture("a-story", scene, "dusk")
    assert draw_picture("a-story", scene, "dusk") == first
    assert draw_picture("another", scene, "dusk") != first


@pytest.mark.parametrize("palette", PALETTES)
def test_every_palette_holds_every_kind_of_place(palette: str) -> None:
    for scene in ("mountain", "town", "weave", "fruit"):
        picture = Image.open(io.BytesIO(draw_picture("a-story", scene, palette)))
        assert picture.size == (WIDTH, HEIGHT)
        assert len(picture.resize((60, 40)).getcolors(60 * 40)) > 100


@pytest.mark.long
def test_the_papers_pictures_are_jpegs_of_at_most_150_kb_and_all_different() -> None:
    drawn = {}
    for story in load_manuscripts():
        if story.picture is not None:
            data = draw_picture(story.slug, story.picture.scene, story.picture.palette)
            assert data[:3] == b"\xff\xd8\xff", story.slug
            assert len(data) <= 150_000, story.slug
            drawn[story.slug] = data
    assert len(drawn) >= 60
    assert len(set(drawn.values())) == len(drawn)
