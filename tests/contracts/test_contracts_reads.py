"""Reads told apart by kind and by our own mails, what is set aside, logs, and visits."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from newsletter.sources.model import LogPosition, ReadDoubt, ReadKind
from newsletter.storage.database import Database
from newsletter.storage.statements import CHUNK
from tests.contracts.nouns import MINUTE, NOW, a_story

MONDAY, TUESDAY = date(2025, 8, 4), date(2025, 8, 5)
VIEWS, VISITORS, VISITS = ReadKind.VIEWS, ReadKind.VISITORS, ReadKind.VISITS


@pytest.fixture(autouse=True)
def stories(database: Database) -> None:
    with database.write() as tx:
        tx.stories.save([a_story(1), a_story(2)])


def test_our_own_visits_stand_beside_and_may_be_taken_off(database: Database) -> None:
    with database.write() as tx:
        tx.reads.put_days("log", [("story1", MONDAY, VISITS, 50), ("story1", TUESDAY, VISITS, 30)])
        tx.reads.put_days("log", [("story1", MONDAY, VISITS, 20)], own=True)
        tx.reads.add_to_days("log", [("story1", MONDAY, VISITS, 5)], own=True)
        # Those of another kind or counter are not of these.
        tx.reads.put_days("log", [("story1", MONDAY, VISITORS, 9)], own=True)
        tx.reads.put_days("counter", [("story1", MONDAY, VISITS, 9)], own=True)
        assert tx.reads.sums({"site": "log"}, MONDAY, TUESDAY) == {"story1": 80}
        assert tx.reads.sums({"site": "log"}, MONDAY, TUESDAY, less_own=True) == {"story1": 55}
        assert tx.reads.own_sums({"site": "log"}, MONDAY, TUESDAY) == {"story1": 25}
        assert tx.reads.own_sums({"site": "counter"}, MONDAY, TUESDAY) == {}
        assert (tx.reads.tells_own("log"), tx.reads.tells_own("counter")) == (True, True)
        assert tx.reads.sums({"site": "log"}, TUESDAY, TUESDAY, less_own=True) == {"story1": 30}


def test_more_own_visits_than_all_are_none_left(database: Database) -> None:
    with database.write() as tx:
        tx.reads.put_days("log", [("story1", MONDAY, VISITS, 5)])
        tx.reads.put_days("log", [("story1", MONDAY, VISITS, 9)], own=True)
        assert tx.reads.sums({"site": "log"}, MONDAY, MONDAY, less_own=True) == {"story1": 0}


def test_counted_days_are_for_statements_to_build_upon(database: Database) -> None:
    with database.write() as tx:
        rows = [("story1", MONDAY, VISITS, 5), ("story1", TUESDAY, VISITS, 3)]
        tx.reads.put_days("log", rows)
        tx.reads.put_days("log", [("story1", TUESDAY, VISITS, 1)], own=True)
        days = tx.reads.counted_days({"site": "log"}, MONDAY, TUESDAY, less_own=True)
        assert days is not None
        found = tx.connection.execute(
            sa.select(days.c.day, sa.func.sum(days.c.reads)).group_by(days.c.day)
        )
        assert {day: int(reads) for day, reads in found} == {MONDAY: 5, TUESDAY: 2}
        assert tx.reads.counted_days({"site": "counter"}, MONDAY, TUESDAY) is None


def test_totals_of_kinds_are_kept_apart(database: Database) -> None:
    with database.write() as tx:
        assert tx.reads.kind_of("counter") is None
        tx.reads.put_totals("counter", NOW, [("story1", 900)])
        tx.reads.put_totals("counter", NOW + MINUTE, [("story1", 300)], VISITORS)
        assert tx.reads.last_totals("counter") == {"story1": 900}
        assert tx.reads.last_totals("counter", VISITORS) == {"story1": 300}
        assert tx.reads.last_totals("counter", VISITS) == {}
        assert tx.reads.kind_of("counter") is VISITORS


def test_day_values_and_the_largest(database: Database) -> None:
    with database.write() as tx:
        assert tx.reads.largest_day("counter", VIEWS) == 0
        tx.reads.put_days("counter", [("story1", MONDAY, VIEWS, 7), ("story2", TUESDAY, VIEWS, 9)])
        tx.reads.put_days("counter", [("story1", MONDAY, VIEWS, 400)], own=True)
        tx.reads.put_days("log", [("story1", MONDAY, VIEWS, 400)])
        assert tx.reads.largest_day("counter", VIEWS) == 9
        assert tx.reads.largest_day("counter", VISITS) == 0
        assert tx.reads.day_values("counter", VIEWS, [MONDAY]) == {("story1", MONDAY): 7}
        assert tx.reads.day_values("counter", VIEWS, []) == {}


def test_doubts_are_kept_replaced_and_dropped(database: Database) -> None:
    first = ReadDoubt("story1", MONDAY, VIEWS, 9_000)
    total = ReadDoubt("story2", TUESDAY, VIEWS, 14_058, 14_200)
    with database.write() as tx:
        tx.reads.put_doubts("counter", [total, first, ReadDoubt("none", MONDAY, VIEWS, 1)])
        assert tx.reads.doubts("counter") == [first, total]
        assert tx.reads.doubts("log") == []
        more = ReadDoubt("story1", MONDAY, VIEWS, 9_500)
        tx.reads.put_doubts("counter", [more])
        tx.reads.drop_doubts("counter", [total])
        assert tx.reads.doubts("counter") == [more]


def test_how_far_logs_were_read(database: Database) -> None:
    short, long = LogPosition("aa", 100, 90), LogPosition("bb", 4096, 5_000)
    with database.write() as tx:
        tx.read_logs.put_position("log", short, NOW)
        assert tx.read_logs.positions("log") == [short]
        tx.read_logs.put_position("log", long, NOW, instead_of="aa")
        tx.read_logs.put_position("log", LogPosition("bb", 4096, 9_000), NOW, instead_of="bb")
        assert tx.read_logs.positions("log") == [LogPosition("bb", 4096, 9_000)]
        assert tx.read_logs.positions("counter") == []


def test_a_visit_begins_once_in_half_an_hour_of_silence(database: Database) -> None:
    def begins(minutes: int, visit: str = "v1", slug: str = "log") -> bool:
        at = NOW + minutes * MINUTE
        with database.write() as tx:
            return tx.read_logs.begin_visit(slug, visit, at, at - timedelta(minutes=30))

    assert begins(0)
    assert not begins(29)
    assert begins(29, "v2")
    assert begins(29, "v1", "counter")
    assert not begins(58)
    assert begins(88)
    with database.read() as tx:
        # What can't be repeated any more is forgotten.
        assert dict(tx.read_logs.recent_visits("log")) == {"v1": NOW + 88 * MINUTE}


def test_recent_visits_are_replaced_as_a_whole(database: Database) -> None:
    with database.write() as tx:
        tx.read_logs.replace_recent_visits("log", [("v1", NOW), ("v2", NOW + MINUTE)])
        many = [("v2", NOW + 2 * MINUTE), *((f"w{n}", NOW) for n in range(2 * CHUNK))]
        tx.read_logs.replace_recent_visits("log", iter(many))
        assert dict(tx.read_logs.recent_visits("log")) == dict(many)
        tx.read_logs.replace_recent_visits("log", [])
        assert list(tx.read_logs.recent_visits("log")) == []


def test_addresses_of_a_sources_stories(database: Database) -> None:
    with database.write() as tx:
        tx.stories.save([a_story(3, hidden="password"), a_story(4, source="wire"), a_story(40)])
        assert [public_id for public_id, _ in tx.stories.addresses("site")] == [
            "story1",
            "story2",
            "story3",
            "story40",
        ]
        recent = tx.stories.addresses("site", NOW - timedelta(hours=24))
        assert recent == [(f"story{n}", f"https://paper.example/{n}") for n in (1, 2)]
