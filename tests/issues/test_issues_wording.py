from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.issues.lines import (
    LONGEST_PREHEADER,
    LONGEST_SUBJECT,
    SHORTEST_PREHEADER,
    write_preheader,
    write_subject,
)
from newsletter.issues.wording import (
    fill_template,
    name_date,
    name_days,
    name_period,
    name_since,
    unknown_names,
)
from newsletter.publication.schedule import Period
from newsletter.words import locale_of

DAY = date(2025, 8, 5)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("period", "language", "name"),
    [
        (Period.WEEK, "en", "Week 32"),
        (Period.WEEK, "hy", "Շաբաթ 32"),
        (Period.WEEK, "hyw", "Շաբաթ 32"),
        (Period.WEEK, "fr-CA", "Semaine 32"),
        (Period.WEEK, "fi", "2025-W32"),
        (Period.MONTH, "en", "August 2025"),
        (Period.MONTH, "hy", "Օգոստոս 2025"),
        (Period.MONTH, "ru", "Август 2025"),
        (Period.DAY, "hy", "2025 թ. օգոստոսի 5"),
        (Period.DAY, "en-US", "August 5, 2025"),
        (Period.DAY, "en-GB", "5 August 2025"),
        (Period.DAY, "xx-nowhere", "August 5, 2025"),
    ],
)
def test_periods(period: Period, language: str, name: str) -> None:
    assert name_period(period, DAY, language) == name


def test_the_week_is_that_of_the_iso_year() -> None:
    assert name_period(Period.WEEK, date(2027, 1, 3), "en") == "Week 53"
    assert name_period(Period.WEEK, date(2024, 12, 30), "en") == "Week 1"


def test_spans() -> None:
    july, august = date(2025, 7, 6), date(2025, 8, 4)
    assert name_days(july, august, "en") == "July 6 to August 4"
    assert name_days(july, august, "fr") == "du 6 juillet au 4 août"
    assert name_days(july, august, "hy") == "հուլիսի 6 – օգոստոսի 4"
    assert name_days(july, july, "en") == "July 6"
    assert name_days(date(2024, 12, 20), date(2025, 1, 2), "en") == (
        "December 20, 2024 to January 2, 2025"
    )


def test_since_is_local_time() -> None:
    start, end = datetime(2025, 7, 31, 16, tzinfo=UTC), datetime(2025, 8, 7, 16, tzinfo=UTC)
    assert name_since(start, end, NEW_YORK, "en") == "since July 31, 12:00"
    assert name_since(start, end, NEW_YORK, "de") == "seit 31. Juli, 12:00"
    assert name_since(start, end, NEW_YORK, "hy") == "հուլիսի 31, 12:00-ից"
    assert name_since(start, end, NEW_YORK, "el") == "31 Ιουλίου, 12:00 – 7 Αυγούστου, 12:00"


@pytest.mark.parametrize("language", ["en", "hy", "ru", "ar", "fr", "zh-Hant-TW", "hyw", "", "x-y"])
def test_any_language_gives_plain_lines(language: str) -> None:
    assert locale_of(language)
    for text in (
        name_date(DAY, language),
        name_days(date(2025, 7, 6), DAY, language),
        *(name_period(period, DAY, language) for period in Period),
    ):
        assert text
        assert text == " ".join(text.split())


def test_templates_take_known_names_only() -> None:
    words = {"headline": "Braces {date} stay", "period": "Week 32"}
    assert fill_template("{headline} · {period} {hedline} {}", words) == (
        "Braces {date} stay · Week 32 {hedline} {}"
    )
    assert unknown_names("{headline} {hedline} {0} {a.b}", words) == ("hedline",)


LONG = "The mill by the river turns again after forty years and the baker has the first flour"


def test_a_long_subject_is_cut_at_a_word() -> None:
    assert write_subject("{headline}", {"headline": "Short"}) == "Short"
    subject = write_subject("{headline}", {"headline": LONG})
    assert subject == "The mill by the river turns again after forty years and the…"
    named = write_subject("{headline} · {period}", {"headline": LONG, "period": "Week 32"})
    assert named == "The mill by the river turns again after forty… · Week 32"


def test_a_preheader_tells_what_comes_next() -> None:
    headlines = ["The mill", "A flood of apples", "Choir returns home from a long tour abroad"]
    assert write_preheader(headlines, "The mill") == (
        "A flood of apples · Choir returns home from a long tour abroad"
    )
    assert write_preheader(["The mill"], "The mill", [LONG + "."]) == LONG + "."
    assert write_preheader(["The mill"], "The mill") == ""


TEXT = st.text(alphabet=st.sampled_from('abc DEF “”"«».,Ա։ \u00a0{}'), max_size=160).map(
    lambda text: " ".join(text.split())
)


@given(st.lists(TEXT, min_size=1, max_size=5), TEXT, st.lists(TEXT, max_size=3))
def test_lines_fit(headlines: list[str], name: str, filling: list[str]) -> None:
    words = {"headline": headlines[0], "newsletter": name}
    for template in ("{headline}", "{newsletter}: {headline}", "{newsletter}"):
        subject = write_subject(template, words)
        assert len(subject) <= LONGEST_SUBJECT
        preheader = write_preheader(headlines, subject, filling)
        assert len(preheader) <= LONGEST_PREHEADER
        assert preheader == " ".join(preheader.split())
    if any(len(text) >= SHORTEST_PREHEADER and text.isalpha() for text in headlines):
        assert len(write_preheader(headlines, "", filling)) >= SHORTEST_PREHEADER
