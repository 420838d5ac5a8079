"""Stories that were much read though an issue had them low, or not at all."""

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from newsletter.issues.model import Issue
from newsletter.workflows.installation import Installation, only_newsletter

DAYS = 7
_LOOKED_AT = 40
_MOST = 5


@dataclass(frozen=True)
class Buried:
    """A story and its reads in the week from the send on; ``place`` 0: it was not in the issue."""

    story_id: str
    headline: str
    url: str
    reads: int
    place: int


@dataclass(frozen=True)
class BuriedStories:
    """``measure`` are the reads that half of the issue's upper stories had not."""

    measure: int
    stories: tuple[Buried, ...]


def find_buried(installation: Installation, issue: Issue) -> BuriedStories:
    """The most read of such stories, in the paper's own counts without what our mails caused."""
    settings = installation.settings()
    newsletter = only_newsletter(settings, issue.newsletter)
    zone = newsletter.zone_in(settings.publication)
    first = issue.send_at.astimezone(zone).date()
    today = installation.clock.now().astimezone(zone).date()
    sources = newsletter.sources or tuple(source.slug for source in settings.source)
    order = list(dict.fromkeys(item.story_id for item in issue.items))
    upper = order[: (len(order) + 1) // 2]
    places = {story: number + 1 for number, story in enumerate(order)}
    with installation.database.read() as tx:
        days = tx.reads.counted_days(
            settings.primary_counters(sources),
            first,
            min(today, first + timedelta(days=DAYS)),
            less_own=settings.tracking.subtract_own,
        )
        most_read, _ = tx.standings.most_read(days, _LOOKED_AT)
        in_issue = tx.standings.reads_of(days, upper)
        measure = int(median(in_issue.get(story, 0) for story in upper)) if upper else 0
        wanted = [
            story
            for story, reads in sorted(most_read.items(), key=lambda one: (-one[1], one[0]))
            if story not in upper and reads > measure
        ][:_MOST]
        stories = {story.public_id: story for story in tx.stories.by_ids(wanted)}
    return BuriedStories(
        measure,
        tuple(
            Buried(
                story,
                stories[story].title,
                stories[story].url,
                most_read[story],
                places.get(story, 0),
            )
            for story in wanted
            if story in stories and not stories[story].hidden
        ),
    )
