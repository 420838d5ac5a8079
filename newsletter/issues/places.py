"""Where stories stand in an issue: taken out, put in, and everything put right afterwards."""

from collections.abc import Iterable
from dataclasses import replace

from newsletter.issues.lead import choose_lead
from newsletter.issues.model import Issue, Item, RunnerUp, Section
from newsletter.publication.newsletters import Newsletter
from newsletter.ranking.model import Pin
from newsletter.stories.canonical import title_key

TAKEN_OUT = "An editor took it out."
HELD_OVER = "An editor holds it for the next issue."


def find_place(issue: Issue, story: str) -> tuple[Section, Item] | None:
    """The section and item of that public id; None where the issue has it not."""
    for section in issue.sections:
        for item in section.items:
            if item.story_id == story:
                return section, item
    return None


def find_section(issue: Issue, slug: str) -> Section | None:
    """The section of that slug, of those that the issue shows."""
    return next((section for section in issue.sections if section.slug == slug), None)


def find_twin(issue: Issue, item: Item) -> tuple[Section, Item] | None:
    """A place where the issue tells the same story: by id, address or headline."""
    key = title_key(item.headline)
    for section in issue.sections:
        for other in section.items:
            same = other.story_id == item.story_id or other.url == item.url
            if same or (key and key == title_key(other.headline)):
                return section, other
    return None


def take_out(issue: Issue, story: str) -> Issue:
    """The issue without that story, and without its pin."""
    return replace(
        issue,
        sections=tuple(
            replace(section, items=tuple(item for item in section.items if item.story_id != story))
            for section in issue.sections
        ),
        pins=tuple(pin for pin in issue.pins if pin.story_id != story),
    )


def put_in(issue: Issue, item: Item, slug: str, position: int) -> Issue:
    """The issue with ``item`` at that place of a section that it has; the others move down."""

    def with_item(section: Section) -> Section:
        if section.slug != slug:
            return section
        at = max(0, position - 1)
        return replace(section, items=(*section.items[:at], item, *section.items[at:]))

    return replace(issue, sections=tuple(with_item(section) for section in issue.sections))


def change_item(issue: Issue, item: Item) -> Issue:
    """The issue with ``item`` wherever that story stands."""
    return replace(
        issue,
        sections=tuple(
            replace(
                section,
                items=tuple(
                    replace(item, position=old.position) if old.story_id == item.story_id else old
                    for old in section.items
                ),
            )
            for section in issue.sections
        ),
    )


def change_section(issue: Issue, section: Section) -> Issue:
    """The issue with ``section`` in the place of the one of its slug."""
    return replace(
        issue,
        sections=tuple(section if old.slug == section.slug else old for old in issue.sections),
    )


def pin_story(issue: Issue, story: str) -> Issue:
    """The issue with that story pinned where it stands."""
    found = find_place(issue, story)
    if found is None or is_pinned(issue, story):
        return issue
    pin = Pin(found[0].slug, found[1].position, story)
    return replace(issue, pins=(*issue.pins, pin))


def is_pinned(issue: Issue, story: str) -> bool:
    """Whether an editor pinned that story."""
    return any(pin.story_id == story for pin in issue.pins)


def offer(issue: Issue, slug: str, item: Item, reason: str) -> Issue:
    """The issue with what was taken out of a section as its first runner-up."""
    section = find_section(issue, slug)
    if section is None:
        return issue
    title = item.headline if item.site.headline is None else item.site.headline
    runner_up = RunnerUp(item.story_id, title, item.url, item.reads, reason, item.score)
    others = tuple(one for one in section.runners_up if one.story_id != item.story_id)
    return change_section(issue, replace(section, runners_up=(runner_up, *others)))


def settle_places(issue: Issue, newsletter: Newsletter) -> Issue:
    """The issue put right after stories came, went or moved.

    Positions count from 1 without a gap, pins are where their stories are, nothing that
    has a place is a runner-up, kept out or held over, and a story that is there leads.
    """
    sections = tuple(_count_places(section) for section in issue.sections)
    there = {item.story_id for section in sections for item in section.items}
    sections = tuple(_without_runners_up(section, there) for section in sections)
    issue = replace(
        issue,
        sections=sections,
        pins=tuple(_settle_pins(issue.pins, sections)),
        excluded=tuple(story for story in issue.excluded if story not in there),
        held_over=tuple(story for story in issue.held_over if story not in there),
    )
    if issue.lead and issue.lead not in there:
        lead = choose_lead(sections, issue.pins, newsletter)
        return replace(issue, lead=lead, lead_kept=False)
    if not issue.lead:
        return replace(issue, lead=choose_lead(sections, issue.pins, newsletter))
    return issue


def _count_places(section: Section) -> Section:
    items = tuple(
        item if item.position == position else replace(item, position=position)
        for position, item in enumerate(section.items, 1)
    )
    return replace(section, items=items)


def _without_runners_up(section: Section, there: set[str]) -> Section:
    left = tuple(one for one in section.runners_up if one.story_id not in there)
    return section if len(left) == len(section.runners_up) else replace(section, runners_up=left)


def _settle_pins(pins: Iterable[Pin], sections: tuple[Section, ...]) -> Iterable[Pin]:
    places = {
        item.story_id: (section.slug, item.position)
        for section in sections
        for item in section.items
    }
    for pin in pins:
        section, position = places.get(pin.story_id, (pin.section, pin.position))
        yield Pin(section, position, pin.story_id)
