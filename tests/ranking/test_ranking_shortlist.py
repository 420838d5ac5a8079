"""The shortlist holds what the section itself would choose, of however many stories."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.publication.sections import Ranking
from newsletter.ranking.model import Pool, Standing
from newsletter.ranking.score import Expectation, score_story
from newsletter.ranking.select import select_stories
from newsletter.ranking.shortlist import competitors, shortlist
from newsletter.stories.model import Story
from tests.ranking.test_ranking_fill import NOW, WEEK, plan, story

HOUR = timedelta(hours=1)
EXPECTATION = Expectation(mean=80, means={"Arts": 200})


def standing(one: Story, reads: int) -> Standing:
    return Standing(
        one.public_id, one.published_at, one.departments, bool(one.syndicated_from), reads
    )


@given(
    st.lists(
        st.tuples(
            st.floats(0.1, 40),
            st.sampled_from(["", "Arts", "Region"]),
            st.integers(0, 500),
            st.booleans(),
        ),
        max_size=25,
    ),
    st.sampled_from(["rising", "department", "you_may_have_missed"]),
    st.floats(0, 1),
)
def test_the_best_are_on_it(
    facts: list[tuple[float, str, int, bool]], kind: str, mix: float
) -> None:
    ranking = Ranking(mix=mix, syndicated_weight=0.5)
    stories = [
        story(f"s{n}", days=days, department=department, syndicated_from="Wire" * taken)
        for n, (days, department, _, taken) in enumerate(facts)
    ]
    reads = {one.public_id: n for one, (_, _, n, _) in zip(stories, facts, strict=True)}
    scores = {
        one.public_id: score_story(
            reads[one.public_id],
            (NOW - one.published_at) / HOUR,
            EXPECTATION,
            department=one.department,
            mix=mix,
            weight=0.5 if one.syndicated_from else 1.0,
        )
        for one in stories
        if NOW - one.published_at < timedelta(days=28)
    }
    section = plan(
        kind, window="20 days", **({"department": "arts"} if kind == "department" else {})
    )
    standings = [standing(one, reads[one.public_id]) for one in stories]
    entering = competitors(section, standings, NOW, WEEK)
    whole = select_stories(section, Pool(tuple(stories), NOW, reads, scores=scores), WEEK)
    assert len(entering) == whole.considered
    everyone = shortlist(entering, EXPECTATION, NOW, ranking, 99)
    values = [scores[public_id].value for public_id in everyone]
    assert values == sorted(values, reverse=True)
    assert {choice.story.public_id for choice in whole.chosen} <= set(everyone)
    assert shortlist(entering, EXPECTATION, NOW, ranking, 2) == everyone[:2]
