"""An editor's search: words of headlines, departments, dates; newest and most read first."""

from datetime import timedelta

import pytest

from newsletter.sources.model import ReadKind
from newsletter.storage.database import Database
from newsletter.storage.story_search import StoryQuery
from newsletter.stories.canonical import title_key
from tests.contracts.nouns import NOW, a_story

TITLES = (
    "Bread rises in Gyumri",
    "The bridge of Gyumri opens",
    "C++ for bakers: 100% rye_bread",
    "Հացը թանկանում է Գյումրիում",
    "A hidden bread",
)


@pytest.fixture
def stories(database: Database) -> Database:
    made = [
        a_story(
            number,
            title=title,
            title_key=title_key(title),
            departments=("Արվեստ", "Town") if number == 4 else ("Culture",),
            hidden="gone" if number == 5 else "",
        )
        for number, title in enumerate(TITLES, 1)
    ]
    with database.write() as tx:
        tx.stories.save(made)
        tx.reads.put_days("counter", [("story2", NOW.date(), ReadKind.VIEWS, 40)])
        tx.reads.put_days("counter", [("story3", NOW.date(), ReadKind.VIEWS, 90)])
    return database


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", [1, 2, 3, 4]),
        ("bread", [1, 3]),
        ("BREAD gyum", [1]),
        ("gyum", [1, 2]),
        ("read", []),
        ("c++", [3]),
        ("100", [3]),
        ("rye_", [3]),
        ("գյում", [4]),
        ("' & |", []),
        ("%", []),
    ],
)
def test_words_begin_words_of_the_headline(stories: Database, words: str, found: list[int]) -> None:
    query = StoryQuery(NOW, tuple(title_key(words).split()))
    with stories.read() as tx:
        assert tx.story_search.newest(query, 10) == [f"story{number}" for number in found]


def test_by_department_date_and_source(stories: Database) -> None:
    with stories.read() as tx:
        search = tx.story_search
        assert search.newest(StoryQuery(NOW, department="Արվեստ"), 9) == ["story4"]
        assert search.newest(StoryQuery(NOW, department="Art"), 9) == []
        since = NOW - timedelta(hours=2)
        assert search.newest(StoryQuery(NOW, since=since), 9) == ["story1", "story2"]
        assert search.newest(StoryQuery(since), 9) == ["story3", "story4"]
        assert search.newest(StoryQuery(NOW, sources=("wire",)), 9) == []
        assert search.newest(StoryQuery(NOW, sources=("site",)), 2) == ["story1", "story2"]


def test_the_most_read_come_first_and_the_unread_behind(stories: Database) -> None:
    with stories.read() as tx:
        days = tx.reads.counted_days({"site": "counter"}, NOW.date(), NOW.date())
        search = tx.story_search
        assert search.most_read(StoryQuery(NOW), days, 9) == [
            "story3",
            "story2",
            "story1",
            "story4",
        ]
        assert search.most_read(StoryQuery(NOW, ("gyumri",)), days, 9) == ["story2", "story1"]
        assert search.most_read(StoryQuery(NOW), days, 1) == ["story3"]
        assert search.most_read(StoryQuery(NOW), None, 2) == ["story1", "story2"]
