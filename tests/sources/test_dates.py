"""Instants as sources write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.sources.dates import parse_date

NOON = "2025-08-05T12:00:00+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "Tue, 05 Aug 2025 12:00:00 GMT",
        "Tue, 05 Aug 2025 12:00:00 +0000",
        "Tue, 5 Aug 25 12:00:00 UT",
        "05 Aug 2025 12:00 Z",
        "Tue, 05 Aug 2025 08:00:00 EDT",
        "Tue, 05 Aug 2025 16:00:00 AMT",
        "Tue, 05 Aug 2025 14:00:00 CEST",
        "Tue, 05 Aug 2025 14:00:00 (CEST)",
        "Tue, 05 Aug 2025 16:00:00 GMT+4",
        "Tue, 05 Aug 2025 16:00:00 GMT+04:00",
        "Tue, 05 Aug 2025 12:00:00",
        "Tue, 05 Aug 2025 12:00:00 XYZT",
        "Wrongday,  05 Aug 2025\n12:00:00 GMT",
        "2025-08-05T12:00:00Z",
        "2025-08-05T12:00:00",
        "2025-08-05T16:00:00+04:00",
        "2025-08-05 16:00:00 +0400",
        "2025-08-05T12:00:00.000Z",
        "2025-08-05 12:00:00 UTC",
    ],
)
def test_many_spellings_of_one_instant(text: str) -> None:
    found = parse_date(text)
    assert found is not None
    assert found.isoformat() == NOON


@pytest.mark.parametrize(
    "text",
    [None, "", "yesterday", "31 Feb 2025 10:00:00 GMT", "0000-00-00T00:00:00", "-0001-11-30",
     "Thu, 01 Jan 1970 00:00:00 GMT", "2025-13-45", "9999-12-31T23:59:59-23:00", "x" * 500,
     "Tue, 05 Aug 99999 12:00:00 GMT"],
)  # fmt: skip
def test_no_date_is_none(text: str | None) -> None:
    assert parse_date(text) is None


@given(st.text(max_size=60))
def test_any_text_is_an_instant_or_none(text: str) -> None:
    found = parse_date(text)
    assert found is None or found.tzinfo is UTC


@given(st.datetimes(datetime(1981, 1, 1), datetime(2199, 1, 1)))  # noqa: DTZ001
def test_iso_and_rfc_822_come_back(instant: datetime) -> None:
    instant = instant.replace(tzinfo=UTC, microsecond=0)
    assert parse_date(instant.isoformat()) == instant
    assert parse_date(instant.strftime("%d %b %Y %H:%M:%S +0000")) == instant
