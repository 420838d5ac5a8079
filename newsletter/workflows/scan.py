"""The daily comparison of a source with what we have of it: what was taken away, what we missed.

A feed holds its newest entries only, so that nothing can be said of it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from newsletter.net.fetcher import Fetcher
from newsletter.publication.sources import Source
from newsletter.sources.ghost import fetch_ghost_posts_by_id, list_ghost_ids
from newsletter.sources.model import GONE, Batch, ListedIds, StoryKey
from newsletter.sources.sitemap import SitemapEntry
from newsletter.sources.wordpress import fetch_posts_by_id, list_post_ids
from newsletter.stories.canonical import canonical_url
from newsletter.stories.model import Story
from newsletter.workflows.installation import Installation

# Near the beginning of the window a zone that was changed moves posts in and out.
_MARGIN = timedelta(days=1)
# A list that lacks so many stories and holds none is trouble of the site's, not an act.
_TOO_MANY = 3
_READ_AT_MOST = 200
_PAGES_A_SCAN = 25


@dataclass(frozen=True)
class ScanPlan:
    """``suspects`` are stories that the source lists no more, ``unread`` ids to be read."""

    suspects: tuple[Story, ...] = ()
    unread: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Scan:
    """``gone`` are stories taken away, by public id; ``found`` what was (re)read."""

    gone: tuple[str, ...] = ()
    found: Batch = field(default_factory=Batch)


def plan_scan(
    listed: ListedIds, stories: Collection[Story], known: Mapping[str, str], now: datetime
) -> ScanPlan:
    """Compare what a source lists with its ``stories`` since then.

    ``known`` are all listed ids that we have a story of. A list that broke off,
    or that is empty though we have stories, takes nothing away.
    """
    suspects = tuple(
        story
        for story in stories
        if story.native_id
        and story.native_id not in listed.ids
        and not story.hidden
        and listed.since + _MARGIN <= story.published_at <= now
    )
    returned = {
        story.native_id
        for story in stories
        if story.native_id in listed.ids and story.hidden == GONE
    }
    wanted = sorted((i for i in listed.ids if i not in known or i in returned), key=_newest_last)
    unread = tuple(wanted[-_READ_AT_MOST:])
    if not listed.complete:
        problem = "it has more stories than one scan lists; what is gone is not looked for"
        return ScanPlan((), unread, problem)
    if not listed.ids and len(suspects) >= _TOO_MANY:
        problem = (
            f"it lists no stories at all, though {len(suspects)} of the last weeks are known; "
            "none was taken away: check the site"
        )
        return ScanPlan((), unread, problem)
    return ScanPlan(suspects, unread)


def _newest_last(native_id: str) -> tuple[int, str]:
    return (len(native_id), native_id)


def plan_revisit(
    entries: Sequence[SitemapEntry], stories: Collection[Story]
) -> tuple[SitemapEntry, ...]:
    """The pages of known ``stories`` to be looked at because a sitemap says otherwise than we do.

    It names them no more, or again. Absence proves nothing: a news sitemap holds
    two days, and of an index a few files are read. So the page itself is asked,
    and only of stories as new as those that the sitemap does name.
    """
    listed = {canonical_url(entry.url): entry for entry in entries}
    named = [story for story in stories if story.url in listed]
    returned = [listed[story.url] for story in named if story.hidden == GONE]
    since = min((story.published_at for story in named), default=None)
    vanished = [
        SitemapEntry(story.url)
        for story in sorted(stories, key=lambda story: story.published_at, reverse=True)
        if since is not None
        and story.url not in listed
        and not story.hidden
        and story.published_at >= since
    ]
    return tuple((*returned, *vanished)[:_PAGES_A_SCAN])


def scan_source(installation: Installation, source: Source, now: datetime) -> Scan:
    """Ask the source for its ids, then by id for whatever differs; SourceError if it can't be."""
    listed = _list_ids(installation.fetcher, source, now)
    with installation.database.read() as tx:
        stories = tx.stories.published_since([source.slug], listed.since)
        found = tx.stories.identify(source.slug, [StoryKey(native_id=i) for i in listed.ids])
    known = {key.native_id or "": public_id for key, public_id in found.items()}
    plan = plan_scan(listed, stories, known, now)
    suspected = [story.native_id or "" for story in plan.suspects]
    batch = fetch_by_id(installation.fetcher, source, [*suspected, *plan.unread])
    # The list was read page by page while the site went on: what answers is there.
    there = {item.native_id for item in batch.items}
    gone = tuple(s.public_id for s in plan.suspects if s.native_id not in there)
    problems = (f"{source.slug}: {plan.problem}",) if plan.problem else ()
    return Scan(gone, replace(batch, problems=(*problems, *batch.problems)))


def _list_ids(fetcher: Fetcher, source: Source, now: datetime) -> ListedIds:
    if source.kind == "ghost":
        return list_ghost_ids(fetcher, source, now)
    return list_post_ids(fetcher, source, now)


def fetch_by_id(fetcher: Fetcher, source: Source, ids: Sequence[str]) -> Batch:
    """What an API with ids of its own has of these; SourceError if it can't be asked."""
    if not ids:
        return Batch()
    if source.kind == "ghost":
        return fetch_ghost_posts_by_id(fetcher, source, ids)
    return fetch_posts_by_id(fetcher, source, ids)
