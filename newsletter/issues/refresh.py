"""An issue chosen anew: what editors said of the one before stays."""

from dataclasses import replace

from newsletter.issues.items import keep_words
from newsletter.issues.lines import made_lines, remake_lines
from newsletter.issues.model import Issue, Section
from newsletter.issues.places import settle_places
from newsletter.publication.brand import Publication
from newsletter.publication.newsletters import Newsletter
from newsletter.ranking.model import Instructions


def instructions_of(issue: Issue, newsletter: Newsletter) -> Instructions:
    """What editors said of the issue's stories, as far as its newsletter still has the sections."""
    slugs = {plan.slug for plan in newsletter.sections}
    return Instructions(
        tuple(pin for pin in issue.pins if pin.section in slugs),
        frozenset(issue.excluded),
        frozenset(issue.held_over),
    )


def plan_anew(newsletter: Newsletter, issue: Issue) -> Newsletter:
    """``newsletter`` without the sections that an editor took out, with room for every pin."""
    dropped = {one.section.slug for one in issue.dropped}
    lowest: dict[str, int] = {}
    for pin in issue.pins:
        lowest[pin.section] = max(lowest.get(pin.section, 0), pin.position)
    sections = tuple(
        plan.model_copy(update={"count": max(plan.count, lowest.get(plan.slug, 0))})
        for plan in newsletter.sections
        if plan.slug not in dropped
    )
    return newsletter.model_copy(update={"sections": sections})


def carry_over(
    issue: Issue, made: Issue, newsletter: Newsletter, publication: Publication
) -> Issue:
    """``made``, chosen anew in the place of ``issue``, with all that editors wrote in that."""
    old = {item.story_id: item for item in issue.items}
    sections = tuple(
        replace(
            _with_title(section, issue),
            items=tuple(
                keep_words(old[item.story_id], item) if item.story_id in old else item
                for item in section.items
            ),
        )
        for section in made.sections
    )
    there = {item.story_id for section in sections for item in section.items}
    kept = issue.lead_kept and issue.lead in there
    whole = replace(
        issue,
        covers_from=made.covers_from,
        covers_until=made.covers_until,
        sections=sections,
        lead=issue.lead if kept else made.lead,
        lead_kept=kept,
    )
    whole = settle_places(whole, newsletter)
    return remake_lines(newsletter, publication, whole, made_lines(newsletter, publication, issue))


def _with_title(section: Section, issue: Issue) -> Section:
    before = next((one for one in issue.sections if one.slug == section.slug), None)
    if before is None or not before.made_title:
        return section
    return replace(section, title=before.title, made_title=section.title)
