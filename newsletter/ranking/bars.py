"""What keeps a story out of a section, whatever its place in the order."""

from collections.abc import Callable
from dataclasses import dataclass, field

from newsletter.publication.sections import Ranking
from newsletter.ranking.likeness import Likeness, Likenesses
from newsletter.ranking.model import PastUse, Pool
from newsletter.stories.model import Story

_AS_THE = {
    Likeness.ADDRESS: "the same address as",
    Likeness.HEADLINE: "the same headline as",
    Likeness.NEARLY: "much the same headline as",
    Likeness.TEXT: "the same text as",
}


@dataclass
class Bars:
    """The stories that may not come, by id, and those whose likes may not."""

    likenesses: Likenesses
    by_id: dict[str, str] = field(default_factory=dict)
    elsewhere: list[tuple[Story, str]] = field(default_factory=list)
    here: list[tuple[Story, str]] = field(default_factory=list)

    def against(self, story: Story) -> str:
        """Why ``story`` may not come, else ""."""
        reason = self.by_id.get(story.public_id, "")
        if reason:
            return reason
        for other, its_reason in self.elsewhere:
            likeness = self.likenesses.between(story, other)
            if likeness:
                return f"{its_reason} {likeness.value}"
        for other, place in self.here:
            likeness = self.likenesses.between(story, other)
            if likeness:
                return f"{_AS_THE[likeness]} the {place} here"
        return ""

    def take(self, story: Story, place: str) -> None:
        """Keep out what is like ``story``, which is the ``place`` ("first") here."""
        self.here.append((story, place))


def raise_bars(
    pool: Pool, likenesses: Likenesses, counts: Callable[[PastUse], bool], spared: str = ""
) -> Bars:
    """The bars of ``pool``: what is in this issue, what an editor keeps out, and what
    ran in a way that ``counts``, save the story ``spared``.

    A second story that is like one of these, save what is merely kept out, is
    barred as well.
    """
    ran: dict[str, str] = {}
    for public_id, uses in pool.past_uses.items():
        use = next(filter(counts, uses), None)
        if use is not None and public_id != spared:
            ran[public_id] = f"ran in {use.slot}"
    used = ran | {public_id: f"already in {title}" for public_id, title in pool.taken.items()}
    bars = Bars(likenesses, dict(pool.barred) | used)
    bars.elsewhere = [
        (story, used[story.public_id]) for story in pool.stories if story.public_id in used
    ]
    return bars


def eligible_stories(pool: Pool) -> list[Story]:
    """Each story once, that readers may see, that has an address and has been published."""
    once = {story.public_id: story for story in pool.stories}
    return [s for s in once.values() if not s.hidden and s.url and s.published_at <= pool.now]


def why_excluded(story: Story, ranking: Ranking) -> str:
    """Why the paper's own rules keep ``story`` out, else ""."""
    if story.syndicated_from and ranking.syndicated == "exclude":
        return f"it is from {story.syndicated_from}, and stories taken over are excluded"
    for names, excluded, what in (
        (story.departments, ranking.exclude_departments, "the department"),
        (story.tags, ranking.exclude_tags, "the tag"),
        ((story.byline,), ranking.exclude_authors, "the writer"),
    ):
        barred = {name.casefold() for name in excluded}
        name = next((name for name in names if name.casefold() in barred), "")
        if name:
            return f"{what} {name} is excluded"
    return ""
