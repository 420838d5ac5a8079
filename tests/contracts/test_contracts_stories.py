"""Stories and reads."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from newsletter.errors import NotFound
from newsletter.ranking.model import PastStory
from newsletter.sources.model import ReadKind, StoryKey
from newsletter.storage.database import Database
from newsletter.storage.statements import CHUNK
from newsletter.stories.model import Story, StoryKeys, TrailEntry, TrailKind
from tests.contracts.nouns import NOW, a_story

VIEWS, VISITORS = ReadKind.VIEWS, ReadKind.VISITORS
MONDAY, TUESDAY, WEDNESDAY = (date(2025, 8, day) for day in (4, 5, 6))


def save(database: Database, *stories: Story) -> None:
    with database.write() as tx:
        tx.stories.save(stories)


def ids(stories: list[Story]) -> list[str]:
    return [story.public_id for story in stories]


def test_a_story_comes_back_whole(database: Database) -> None:
    whole = a_story(1)
    bare = a_story(
        2,
        native_id=None,
        guid=None,
        picture=None,
        departments=(),
        tags=(),
        modified_at=NOW,
        comments=3,
        hidden="password",
        published_known=False,
        language="hy",
        house_author="Desk",
    )
    save(database, whole, bare)
    with database.read() as tx:
        assert {s.public_id: s for s in tx.stories.by_ids(["story1", "story2", "story9"])} == {
            "story1": whole,
            "story2": bare,
        }


def test_saving_again_replaces(database: Database) -> None:
    save(database, a_story(1), a_story(2))
    changed = a_story(1, title="Another", source="wire", departments=("Sport",))
    save(database, changed)
    with database.read() as tx:
        assert tx.stories.by_ids(["story1"]) == [changed]
        assert len(tx.stories.recent([], 10)) == 2


def test_saving_nothing(database: Database) -> None:
    save(database)
    with database.read() as tx:
        assert tx.stories.recent([], 10) == []


def test_a_story_of_an_unknown_source(database: Database) -> None:
    with pytest.raises(NotFound, match='"none"'):
        save(database, a_story(1, source="none"))


def test_text_that_no_database_takes(database: Database) -> None:
    save(database, a_story(1, title="a\0b\ud83d 😀", url="https://paper.example/" + "ո" * 9_000))
    with database.read() as tx:
        (story,) = tx.stories.recent([], 1)
        assert story.title == "a�b� 😀"
        assert tx.stories.identify("site", [StoryKey(url=story.url)])


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (StoryKeys("site", native_id="1"), ["story1"]),
        (StoryKeys("site", guid="https://paper.example/?p=2"), ["story2"]),
        # Another site's post 1 is another story.
        (StoryKeys("wire", native_id="1"), []),
        (StoryKeys("wire", guid="https://paper.example/?p=2"), []),
        (StoryKeys("wire", url="https://paper.example/3"), ["story3"]),
        (
            StoryKeys("wire", title_key="headline 4", published_on=a_story(4).published_on),
            ["story4"],
        ),
        (StoryKeys("wire", title_key="headline 4", published_on=date(2020, 1, 1)), []),
        (StoryKeys("site", native_id="1", url="https://paper.example/3"), ["story1", "story3"]),
        (StoryKeys("site", title_key="", published_on=NOW.date()), []),
    ],
)
def test_the_merge_ladder(database: Database, keys: StoryKeys, found: list[str]) -> None:
    save(database, *(a_story(number) for number in range(1, 6)), a_story(9, title_key=""))
    with database.read() as tx:
        assert ids(tx.stories.matching(keys.source, [keys])) == found


def test_matching_many_at_once(database: Database) -> None:
    stories = [a_story(number) for number in range(CHUNK + 1)]
    save(database, *stories)
    keys = [StoryKeys("site", native_id=story.native_id, url=story.url) for story in stories]
    with database.read() as tx:
        assert tx.stories.matching("site", keys) == stories
        assert len(tx.stories.by_ids([story.public_id for story in stories])) == CHUNK + 1


def test_published_since_and_recent(database: Database) -> None:
    save(database, *(a_story(n, source="wire" if n == 2 else "site") for n in (3, 1, 2, 4)))
    since = NOW - timedelta(hours=3)
    with database.read() as tx:
        assert ids(tx.stories.published_since(["site"], since)) == ["story1", "story3"]
        assert ids(tx.stories.published_since(["site", "wire"], since)) == [
            "story1",
            "story2",
            "story3",
        ]
        assert ids(tx.stories.published_since([], since)) == ["story1", "story2", "story3"]
        assert ids(tx.stories.recent(["site"], 2)) == ["story1", "story3"]
        assert ids(tx.stories.recent([], 2)) == ["story1", "story2"]


def test_identify_by_id_before_address(database: Database) -> None:
    twin = a_story(5, source="wire", native_id="77", url="https://paper.example/1")
    save(database, twin, a_story(1), a_story(2))
    by_id, by_url = StoryKey(native_id="2"), StoryKey(url="https://paper.example/1")
    both = StoryKey(url="https://paper.example/1", native_id="2")
    foreign, unknown = StoryKey(native_id="77"), StoryKey(url="https://paper.example/x")
    with database.read() as tx:
        found = tx.stories.identify("site", [by_id, by_url, both, foreign, unknown])
    assert found == {by_id: "story2", by_url: "story1", both: "story2"}


def test_reads_of_a_window(database: Database) -> None:
    save(database, a_story(1), a_story(2))
    with database.write() as tx:
        tx.reads.put_days(
            "counter",
            [
                ("story1", MONDAY, VIEWS, 5),
                ("story1", TUESDAY, VIEWS, 7),
                ("story2", WEDNESDAY, VIEWS, 1),
                ("unknown", MONDAY, VIEWS, 1_000),
            ],
        )
        tx.reads.put_days("log", [("story1", MONDAY, VIEWS, 100)])
        assert tx.reads.sums({"site": "counter"}, MONDAY, TUESDAY) == {"story1": 12}
        assert tx.reads.sums({"site": "counter"}, TUESDAY, WEDNESDAY) == {"story1": 7, "story2": 1}
        assert tx.reads.sums({"site": "counter", "wire": "log"}, MONDAY, MONDAY) == {"story1": 5}
        assert tx.reads.sums({}, MONDAY, WEDNESDAY) == {}


def test_the_lives_of_stories_by_their_own_days(database: Database) -> None:
    eleven = datetime(2025, 8, 4, 3, tzinfo=UTC)  # the Sunday, 23:00, in New York
    old = a_story(1, published_at=eleven, departments=("Arts", "News"))
    save(database, old, a_story(2, published_at=eleven + timedelta(days=9)))
    sunday = MONDAY - timedelta(days=1)
    rows = [("story1", sunday + timedelta(days=at), VIEWS, 10 + at) for at in range(5)]
    with database.write() as tx:
        tx.reads.put_days("counter", [*rows, ("story2", WEDNESDAY, VIEWS, 1_000)])
        tx.reads.put_days("log", [("story1", MONDAY, VIEWS, 100)])
    zone = ZoneInfo("America/New_York")

    def lives(limit: int, *counters: str) -> list[PastStory]:
        with database.read() as tx:
            return tx.reads.histories(
                dict(zip(("site", "wire"), counters, strict=False)),
                ["site"],
                zone,
                eleven + timedelta(days=4),
                life_days=3,
                limit=limit,
            )

    assert lives(9, "counter") == [PastStory("Arts", 1.0, (10, 11, 12))]
    # Another source's counter tells of the same addresses, and is not added.
    assert lives(9, "counter", "log") == [PastStory("Arts", 1.0, (10, 11, 12))]
    assert lives(9) == lives(0, "counter") == []


def test_putting_days_again_replaces_and_adding_adds(database: Database) -> None:
    save(database, a_story(1))
    with database.write() as tx:
        tx.reads.put_days("counter", [("story1", MONDAY, VIEWS, 5), ("story1", MONDAY, VIEWS, 6)])
        assert tx.reads.sums({"site": "counter"}, MONDAY, MONDAY) == {"story1": 6}
        tx.reads.put_days("counter", [("story1", MONDAY, VIEWS, 4)])
        tx.reads.add_to_days("counter", [("story1", MONDAY, VIEWS, 3)])
        tx.reads.add_to_days("counter", [("story1", TUESDAY, VIEWS, 2)])
        tx.reads.add_to_days("counter", [])
        assert tx.reads.sums({"site": "counter"}, MONDAY, TUESDAY) == {"story1": 9}


def test_kinds_are_never_added_up(database: Database) -> None:
    save(database, a_story(1), a_story(2))
    with database.write() as tx:
        tx.reads.put_days("counter", [("story1", TUESDAY, VIEWS, 5)])
        tx.reads.put_days("counter", [("story2", MONDAY, VISITORS, 9)])
        # What it counts now, whatever it counted before and of later days.
        assert tx.reads.sums({"site": "counter"}, MONDAY, TUESDAY) == {"story2": 9}
        assert tx.reads.first_day({"site": "counter"}) == MONDAY
        assert tx.reads.sums({"site": "counter"}, TUESDAY, TUESDAY) == {}
        tx.reads.put_days("counter", [("story1", TUESDAY, VIEWS, 6)])
        assert tx.reads.sums({"site": "counter"}, MONDAY, TUESDAY) == {"story1": 6}


def test_of_counters_of_several_kinds_the_first_says_which_ranks(database: Database) -> None:
    save(database, a_story(1), a_story(2))
    with database.write() as tx:
        tx.reads.put_days("counter", [("story1", TUESDAY, VIEWS, 5)])
        tx.reads.put_days(
            "log", [("story1", TUESDAY, VISITORS, 3), ("story2", MONDAY, VISITORS, 9)]
        )
        assert tx.reads.ranking_kinds(["counter", "log"]) == {"counter": VIEWS, "log": VISITORS}
        assert tx.reads.sums({"site": "counter", "wire": "log"}, MONDAY, TUESDAY) == {"story1": 5}
        both = {"story1": 3, "story2": 9}
        assert tx.reads.sums({"site": "log", "wire": "counter"}, MONDAY, TUESDAY) == both
        # A story whose own counter counts another kind ranks by no other's counts.
        assert tx.reads.sums({"wire": "log", "site": "counter"}, MONDAY, TUESDAY) == {}
        # One that fell silent has no say.
        tx.reads.put_days("log", [("story2", TUESDAY + timedelta(days=31), VISITORS, 1)])
        assert tx.reads.ranking_kinds(["counter", "log"]) == {"log": VISITORS}


def test_each_story_is_counted_by_one_counter(database: Database) -> None:
    ours, theirs = a_story(1), a_story(2, source="wire")
    save(database, ours, theirs)
    rows = [("story1", MONDAY, VIEWS, 150), ("story2", MONDAY, VIEWS, 90)]
    both = {"story1": 150, "story2": 90}
    with database.write() as tx:
        tx.reads.put_days("counter", rows)
        # One that tells of all sources' stories counts them as long as it is alone.
        assert tx.reads.sums({"site": "counter"}, MONDAY, MONDAY) == both
        assert tx.reads.sums({"site": "counter", "wire": "log"}, MONDAY, MONDAY) == both
        tx.reads.put_days("log", rows)
        assert tx.reads.sums({"site": "counter", "wire": "log"}, MONDAY, MONDAY) == both
        tx.reads.put_days("log", [("story1", MONDAY, VIEWS, 7), ("story2", MONDAY, VIEWS, 8)])
        assert tx.reads.sums({"site": "counter", "wire": "log"}, MONDAY, MONDAY) == {
            "story1": 150,
            "story2": 8,
        }


def test_last_totals(database: Database) -> None:
    save(database, a_story(1), a_story(2))
    with database.write() as tx:
        assert tx.reads.last_totals("counter") == {}
        tx.reads.put_totals("counter", NOW, [("story1", 5), ("story2", 8), ("unknown", 1)])
        tx.reads.put_totals("counter", NOW + timedelta(hours=1), [("story1", 5), ("story2", 9)])
        # A counter that went backwards is told as it is.
        tx.reads.put_totals("counter", NOW + timedelta(hours=2), [("story1", 2)])
        assert tx.reads.last_totals("counter") == {"story1": 2, "story2": 9}
        assert tx.reads.last_totals("log") == {}


def test_totals_taken_at_one_moment(database: Database) -> None:
    save(database, a_story(1))
    with database.write() as tx:
        tx.reads.put_totals("counter", NOW, [("story1", 5)])
        tx.reads.put_totals("counter", NOW, [("story1", 6)])
        assert tx.reads.last_totals("counter") == {"story1": 6}


def test_saving_leaves_the_reads(database: Database) -> None:
    save(database, a_story(1))
    with database.write() as tx:
        tx.reads.put_days("counter", [("story1", MONDAY, VIEWS, 5)])
        tx.stories.save([replace(a_story(1), title="Another")])
        assert tx.reads.sums({"site": "counter"}, MONDAY, MONDAY) == {"story1": 5}


def entry(number: int, kind: TrailKind, after: str = "", before: str = "") -> TrailEntry:
    return TrailEntry(f"story{number}", NOW, "site", kind, before, after)


def test_a_trail_is_kept_in_its_order_and_only_grows(database: Database) -> None:
    save(database, a_story(1), a_story(2))
    first = [
        entry(1, TrailKind.SEEN, "https://paper.example/1"),
        entry(2, TrailKind.SEEN, "a\0b"),
        entry(1, TrailKind.RETITLED, "New", "Old"),
    ]
    with database.write() as tx:
        tx.stories.add_trail(first)
        tx.stories.add_trail([])
        tx.stories.add_trail([entry(1, TrailKind.HIDDEN, "gone")])
    save(database, a_story(1, title="Another"))
    with database.read() as tx:
        assert tx.stories.trail(["story1"]) == [
            first[0],
            first[2],
            entry(1, TrailKind.HIDDEN, "gone"),
        ]
        assert [e.after for e in tx.stories.trail(["story2", "story9"])] == ["a�b"]


def test_a_trail_falls_with_its_transaction(database: Database) -> None:
    def write_and_fail() -> None:
        with database.write() as tx:
            tx.stories.save([a_story(1)])
            tx.stories.add_trail([entry(1, TrailKind.SEEN)])
            tx.stories.save([a_story(2, source="none")])

    with pytest.raises(NotFound):
        write_and_fail()
    with database.read() as tx:
        assert tx.stories.trail(["story1"]) == []


def test_a_story_is_found_by_its_address(database: Database) -> None:
    save(database, a_story(1), a_story(2), a_story(3, url="https://paper.example/2"))
    with database.read() as tx:
        assert ids(tx.stories.at_url("https://paper.example/2")) == ["story2", "story3"]
        assert tx.stories.at_url("https://paper.example/9") == []


def test_where_it_was_first_comes_back(database: Database) -> None:
    story = a_story(1, syndicated_from="Wire", syndicated_url="https://wire.example/1")
    save(database, story)
    with database.read() as tx:
        assert tx.stories.by_ids(["story1"]) == [story]
