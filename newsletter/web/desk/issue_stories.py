"""Stories to add to an issue: found by words, with their reads and reasons."""

from dataclasses import dataclass

from starlette.responses import Response

from newsletter.web.desk.places import asked_issue, newsletter_of, tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.workflows.candidates import Candidate, Order, find_candidates

_A_PAGE = 30


@dataclass(frozen=True)
class Found:
    """A candidate, and when it was published in words."""

    candidate: Candidate
    published: str


def show_stories(visit: Visit) -> Response:
    """The search, and what it found."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    newsletter = newsletter_of(visit, issue)
    slugs = [section.slug for section in issue.sections]
    section = visit.query("section")
    if section not in slugs:
        section = slugs[0] if slugs else ""
    order: Order = "most_read" if visit.query("order") == "most_read" else "newest"
    words = visit.query("words").strip()[:300]
    found = find_candidates(visit.installation, issue, words=words, order=order, limit=_A_PAGE)
    return visit.page(
        "issue_stories",
        issue=issue,
        address=f"{visit.root}/issues/{issue.public_id}",
        words=words,
        section=section,
        order=order,
        found=[Found(one, tell_moment(visit, one.published_at, newsletter)) for one in found],
    )
