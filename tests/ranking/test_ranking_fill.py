"""Limits, pins, duplicates and how limits give way."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from newsletter.publication.sections import SectionPlan
from newsletter.ranking.expect import expect_reads
from newsletter.ranking.model import Field, PastUse, Pin, Pool, Selection, Window
from newsletter.ranking.score import score_story
from newsletter.ranking.select import choose_lead, select_stories
from newsletter.stories.canonical import title_key
from newsletter.stories.model import Story

NOW = datetime(2025, 8, 5, 16, tzinfo=UTC)
WEEK = Window(NOW - timedelta(days=7), NOW)
# Words enough that no two headlines are alike.
WORDS = [
    *("apricot", "bridge", "cello", "dolphin", "ember", "falcon", "granite", "harbor", "island"),
    *("juniper", "kettle", "lantern", "mosaic", "nettle", "orchard", "pepper", "quarry", "ribbon"),
    *("saffron", "tunnel", "umbrella", "violin", "willow", "yarrow"),
]


def story(name: str, *, days: float = 1, department: str = "", **fields: Any) -> Story:
    published_at = NOW - timedelta(days=days)
    title = fields.pop("title", f"{name} {WORDS[hash_of(name)]} {WORDS[hash_of(name) - 5]}")
    return Story(
        public_id=name,
        source="site",
        url=f"https://paper.example/{name}",
        title=title,
        published_at=published_at,
        first_seen_at=published_at,
        title_key=title_key(title),
        published_on=published_at.date(),
        departments=(department,) if department else (),
        **fields,
    )


def hash_of(name: str) -> int:
    return sum(map(ord, name)) % len(WORDS)


def plan(kind: str = "most_read", **keys: Any) -> SectionPlan:
    return SectionPlan.model_validate(
        {"slug": "top", "kind": kind, "title": "Top", "count": 3, **keys}
    )


def pool(*stories: Story, reads: dict[str, int] | None = None, **keys: Any) -> Pool:
    counts = reads if reads is not None else {s.public_id: 100 - n for n, s in enumerate(stories)}
    expectation = expect_reads([], [(n, 24.0) for n in counts.values()])
    scores = {
        s.public_id: score_story(
            counts.get(s.public_id, 0), (NOW - s.published_at) / timedelta(hours=1), expectation
        )
        for s in stories
    }
    return Pool(stories, NOW, counts, scores=scores, **keys)


def chosen(selection: Selection) -> list[str]:
    return [choice.story.public_id for choice in selection.chosen]


def reason(selection: Selection, name: str) -> str:
    return next(p.reason for p in selection.passed_over if p.story.public_id == name)


def test_a_writer_has_a_share_as_a_department_has() -> None:
    stories = (
        story("a", byline="Ani Petrosyan"),
        story("b", byline="ani  petrosyan"),
        story("c", byline="The Courier"),
        story("d", byline="The Courier"),
    )
    selection = select_stories(
        plan(max_per_author=1), pool(*stories, house=frozenset({"the courier"})), WEEK
    )
    assert chosen(selection) == ["a", "c", "d"]
    assert reason(selection, "b") == "second by ani  petrosyan, where one is the most"


def test_places_are_kept_for_other_departments() -> None:
    stories = (
        *(story(n, department="News") for n in "abc"),
        story("d", department="Arts"),
        story("e", department="Arts"),
    )
    selection = select_stories(plan(min_departments=2), pool(*stories), WEEK)
    assert chosen(selection) == ["a", "b", "d"]
    assert reason(selection, "c") == (
        "its place is kept for another department, where two are the least"
    )
    assert selection.relaxed == ()


def test_limits_give_way_in_their_order_and_it_is_said() -> None:
    stories = tuple(story(n, department="News", byline="Ani") for n in "abc")
    selection = select_stories(
        plan(minimum=3, min_departments=2, max_per_author=1, max_per_department=2),
        pool(*stories),
        WEEK,
    )
    assert chosen(selection) == ["a", "b", "c"]
    assert selection.relaxed == (
        "the least number of departments is one instead of two",
        "three of one writer may come instead of one",
        "three of one department may come instead of two",
    )
    strict = select_stories(plan(max_per_author=1, max_per_department=2), pool(*stories), WEEK)
    assert chosen(strict) == ["a"]
    assert strict.relaxed == ()


def test_the_cool_down_spares_one_story_where_the_minimum_needs_it() -> None:
    past = {name: (PastUse("top", "most_read", "2025-W31", 1),) for name in "ab"}
    stories = pool(story("a"), story("b"), story("c"), past_uses=past)
    selection = select_stories(plan(minimum=2), stories, WEEK)
    assert chosen(selection) == ["a", "c"]
    assert "Still read, though it ran before." in selection.chosen[0].reasons
    assert [choice.still_read for choice in selection.chosen] == [True, False]
    assert selection.relaxed == (
        f"the cool-down spares “{stories.stories[0].title}”, which is still read",
    )
    assert chosen(select_stories(plan(), stories, WEEK)) == ["c"]


def test_pins_stand_first_whatever_their_rank() -> None:
    stories = pool(*(story(n, department="News") for n in "abcd"), pins=(Pin("top", 1, "d"),))
    selection = select_stories(plan(max_per_department=2), stories, WEEK)
    assert chosen(selection) == ["d", "a"]
    assert selection.chosen[0].reasons[0] == "Pinned by an editor."
    assert chosen(select_stories(plan("editors_pick"), stories, WEEK)) == ["d"]
    assert choose_lead(selection) == stories.stories[3]


def test_one_of_what_is_told_twice_and_the_papers_own_before_another_s() -> None:
    own = story("own", title="Walnut harvest begins early in the lower valley")
    taken_over = story(
        "theirs",
        title="Walnut harvest begins early in lower valley orchards",
        syndicated_from="Valley Wire",
    )
    other = story("other")
    selection = select_stories(
        plan(), pool(taken_over, own, other, reads={"theirs": 900, "own": 100, "other": 50}), WEEK
    )
    assert chosen(selection) == ["own", "other"]
    assert reason(selection, "theirs") == (
        "our own version comes before it: “Walnut harvest begins early in the lower valley”"
    )
    later = story("later", days=10, title=own.title)
    both = select_stories(plan(), pool(own, later), WEEK)
    assert chosen(both) == ["own", "later"], "a headline of another week is another story"


def test_rising_goes_by_score_and_breaks_ties_by_variety() -> None:
    stories = (
        story("old", days=6, department="News"),
        story("fresh", days=0.5, department="News"),
        story("sports", days=0.5, department="Sports"),
        story("gone", days=9, department="News"),
    )
    reads = {"old": 300, "fresh": 200, "sports": 195, "gone": 5000}
    selection = select_stories(plan("rising"), pool(*stories, reads=reads), WEEK)
    assert chosen(selection)[0] == "fresh"
    assert set(chosen(selection)) == {"fresh", "sports", "old"}
    assert any("expected in all" in why for why in selection.chosen[0].reasons)


def test_a_department_section_and_what_was_missed() -> None:
    stories = (
        story("a", department="Arts"),
        story("b", days=20, department="Arts"),
        story("c", department="News"),
        story("ran", days=20),
        story("missed", days=20),
    )
    reads = {"a": 10, "b": 900, "c": 500, "ran": 900, "missed": 700}
    arts = select_stories(plan("department", department="arts"), pool(*stories, reads=reads), WEEK)
    assert chosen(arts) == ["a"]
    past = {"ran": (PastUse("new", "latest", "2025-W20", 11),)}
    missed = select_stories(
        plan("you_may_have_missed"), pool(*stories, reads=reads, past_uses=past), WEEK
    )
    assert chosen(missed) == ["b", "missed"]
    assert missed.chosen[0].reasons[-1] == "It has been in none of our issues."


NAMES = st.lists(st.sampled_from(WORDS), unique=True, max_size=14)


@given(
    NAMES,
    st.randoms(use_true_random=False),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 3),
)
def test_no_limit_is_passed_unsaid(
    names: list[str], chance: Any, minimum: int, per_department: int, per_author: int, least: int
) -> None:
    stories = [
        story(
            name,
            days=chance.uniform(0, 6),
            department=chance.choice(("News", "Arts", "Sports", "")),
            byline=chance.choice(("Ani", "Bedros", "")),
        )
        for name in names
    ]
    reads = {name: chance.randint(0, 50) for name in names}
    section = plan(
        chance.choice(("most_read", "rising", "latest")),
        count=4,
        minimum=minimum,
        max_per_department=per_department,
        max_per_author=per_author,
        min_departments=least,
    )
    selection = select_stories(section, pool(*stories, reads=reads), WEEK)
    again = select_stories(section, pool(*stories[::-1], reads=dict(reversed(reads.items()))), WEEK)
    assert again == selection, "the order in which stories come in must not matter"
    assert len(set(chosen(selection))) == len(selection.chosen) <= 4
    said = " ".join(selection.relaxed)
    departments = Counter(c.story.department for c in selection.chosen if c.story.department)
    writers = Counter(c.story.byline for c in selection.chosen if c.story.byline)
    if per_department and "of one department" not in said:
        assert max(departments.values(), default=0) <= per_department
    if per_author and "of one writer" not in said:
        assert max(writers.values(), default=0) <= per_author
    if len(selection.chosen) == 4 and "least number" not in said:
        assert len(departments) >= least
    if section.kind == "most_read" and not selection.relaxed and not least:
        counts = [choice.reads or 0 for choice in selection.chosen]
        assert counts == sorted(counts, reverse=True)


def test_what_was_held_over_comes_among_the_latest_though_it_is_no_news() -> None:
    stories = (story("held", days=11), story("new", days=1), story("past", days=12))
    found = select_stories(plan("latest"), pool(*stories, held_over=frozenset({"held"})), WEEK)
    assert [choice.story.public_id for choice in found.chosen] == ["new", "held"]
    assert found.chosen[1].reasons[-1] == "An editor held it over from the last issue."
    rising = select_stories(plan("rising"), pool(*stories, held_over=frozenset({"held"})), WEEK)
    assert [choice.story.public_id for choice in rising.chosen] == ["new"]


def test_a_pool_of_the_best_says_when_it_is_too_small_and_no_limit_gives_way_before() -> None:
    stories = tuple(story(name, department="Arts") for name in "abc")
    part = pool(*stories, field=Field(considered=80, complete=False))
    full = select_stories(plan(count=3), part, WEEK)
    assert (full.starved, full.considered) == (False, 80)
    assert full.chosen[0].reasons[0] == "100 reads in the last 30 days, first of 80 stories."
    for limits in ({"count": 4}, {"max_per_department": 1, "minimum": 2}):
        short = select_stories(plan(**limits), part, WEEK)
        assert short.starved
        assert short.relaxed == ()
    # A place by reads among a part of the stories would be none among all.
    assert select_stories(plan("rising"), part, WEEK).chosen[0].reasons[1] == (
        "First of 80 stories by score."
    )
    whole = pool(*stories, field=Field(considered=3, complete=True))
    assert not select_stories(plan(count=4), whole, WEEK).starved
