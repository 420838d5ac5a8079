"""The story that leads an issue, chosen again where the one that led is gone."""

from collections.abc import Collection, Sequence

from newsletter.issues.model import Section
from newsletter.publication.cadence import Edition
from newsletter.publication.newsletters import Newsletter
from newsletter.ranking.model import Pin


def choose_lead(sections: Sequence[Section], pins: Collection[Pin], newsletter: Newsletter) -> str:
    """As in the draft: of the latest a story pinned at the first place, else the best score.

    An issue that is no news is led by what comes first. Its public id; "" where there
    are no latest ones.
    """
    is_news = newsletter.edition is Edition.REGULAR
    leading = [section for section in sections if section.kind == "latest" or not is_news]
    items = next((section.items for section in leading), ())
    if not items:
        return ""
    pinned = {pin.story_id for pin in pins if pin.position == 1}
    excerpts = newsletter.ranking.syndicated == "excerpt"
    whole = [
        item for item in items if item.story_id in pinned or not (excerpts and item.syndicated_from)
    ]
    able = whole or list(items)
    scored = [(item.score, item) for item in able if item.score is not None]
    if able[0].story_id in pinned or not scored or not is_news:
        return able[0].story_id
    # Among equals the first one, as it is the newest.
    return max(scored, key=lambda pair: pair[0])[1].story_id
