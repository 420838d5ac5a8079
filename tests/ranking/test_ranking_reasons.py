"""What an editor is told of a story's reads: never less to come than has come."""

import re

from hypothesis import given
from hypothesis import strategies as st

from newsletter.ranking.curve import HORIZON_HOURS, Curve
from newsletter.ranking.reasons import expectation_of, grounds_of
from newsletter.ranking.score import Expectation, score_story

# All but a hundredth of a story's reads come within ten days.
CURVE = Curve((24.0, 120.0, 240.0, 480.0), (0.4, 0.92, 0.99, 1.0))
AGES = st.floats(0, HORIZON_HOURS)


def numbers(text: str) -> list[int]:
    return [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", text)]


@given(st.integers(0, 200_000), AGES, st.floats(0, 50_000))
def test_never_fewer_are_expected_than_were_read(reads: int, age: float, mean: float) -> None:
    score = score_story(reads, age, Expectation(CURVE, mean))
    so_far, *expected = numbers(expectation_of(reads, score))
    assert so_far == reads
    assert all(number >= reads for number in expected)
    if expected:
        number, least, most = expected
        assert least <= number <= most
    assert all(number >= reads for number in numbers(grounds_of(reads, score)))


def test_what_is_nearly_all_read_is_called_so() -> None:
    old, young = (score_story(1_241, age, Expectation(CURVE, 300)) for age in (300, 48))
    assert expectation_of(1_241, old) == "1,241 reads so far, almost all it will get."
    assert grounds_of(1_241, old) == "1,241 reads, almost all it will get"
    assert expectation_of(1_241, young).startswith("1,241 reads so far, about 2,")
