"""How would past issues have done: the score and the baselines, replayed on the paper's own weeks.

A rolling origin: at each past week everything is as it was known then, the
curve included, and a rule picks from the stories of the two weeks before. What
they were read afterwards judges it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.errors import NotFound
from newsletter.publication.model import Newsletter, SectionPlan, Settings
from newsletter.ranking.evaluate import (
    Candidate,
    Round,
    Rule,
    Verdict,
    baselines,
    by_score,
    judge,
)
from newsletter.ranking.likeness import Likenesses
from newsletter.ranking.model import PastUse, Pool, Window
from newsletter.ranking.score import score_story
from newsletter.ranking.select import select_stories
from newsletter.storage.reads import CountedDays
from newsletter.storage.transaction import Transaction
from newsletter.stories.model import Story
from newsletter.workflows.material import LIFE, expect

# A story can miss its own week and come in the next; then it may repeat, too.
REACH = timedelta(days=14)
# With fewer weeks an interval says nothing.
FEWEST_WEEKS = 4
_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_PLAN = SectionPlan(slug="replay", kind="rising", title="Replay", window="14 days")


@dataclass(frozen=True)
class ReplayedRule:
    """A rule's verdict, and how many pairs of its choices told one story twice, a week."""

    verdict: Verdict
    duplicates: float


@dataclass(frozen=True)
class Replay:
    """What `evaluate_history` found. ``weeks`` are the origins, the oldest first."""

    weeks: tuple[str, ...]
    chosen: int
    stories: int
    learned_weeks: int
    rules: tuple[ReplayedRule, ...]


@dataclass(frozen=True)
class _Week:
    """An origin, with its stories beside the candidates made of them."""

    round: Round
    stories: tuple[Story, ...]
    origin: datetime


def evaluate_history(
    tx: Transaction,
    settings: Settings,
    newsletter: Newsletter,
    now: datetime,
    *,
    weeks: int,
    k: int,
    seed: int,
) -> Replay:
    """The verdicts over the last ``weeks`` weeks whose stories have grown 28 days old since.

    NotFound where the counters do not reach back far enough.
    """
    sources = newsletter.sources or tuple(source.slug for source in settings.source)
    zone = newsletter.zone_in(settings.publication)
    began = tx.reads.first_day(settings.primary_counters(sources))
    youngest = now.astimezone(zone).date() - LIFE
    found: list[_Week] = []
    for number in range(weeks if began else 0):
        day = youngest - number * _WEEK
        if began is None or day - REACH < began:
            break
        week = _replay_week(tx, settings, newsletter, _start_of(day, zone), zone)
        if len(week.stories) > k:
            found.append(week)
    if len(found) < FEWEST_WEEKS:
        since = f"they begin on {began}" if began else "there are none"
        raise NotFound(
            f"{newsletter.slug}: {len(found)} past weeks can be replayed and {FEWEST_WEEKS} are "
            f"the least; each needs reads from two weeks before it to four after, and {since}",
            subject=newsletter.slug,
        )
    found.reverse()
    rounds = [week.round for week in found]
    mix = newsletter.ranking.mix
    rules: dict[str, Rule] = {
        **baselines(),
        "score, best of the week": by_score(1.0),
        "score, still rising": by_score(0.0),
        f"score, mix {mix:g}": by_score(mix),
        "as we choose": _as_we_choose(found, newsletter),
    }
    verdicts = judge(rounds, rules, k=k, seed=seed)
    return Replay(
        weeks=tuple(round_.name for round_ in rounds),
        chosen=k,
        stories=len({story.public_id for week in found for story in week.stories}),
        learned_weeks=sum(round_.expectation.learned_from > 0 for round_ in rounds),
        rules=tuple(ReplayedRule(v, _duplicates(found, v)) for v in verdicts),
    )


def _replay_week(
    tx: Transaction, settings: Settings, newsletter: Newsletter, origin: datetime, zone: ZoneInfo
) -> _Week:
    """The stories of the two weeks before ``origin`` as they were known then."""
    sources = newsletter.sources or tuple(source.slug for source in settings.source)
    counters = settings.primary_counters(sources)
    less_own = settings.tracking.subtract_own
    today = origin.astimezone(zone).date()

    def counted(first: date, last: date) -> CountedDays:
        return tx.reads.counted_days(counters, first, last, less_own=less_own)

    ids, _ = tx.standings.newest(sources, origin - REACH, origin, None)
    # The first of these days are before the oldest of these stories, whatever the clock did.
    by_day = tx.standings.by_day(counted(today - REACH - 2 * _DAY, today + LIFE), ids)
    stories = {story.public_id: story for story in tx.stories.by_ids(ids)}
    ordered = tuple(stories[public_id] for public_id in ids)
    expectation = expect(tx, settings, newsletter, origin, counted(today - LIFE, today - _DAY))
    candidates = tuple(
        _candidate(story, by_day.get(story.public_id, {}), origin, zone) for story in ordered
    )
    return _Week(Round(candidates, expectation, today.isoformat()), ordered, origin)


def _candidate(
    story: Story, days: Mapping[date, int], origin: datetime, zone: ZoneInfo
) -> Candidate:
    """What was read before ``origin``, in the week after, and in the story's whole life."""
    today = origin.astimezone(zone).date()
    grown = story.published_at.astimezone(zone).date() + LIFE

    def between(first: date, end: date) -> float:
        return float(sum(count for day, count in days.items() if first <= day < end))

    return Candidate(
        key=story.public_id,
        reads=between(date.min, today),
        age=(origin - story.published_at) / _HOUR,
        recent=between(today - _WEEK, today),
        eventual=between(date.min, grown),
        to_come=between(today, today + _WEEK),
        department=story.department,
    )


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a local day begins."""
    return datetime.combine(day, time(), zone)


def _as_we_choose(weeks: Sequence[_Week], newsletter: Newsletter) -> Rule:
    """The product's own selection: score, ties, near-duplicates, two a department, no repeats."""
    by_name = {week.round.name: week for week in weeks}
    past: dict[str, tuple[PastUse, ...]] = {}

    def choose(round_: Round, k: int, _: object) -> list[int]:
        week = by_name[round_.name]
        scores = {
            candidate.key: score_story(
                candidate.reads,
                candidate.age,
                round_.expectation,
                department=candidate.department,
                mix=newsletter.ranking.mix,
                weight=newsletter.ranking.syndicated_weight if story.syndicated_from else 1.0,
            )
            for candidate, story in zip(round_.candidates, week.stories, strict=True)
        }
        reads = {candidate.key: int(candidate.reads) for candidate in round_.candidates}
        pool = Pool(week.stories, week.origin, reads, past, scores=scores)
        plan = _PLAN.model_copy(
            update={"count": k, "minimum": min(k, len(week.stories)), "max_per_department": 2}
        )
        window = Window(week.origin - REACH, week.origin)
        picked = [choice.story.public_id for choice in select_stories(plan, pool, window).chosen]
        for public_id in picked:
            past[public_id] = (PastUse("replay", "rising", round_.name, 1),)
        places = {candidate.key: at for at, candidate in enumerate(round_.candidates)}
        return [places[public_id] for public_id in picked]

    return choose


def _duplicates(weeks: Sequence[_Week], verdict: Verdict) -> float:
    """The mean number of pairs a week that tell one story twice."""
    pairs = 0
    for week, chosen in zip(weeks, verdict.chosen, strict=True):
        likenesses = Likenesses(week.stories)
        stories = {story.public_id: story for story in week.stories}
        picked = [stories[key] for key in chosen]
        pairs += sum(
            likenesses.between(one, other) is not None
            for at, one in enumerate(picked)
            for other in picked[at + 1 :]
        )
    return pairs / len(weeks)
