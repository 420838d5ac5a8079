"""An issue after a fresh check: what is gone is replaced, what has another headline says it.

A mended issue keeps every story that is still there. The next candidates come into
the places that became free, chosen as at the draft, by what was published up to then.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from newsletter.issues.items import keep_words
from newsletter.issues.lines import rewrite_lines
from newsletter.issues.model import Issue, Item, Section
from newsletter.publication.brand import Publication
from newsletter.publication.newsletters import Newsletter
from newsletter.ranking.model import Instructions, Pin
from newsletter.stories.model import Story


def retitle(
    issue: Issue, stories: Mapping[str, Story], *, take: bool
) -> tuple[Issue, tuple[str, ...]]:
    """The issue with addresses as they are now, and headlines too where told to ``take`` them.

    ``stories`` by public id. And sentences on the headlines that were changed.
    """
    told: dict[str, str] = {}

    def renew(item: Item) -> Item:
        story = stories.get(item.story_id)
        if story is None or story.hidden:
            return item
        item = replace(item, url=story.url)
        own = item.site.headline is not None
        called = item.headline if item.site.headline is None else item.site.headline
        if story.title == called:
            return item
        kept = "; the issue keeps the old headline."
        if take:
            kept = "; the issue keeps the editor's headline." if own else "."
        told[item.story_id] = f"“{called}” is called “{story.title}” now{kept}"
        if own:
            return replace(item, site=replace(item.site, headline=story.title))
        return replace(item, headline=story.title) if take else item

    sections = tuple(
        replace(section, items=tuple(map(renew, section.items))) for section in issue.sections
    )
    return replace(issue, sections=sections), tuple(told.values())


def narrow_plan(newsletter: Newsletter, issue: Issue) -> Newsletter:
    """``newsletter`` with the sections that ``issue`` has, each as large as it is there."""
    plans = {plan.slug: plan for plan in newsletter.sections}
    sections = tuple(
        plans[section.slug].model_copy(
            update={
                "count": len(section.items),
                "minimum": min(plans[section.slug].minimum, len(section.items)),
            }
        )
        for section in issue.sections
        if section.slug in plans and section.items
    )
    return newsletter.model_copy(update={"sections": sections})


def keep_places(issue: Issue, withdrawn: Mapping[str, str]) -> Instructions:
    """What was said of the issue's stories, and that those not ``withdrawn`` keep their places."""
    pinned = {(pin.section, pin.story_id) for pin in issue.pins}
    there = [
        (section.slug, item)
        for section in issue.sections
        for item in section.items
        if item.story_id not in withdrawn
    ]
    return Instructions(
        tuple(
            Pin(slug, item.position, item.story_id)
            for slug, item in there
            if (slug, item.story_id) in pinned
        ),
        frozenset(issue.excluded),
        frozenset(issue.held_over),
        {item.story_id: slug for slug, item in there if (slug, item.story_id) not in pinned},
    )


def mend_issue(
    newsletter: Newsletter,
    publication: Publication,
    issue: Issue,
    again: Issue,
    withdrawn: Mapping[str, str],
) -> tuple[Issue, tuple[str, ...]]:
    """``issue`` with the stories of ``again`` in place of those ``withdrawn``.

    ``again`` was assembled by `keep_places` and `narrow_plan`; ``withdrawn`` says by
    public id why a story may not come. A section that fell below its minimum goes.
    And sentences on what was changed.
    """
    assembled = {section.slug: section for section in again.sections}
    known = {plan.slug for plan in newsletter.sections}
    there = {item.story_id: item for item in issue.items}
    sections: list[Section] = []
    told: list[str] = []
    for section in issue.sections:
        lost = [item for item in section.items if item.story_id in withdrawn]
        left = [item for item in section.items if item.story_id not in withdrawn]
        if not lost:
            sections.append(section)
            continue
        made = assembled.get(section.slug)
        if section.slug not in known:
            # The settings have no such section any more, so that nothing can be chosen for it.
            made = replace(section, items=tuple(left))
        came = [item for item in made.items if item.story_id not in there] if made else []
        told += _tell(lost, came, withdrawn)
        if made is None or not made.items:
            told.append(f"“{section.title}” was left out: too few stories are left for it.")
            continue
        sections.append(_lay_out(made, section, lost, there))
    lead = issue.lead
    if issue.lead not in {item.story_id for section in sections for item in section.items}:
        lead = again.lead
    kept = issue.lead_kept and lead == issue.lead
    mended = replace(issue, sections=tuple(sections), lead=lead, lead_kept=kept)
    leading = next((item for item in mended.items if item.story_id == lead), None)
    if leading is not None and lead != issue.lead:
        told.append(f"“{leading.headline}” leads the issue.")
    return rewrite_lines(newsletter, publication, issue, mended), tuple(told)


def _tell(lost: list[Item], came: list[Item], withdrawn: Mapping[str, str]) -> Iterator[str]:
    for at, item in enumerate(lost):
        instead = f"“{came[at].headline}” takes" if at < len(came) else "Nothing takes"
        yield f"“{item.headline}” is out: {withdrawn[item.story_id]}. {instead} its place."


def _lay_out(
    made: Section, section: Section, lost: list[Item], there: Mapping[str, Item]
) -> Section:
    """The section assembled again: what stayed is called as it was, what came says why."""
    replaced = iter(lost)

    def word(item: Item, position: int) -> Item:
        old = there.get(item.story_id)
        if old is not None:
            kept = keep_words(old, item)
            headline = kept.headline if kept.site.headline is not None else old.headline
            return replace(kept, headline=headline, position=position)
        gone = next(replaced, None)
        why = (f"Takes the place of “{gone.headline}”.",) if gone else ()
        return replace(item, reasons=(*why, *item.reasons), position=position)

    return replace(
        made,
        title=section.title,
        made_title=section.made_title,
        items=tuple(word(item, position) for position, item in enumerate(made.items, 1)),
        relaxed=tuple(dict.fromkeys((*section.relaxed, *made.relaxed))),
    )
