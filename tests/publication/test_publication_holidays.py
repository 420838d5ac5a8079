"""Public holidays by the codes that a paper names."""

from datetime import date

import pytest

from newsletter.publication.holidays import holiday_names, is_known


@pytest.mark.parametrize(
    ("codes", "day", "language", "names"),
    [
        (("US",), date(2025, 7, 4), "en", ("Independence Day",)),
        (("US-CA",), date(2025, 3, 31), "en", ("Cesar Chavez Day",)),
        (("US",), date(2025, 3, 31), "en", ()),
        (("US", "US-CA"), date(2025, 12, 25), "en", ("Christmas Day",)),
        (("AM",), date(2025, 9, 21), "hy", ("Անկախության օր",)),
        # No list in Armenian: as the list has it.
        (("US",), date(2025, 7, 4), "hy", ("Independence Day",)),
        (("XX", "US-QQ"), date(2025, 7, 4), "en", ()),
        ((), date(2025, 7, 4), "en", ()),
    ],
)
def test_what_a_day_is(
    codes: tuple[str, ...], day: date, language: str, names: tuple[str, ...]
) -> None:
    assert holiday_names(codes, day, language) == names


def test_codes_that_have_a_list() -> None:
    codes = ("AM", "US", "US-CA", "XX", "US-QQ", "")
    assert [is_known(code) for code in codes] == [True, True, True, False, False, False]
