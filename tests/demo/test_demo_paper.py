"""The demo paper at any instant of any year: enough stories, honest dates, steady reads."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.demo.manuscripts import load_manuscripts
from newsletter.demo.paper import DEPARTMENTS, ZONE, Paper

STORIES = load_manuscripts()
WEEK = timedelta(days=7)
# Any second of twenty years.
INSTANTS = st.integers(
    int(datetime(2020, 1, 1, tzinfo=UTC).timestamp()),
    int(datetime(2040, 1, 1, tzinfo=UTC).timestamp()),
).map(lambda second: datetime.fromtimestamp(second, UTC))
# Both clock changes of Los Angeles in 2025, a turn of the year, a leap day.
HARD_INSTANTS = (
    datetime(2025, 3, 9, 9, 59, tzinfo=UTC),
    datetime(2025, 3, 9, 10, 0, tzinfo=UTC),
    datetime(2025, 11, 2, 8, 30, tzinfo=UTC),
    datetime(2025, 11, 2, 9, 30, tzinfo=UTC),
    datetime(2026, 1, 1, 7, 59, tzinfo=UTC),
    datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
)


def stories_between(paper: Paper, oldest: datetime, newest: datetime) -> int:
    return sum(oldest <= story.published_at < newest for story in paper.stories)


def check_every_week_is_full(now: datetime) -> None:
    paper = Paper.at(now, STORIES)
    weeks = [stories_between(paper, now - (i + 1) * WEEK, now - i * WEEK) for i in range(8)]
    assert weeks[0] >= 10
    assert min(weeks) >= 8
    assert max(story.published_at for story in paper.stories) < now


@settings(max_examples=20)
@given(INSTANTS)
def test_every_week_has_stories_whenever_it_is(now: datetime) -> None:
    check_every_week_is_full(now)


@pytest.mark.parametrize("now", HARD_INSTANTS, ids=str)
def test_clock_changes_and_leap_days_take_no_story(now: datetime) -> None:
    check_every_week_is_full(now)


def test_every_week_of_a_year_is_full_from_one_send_to_the_next() -> None:
    """Sends at seven on Fridays by the paper's clock: weeks of 167 and 169 hours are among them."""
    first = datetime(2025, 1, 3, 7, tzinfo=ZONE)
    for number in range(52):
        now = (first + timedelta(days=7 * number)).astimezone(UTC)
        since = (first + timedelta(days=7 * (number - 1))).astimezone(UTC)
        assert stories_between(Paper.at(now, STORIES), since, now) >= 10


@settings(max_examples=20)
@given(INSTANTS)
def test_nothing_is_published_in_the_middle_of_the_night(now: datetime) -> None:
    hours = {story.published_at.astimezone(ZONE).hour for story in Paper.at(now, STORIES).stories}
    assert hours <= set(range(6, 22))


@settings(max_examples=20)
@given(INSTANTS)
def test_the_rows_of_a_story_add_up_to_its_reads(now: datetime) -> None:
    paper = Paper.at(now, STORIES)
    totals: Counter[str] = Counter()
    for path, day, reads in paper.reads_by_day():
        totals[path] += reads
        assert reads > 0
        assert day <= now.astimezone(ZONE).date()
    assert totals == {story.path: story.manuscript.reads for story in paper.stories}


@settings(max_examples=20)
@given(INSTANTS)
def test_the_months_most_read_are_the_same_at_any_time(now: datetime) -> None:
    best = Paper.at(now, STORIES).most_read(5)
    assert [reads for _, reads in best] == [4310, 3906, 3540, 3318, 3071]
    departments = [story.manuscript.departments[0] for story, _ in best]
    # A cap of two for each department has something to do.
    assert departments.count("Community") == 3


def test_most_read_ends_where_its_window_ends() -> None:
    paper = Paper.at(datetime(2025, 8, 5, 19, tzinfo=UTC))
    month, ever = paper.most_read(1)[0], paper.most_read(1, days=365)[0]
    assert month[0].manuscript.slug == "letter-ninety-one-years"
    assert ever[0].manuscript.slug == "gata-coin"
    assert ever[1] == 5120


def test_the_same_instant_gives_the_same_paper_in_any_zone() -> None:
    instant = datetime(2025, 8, 5, 19, tzinfo=UTC)
    paper = Paper.at(instant)
    elsewhere = Paper.at(instant.astimezone(ZoneInfo("Asia/Yerevan")))
    assert paper == elsewhere
    assert list(paper.reads_by_day()) == list(elsewhere.reads_by_day())


def test_all_departments_are_known_and_in_print_lately() -> None:
    paper = Paper.at(datetime(2025, 8, 5, 19, tzinfo=UTC))
    named = {name for story in paper.stories for name in story.manuscript.departments}
    assert named == set(DEPARTMENTS)
    assert len({story.manuscript.departments[0] for story in paper.stories[:13]}) >= 8
