"""Candidates of an issue and histories, added up in the database."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from newsletter.sources.model import ReadKind
from newsletter.storage.database import Database
from newsletter.storage.statements import CHUNK
from tests.contracts.nouns import NOW, a_story

VIEWS, VISITORS = ReadKind.VIEWS, ReadKind.VISITORS
MONDAY, TUESDAY, WEDNESDAY = (date(2025, 8, day) for day in (4, 5, 6))
DAY = timedelta(days=1)
UTC = ZoneInfo("UTC")


def fill(database: Database) -> None:
    """Four stories an hour apart, one of them hidden, counted by two counters."""
    with database.write() as tx:
        tx.stories.save(
            [
                a_story(1),
                a_story(2, departments=(), syndicated_from="The Wire"),
                a_story(3, source="wire"),
                a_story(4, hidden="password"),
            ]
        )
        tx.reads.put_days(
            "counter",
            [
                ("story2", WEDNESDAY, VISITORS, 1_000),
                ("story1", MONDAY, VIEWS, 5),
                ("story1", TUESDAY, VIEWS, 7),
                ("story2", TUESDAY, VIEWS, 40),
                ("story3", WEDNESDAY, VIEWS, 0),
                ("story4", WEDNESDAY, VIEWS, 12),
            ],
        )
        tx.reads.put_days("counter", [("story2", TUESDAY, VIEWS, 30)], own=True)
        tx.reads.put_days("log", [("story1", MONDAY, VIEWS, 100), ("story3", MONDAY, VIEWS, 0)])


def test_the_most_read_of_some_days(database: Database) -> None:
    fill(database)
    with database.read() as tx:

        def most(
            *counters: str, last: date = WEDNESDAY, limit: int = 9, less_own: bool = False
        ) -> tuple[dict[str, int], int]:
            of = dict(zip(("site", "wire"), counters, strict=False))
            days = tx.reads.counted_days(of, MONDAY, last, less_own=less_own)
            return tx.standings.most_read(days, limit)

        assert most("counter") == ({"story1": 12, "story2": 40, "story4": 12}, 3)
        assert most("counter", last=MONDAY) == ({"story1": 5}, 1)
        # Each story is counted by its own source's counter, of whatever else another tells.
        assert most("counter", "log") == ({"story1": 12, "story2": 40, "story4": 12}, 3)
        # Of as many reads the last one seen; the count is of all.
        assert most("counter", limit=2) == ({"story2": 40, "story4": 12}, 3)
        assert most("counter", less_own=True)[0]["story2"] == 10
        assert most() == ({}, 0)


def test_the_reads_of_some_stories(database: Database) -> None:
    fill(database)
    wanted = ["story1", "story2", "story3", "story9", *(f"none{n}" for n in range(CHUNK))]
    with database.read() as tx:
        days = tx.reads.counted_days({"site": "counter"}, MONDAY, TUESDAY)
        assert tx.standings.reads_of(days, wanted) == {"story1": 12, "story2": 40}
        less = tx.reads.counted_days({"site": "counter"}, MONDAY, WEDNESDAY, less_own=True)
        assert tx.standings.reads_of(less, wanted) == {"story1": 12, "story2": 10, "story3": 0}
        assert tx.standings.reads_of(None, wanted) == {}


def test_the_newest_that_readers_may_see(database: Database) -> None:
    fill(database)
    start = NOW - timedelta(hours=5)
    with database.read() as tx:
        newest = tx.standings.newest
        assert newest(["site"], start, NOW, 1) == (["story1"], 2)
        assert newest(["site", "wire"], start, NOW - timedelta(hours=1), None) == (
            ["story2", "story3"],
            2,
        )
        assert newest([], start, NOW, 9) == ([], 0)


def test_standings_hold_those_that_were_never_read(database: Database) -> None:
    fill(database)
    with database.read() as tx:
        days = tx.reads.counted_days({"site": "counter"}, MONDAY, MONDAY)
        found = tx.standings.standings(days, ["site"], NOW - DAY, NOW)
        one = tx.standings.standings(days, ["site", "wire"], NOW - DAY, NOW, 1)
        none = tx.standings.standings(None, ["site"], NOW - DAY, NOW)
    assert [(s.public_id, s.reads, s.departments, s.syndicated) for s in found] == [
        ("story1", 5, ("Culture", "Film"), False),
        ("story2", 0, (), True),
    ]
    assert found[0].published_at == NOW - timedelta(hours=1)
    assert one == found[:1]
    assert [s.reads for s in none] == [0, 0]


def test_the_days_of_some_stories(database: Database) -> None:
    fill(database)
    with database.read() as tx:
        days = tx.reads.counted_days({"site": "counter", "wire": "log"}, MONDAY, WEDNESDAY)
        assert tx.standings.by_day(days, ["story1", "story2", "story3", "story9"]) == {
            "story1": {MONDAY: 5, TUESDAY: 7},
            "story2": {TUESDAY: 40},
            "story3": {MONDAY: 0},
        }
        assert tx.standings.by_day(None, ["story1"]) == {}


def test_lives_begin_where_the_counters_do(database: Database) -> None:
    fill(database)
    with database.write() as tx:
        tx.stories.save([a_story(8, published_at=NOW - 9 * DAY)])
        tx.reads.put_days("counter", [("story8", MONDAY, VIEWS, 3)])
        assert tx.reads.first_day({"site": "counter", "wire": "log"}) == MONDAY
        assert tx.reads.first_day({}) is None
        lives = tx.reads.histories(
            {"site": "counter"}, ["site"], UTC, NOW + 3 * DAY, life_days=2, limit=9
        )
    # Of story 8 nobody counted the first days.
    assert [life.days for life in lives] == [(7, 0), (40, 0), (0, 12)]
