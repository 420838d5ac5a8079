from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from newsletter.publication.sections import SectionPlan
from newsletter.ranking.fill import MOST_PASSED_OVER
from newsletter.ranking.model import PastUse, Pool, Selection, Window
from newsletter.ranking.select import select_stories
from newsletter.stories.canonical import title_key
from newsletter.stories.model import Story

NOW = datetime(2025, 8, 5, 16, tzinfo=UTC)
WEEK = Window(NOW - timedelta(days=7), NOW)


def story(name: str, *, days: float = 1, department: str = "", **fields: Any) -> Story:
    published_at = NOW - timedelta(days=days)
    made = Story(
        public_id=name,
        source="site",
        url=f"https://paper.example/{name}",
        title=f"Headline of {name}",
        published_at=published_at,
        first_seen_at=published_at,
        title_key=f"headline of {name}",
        published_on=published_at.date(),
        departments=(department,) if department else (),
    )
    return replace(made, **fields)


def most_read(**keys: Any) -> SectionPlan:
    return SectionPlan(slug="top", kind="most_read", title="Most read", **keys)


def latest(**keys: Any) -> SectionPlan:
    return SectionPlan(slug="new", kind="latest", title="Latest", **keys)


def select_most_read(plan: SectionPlan, pool: Pool) -> Selection:
    return select_stories(plan, pool, WEEK)


def select_latest(plan: SectionPlan, pool: Pool, window: Window) -> Selection:
    return select_stories(plan, pool, window)


def chosen(selection: Selection) -> list[str]:
    return [choice.story.public_id for choice in selection.chosen]


def passed(selection: Selection) -> dict[str, str]:
    return {over.story.public_id: over.reason for over in selection.passed_over}


def test_most_read_goes_by_reads_then_by_date() -> None:
    stories = (story("a", days=3), story("b", days=2), story("c"), story("d"), story("e"))
    reads = {"a": 4310, "b": 4310, "c": 9000, "d": 0}
    selection = select_most_read(most_read(count=3), Pool(stories, NOW, reads))
    assert chosen(selection) == ["c", "b", "a"]
    assert [choice.rank for choice in selection.chosen] == [1, 2, 3]
    assert selection.considered == 3
    assert selection.chosen[0].reasons == (
        "9,000 reads in the last 30 days, first of 3 stories.",
        "Published 1 day ago.",
    )
    assert selection.chosen[1].reasons == (
        "4,310 reads in the last 30 days, second of 3 stories.",
        "Published 2 days ago.",
        "A tie with the next within counting error; the newer goes first.",
    )


def test_what_chance_may_explain_is_said() -> None:
    def reasons(first: int, second: int) -> tuple[str, ...]:
        stories = (story("a", days=0.2), story("b", days=0.01))
        pool = Pool(stories, NOW, {"a": first, "b": second})
        return select_most_read(most_read(window="1 day"), pool).chosen[0].reasons

    assert reasons(142, 126)[1:] == (
        "Published 4 hours ago.",
        "Within counting error of the next, which has 126.",
    )
    assert reasons(142, 110)[1:] == ("Published 4 hours ago.",)
    assert reasons(1, 1) == (
        "1 read in the last day, first of 2 stories.",
        "Published within the last hour.",
        "A tie with the next within counting error; the newer goes first.",
    )


def test_a_department_has_its_share() -> None:
    stories = tuple(story(f"s{n}", department="Armenia & Region") for n in range(5))
    stories += (story("x", department="Arts"), story("y"), story("z"))
    reads = {s.public_id: 100 - at for at, s in enumerate(stories)}
    selection = select_most_read(
        most_read(count=4, max_per_department=2), Pool(stories, NOW, reads)
    )
    assert chosen(selection) == ["s0", "s1", "x", "y"]
    assert [choice.rank for choice in selection.chosen] == [1, 2, 6, 7]
    assert passed(selection) == {
        "s2": "third of Armenia & Region, where two are the most",
        "s3": "fourth of Armenia & Region, where two are the most",
        "s4": "fifth of Armenia & Region, where two are the most",
        "z": "fewer reads: 93",
    }


def test_the_cool_down_is_counted_in_issues() -> None:
    stories = tuple(story(name) for name in "abcd")
    reads = {"a": 4, "b": 3, "c": 2, "d": 1}
    uses = {
        "a": (PastUse("top", "most_read", "2025-W31", 1),),
        "b": (PastUse("top", "most_read", "2025-W27", 5),),
        "c": (PastUse("new", "latest", "2025-W31", 1),),
    }
    selection = select_most_read(most_read(), Pool(stories, NOW, reads, uses))
    assert chosen(selection) == ["b", "c", "d"]
    assert passed(selection) == {"a": "ran in 2025-W31"}
    always = select_most_read(most_read(cool_down=0), Pool(stories, NOW, reads, uses))
    assert chosen(always) == ["a", "b", "c", "d"]


def test_nothing_twice_in_an_issue_nor_under_the_same_headline() -> None:
    twin = {"title_key": title_key("The mill")}
    stories = (
        story("a", **twin),
        story("b", days=3, **twin),
        story("c", days=20, **twin),
        story("d"),
        story("e", title_key="taken"),
        story("f", title_key="taken"),
    )
    reads = {s.public_id: 90 - at for at, s in enumerate(stories)}
    pool = Pool(stories, NOW, reads, taken={"e": "Latest"})
    selection = select_most_read(most_read(), pool)
    assert chosen(selection) == ["a", "c", "d"]
    assert passed(selection) == {
        "b": "the same headline as the first here",
        "e": "already in Latest",
        "f": "already in Latest under the same headline",
    }


def test_latest_is_what_came_in_the_window() -> None:
    stories = (
        story("old", days=7.01),
        story("edge", days=7),
        story("new", days=0.02, published_known=False),
        story("now", days=0),
        story("future", days=-1),
        story("hidden", hidden="password"),
        story("ran", days=1),
        story("read", days=2),
    )
    uses = {
        "ran": (PastUse("new", "latest", "2024-W02", 80),),
        "read": (PastUse("top", "most_read", "2025-W31", 1),),
    }
    selection = select_latest(latest(count=2), Pool(stories, NOW, {"new": 7}, uses), WEEK)
    assert chosen(selection) == ["new", "read"]
    assert selection.chosen[0].reasons == (
        "First seen within the last hour; its source tells no date.",
        "Newest of 4 new stories.",
    )
    assert selection.chosen[0].reads == 7
    assert selection.chosen[1].reads is None
    assert passed(selection) == {"ran": "ran in 2024-W02", "edge": "older: published 7 days ago"}


def test_hidden_future_and_unread_are_never_most_read() -> None:
    stories = (
        story("hidden", hidden="password"),
        story("future", days=-1),
        story("unread"),
        story("unknown"),
        story("fine", days=400),
    )
    reads = {"hidden": 9, "future": 8, "unread": 0, "fine": 1}
    selection = select_most_read(most_read(), Pool(stories, NOW, reads))
    assert chosen(selection) == ["fine"]
    assert selection.passed_over == ()
    assert select_most_read(most_read(), Pool((), NOW)) == Selection((), (), 0)


STORIES = st.lists(
    st.builds(
        story,
        st.uuids().map(str),
        days=st.floats(-1, 20),
        department=st.sampled_from(["", "Arts", "Region"]),
        title_key=st.sampled_from(["one", "two", "three", "four", "five", "six", "seven"]),
    ),
    max_size=25,
)


@given(STORIES, st.lists(st.integers(0, 5), max_size=25), st.integers(1, 6), st.integers(0, 2))
def test_the_caps_always_hold(
    stories: list[Story], counts: list[int], count: int, share: int
) -> None:
    reads = {s.public_id: n for s, n in zip(stories, counts, strict=False)}
    pool = Pool(tuple(stories), NOW, reads)
    for selection in (
        select_most_read(most_read(count=count, max_per_department=share), pool),
        select_latest(latest(count=count, max_per_department=share), pool, WEEK),
    ):
        picked = [choice.story for choice in selection.chosen]
        assert len(picked) <= count
        assert len(selection.passed_over) <= MOST_PASSED_OVER
        for department in ("Arts", "Region"):
            held = sum(s.department == department for s in picked)
            assert not share or held <= share
        for at, one in enumerate(picked):
            for other in picked[at + 1 :]:
                apart = abs(one.published_at - other.published_at)
                assert one.title_key != other.title_key or apart > timedelta(days=7)
        assert all(choice.reasons for choice in selection.chosen)
        assert all(over.reason for over in selection.passed_over)
        ranks = [choice.rank for choice in selection.chosen]
        assert ranks == sorted(ranks)
        # Without a full list, whoever is left out was barred and not outdone.
        if len(picked) < count:
            assert not any(
                "fewer" in p.reason or "older" in p.reason for p in selection.passed_over
            )


@given(STORIES)
def test_the_order_of_the_pool_does_not_matter(stories: list[Story]) -> None:
    reads = {s.public_id: len(s.title_key) for s in stories}
    there = select_most_read(most_read(), Pool(tuple(stories), NOW, reads))
    back = select_most_read(most_read(), Pool(tuple(reversed(stories)), NOW, reads))
    assert there.chosen == back.chosen
