"""Fill a section from an order: pins first, then the best that no bar or cap keeps out.

Where too few stories are left, limits give way in a fixed order, each by as
little as it takes, and it is said:

1. the least number of departments, where it would leave places empty;
2. the most stories of one writer, then
3. the most of one department, and
4. the cool-down, for one story,

where the section would have fewer stories than its minimum.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from newsletter.publication.sections import SectionPlan
from newsletter.ranking.bars import Bars, eligible_stories, raise_bars
from newsletter.ranking.likeness import Likenesses
from newsletter.ranking.model import Choice, PassedOver, Pool, Selection
from newsletter.ranking.order import Entry, Order
from newsletter.ranking.reasons import ordinal, over_cap, spell
from newsletter.stories.model import Story

# As many as an editor would look at.
MOST_PASSED_OVER = 5


@dataclass(frozen=True)
class _Limits:
    """0 sets no limit. ``again`` is the story that the cool-down spares."""

    departments: int
    per_author: int
    per_department: int
    again: str = ""


@dataclass(frozen=True)
class _Filled:
    """``reserved``: a story was left out to keep its place for another department."""

    chosen: tuple[Choice, ...]
    passed: tuple[PassedOver, ...]
    reserved: bool


def fill_section(plan: SectionPlan, pool: Pool, order: Order, likenesses: Likenesses) -> Selection:
    """The section's stories: as many as it takes, as the limits allow or had to give way."""
    limits = _Limits(plan.min_departments, plan.max_per_author, plan.max_per_department)

    def fill(limits: _Limits) -> tuple[_Filled, _Limits]:
        """No place is kept for a department that there is not."""
        filled = _fill(plan, pool, order, likenesses, limits)
        while filled.reserved and len(filled.chosen) < plan.count:
            limits = replace(limits, departments=limits.departments - 1)
            filled = _fill(plan, pool, order, likenesses, limits)
        return filled, limits

    considered = pool.field.considered if pool.field else len(order.entries)
    filled = _fill(plan, pool, order, likenesses, limits)
    if len(filled.chosen) < plan.count and not pool.complete:
        # No limit gives way before all stories have been looked at.
        return Selection(filled.chosen, filled.passed, considered, starved=True)
    filled, limits = fill(limits)
    for soften in (_more_of_a_writer, _more_of_a_department, _one_again):
        for softer in soften(plan, pool, order, limits):
            if len(filled.chosen) >= plan.minimum:
                break
            trial, softened = fill(softer)
            if len(trial.chosen) > len(filled.chosen):
                filled, limits = trial, softened
    relaxed = tuple(_say_changes(plan, limits, pool))
    return Selection(filled.chosen, filled.passed, considered, relaxed)


def _more_of_a_writer(
    plan: SectionPlan, _pool: Pool, _order: Order, limits: _Limits
) -> Iterator[_Limits]:
    if limits.per_author:
        for most in range(limits.per_author + 1, plan.count + 1):
            yield replace(limits, per_author=most)


def _more_of_a_department(
    plan: SectionPlan, _pool: Pool, _order: Order, limits: _Limits
) -> Iterator[_Limits]:
    if limits.per_department:
        for most in range(limits.per_department + 1, plan.count + 1):
            # One writer may be all that a department has.
            per_author = max(limits.per_author, most) if limits.per_author else 0
            yield replace(limits, per_department=most, per_author=per_author)


def _one_again(_plan: SectionPlan, pool: Pool, order: Order, limits: _Limits) -> Iterator[_Limits]:
    if not order.may_come_again:
        return
    for entry in order.entries:
        public_id = entry.story.public_id
        if any(map(order.bars, pool.past_uses.get(public_id, ()))):
            yield replace(limits, again=public_id)


def _say_changes(plan: SectionPlan, limits: _Limits, pool: Pool) -> Iterator[str]:
    if limits.departments < plan.min_departments:
        yield (
            f"the least number of departments is {spell(limits.departments)} instead of "
            f"{spell(plan.min_departments)}"
        )
    for name, most, meant in (
        ("writer", limits.per_author, plan.max_per_author),
        ("department", limits.per_department, plan.max_per_department),
    ):
        if most > meant:
            yield f"{spell(most)} of one {name} may come instead of {spell(meant)}"
    if limits.again:
        title = next(s.title for s in pool.stories if s.public_id == limits.again)
        yield f"the cool-down spares “{title}”, which is still read"


def _fill(
    plan: SectionPlan, pool: Pool, order: Order, likenesses: Likenesses, limits: _Limits
) -> _Filled:
    """One try under fixed limits."""
    bars = raise_bars(pool, likenesses, order.bars, limits.again)
    pinned = _pinned(plan, pool)
    ranks = {entry.story.public_id: at for at, entry in enumerate(order.entries)}
    shares = _Shares(limits, pool.house)
    kept = _kept(plan, pool, order)
    held = [*pinned.items(), *enumerate((entry.story for entry in kept), 1)]
    for position, story in held:
        bars.take(story, ordinal(position))
        shares.count(story)
    taken = {story.public_id for _, story in held}
    remaining = [entry for entry in order.entries if entry.story.public_id not in taken]
    free = plan.count - len(held)
    chosen: list[tuple[Entry, str]] = []
    passed: list[PassedOver] = []
    reserved = False

    def preference(entry: Entry) -> tuple[bool, int, float, str]:
        story = entry.story
        return (
            bool(story.syndicated_from),
            shares.departments[story.department],
            -story.published_at.timestamp(),
            story.public_id,
        )

    def pass_over(entry: Entry, reason: str) -> None:
        rank = ranks[entry.story.public_id] + 1
        passed.append(PassedOver(entry.story, entry.reads, rank, reason, entry.score))

    while remaining and len(chosen) < free:
        best = remaining[0]
        entry = order.take_next(preference, remaining)
        reason = bars.against(entry.story) or shares.over(entry.story)
        if not reason:
            reason = _own_version(entry, remaining, bars, likenesses)
        if not reason and shares.must_wait(entry.story, free - len(chosen)):
            reserved = True
            reason = (
                "its place is kept for another department, where "
                f"{spell(limits.departments)} are the least"
            )
        if reason:
            pass_over(entry, reason)
            continue
        tie = ""
        if entry is not best and not (bars.against(best.story) or shares.is_over(best.story)):
            tie = _why_before(entry, best, shares)
        chosen.append((entry, tie))
        shares.count(entry.story)
        bars.take(entry.story, ordinal(len(chosen)))
    for entry in remaining:
        if len(passed) >= MOST_PASSED_OVER:
            break
        pass_over(
            entry, bars.against(entry.story) or shares.over(entry.story) or order.outdone(entry)
        )
    passed.sort(key=lambda over: over.rank)
    if kept:
        # What comes anew goes in among them by the section's order.
        chosen += [(entry, "") for entry in kept]
        chosen.sort(key=lambda pair: ranks.get(pair[0].story.public_id, len(ranks)))
    return _Filled(
        _lay_out(pool, order, pinned, chosen, ranks, limits.again),
        tuple(passed[:MOST_PASSED_OVER]),
        reserved,
    )


def _pinned(plan: SectionPlan, pool: Pool) -> dict[int, Story]:
    """The stories at fixed places of this section, by place."""
    here = {pin.story_id: pin.position for pin in pool.pins if pin.section == plan.slug}
    found = {
        here[story.public_id]: story
        for story in eligible_stories(pool)
        if story.public_id in here and story.public_id not in pool.taken
    }
    return {at: found[at] for at in sorted(found) if at <= plan.count}


def _kept(plan: SectionPlan, pool: Pool, order: Order) -> list[Entry]:
    """The stories that have a place of this section already, the best first."""
    pinned = {pin.story_id for pin in pool.pins}
    here = {i for i, slug in pool.kept.items() if slug == plan.slug and i not in pinned}
    kept = [entry for entry in order.entries if entry.story.public_id in here]
    competing = {entry.story.public_id for entry in kept}
    # What was dated anew has no place in the order, and keeps the one it has here.
    others = [s for s in pool.stories if s.public_id in here - competing and not s.hidden]
    return kept + [
        Entry(s, pool.reads.get(s.public_id), pool.scores.get(s.public_id)) for s in others
    ]


class _Shares:
    """What departments and writers have of a section so far."""

    def __init__(self, limits: _Limits, house: frozenset[str]) -> None:
        self._limits = limits
        self._house = house
        self.departments: Counter[str] = Counter()
        self._writers: Counter[str] = Counter()
        self._met: Counter[tuple[str, str]] = Counter()

    def count(self, story: Story) -> None:
        """Let ``story`` have a place."""
        if story.department:
            self.departments[story.department] += 1
        self._writers[self._writer(story)] += 1

    def is_over(self, story: Story) -> bool:
        """Whether its department or writer has its share already."""
        return any(held >= most for _, _, held, most in self._caps(story))

    def over(self, story: Story) -> str:
        """A reason where it `is_over`, else ""; counts how often one met the name so far."""
        for by, name, held, most in self._caps(story):
            place = max(self._met[by, name], held) + 1
            self._met[by, name] = place
            if held >= most:
                return over_cap(name, place, most, by)
        return ""

    def _caps(self, story: Story) -> Iterator[tuple[str, str, int, int]]:
        """What limits the story: how to say it, whose share, how much of it is gone, the share."""
        if story.department and self._limits.per_department:
            held = self.departments[story.department]
            yield "of", story.department, held, self._limits.per_department
        writer = self._writer(story)
        if writer and self._limits.per_author:
            yield "by", story.byline, self._writers[writer], self._limits.per_author

    def must_wait(self, story: Story, free: int) -> bool:
        """Whether the ``free`` places left are all owed to departments that have none yet."""
        owed = self._limits.departments - len(+self.departments)
        new = bool(story.department) and not self.departments[story.department]
        return owed >= free and owed > 0 and not new

    def _writer(self, story: Story) -> str:
        name = " ".join(story.byline.casefold().split())
        return "" if name in self._house else name


def _own_version(entry: Entry, remaining: list[Entry], bars: Bars, likenesses: Likenesses) -> str:
    """A reason where ``entry`` is taken over and the paper's own version may come as well."""
    if not entry.story.syndicated_from:
        return ""
    for other in remaining:
        if other.story.syndicated_from or bars.against(other.story):
            continue
        if likenesses.between(entry.story, other.story):
            return f"our own version comes before it: “{other.story.title}”"
    return ""


def _why_before(entry: Entry, best: Entry, shares: _Shares) -> str:
    """Why the chosen one of a tie came before the one with the best score."""
    ahead = f"“{best.story.title}”"
    if best.story.syndicated_from and not entry.story.syndicated_from:
        return f"Within counting error of {ahead}, which is not our own."
    if shares.departments[entry.story.department] < shares.departments[best.story.department]:
        return f"Within counting error of {ahead}; it brings another department."
    return f"Within counting error of {ahead}; the newer goes first."


def _lay_out(
    pool: Pool,
    order: Order,
    pinned: dict[int, Story],
    chosen: list[tuple[Entry, str]],
    ranks: dict[str, int],
    again: str,
) -> tuple[Choice, ...]:
    """The choices in their places: what is pinned where it is pinned, the rest around it."""
    others = iter(chosen)
    laid: list[Choice] = []
    for place in range(1, len(pinned) + len(chosen) + 1):
        story = pinned.get(place)
        entry, tie = next(others, (None, "")) if story is None else (None, "")
        if story is not None:
            laid.append(_pin(pool, order, story, ranks))
        elif entry is not None:
            at = ranks.get(entry.story.public_id)
            still_read = entry.story.public_id == again
            spared = "Still read, though it ran before." if still_read else ""
            reasons = (*(order.explain(at) if at is not None else ()), tie, spared)
            laid.append(
                Choice(
                    entry.story,
                    entry.reads,
                    None if at is None else at + 1,
                    _said(reasons),
                    entry.score,
                    still_read=still_read,
                )
            )
    # A pin at a place beyond the last story stands right after it.
    here = {choice.story.public_id for choice in laid}
    laid += [
        _pin(pool, order, story, ranks) for story in pinned.values() if story.public_id not in here
    ]
    return tuple(laid)


def _pin(pool: Pool, order: Order, story: Story, ranks: dict[str, int]) -> Choice:
    at = ranks.get(story.public_id)
    reasons = ("Pinned by an editor.", *(order.explain(at) if at is not None else ()))
    return Choice(
        story,
        pool.reads.get(story.public_id),
        None if at is None else at + 1,
        _said(reasons),
        pool.scores.get(story.public_id),
        pinned=True,
    )


def _said(reasons: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(filter(None, reasons))
