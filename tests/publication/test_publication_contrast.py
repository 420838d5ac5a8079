import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.publication.colour import contrast

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("first", "second", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#8c1d2f", "#8C1D2F", 1.0)],
)
def test_known_ratios(first: str, second: str, ratio: float) -> None:
    assert contrast(first, second) == pytest.approx(ratio, abs=0.01)


@given(COLOURS, COLOURS)
def test_the_ratio_lies_between_one_and_twenty_one_either_way_round(
    first: str, second: str
) -> None:
    assert 1 <= contrast(first, second) == contrast(second, first) <= 21
