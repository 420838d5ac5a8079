"""Looking single stories up where they come from, so that no reader is sent to one that is gone.

A source with ids of its own is asked for all of them at once. Of a feed the
entries are read, which are the newest, and for what they leave out the pages
themselves; of a sitemap the pages.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from urllib.parse import urlsplit

from newsletter.errors import SourceError
from newsletter.log import get_logger
from newsletter.net.robots import Robots
from newsletter.publication.brand import Publication
from newsletter.publication.model import Settings
from newsletter.publication.sources import Source
from newsletter.sources.crawl import Crawl, crawl_pages
from newsletter.sources.feeds import fetch_feed
from newsletter.sources.model import GONE, SourceItem, SourceState
from newsletter.sources.sitemap import SitemapEntry
from newsletter.storage.transaction import Transaction
from newsletter.stories.model import Story, StoryKeys
from newsletter.stories.record import keys_of
from newsletter.workflows.installation import Installation
from newsletter.workflows.keep_stories import hide_stories, merge_stories
from newsletter.workflows.scan import fetch_by_id

log = get_logger(__name__)

# An answer that has none of so many stories tells of trouble at the site.
_TOO_MANY = 3
# At a page a second for a public host.
_PAGES_A_LOOK = 25


@dataclass(frozen=True)
class Look:
    """What looking came to. ``notes`` are sentences on stories that could not be looked at.

    ``changed`` tells whether any of what we believe of the stories is another now.
    ``seen`` are those that were found where they come from, by public id.
    """

    changed: bool = False
    notes: tuple[str, ...] = ()
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Answer:
    """What one source says: stories read anew, and why others are hidden, by public id."""

    items: tuple[SourceItem, ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    seen: frozenset[str] = frozenset()


def look_again(installation: Installation, settings: Settings, ids: Collection[str]) -> Look:
    """Look the stories of these public ids up at their sources, and keep what these say.

    A source that can't be asked, or asked us to wait, is noted: what we knew stays.
    """
    with installation.database.read() as tx:
        stories = sorted(tx.stories.by_ids(ids), key=lambda story: story.source)
    robots = Robots(installation.fetcher)
    changed, notes = False, []
    seen: set[str] = set()
    for slug, group in groupby(stories, key=lambda story: story.source):
        mine = list(group)
        source = next((source for source in settings.source if source.slug == slug), None)
        if source is None:
            notes.append(f"The source {slug} is not in the settings any more, so it was not asked.")
            continue
        now = installation.clock.now()
        with installation.database.read() as tx:
            held = tx.sources.state(slug).held_until
        if held is not None and held > now:
            notes.append(f"{slug} asked us to wait until {held:%Y-%m-%d %H:%M} UTC.")
            continue
        try:
            answer = _ask(installation, settings.publication, source, mine, robots, now)
        except SourceError as error:
            log.warning("look_failed", source=slug, error=str(error))
            notes.append(f"{slug} could not be asked: {error}")
            continue
        notes += answer.notes
        seen |= answer.seen
        with installation.database.write() as tx:
            merged = merge_stories(tx, settings.publication, source, answer.items, now)
            hidden = hide_stories(tx, source, dict(answer.hidden), now)
        changed = changed or bool(merged.saved or hidden)
        log.info("looked_again", source=slug, stories=len(mine), hidden=len(hidden))
    return Look(changed, tuple(notes), frozenset(seen))


def find_withdrawn(tx: Transaction, ids: Collection[str], now: datetime) -> dict[str, str]:
    """Of these stories those that readers may not have now, by public id, and why.

    The reason is half a sentence: "site no longer has it".
    """
    stories = sorted(tx.stories.by_ids(ids), key=lambda story: story.public_id)
    reasons = {story.public_id: _why_withdrawn(story, now) for story in stories}
    return {public_id: reason for public_id, reason in reasons.items() if reason}


def _why_withdrawn(story: Story, now: datetime) -> str:
    if story.hidden == GONE:
        return f"{story.source} no longer has it"
    if story.hidden:
        return f"{story.source} hides it from readers ({story.hidden})"
    if story.published_at > now:
        return f"{story.source} puts it off to {story.published_at:%Y-%m-%d %H:%M} UTC"
    return ""


def _ask(
    installation: Installation,
    publication: Publication,
    source: Source,
    stories: Sequence[Story],
    robots: Robots,
    now: datetime,
) -> _Answer:
    if source.kind in ("wordpress", "ghost"):
        numbered = [story for story in stories if story.native_id]
        batch = fetch_by_id(installation.fetcher, source, [s.native_id or "" for s in numbered])
        there = {item.native_id for item in batch.items}
        missing = [s for s in numbered if s.native_id not in there]
        rest = [story for story in stories if not story.native_id]
        seen = {story.public_id for story in numbered if story.native_id in there}
        answer = _without(source, batch.items, missing, seen)
        return _with_pages(installation, source, robots, rest, answer)
    if source.kind == "feed":
        # Asked in full: "not modified" would not tell which stories it holds.
        batch = fetch_feed(installation.fetcher, source, SourceState(), now)
        found = [(item, keys_of(item, source.slug, publication.zone, now)) for item in batch.items]
        items = tuple(i for i, keys in found if any(_tells_of(keys, story) for story in stories))
        named = [s for s in stories if any(_tells_of(keys, s) for _, keys in found)]
        rest = [story for story in stories if story not in named]
        return _with_pages(installation, source, robots, rest, _Answer(items), named=named)
    return _with_pages(installation, source, robots, stories, _Answer(), keep=True)


def _tells_of(keys: StoryKeys, story: Story) -> bool:
    return (keys.guid is not None and keys.guid == story.guid) or keys.url == story.url


def _without(
    source: Source,
    items: tuple[SourceItem, ...],
    missing: Sequence[Story],
    seen: Collection[str],
) -> _Answer:
    """The answer of a source that gave ``seen`` and left ``missing`` out of what it was asked."""
    if not items and len(missing) >= _TOO_MANY:
        note = f"{source.slug} knows none of {len(missing)} stories, so it was not believed."
        return _Answer(notes=(note,))
    hidden = tuple((story.public_id, GONE) for story in missing)
    return _Answer(items, hidden, seen=frozenset(seen))


def _with_pages(
    installation: Installation,
    source: Source,
    robots: Robots,
    stories: Sequence[Story],
    answer: _Answer,
    *,
    named: Sequence[Story] = (),
    keep: bool = False,
) -> _Answer:
    """``answer`` and what the pages of ``stories`` say; their text counts if told to ``keep`` it.

    A feed's story is told by the feed: its page may word it otherwise. Where all
    pages are gone, that of a story which the feed has ``named`` must be there for
    the site to be believed.
    """
    items, notes, clock = [*answer.items], [*answer.notes], installation.clock
    hidden: dict[str, str] = {}
    there: set[str] = set()
    for site, group in groupby(sorted(stories, key=_site_of), key=_site_of):
        pages = [SitemapEntry(story.url) for story in group]
        rules = robots.rules_for(site, allow_private=source.allow_private)
        if rules.reason:
            notes.append(f"The robots.txt of {site} could not be read: {rules.reason}")
            continue
        found = crawl_pages(installation.fetcher, source, rules, pages[:_PAGES_A_LOOK], clock)
        notes += found.problems
        if unseen := len(pages) - len(found.read):
            notes.append(f"{unseen} of {len(pages)} pages at {site} were not looked at.")
        witness = [SitemapEntry(story.url) for story in named if _site_of(story) == site][:1]
        if _is_trouble(found) and not (
            witness and _is_there(crawl_pages(installation.fetcher, source, rules, witness, clock))
        ):
            notes.append(f"{site} has none of {len(pages)} pages, so it was not believed.")
            continue
        hidden |= found.hidden
        there |= found.there
        items += found.items if keep else ()
    told = ((story.public_id, hidden[story.url]) for story in stories if story.url in hidden)
    seen = answer.seen | {story.public_id for story in stories if story.url in there}
    return _Answer(tuple(items), (*answer.hidden, *told), tuple(notes), seen)


def _is_trouble(found: Crawl) -> bool:
    gone = [reason for reason in found.hidden.values() if reason == GONE]
    return len(gone) >= _TOO_MANY and len(gone) == len(found.read)


def _is_there(found: Crawl) -> bool:
    return bool(found.read) and not found.hidden


def _site_of(story: Story) -> str:
    parts = urlsplit(story.url)
    return f"{parts.scheme}://{parts.netloc}"
