import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.publication.colour import ENOUGH, contrast, invert, make_readable
from newsletter.publication.design import house_design

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
LIGHT = (house_design().light.card, house_design().light.paper, house_design().light.wash)
DARK = (house_design().dark.card, house_design().dark.paper, house_design().dark.wash)


@given(COLOURS, st.sampled_from((LIGHT, DARK)))
def test_any_colour_becomes_readable(colour: str, grounds: tuple[str, ...]) -> None:
    found = make_readable(colour, grounds)
    assert re.fullmatch("#[0-9a-f]{6}", found)
    assert min(contrast(found, ground) for ground in grounds) >= ENOUGH
    assert make_readable(found, grounds) == found


@given(COLOURS)
def test_what_can_be_read_stays(colour: str) -> None:
    if min(contrast(colour, ground) for ground in LIGHT) >= ENOUGH:
        assert make_readable(colour, LIGHT) == colour
    assert invert(invert(colour)) == colour


@pytest.mark.parametrize(
    ("colour", "light", "dark"),
    [
        # Darker or lighter, and still yellow, blue, red: no more than is needed.
        ("#ffcc00", "#7f6400", "#ffcc00"),
        ("#0b2545", "#0b2545", "#7390b7"),
        ("#ff0000", "#d20000", "#ff4d3d"),
        ("#ffffff", "#676767", "#ffffff"),
        ("#000000", "#000000", "#8f8f8f"),
    ],
)
def test_the_hue_is_kept(colour: str, light: str, dark: str) -> None:
    assert make_readable(colour, LIGHT) == light
    assert make_readable(colour, DARK) == dark
