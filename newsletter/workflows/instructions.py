"""What an editor says of single stories before an issue is drafted, as they name them."""

from collections import Counter
from collections.abc import Sequence

from newsletter.errors import NotFound
from newsletter.publication.model import Newsletter
from newsletter.ranking.model import Instructions, Pin
from newsletter.workflows.installation import Installation
from newsletter.workflows.look_up import find_story


def read_instructions(
    installation: Installation, newsletter: Newsletter, pins: Sequence[str], excluded: Sequence[str]
) -> Instructions:
    """The instructions of ``pins`` ("SECTION=STORY", in the order they stand) and ``excluded``.

    Stories are named by id or address. NotFound for a section or story that there is not.
    """
    placed: Counter[str] = Counter()
    read: list[Pin] = []
    for pin in pins:
        section, mark, name = pin.partition("=")
        if not mark or section not in [plan.slug for plan in newsletter.sections]:
            slugs = ", ".join(plan.slug for plan in newsletter.sections)
            raise NotFound(
                f'--pin "{pin}" is not SECTION=STORY with a section of {newsletter.slug} ({slugs})',
                subject="pin",
            )
        placed[section] += 1
        story = find_story(installation, name)
        read.append(Pin(section, placed[section], story.public_id))
    return Instructions(
        tuple(read), frozenset(find_story(installation, name).public_id for name in excluded)
    )
