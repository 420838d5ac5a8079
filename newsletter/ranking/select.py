"""Select a section's stories in a given order, under its caps, with reasons."""

from collections import Counter
from collections.abc import Callable, Sequence

from newsletter.publication.model import SectionPlan
from newsletter.ranking.bars import Bars, eligible_stories, raise_bars
from newsletter.ranking.model import Choice, PassedOver, Pool, Selection, Window
from newsletter.ranking.reasons import age_of, count_of, ordinal, over_cap, tie_with_next
from newsletter.ranking.windows import count_days
from newsletter.stories.model import Story

# As many as an editor would look at.
MOST_PASSED_OVER = 5

_Order = Sequence[tuple[Story, int]]


def select_most_read(plan: SectionPlan, pool: Pool) -> Selection:
    """The stories with the most reads in the section's window; in a tie the newer first.

    Stories that are hidden, not yet published or without a counted read are
    left out of account. A story's rank is its place among the others before any
    cap. Passed over are those that are in this issue already, that ran in a
    `most_read` section within the cool-down, that exceed their department's
    share, and second stories with the same headline.
    """
    counted = [(story, pool.reads.get(story.public_id, 0)) for story in eligible_stories(pool)]
    order = [(story, reads) for story, reads in counted if reads > 0]
    order.sort(key=lambda entry: (-entry[1], *_newest_first(entry[0])))
    bars = raise_bars(
        pool, lambda use: use.kind == "most_read" and use.issues_ago <= plan.cool_down
    )

    days = count_of(count_days(plan), "day").removeprefix("1 ")

    def explain(at: int) -> tuple[str, ...]:
        story, reads = order[at]
        place = f"{ordinal(at + 1)} of {count_of(len(order), 'story')}"
        what = f"{count_of(reads, 'read')} in the last {days}, {place}."
        return (what, age_of(story, pool.now), tie_with_next(order, at))

    return _select(plan, pool, order, bars, explain, lambda _, reads: f"fewer reads: {reads:,}")


def select_latest(plan: SectionPlan, pool: Pool, window: Window) -> Selection:
    """The stories published inside ``window``, the newest first.

    What ran in a `latest` section once never comes in one again. Otherwise as
    `select_most_read`; reads play no part.
    """
    order = [
        (story, pool.reads.get(story.public_id, 0))
        for story in eligible_stories(pool)
        if window.start <= story.published_at < window.end
    ]
    order.sort(key=lambda entry: _newest_first(entry[0]))
    bars = raise_bars(pool, lambda use: use.kind == "latest")

    def explain(at: int) -> tuple[str, ...]:
        place = "Newest" if at == 0 else f"{ordinal(at + 1).capitalize()} newest"
        return (age_of(order[at][0], pool.now), f"{place} of {count_of(len(order), 'new story')}.")

    def outdone(story: Story, _: int) -> str:
        sentence = age_of(story, pool.now).rstrip(".")
        return f"older: {sentence[0].lower()}{sentence[1:]}"

    return _select(plan, pool, order, bars, explain, outdone)


def _select(
    plan: SectionPlan,
    pool: Pool,
    order: _Order,
    bars: Bars,
    explain: Callable[[int], tuple[str, ...]],
    outdone: Callable[[Story, int], str],
) -> Selection:
    chosen: list[Choice] = []
    passed: list[PassedOver] = []
    places: Counter[str] = Counter()
    for at, (story, reads) in enumerate(order):
        known_reads = pool.reads.get(story.public_id)
        reason = bars.against(story) or _over_share(plan, story, places)
        if not reason and len(chosen) == plan.count:
            reason = outdone(story, reads)
        if reason:
            passed.append(PassedOver(story, known_reads, at + 1, reason))
        else:
            chosen.append(Choice(story, known_reads, at + 1, tuple(filter(None, explain(at)))))
            bars.take_headline(story, f"the same headline as the {ordinal(len(chosen))} here")
        if len(chosen) == plan.count and len(passed) >= MOST_PASSED_OVER:
            break
    return Selection(tuple(chosen), tuple(passed[:MOST_PASSED_OVER]), len(order))


def _over_share(plan: SectionPlan, story: Story, places: Counter[str]) -> str:
    """Count the story in its department, and say where that has its share already."""
    if not plan.max_per_department or not story.department:
        return ""
    places[story.department] += 1
    place = places[story.department]
    if place <= plan.max_per_department:
        return ""
    return over_cap(story.department, place, plan.max_per_department)


def _newest_first(story: Story) -> tuple[float, str]:
    return (-story.published_at.timestamp(), story.public_id)
