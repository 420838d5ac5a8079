"""How would past issues have done: the score and the baselines, replayed on the paper's own weeks.

A rolling origin: at each past week everything is as it was known then, the
curve included, and a rule picks from the stories of the two weeks before, save those
that the paper's own rules exclude. What they were read afterwards judges it. What past
issues really had is judged in the same way, over the weeks that had one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.errors import NotFound
from newsletter.issues.model import Issue, IssueState
from newsletter.publication.brand import Publication
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.sections import SectionPlan
from newsletter.ranking.bars import why_excluded
from newsletter.ranking.evaluate import (
    TOTAL,
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
AS_SENT = "as we sent"
_ISSUES = 400
_PLAN = SectionPlan(slug="replay", kind="rising", title="Replay", window="14 days")


@dataclass(frozen=True)
class ReplayedRule:
    """A rule's verdict, and how many pairs of its choices told one story twice, a week."""

    verdict: Verdict
    duplicates: float


@dataclass(frozen=True)
class Replay:
    """What `evaluate_history` found. ``weeks`` are the origins, the oldest first.

    ``issues`` is how many of them had an issue that was sent; with fewer than
    `FEWEST_WEEKS` there is no verdict on those.
    """

    weeks: tuple[str, ...]
    chosen: int
    stories: int
    learned_weeks: int
    issues: int
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
    sent = _sent_issues(tx, newsletter, zone, youngest)
    youngest = _on_the_day_of_issues(youngest, sent)
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
        "as we choose": _as_we_choose(found, settings.publication, newsletter),
    }
    verdicts = judge(rounds, rules, k=k, seed=seed)
    had_one = [week for week in found if week.round.name in sent]
    judged = [ReplayedRule(v, _duplicates(found, v)) for v in verdicts]
    if len(had_one) >= FEWEST_WEEKS:
        verdict = _judge_sent(had_one, sent, k=k, seed=seed)
        judged.append(ReplayedRule(verdict, _duplicates(had_one, verdict)))
    return Replay(
        weeks=tuple(round_.name for round_ in rounds),
        chosen=k,
        stories=len({story.public_id for week in found for story in week.stories}),
        learned_weeks=sum(round_.expectation.learned_from > 0 for round_ in rounds),
        issues=len(had_one),
        rules=tuple(judged),
    )


def _sent_issues(
    tx: Transaction, newsletter: Newsletter, zone: ZoneInfo, youngest: date
) -> dict[str, Issue]:
    """The issues that were sent, by the local day on which they were drafted."""
    days = {
        issue.covers_until.astimezone(zone).date(): issue
        for issue in reversed(tx.issues.recent(newsletter.slug, _ISSUES))
        if issue.state is IssueState.SENT
    }
    return {day.isoformat(): issue for day, issue in days.items() if day <= youngest}


def _on_the_day_of_issues(youngest: date, sent: Mapping[str, Issue]) -> date:
    """The last day up to ``youngest`` of the weekday on which most issues were drafted."""
    weekdays = Counter(date.fromisoformat(day).weekday() for day in sent)
    if not weekdays:
        return youngest
    usual = max(weekdays, key=lambda weekday: (weekdays[weekday], weekday))
    return youngest - (youngest.weekday() - usual) % 7 * _DAY


def _judge_sent(weeks: Sequence[_Week], sent: Mapping[str, Issue], *, k: int, seed: int) -> Verdict:
    """What the issues of ``weeks`` had: the lead and what stands first, of the stories at hand.

    They knew some hours more than the rules, which look at the day's beginning.
    """

    def choose(round_: Round, k: int, _: object) -> list[int]:
        issue = sent[round_.name]
        places = {candidate.key: at for at, candidate in enumerate(round_.candidates)}
        printed = dict.fromkeys((issue.lead, *(item.story_id for item in issue.items)))
        return [places[key] for key in printed if key in places][:k]

    rules: dict[str, Rule] = {TOTAL: baselines()[TOTAL], AS_SENT: choose}
    verdicts = judge([week.round for week in weeks], rules, k=k, seed=seed)
    return next(verdict for verdict in verdicts if verdict.rule == AS_SENT)


def _replay_week(
    tx: Transaction, settings: Settings, newsletter: Newsletter, origin: datetime, zone: ZoneInfo
) -> _Week:
    """The stories of the two weeks before ``origin`` as they were known then.

    Without those that the newsletter excludes: no rule could have sent them.
    """
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
    ordered = tuple(
        stories[public_id]
        for public_id in ids
        if not why_excluded(stories[public_id], newsletter.ranking)
    )
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


def _caps_of(newsletter: Newsletter) -> SectionPlan:
    """A section of the replay, with the caps of the newsletter's one that is likest to it.

    That is its rising section, else its latest, else its first.
    """
    liked = [
        next((plan for plan in newsletter.sections if plan.kind == kind), None)
        for kind in ("rising", "latest")
    ]
    like = next((plan for plan in (*liked, *newsletter.sections) if plan is not None), _PLAN)
    caps = ("max_per_department", "max_per_author", "min_departments")
    return _PLAN.model_copy(update={name: getattr(like, name) for name in caps})


def _as_we_choose(weeks: Sequence[_Week], publication: Publication, newsletter: Newsletter) -> Rule:
    """The product's own selection: score, ties, near-duplicates, the caps, no repeats."""
    capped = _caps_of(newsletter)
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
        house = publication.house_names
        pool = Pool(week.stories, week.origin, reads, past, scores=scores, house=house)
        plan = capped.model_copy(update={"count": k, "minimum": min(k, len(week.stories))})
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
