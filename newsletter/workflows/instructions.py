"""What an editor says of single stories before an issue is drafted, as they name them."""

import re
from collections.abc import Sequence

from newsletter.errors import NotFound, UsageError
from newsletter.publication.newsletters import Newsletter
from newsletter.ranking.model import Instructions, Pin
from newsletter.workflows.installation import Installation
from newsletter.workflows.look_up import find_story

# "latest/1=STORY", "latest=STORY"; an address has a colon before any "=".
_PLACED = re.compile(r"([a-z0-9-]+)(?:/([0-9]{1,3}))?=(.+)")


def read_instructions(
    installation: Installation,
    newsletter: Newsletter,
    pins: Sequence[str],
    excluded: Sequence[str],
    held: Sequence[str],
) -> Instructions:
    """The instructions: ``pins`` are [SECTION[/PLACE]=]STORY, stories named by id or address.

    A pin without a place takes the next free one of its section, one without a
    section goes to the editors' pick. NotFound for a section or story that
    there is not, UsageError for what can't be.
    """
    placed: list[Pin] = []
    for pin in pins:
        section, place, name = _read_place(newsletter, pin)
        story = find_story(installation, name)
        if story.hidden:
            raise UsageError(
                f"--pin {pin}: readers may not see this story ({story.hidden})", subject=name
            )
        free = _free_place(section, placed)
        placed.append(Pin(section, free if place is None else place, story.public_id))
    out, later = (
        frozenset(find_story(installation, name).public_id for name in names)
        for names in (excluded, held)
    )
    _refuse_contradictions(newsletter, placed, out | later)
    return Instructions(tuple(placed), out, later)


def _read_place(newsletter: Newsletter, wish: str) -> tuple[str, int | None, str]:
    """Section, place where one is named, and story of a pin as written."""
    match = _PLACED.fullmatch(wish)
    if match is None:
        picks = (plan.slug for plan in newsletter.sections if plan.kind == "editors_pick")
        section = next(picks, None)
        if section is None:
            raise UsageError(
                f"--pin {wish}: {newsletter.slug} has no section of kind editors_pick, so say "
                f"where it goes, such as --pin {newsletter.sections[0].slug}/1={wish}",
                subject=wish,
            )
        return section, None, wish
    slugs = [plan.slug for plan in newsletter.sections]
    if match[1] not in slugs:
        raise NotFound(
            f'--pin {wish}: {newsletter.slug} has no section "{match[1]}", only {", ".join(slugs)}',
            subject=match[1],
        )
    return match[1], int(match[2]) if match[2] else None, match[3]


def _free_place(section: str, pins: Sequence[Pin]) -> int:
    used = {pin.position for pin in pins if pin.section == section}
    return next(place for place in range(1, len(used) + 2) if place not in used)


def _refuse_contradictions(
    newsletter: Newsletter, pins: Sequence[Pin], kept_out: frozenset[str]
) -> None:
    counts = {plan.slug: plan.count for plan in newsletter.sections}
    places = [(pin.section, pin.position) for pin in pins]
    stories = [pin.story_id for pin in pins]
    for pin in pins:
        place = f"{pin.section}/{pin.position}"
        if not 1 <= pin.position <= counts[pin.section]:
            raise UsageError(
                f"--pin: there is no place {place}; {pin.section} has {counts[pin.section]}",
                subject=place,
            )
        if places.count((pin.section, pin.position)) > 1:
            raise UsageError(f"--pin: two stories are pinned to {place}", subject=place)
        if stories.count(pin.story_id) > 1:
            raise UsageError("--pin: one story is pinned to two places", subject=pin.story_id)
        if pin.story_id in kept_out:
            raise UsageError(
                "--pin: a story that is pinned can't be excluded or held too", subject=pin.story_id
            )
