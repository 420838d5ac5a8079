"""Stories that an editor may put into an issue: found by search, with their reads and reasons."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from newsletter.errors import EditRefused, NotFound, Remedy
from newsletter.issues.assemble import is_excerpt
from newsletter.issues.model import Issue, Item
from newsletter.issues.places import find_place
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.ranking.bars import why_excluded
from newsletter.ranking.model import PastUse
from newsletter.ranking.reasons import age_of, expectation_of
from newsletter.ranking.score import Expectation, Score, score_story
from newsletter.storage.reads import CountedDays
from newsletter.storage.story_search import StoryQuery
from newsletter.storage.transaction import Transaction
from newsletter.stories.canonical import canonical_url, title_key
from newsletter.stories.model import Story
from newsletter.workflows.installation import Installation, newsletter_of, only_newsletter
from newsletter.workflows.material import LIFE, expect

Order = Literal["newest", "most_read"]
MOST_FOUND = 100
# Where a story ran is looked for in a year of weeks.
_ISSUES_BACK = 53
_EVER = timedelta(days=3650)
_HOUR = timedelta(hours=1)
_ADDED = "Added by an editor."


@dataclass(frozen=True)
class Candidate:
    """A story and what speaks for it. ``place`` is where the issue has it, else empty.

    ``ran`` are the slots of issues that had it, the newest first.
    """

    story_id: str
    headline: str
    url: str
    department: str
    published_at: datetime
    reads: int | None
    score: float | None
    reasons: tuple[str, ...]
    place: str = ""
    ran: tuple[str, ...] = ()
    has_picture: bool = False


@dataclass(frozen=True)
class _Ground:
    """What reasons are made of."""

    newsletter: Newsletter
    now: datetime
    life: CountedDays
    reads: dict[str, int]
    expectation: Expectation | None
    uses: dict[str, tuple[PastUse, ...]]


def find_candidates(
    installation: Installation,
    issue: Issue,
    *,
    words: str = "",
    department: str = "",
    since: datetime | None = None,
    order: Order = "newest",
    limit: int = 20,
) -> tuple[Candidate, ...]:
    """Stories as `search_stories` finds them, each with what speaks for it."""
    ids = search_stories(
        *(installation, issue),
        words=words,
        department=department,
        since=since,
        order=order,
        limit=limit,
    )
    return describe_candidates(installation, issue, ids)


def search_stories(
    installation: Installation,
    issue: Issue,
    *,
    words: str = "",
    department: str = "",
    since: datetime | None = None,
    order: Order = "newest",
    limit: int = 20,
) -> list[str]:
    """Ids of stories of the issue's sources by words of their headline, department and date.

    A whole address finds the story that is there. To find the most read of a hundred
    thousand takes most of a second.
    """
    settings = installation.settings()
    newsletter = newsletter_of(settings, issue)
    now = installation.clock.now()
    with installation.database.read() as tx:
        address = canonical_url(words) if "://" in words else ""
        if address:
            return [story.public_id for story in tx.stories.at_url(address) if not story.hidden]
        sources = _sources_of(settings, newsletter)
        query = StoryQuery(now, tuple(title_key(words).split()), department, since, sources)
        if order == "most_read":
            life = _life(tx, settings, newsletter, now)
            return tx.story_search.most_read(query, life, limit)
        return tx.story_search.newest(query, limit)


def describe_candidates(
    installation: Installation,
    issue: Issue,
    ids: Sequence[str],
    *,
    expectation: Expectation | None = None,
    learns: bool = True,
) -> tuple[Candidate, ...]:
    """These stories in their order, each with what speaks for it.

    ``expectation`` is what `learn_expectation` learned a while ago: it takes longer than the
    rest. Without it that is learned here, or, where ``learns`` is False, stories have no
    score.
    """
    settings = installation.settings()
    newsletter = newsletter_of(settings, issue)
    now = installation.clock.now()
    with installation.database.read() as tx:
        ground = _ground(tx, settings, newsletter, issue, now, ids, expectation, learns=learns)
        found = {story.public_id: story for story in tx.stories.by_ids(ids)}
    return tuple(_candidate(found[one], issue, ground) for one in ids if one in found)


def learn_expectation(installation: Installation, newsletter_slug: str) -> Expectation:
    """What the reads so far let expect of stories, for searches in the next hour."""
    settings = installation.settings()
    newsletter = only_newsletter(settings, newsletter_slug)
    now = installation.clock.now()
    with installation.database.read() as tx:
        life = _life(tx, settings, newsletter, now)
        return expect(tx, settings, newsletter, now, life)


def make_item(installation: Installation, issue: Issue, name: str) -> tuple[Item, tuple[str, ...]]:
    """The story of that id or address as an item, and what its editor should know of it.

    NotFound where no story is stored there, EditRefused where readers may not see it.
    """
    settings = installation.settings()
    newsletter = newsletter_of(settings, issue)
    now = installation.clock.now()
    with installation.database.read() as tx:
        found = tx.stories.by_ids([name]) or tx.stories.at_url(canonical_url(name))
        if not found:
            raise NotFound(
                f'there is no story "{name}" among those that were read from the site; find it by '
                "words of its headline, or try again after the next look at the site",
                subject=name,
                remedy=Remedy.FIND_STORY,
            )
        story = found[0]
        ground = _ground(tx, settings, newsletter, issue, now, [story.public_id])
    if story.hidden or story.published_at > now:
        why = story.hidden or "it is not published yet"
        raise EditRefused(f"readers may not see “{story.title}”: {why}", subject=name)
    candidate = _candidate(story, issue, ground)
    notices = [
        f"“{story.title}” ran in {use.slot} already ({use.section})."
        for use in ground.uses.get(story.public_id, ())[:1]
    ]
    if excluded := why_excluded(story, newsletter.ranking):
        notices.append(f"“{story.title}” is none that the ranking would take: {excluded}.")
    if story.source not in _sources_of(settings, newsletter):
        notices.append(
            f"“{story.title}” is of the source {story.source}, which is none of the newsletter's."
        )
    return _print(story, candidate, newsletter), tuple(notices)


def ran_as_news(installation: Installation, issue: Issue, story_id: str) -> str:
    """The slot of another issue among whose latest stories it went out; "" for none."""
    with installation.database.read() as tx:
        uses = tx.issues.past_uses(issue.newsletter, issue.send_at + _EVER, _ISSUES_BACK)
    return next(
        (
            use.slot
            for use in uses.get(story_id, ())
            if use.kind == "latest" and use.slot != issue.slot
        ),
        "",
    )


def _sources_of(settings: Settings, newsletter: Newsletter) -> tuple[str, ...]:
    return newsletter.sources or tuple(source.slug for source in settings.source)


def _life(
    tx: Transaction, settings: Settings, newsletter: Newsletter, now: datetime
) -> CountedDays:
    today = now.astimezone(newsletter.zone_in(settings.publication)).date()
    counters = settings.primary_counters(_sources_of(settings, newsletter))
    return tx.reads.counted_days(
        counters, today - LIFE, today, less_own=settings.tracking.subtract_own
    )


def _ground(
    tx: Transaction,
    settings: Settings,
    newsletter: Newsletter,
    issue: Issue,
    now: datetime,
    ids: Collection[str],
    known: Expectation | None = None,
    *,
    learns: bool = True,
) -> _Ground:
    life = _life(tx, settings, newsletter, now)
    reads = tx.standings.reads_of(life, ids)
    expectation = known
    if reads and expectation is None and learns:
        expectation = expect(tx, settings, newsletter, now, life)
    uses = tx.issues.past_uses(newsletter.slug, issue.send_at + _EVER, _ISSUES_BACK)
    mine = {
        story: tuple(use for use in uses[story] if use.slot != issue.slot)
        for story in ids
        if story in uses
    }
    return _Ground(newsletter, now, life, reads, expectation, mine)


def _candidate(story: Story, issue: Issue, ground: _Ground) -> Candidate:
    reads = ground.reads.get(story.public_id)
    score = _score(story, ground)
    place = find_place(issue, story.public_id)
    uses = ground.uses.get(story.public_id, ())
    ran = tuple(dict.fromkeys(use.slot for use in uses))
    reasons = (
        expectation_of(reads or 0, score) if score else _counted(reads),
        age_of(story, ground.now),
        f"It ran in {ran[0]}." if ran else "",
        f"Taken over from {story.syndicated_from}." if story.syndicated_from else "",
    )
    return Candidate(
        story_id=story.public_id,
        headline=story.title,
        url=story.url,
        department=story.department,
        published_at=story.published_at,
        reads=reads,
        score=round(score.value, 1) if score else None,
        reasons=tuple(filter(None, reasons)),
        place=f"{place[0].slug}/{place[1].position}" if place else "",
        ran=ran,
        has_picture=story.picture is not None,
    )


def _score(story: Story, ground: _Ground) -> Score | None:
    age = ground.now - story.published_at
    if ground.expectation is None or not timedelta() <= age < LIFE:
        return None
    ranking = ground.newsletter.ranking
    return score_story(
        ground.reads.get(story.public_id, 0),
        age / _HOUR,
        ground.expectation,
        department=story.department,
        mix=ranking.mix,
        weight=ranking.syndicated_weight if story.syndicated_from else 1.0,
    )


def _counted(reads: int | None) -> str:
    return "" if reads is None else f"{reads:,} reads in the last {LIFE.days} days."


def _print(story: Story, candidate: Candidate, newsletter: Newsletter) -> Item:
    return Item(
        story_id=story.public_id,
        position=1,
        headline=story.title,
        url=story.url,
        excerpt=story.excerpt,
        byline=story.byline,
        department=story.department,
        language=story.language,
        minutes=story.minutes,
        published_at=story.published_at,
        picture=None if is_excerpt(story, newsletter.ranking) else story.picture,
        reads=candidate.reads,
        reasons=(_ADDED, *candidate.reasons),
        score=candidate.score,
        syndicated_from=story.syndicated_from,
    )
