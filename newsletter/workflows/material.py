"""Gather what an issue is made from: of all stories those that may win a place."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from newsletter.issues.assemble import Material
from newsletter.issues.model import Issue
from newsletter.publication.editions import CatchUp
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.sections import SectionPlan
from newsletter.publication.slots import Slot
from newsletter.ranking.curve import HORIZON_HOURS
from newsletter.ranking.expect import expect_reads
from newsletter.ranking.model import Field
from newsletter.ranking.score import Expectation
from newsletter.ranking.shortlist import competitors, shortlist
from newsletter.ranking.windows import latest_window, window_days
from newsletter.storage.reads import CountedDays
from newsletter.storage.transaction import Transaction
from newsletter.workflows.missed import gather_missed

# So many stories compete for a section at first; where bars and caps use them
# up, more are fetched. The largest section has 28 places.
CANDIDATES = 200
# How many earlier issues are searched for stories that ran before: a year of weeks.
_MEMORY = 53
# A story is told twice within a week: what ran in so many issues is compared with.
_COMPARED = 4
# A score looks at the reads of a story's life, and learns from as many earlier ones.
LIFE = timedelta(hours=HORIZON_HOURS)
_PAST_STORIES = 500
# The longest window of a section: until then some of its days are of another kind.
_NEW_FOR = timedelta(days=30)
_HOUR = timedelta(hours=1)
_SCORED = ("rising", "department", "you_may_have_missed")


def gather_material(
    tx: Transaction,
    settings: Settings,
    newsletter: Newsletter,
    slot: Slot,
    now: datetime,
    named: Collection[str] = (),
    *,
    candidates: int = CANDIDATES,
) -> Material:
    """All that the assembly may look at, read in one transaction.

    For each section the best ``candidates`` stories by what it goes by, and
    those that an editor ``named``, by public id.
    """
    sources = newsletter.sources or tuple(source.slug for source in settings.source)
    if isinstance(newsletter, CatchUp):
        return gather_missed(tx, settings, newsletter, now, named)
    counters = settings.primary_counters(sources)
    zone = newsletter.zone_in(settings.publication)
    # An extra shares the send time of the regular issue that it stands beside and follows.
    before = slot.send_at + timedelta(microseconds=1) if slot.is_extra else slot.send_at
    previous = tx.issues.previous(newsletter.slug, before, newsletter.edition)
    past_uses = tx.issues.past_uses(newsletter.slug, before, _MEMORY, newsletter.edition)
    covers_from = previous.covers_until if previous else None
    latest = next((plan for plan in newsletter.sections if plan.kind == "latest"), None)
    window = latest_window(latest, covers_from, now)

    def counted(first: date, last: date) -> CountedDays:
        return tx.reads.counted_days(counters, first, last, less_own=settings.tracking.subtract_own)

    def left_out(first: date, last: date) -> dict[str, int]:
        less_own = settings.tracking.subtract_own
        return tx.reads.own_sums(counters, first, last) if less_own else {}

    today = now.astimezone(zone).date()
    life = counted(today - LIFE, today)
    expectation = expect(tx, settings, newsletter, now, life)
    reads: dict[str, dict[str, int]] = {}
    own: dict[str, dict[str, int]] = {}
    fields: dict[str, Field] = {}
    wanted = set(named)

    def compete(plan: SectionPlan, ids: Sequence[str], considered: int) -> None:
        fields[plan.slug] = Field(considered, len(ids) >= considered)
        wanted.update(ids)

    reaches = [plan.window_length for plan in newsletter.sections if plan.kind in _SCORED]
    standings = tx.standings.standings(life, sources, now - max(reaches), now) if reaches else []
    for plan in newsletter.sections:
        if plan.kind == "most_read":
            days = counted(*window_days(plan, now, zone))
            own[plan.slug] = left_out(*window_days(plan, now, zone))
            reads[plan.slug], count = tx.standings.most_read(days, candidates)
            compete(plan, list(reads[plan.slug]), count)
        elif plan.kind == "latest":
            compete(plan, *tx.standings.newest(sources, window.start, window.end, candidates))
        elif plan.kind == "department" or (plan.kind in _SCORED and life is not None):
            entering = competitors(plan, standings, now, window)
            ids = shortlist(entering, expectation, now, newsletter.ranking, candidates)
            compete(plan, ids, len(entering))
    held_over = frozenset(previous.held_over if previous else ())
    compared = max((_COMPARED, *(plan.cool_down for plan in newsletter.sections)))
    wanted |= held_over | {
        story_id
        for story_id, uses in past_uses.items()
        if any(use.issues_ago <= compared for use in uses)
    }
    stories = [story for story in tx.stories.by_ids(wanted) if story.source in sources]
    # They come in no order, and the same stories must give the same bytes.
    stories.sort(key=lambda story: story.public_id)
    return Material(
        stories=tuple(stories),
        reads=reads,
        so_far=tx.standings.reads_of(life, wanted),
        own=own,
        own_so_far=left_out(today - LIFE, today),
        counted=life is not None,
        expectation=expectation,
        past_uses=past_uses,
        covers_from=covers_from,
        fields=fields,
        held_over=held_over,
        led_before=_department_of_lead(previous),
        notices=(
            *tell_mixed_kinds(tx, settings, newsletter),
            *tell_new_kinds(tx, settings, newsletter, now),
        ),
    )


def _department_of_lead(issue: Issue | None) -> str:
    leading = (item for item in issue.items if item.story_id == issue.lead) if issue else ()
    return next((item.department for item in leading), "")


def tell_mixed_kinds(
    tx: Transaction, settings: Settings, newsletter: Newsletter
) -> tuple[str, ...]:
    """A sentence where counters of the newsletter's sources count different kinds, else nothing.

    Kinds are never compared, so that the stories of some sources can't rank then.
    """
    sources = newsletter.sources or tuple(source.slug for source in settings.source)
    kinds = tx.reads.ranking_kinds(list(settings.primary_counters(sources).values()))
    ranking = next(iter(kinds.values()), None)
    if ranking is None or len(set(kinds.values())) == 1:
        return ()
    counted = {reads.slug: reads.source for reads in settings.reads}
    ranked = _join(slug for slug, kind in kinds.items() if kind is ranking)
    others = _join(f"{slug} counts {kind}" for slug, kind in kinds.items() if kind is not ranking)
    unranked = _join(counted[slug] for slug, kind in kinds.items() if kind is not ranking)
    return (
        f"Stories rank by {ranking}, as {ranked} counts them. {others}, which are never compared "
        f"with {ranking}: no story of {unranked} ranks by its reads. Let the counters of all "
        "sources count one kind, or name first in sources what shall rank.",
    )


def tell_new_kinds(
    tx: Transaction, settings: Settings, newsletter: Newsletter, now: datetime
) -> tuple[str, ...]:
    """Sentences on counters that count another kind than a month ago.

    What they told before ranks no more, so that the order is made of fewer days.
    """
    sources = newsletter.sources or tuple(source.slug for source in settings.source)
    counters = settings.primary_counters(sources).values()
    changes = tx.reads.kind_changes(counters, now - _NEW_FOR)
    zone = settings.publication.zone
    return tuple(
        f"Since {change.at.astimezone(zone).date()} {slug} counts {change.after}, by which its "
        f"stories rank; the {change.before} that it counted until then rank no more."
        for slug, change in sorted(changes.items())
        if change.at <= now
    )


def tell_own_unknown(
    tx: Transaction, settings: Settings, newsletter: Newsletter
) -> tuple[str, ...]:
    """Sentences on counters from whose reads our own can't be taken off, though that is asked."""
    tracking = settings.tracking
    if not tracking.subtract_own:
        return ()
    sources = newsletter.sources or tuple(source.slug for source in settings.source)
    counters = settings.primary_counters(sources).values()
    found = []
    for reads in settings.reads:
        if reads.slug not in counters:
            continue
        if reads.kind in ("access-log", "beacon"):
            if not tracking.utm_source:
                found.append(
                    f"{reads.slug} tells visits from our mails by the tag of their links, and "
                    "there is none: nothing is subtracted; set [tracking] utm_source."
                )
        elif tracking.clicks == "off" and not (
            reads.kind == "csv" and tx.reads.tells_own(reads.slug)
        ):
            found.append(
                f"{reads.slug} can't tell visits from our mails apart, and clicks in them are not "
                "counted: nothing is subtracted; set [tracking] clicks to anonymous or count."
            )
    return tuple(found)


def _join(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def expect(
    tx: Transaction,
    settings: Settings,
    newsletter: Newsletter,
    now: datetime,
    life: CountedDays,
) -> Expectation:
    """What the paper's history lets expect at ``now``; ``life`` are the counted days before."""
    sources = newsletter.sources or tuple(source.slug for source in settings.source)
    past = tx.reads.histories(
        settings.primary_counters(sources),
        sources,
        newsletter.zone_in(settings.publication),
        now,
        life_days=LIFE.days,
        limit=_PAST_STORIES,
        less_own=settings.tracking.subtract_own,
    )

    def present() -> Iterator[tuple[float, float]]:
        young = tx.standings.standings(life, sources, now - LIFE, now, _PAST_STORIES)
        for one in young:
            yield one.reads, (now - one.published_at) / _HOUR

    return expect_reads(past, present())
