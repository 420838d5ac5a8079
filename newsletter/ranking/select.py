"""Select a section's stories: its kind's order, then the fill under its limits, with reasons.

Each kind has an `Order`: the stories that compete, best first, and how to speak
of them. `fill.fill_section` then takes from it under caps and bars.
"""

from collections.abc import Callable

from newsletter.publication.sections import SectionPlan
from newsletter.ranking.bars import eligible_stories
from newsletter.ranking.fill import fill_section
from newsletter.ranking.likeness import Likenesses
from newsletter.ranking.model import PastUse, Pool, Selection, Window
from newsletter.ranking.order import Entry, Order
from newsletter.ranking.reasons import (
    age_of,
    count_of,
    expectation_of,
    grounds_of,
    left_out_of,
    ordinal,
    places_of,
    tie_with_next,
)
from newsletter.ranking.score import take_next
from newsletter.ranking.windows import count_days
from newsletter.stories.model import Story


def select_stories(
    plan: SectionPlan, pool: Pool, window: Window, likenesses: Likenesses | None = None
) -> Selection:
    """What the section of ``plan`` gets from ``pool``.

    ``window`` is that of the issue's latest stories. Stories that are hidden or
    not yet published are left out of account. Passed over are those that are in
    this issue already or that an editor keeps out, that ran before within the
    kind's cool-down, that exceed the share of a department or writer, and those
    that tell a chosen story twice.
    """
    order = _ORDERS[plan.kind](plan, pool, window)
    return fill_section(plan, pool, order, likenesses or Likenesses(pool.stories))


def choose_lead(selection: Selection, led_before: str = "") -> Story | None:
    """The story that leads an issue, of a section's choices.

    A pin at the first place, else the best score; of ties one of another
    department than ``led_before``, which led the previous issue, then the newest.
    Without scores it is the first one.
    """
    if not selection.chosen:
        return None
    first = selection.chosen[0]
    scored = [choice for choice in selection.chosen if choice.score is not None]
    if first.pinned or not scored:
        return first.story
    entries = [Entry(c.story, c.reads, c.score) for c in scored]
    entries.sort(key=lambda entry: (-entry.value, *_newest_first(entry.story)))

    def preference(entry: Entry) -> tuple[bool, float, str]:
        department = entry.story.department
        return (bool(department) and department == led_before, *_newest_first(entry.story))

    return take_next(entries, lambda e: e.score, preference).story


def _most_read(plan: SectionPlan, pool: Pool, _: Window) -> Order:
    """The most reads in the section's window first; with as many the better score, the newer."""
    entries = [entry for entry in _entries(pool) if entry.reads]
    entries.sort(key=lambda entry: (-(entry.reads or 0), -entry.value, *_newest_first(entry.story)))
    total = _total(entries, pool)
    days = count_of(count_days(plan), "day").removeprefix("1 ")
    span = "month" if plan.is_last_month else days

    def explain(at: int) -> tuple[str, ...]:
        entry = entries[at]
        place = f"{ordinal(at + 1)} of {count_of(total, 'story')}"
        what = f"{count_of(entry.reads or 0, 'read')} in the last {span}, {place}."
        counted = [(other.story, other.reads or 0) for other in entries[at : at + 2]]
        own = left_out_of(pool.own.get(entry.story.public_id, 0))
        return (what, own, age_of(entry.story, pool.now), tie_with_next(counted))

    return Order(
        entries,
        explain=explain,
        outdone=lambda entry: f"fewer reads: {entry.reads:,}",
        bars=_same_kind_within(plan),
        may_come_again=True,
    )


def _latest(_: SectionPlan, pool: Pool, window: Window) -> Order:
    """The stories published inside ``window``, the newest first; what was held over as well."""
    entries = [
        entry
        for entry in _entries(pool)
        if window.start <= entry.story.published_at < window.end
        or entry.story.public_id in pool.held_over
    ]
    return _by_date(entries, pool, lambda use: use.kind == "latest")


def _rising(plan: SectionPlan, pool: Pool, _: Window) -> Order:
    """The stories published in the section's window, the best score first."""
    entries = [entry for entry in _published_within(plan, pool) if entry.score is not None]
    return _by_score(entries, pool, _same_kind_within(plan))


def _department(plan: SectionPlan, pool: Pool, _: Window) -> Order:
    """The stories of one department: the best score first, without counts the newest."""
    wanted = plan.department.casefold()
    entries = [
        entry
        for entry in _published_within(plan, pool)
        if any(name.casefold() == wanted for name in entry.story.departments)
    ]
    if any(entry.score is None for entry in entries):
        return _by_date(entries, pool, _same_kind_within(plan))
    return _by_score(entries, pool, _same_kind_within(plan))


def _editors_pick(_plan: SectionPlan, _pool: Pool, _window: Window) -> Order:
    """Nothing but pins."""
    return Order([])


def _you_may_have_missed(plan: SectionPlan, pool: Pool, window: Window) -> Order:
    """The best of the section's window that is no news any more and never ran."""
    entries = [
        entry
        for entry in _published_within(plan, pool)
        if entry.score is not None and entry.story.published_at < window.start
    ]
    order = _by_score(entries, pool, lambda _: True)
    spoken = order.explain

    def explain(at: int) -> tuple[str, ...]:
        return (*spoken(at), "It has been in none of our issues.")

    return Order(entries, explain, order.outdone, order.bars, scored=True)


_ORDERS: dict[str, Callable[[SectionPlan, Pool, Window], Order]] = {
    "most_read": _most_read,
    "latest": _latest,
    "rising": _rising,
    "department": _department,
    "editors_pick": _editors_pick,
    "you_may_have_missed": _you_may_have_missed,
}


def _by_date(entries: list[Entry], pool: Pool, bars: Callable[[PastUse], bool]) -> Order:
    entries.sort(key=lambda entry: _newest_first(entry.story))
    total = _total(entries, pool)

    def explain(at: int) -> tuple[str, ...]:
        story = entries[at].story
        if story.public_id in pool.held_over:
            return (age_of(story, pool.now), "An editor held it over from the last issue.")
        place = "Newest" if at == 0 else f"{ordinal(at + 1).capitalize()} newest"
        return (age_of(story, pool.now), f"{place} of {count_of(total, 'new story')}.")

    def outdone(entry: Entry) -> str:
        sentence = age_of(entry.story, pool.now).rstrip(".")
        return f"older: {sentence[0].lower()}{sentence[1:]}"

    return Order(entries, explain, outdone, bars)


def _by_score(entries: list[Entry], pool: Pool, bars: Callable[[PastUse], bool]) -> Order:
    entries.sort(key=lambda entry: (-entry.value, *_newest_first(entry.story)))
    total = _total(entries, pool)
    by_reads = sorted(entries, key=lambda entry: -(entry.reads or 0))
    # Of a part of the stories, a place by reads would be none among all.
    known = {e.story.public_id: at for at, e in enumerate(by_reads, 1)} if pool.complete else {}

    def explain(at: int) -> tuple[str, ...]:
        entry = entries[at]
        return (
            expectation_of(entry.reads or 0, entry.score) if entry.score else "",
            left_out_of(pool.own.get(entry.story.public_id, 0)),
            places_of(at + 1, known.get(entry.story.public_id), total),
            age_of(entry.story, pool.now),
        )

    def outdone(entry: Entry) -> str:
        return f"lower score: {grounds_of(entry.reads or 0, entry.score)}"

    return Order(entries, explain, outdone, bars, scored=True)


def _total(entries: list[Entry], pool: Pool) -> int:
    """How many stories compete, those beyond the pool's included."""
    return pool.field.considered if pool.field else len(entries)


def _entries(pool: Pool) -> list[Entry]:
    return [
        Entry(story, pool.reads.get(story.public_id), pool.scores.get(story.public_id))
        for story in eligible_stories(pool)
    ]


def _published_within(plan: SectionPlan, pool: Pool) -> list[Entry]:
    since = pool.now - plan.window_length
    return [entry for entry in _entries(pool) if entry.story.published_at >= since]


def _same_kind_within(plan: SectionPlan) -> Callable[[PastUse], bool]:
    return lambda use: use.kind == plan.kind and use.issues_ago <= plan.cool_down


def _newest_first(story: Story) -> tuple[float, str]:
    return (-story.published_at.timestamp(), story.public_id)
