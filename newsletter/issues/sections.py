"""Sections of a newsletter that an issue does not show: begun by an editor."""

from dataclasses import replace

from newsletter.issues.lines import name_window, template_words, title_words
from newsletter.issues.model import Issue, Section
from newsletter.issues.wording import fill_template
from newsletter.publication.brand import Publication
from newsletter.publication.newsletters import Newsletter


def begin_section(
    issue: Issue, slug: str, newsletter: Newsletter, publication: Publication
) -> Issue | None:
    """The issue with that section of its newsletter, still empty, where it belongs.

    None where the newsletter has no such section, or the issue has it already.
    """
    order = [plan.slug for plan in newsletter.sections]
    if slug not in order or any(section.slug == slug for section in issue.sections):
        return None
    plan = newsletter.sections[order.index(slug)]
    zone, language = newsletter.zone_in(publication), newsletter.language_in(publication)
    looked_at = name_window(plan, issue.covers_from, issue.covers_until, zone, language)
    words = title_words(plan, looked_at, template_words(newsletter, publication, issue))
    section = Section(plan.slug, plan.kind, fill_template(plan.title, words), looked_at, ())
    before = set(order[: order.index(slug)])
    at = max((n for n, one in enumerate(issue.sections, 1) if one.slug in before), default=0)
    return replace(issue, sections=(*issue.sections[:at], section, *issue.sections[at:]))
