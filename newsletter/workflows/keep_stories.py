"""Keeping what a source told: merged into the stories, or hidden, always with its trail."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from newsletter.publication.brand import Publication
from newsletter.publication.sources import Source
from newsletter.sources.model import SourceItem
from newsletter.storage.transaction import Transaction
from newsletter.stories.merge import MergeResult, merge_items
from newsletter.stories.model import Story
from newsletter.stories.record import keys_of
from newsletter.stories.trail import trace


def merge_stories(
    tx: Transaction,
    publication: Publication,
    source: Source,
    items: tuple[SourceItem, ...],
    now: datetime,
) -> MergeResult:
    """Merge what ``source`` brought into the stories."""
    zone = publication.zone
    keys = [keys_of(item, source.slug, zone, now) for item in items]
    known = tx.stories.matching(source.slug, keys)
    merged = merge_items(items, source.slug, known, zone, now)
    tx.stories.save(merged.saved)
    tx.stories.add_trail(merged.trail)
    return merged


def hide_stories(
    tx: Transaction, source: Source, reasons: Mapping[str, str], now: datetime
) -> tuple[Story, ...]:
    """Hide stories that ``source`` shows no more, by public id and for what reason.

    Those that were hidden for another reason before, or not at all, as they are now.
    """
    changed = [
        (story, replace(story, hidden=reasons[story.public_id]))
        for story in tx.stories.by_ids(reasons)
        if story.hidden != reasons[story.public_id]
    ]
    hidden = tuple(after for _, after in changed)
    tx.stories.save(hidden)
    tx.stories.add_trail(
        entry for story, after in changed for entry in trace(story, after, source.slug, now)
    )
    return hidden
