"""What keeps a story out of a section, whatever its place in the order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter.ranking.model import PastUse, Pool
from newsletter.stories.model import Story

# The same headline again within a week is the same story; a weekly column's is not.
SAME_STORY = timedelta(days=7)


@dataclass
class Bars:
    """The stories that may not come, by id, and the headlines that are taken."""

    by_id: dict[str, str] = field(default_factory=dict)
    headlines: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)

    def against(self, story: Story) -> str:
        """Why ``story`` may not come, else ""."""
        reason = self.by_id.get(story.public_id, "")
        if reason:
            return reason
        for published_at, twin_reason in self.headlines.get(story.title_key, ()):
            if abs(story.published_at - published_at) <= SAME_STORY:
                return twin_reason
        return ""

    def take_headline(self, story: Story, reason: str) -> None:
        """Keep out what has the headline of ``story`` and came within a week of it."""
        self.headlines.setdefault(story.title_key, []).append((story.published_at, reason))


def raise_bars(pool: Pool, counts: Callable[[PastUse], bool]) -> Bars:
    """The bars of ``pool``: what is in this issue, and what ran in a way that ``counts``.

    A second story with the headline of one of these is kept out as well.
    """
    bars = Bars()
    for public_id, uses in pool.past_uses.items():
        use = next(filter(counts, uses), None)
        if use is not None:
            bars.by_id[public_id] = f"ran in {use.slot}"
    for public_id, title in pool.taken.items():
        bars.by_id[public_id] = f"already in {title}"
    for story in pool.stories:
        reason = bars.by_id.get(story.public_id)
        if reason:
            bars.take_headline(story, f"{reason} under the same headline")
    return bars


def eligible_stories(pool: Pool) -> list[Story]:
    """Each story once, that readers may see and that has been published."""
    once = {story.public_id: story for story in pool.stories}
    return [s for s in once.values() if not s.hidden and s.published_at <= pool.now]
