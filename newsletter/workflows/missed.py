"""What a catch-up is made from: the stories of the issues that were missed, and their reads."""

from collections.abc import Collection
from datetime import datetime, timedelta

from newsletter.issues.assemble import Material
from newsletter.issues.missed import first_of_range, within_range
from newsletter.issues.model import CorrectionKind, Issue
from newsletter.publication.editions import CatchUp, edition_of_key
from newsletter.publication.model import Settings
from newsletter.ranking.windows import window_days
from newsletter.storage.transaction import Transaction

# How far back its issues may lie: a pause of a year, and a catch-up that waited for approval.
_REACH = timedelta(days=500)


def gather_missed(
    tx: Transaction,
    settings: Settings,
    newsletter: CatchUp,
    now: datetime,
    named: Collection[str] = (),
) -> Material:
    """The stories of the missed issues that readers may still see, with all their reads.

    A story whose link was taken back in a mail is none of them.
    """
    issues = missed_issues(tx, settings, newsletter, now)
    sources = newsletter.sources or tuple(source.slug for source in settings.source)
    counters = settings.primary_counters(sources)
    zone = newsletter.zone_in(settings.publication)
    ids = {item.story_id for issue in issues for item in issue.items}
    for issue in issues:
        ids -= {
            one.story_id
            for one in tx.links.corrections(issue.public_id)
            if one.kind in (CorrectionKind.WITHDRAWN, CorrectionKind.REMOVED)
        }
    ids |= set(named)
    stories = [story for story in tx.stories.by_ids(ids) if story.source in sources]
    # They come in no order, and the same stories must give the same bytes.
    stories.sort(key=lambda story: story.public_id)
    ranked = next(plan for plan in newsletter.sections if plan.kind == "most_read")
    days = tx.reads.counted_days(
        counters, *window_days(ranked, now, zone), less_own=settings.tracking.subtract_own
    )
    return Material(
        stories=tuple(stories),
        reads={ranked.slug: tx.standings.reads_of(days, ids)},
        counted=days is not None,
        covers_from=min((issue.covers_from for issue in issues), default=now),
    )


def missed_issues(
    tx: Transaction, settings: Settings, newsletter: CatchUp, now: datetime
) -> tuple[Issue, ...]:
    """The issues of a catch-up's range, the earliest first."""
    plain = settings.newsletter_called(newsletter.slug) or newsletter
    first = first_of_range(newsletter.missed)
    sent = tx.catch_ups.sent_issues(newsletter.slug, edition_of_key(plain, first), now - _REACH)
    found = (
        tx.issues.get(newsletter.slug, one.slot) for one in within_range(newsletter.missed, sent)
    )
    return tuple(issue for issue in found if issue is not None)
