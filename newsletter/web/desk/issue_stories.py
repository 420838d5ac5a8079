"""Stories to add to an issue: found by words, with their reads and reasons."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.responses import Response

from newsletter.ranking.score import Expectation
from newsletter.web.desk.background import Background
from newsletter.web.desk.places import asked_issue, newsletter_of, tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.workflows.candidates import (
    Candidate,
    Order,
    find_candidates,
    learn_expectation,
)

_A_PAGE = 30
_KEPT_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Found:
    """A candidate, and when it was published in words."""

    candidate: Candidate
    published: str


class Expectations:
    """What the reads so far let expect of each newsletter's stories, learned behind the page.

    Of a large paper that takes a second, and holds for an hour.
    """

    def __init__(self) -> None:
        self._background = Background()
        self._known: dict[str, tuple[datetime, Expectation]] = {}

    def of(self, visit: Visit, newsletter: str) -> Expectation | None:
        """The newest that is known; None for the first moment."""
        now = visit.context.clock.now()
        known = self._known.get(newsletter)
        if known is None or known[0] <= now - _KEPT_FOR:
            installation = visit.installation

            def learn() -> None:
                self._known[newsletter] = now, learn_expectation(installation, newsletter)

            self._background.begin(f"expect {newsletter}", learn)
        return known[1] if known else None


def show_stories(expectations: Expectations) -> Callable[[Visit], Response]:
    """The search, and what it found."""
    return lambda visit: _show(visit, expectations)


def _show(visit: Visit, expectations: Expectations) -> Response:
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    newsletter = newsletter_of(visit, issue)
    slugs = [section.slug for section in issue.sections]
    section = visit.query("section")
    if section not in slugs:
        section = slugs[0] if slugs else ""
    order: Order = "most_read" if visit.query("order") == "most_read" else "newest"
    words = visit.query("words").strip()[:300]
    found = find_candidates(
        visit.installation,
        issue,
        words=words,
        order=order,
        limit=_A_PAGE,
        expectation=expectations.of(visit, issue.newsletter),
        learns=False,
    )
    return visit.page(
        "issue_stories",
        issue=issue,
        address=f"{visit.root}/issues/{issue.public_id}",
        words=words,
        section=section,
        order=order,
        found=[Found(one, tell_moment(visit, one.published_at, newsletter)) for one in found],
    )
