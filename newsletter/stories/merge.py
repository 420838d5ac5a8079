"""What a source brought, merged with what we had: the dedupe ladder.

A story is recognised by its native id, then its guid, then its address, then
its headline on the same local day. Nothing that was known is lost because a
later poll does not tell it again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.sources.model import SourceItem
from newsletter.stories.canonical import canonical_url
from newsletter.stories.model import Picture, Story, StoryKeys, TrailEntry
from newsletter.stories.record import StoryText, keys_of, read_text, tell_story
from newsletter.stories.syndication import Origin
from newsletter.stories.trail import trace


@dataclass(frozen=True)
class MergeResult:
    """What to save, and what became of the items.

    ``saved`` holds each new or changed story once, in its last version.
    ``problems`` are sentences about items that had to be left out. ``trail``
    tells what changed; it is kept in the transaction that saves the stories.
    """

    saved: tuple[Story, ...] = ()
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: tuple[str, ...] = ()
    trail: tuple[TrailEntry, ...] = ()


@dataclass
class _Known:
    """The stories we have, found by any of their keys."""

    stories: dict[str, Story] = field(default_factory=dict)
    by_native_id: dict[tuple[str, str], str] = field(default_factory=dict)
    by_guid: dict[tuple[str, str], str] = field(default_factory=dict)
    by_url: dict[str, str] = field(default_factory=dict)
    by_title: dict[tuple[str, object], list[str]] = field(default_factory=dict)

    def put(self, story: Story) -> None:
        self.stories[story.public_id] = story
        if story.native_id:
            self.by_native_id[story.source, story.native_id] = story.public_id
        if story.guid:
            self.by_guid[story.source, story.guid] = story.public_id
        self.by_url[story.url] = story.public_id
        twins = self.by_title.setdefault((story.title_key, story.published_on), [])
        if story.public_id not in twins:
            twins.append(story.public_id)


def merge_items(
    items: Sequence[SourceItem],
    source: str,
    known: Iterable[Story],
    zone: ZoneInfo,
    now: datetime,
) -> MergeResult:
    """Merge the ``items`` of ``source`` into the ``known`` stories.

    ``known`` are at least those that share a key with an item, see `keys_of`.
    ``zone`` is the paper's: it decides which day a story came on. A story dated
    in the future is kept as it is; selections look at the date, so that it
    appears by itself when its time has come.
    """
    ours = _Known()
    for story in known:
        ours.put(story)
    before = dict(ours.stories)
    problems: list[str] = []
    usable: list[tuple[SourceItem, StoryKeys]] = []
    for item in items:
        keys = keys_of(item, source, zone, now)
        problem = _problem(item, keys, source)
        if problem:
            problems.append(problem)
        else:
            usable.append((item, keys))
    seen: set[str] = set()
    for item, keys in usable:
        match = _match(keys, ours) or _match_by_title(keys, ours, seen)
        story = _next_version(item, keys, match, zone, now)
        seen.add(story.public_id)
        ours.put(story)
    result = _result(ours.stories, before, seen, problems)
    trail = (trace(before.get(story.public_id), story, source, now) for story in result.saved)
    return replace(result, trail=tuple(entry for entries in trail for entry in entries))


def _result(
    stories: dict[str, Story], before: dict[str, Story], seen: set[str], problems: list[str]
) -> MergeResult:
    touched = [story for public_id, story in stories.items() if public_id in seen]
    saved = tuple(story for story in touched if before.get(story.public_id) != story)
    new = sum(1 for story in saved if story.public_id not in before)
    return MergeResult(saved, new, len(saved) - new, len(touched) - len(saved), tuple(problems))


def _problem(item: SourceItem, keys: StoryKeys, source: str) -> str:
    if not keys.title_key:
        where = item.url or item.guid or item.native_id or "an entry"
        return f"{source}: {where} has no title and was left out"
    if not keys.url:
        return f"{source}: “{item.title.strip()[:80]}” has no usable link and was left out"
    return ""


def _match(keys: StoryKeys, ours: _Known) -> Story | None:
    public_id = None
    if keys.native_id:
        public_id = ours.by_native_id.get((keys.source, keys.native_id))
    if public_id is None and keys.guid:
        public_id = ours.by_guid.get((keys.source, keys.guid))
        if public_id and _are_distinct(keys, ours.stories[public_id], by_guid=True):
            public_id = None
    if public_id is None and keys.url:
        public_id = ours.by_url.get(keys.url)
    return ours.stories[public_id] if public_id else None


def _match_by_title(keys: StoryKeys, ours: _Known, seen: set[str]) -> Story | None:
    """The story with this headline on this day, unless it is surely another one.

    Two entries of one poll are two stories, however alike: taking them for one
    would let each overwrite the other at every poll.
    """
    for public_id in ours.by_title.get((keys.title_key, keys.published_on), ()):
        story = ours.stories[public_id]
        same_source_twin = story.source == keys.source and public_id in seen
        if not same_source_twin and not _are_distinct(keys, story):
            return story
    return None


def _are_distinct(keys: StoryKeys, story: Story, *, by_guid: bool = False) -> bool:
    """Whether the source's own ids say that these are two stories."""
    if keys.source != story.source:
        return False
    if keys.native_id and story.native_id:
        return keys.native_id != story.native_id
    if by_guid or not (keys.guid and story.guid) or keys.guid == story.guid:
        return False
    # A guid that is only the address changes with it, and says no more than it.
    return not (canonical_url(keys.guid) == keys.url and canonical_url(story.guid) == story.url)


def _next_version(
    item: SourceItem, keys: StoryKeys, known: Story | None, zone: ZoneInfo, now: datetime
) -> Story:
    if known is None:
        return tell_story(item, keys, read_text(item, keys.url or ""), zone, now)
    if _text_is_unchanged(item, keys, known):
        # Reading the text again is most of the work of a poll.
        origin = Origin(known.syndicated_from, known.syndicated_url)
        text = StoryText(_named_writer(known), known.excerpt, known.words, origin=origin)
    else:
        text = read_text(item, keys.url or "")
        if not item.html and not text.writer:
            text = replace(text, writer=_named_writer(known))
    fresh = tell_story(item, keys, text, zone, now)
    return _filled(known, fresh) if _is_weaker(fresh, known) else _updated(known, fresh)


def _text_is_unchanged(item: SourceItem, keys: StoryKeys, known: Story) -> bool:
    return (
        keys.source == known.source
        and item.modified_at is not None
        and item.modified_at == known.modified_at
        and bool(known.excerpt)
        and (known.words > 0 or not item.html)
    )


def _named_writer(known: Story) -> str:
    """The writer that the text once named; outlives a poll that brings no text."""
    return known.byline if known.byline != known.house_author else ""


def _is_weaker(fresh: Story, known: Story) -> bool:
    """Whether the fresh record may only add what is missing.

    So may another source that identifies the story no better, and an older
    version of it, out of some cache on the way.
    """
    if fresh.source != known.source:
        return _strength(fresh) <= _strength(known)
    return (
        fresh.modified_at is not None
        and known.modified_at is not None
        and fresh.modified_at < known.modified_at
    )


def _strength(story: Story) -> int:
    return 2 if story.native_id else 1 if story.guid else 0


def _updated(known: Story, fresh: Story) -> Story:
    """``fresh``, keeping our id and whatever only ``known`` can tell."""
    keep_date = known.published_known or fresh.published_at >= known.published_at
    dated = known if not fresh.published_known and keep_date else fresh
    return _filled_from(fresh, known, dated, known)


def _filled(known: Story, fresh: Story) -> Story:
    """``known``, with what it lacks taken from ``fresh``."""
    dated = fresh if fresh.published_known and not known.published_known else known
    return _filled_from(known, fresh, dated, known)


def _filled_from(first: Story, second: Story, dated: Story, known: Story) -> Story:
    """``first``, its empty fields from ``second``, date from ``dated``, identity from ``known``."""
    same_source = first.source == second.source
    return replace(
        first,
        public_id=known.public_id,
        first_seen_at=known.first_seen_at,
        native_id=first.native_id or (second.native_id if same_source else None),
        guid=first.guid or (second.guid if same_source else None),
        published_at=dated.published_at,
        published_on=dated.published_on,
        published_known=dated.published_known,
        byline=first.byline or second.byline,
        house_author=first.house_author or second.house_author,
        departments=first.departments or second.departments,
        tags=first.tags or second.tags,
        excerpt=first.excerpt or second.excerpt,
        words=first.words or second.words,
        language=first.language or second.language,
        modified_at=first.modified_at or second.modified_at,
        picture=_best_picture(first.picture, second.picture),
        comments=first.comments if first.comments is not None else second.comments,
        syndicated_from=first.syndicated_from or second.syndicated_from,
        syndicated_url=first.syndicated_url or second.syndicated_url,
    )


def _best_picture(first: Picture | None, second: Picture | None) -> Picture | None:
    if first is None or second is None or first.url != second.url:
        return first or second
    return Picture(
        first.url,
        first.width or second.width,
        first.height or second.height,
        first.alt or second.alt,
        first.caption or second.caption,
        first.credit or second.credit,
    )
