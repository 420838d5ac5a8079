"""What a counter's totals come to, poll by poll: lags, resets and jumps beside other stories."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter.sources.model import DayReads, ReadBatch, ReadKind, StoryKey, TotalReads
from newsletter.storage.database import Database
from newsletter.workflows.keep_reads import ReadReport, confirm_doubts, keep_batch
from tests.contracts.nouns import NOW, a_settings, a_story

SETTINGS = a_settings()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A story of half a year and two of this week.
STORIES = [a_story(1), a_story(2), a_story(3, published_at=NOW - 180 * DAY)]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path: Path = tmp_path_factory.mktemp("reads") / "newsletter.sqlite"
    opened = Database.open(f"sqlite:///{path}")
    opened.migrate()
    with opened.write() as tx:
        tx.settings.register(SETTINGS, NOW)
        tx.stories.save(STORIES)
    yield opened
    opened.close()


class _Undone(Exception):
    pass


class Counter:
    """One counter, polled within a transaction that is undone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def __call__(self) -> Iterator["Counter"]:
        try:
            with self._database.write() as self.tx:
                yield self
                raise _Undone
        except _Undone:
            pass

    def totals(self, now: datetime, *totals: int) -> ReadReport:
        rows = tuple(TotalReads(_key(n), total) for n, total in enumerate(totals, 1))
        return self._keep(ReadBatch(ReadKind.VIEWS, totals=rows), now)

    def day(self, now: datetime, *counts: int) -> ReadReport:
        rows = tuple(DayReads(_key(n), now.date(), count) for n, count in enumerate(counts, 1))
        return self._keep(ReadBatch(ReadKind.VIEWS, days=rows), now)

    def reads(self, story: int = 1) -> int:
        last = (NOW + 400 * DAY).date()
        return self.tx.reads.sums({"site": "counter"}, NOW.date(), last).get(f"story{story}", 0)

    def _keep(self, batch: ReadBatch, now: datetime) -> ReadReport:
        return keep_batch(self.tx, SETTINGS, SETTINGS.reads[0], batch, now)


def _key(story: int) -> StoryKey:
    return StoryKey(url=f"https://paper.example/{story}")


@pytest.fixture(scope="module")
def counter(database: Database) -> Counter:
    return Counter(database)


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 24)), min_size=1, max_size=20),
    st.sampled_from([1, 5, 8, 24]),
)
@example([(9, 0), (0, 0), (1, 0), (0, 0)], 1)
@example([(900, 0), (0, 24), (50, 0)], 24)
@example([(400, 0), (200, 0), (400, 0), (0, 16), (0, 8), (50, 0)], 8)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_a_counter_that_lags_is_never_counted_twice(
    counter: Counter, polls: Sequence[tuple[int, int]], hours: int
) -> None:
    """Each poll the true total grows, and is seen as it was up to a day before."""
    true: list[int] = []
    with counter() as polled:
        for at, (growth, lag) in enumerate(polls):
            true.append(growth + (true[-1] if true else 0))
            seen = true[max(0, at - lag // hours)]
            polled.totals(NOW + at * hours * HOUR, seen)
            assert polled.reads() <= true[-1]


def test_a_total_that_steps_to_and_fro_is_counted_once(counter: Counter) -> None:
    with counter() as polled:
        for at, total in enumerate((9, 8, 9, 8, 9)):
            polled.totals(NOW + at * HOUR, total)
        assert polled.reads() == 9


def test_a_reset_counts_once_it_has_lasted(counter: Counter) -> None:
    with counter() as polled:
        for at, total in enumerate((900, 4, 6)):
            polled.totals(NOW + at * DAY, total)
        assert polled.reads() == 900
        polled.totals(NOW + 3 * DAY, 9)
        polled.totals(NOW + 4 * DAY, 30)
        assert polled.reads() == 930


def test_a_reset_counter_that_grows_fast_loses_nothing(counter: Counter) -> None:
    """It is past the half of its old total before two days are over."""
    with counter() as polled:
        for at, total in enumerate((1_000, 400, 600)):
            polled.totals(NOW + at * DAY, total)
        assert polled.reads() == 1_000
        report = polled.totals(NOW + 3 * DAY, 800)
        assert report.set_aside == ()
        assert "fell from 1000, stayed below it and is 800 now" in report.problems[0]
        assert polled.reads() == 1_800
        polled.totals(NOW + 4 * DAY, 1_100)
        assert polled.reads() == 2_100


@pytest.mark.parametrize("back", [(990, 995), (700, 600), (1_000, 1_000)])
def test_a_total_that_comes_back_is_no_reset(counter: Counter, back: tuple[int, int]) -> None:
    with counter() as polled:
        for at, total in enumerate((1_000, 400, *back, back[-1])):
            polled.totals(NOW + at * DAY, total)
        assert polled.reads() == 1_000


def test_a_jump_is_told_beside_a_story_of_a_great_total(counter: Counter) -> None:
    """However great other totals are: what counts is what they grew by."""
    with counter() as polled:
        polled.totals(NOW, 200, 200_000, 200_000)
        (told,) = polled.totals(NOW + HOUR, 100_000, 200_010, 200_010).set_aside
        assert told.startswith("99800 views of “Headline 1”")
        assert polled.reads() == 200


def test_a_jump_is_none_where_others_grow_as_fast(counter: Counter) -> None:
    with counter() as polled:
        polled.totals(NOW, 200, 20_000)
        assert not polled.totals(NOW + HOUR, 100_000, 31_000).set_aside


def test_what_was_left_out_is_no_measure(counter: Counter) -> None:
    with counter() as polled:
        polled.totals(NOW, 200, 300)
        assert polled.totals(NOW + HOUR, 99_000, 310).set_aside
        confirm_doubts(polled.tx, "counter", NOW + HOUR, leave_out=True)
        assert polled.totals(NOW + 2 * HOUR, 99_010, 99_000).set_aside


def test_a_day_is_compared_with_the_storys_own(counter: Counter) -> None:
    with counter() as polled:
        for at in range(3):
            polled.day(NOW + at * DAY, 3, 500)
        (told,) = polled.day(NOW + 3 * DAY, 40_000, 500).set_aside
        assert told.startswith("40000 views of “Headline 1” on 2025-08-08 are set aside")
        assert polled.reads() == 9
