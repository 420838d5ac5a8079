"""Stories to add to an issue: found by words, with their reads and reasons."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from starlette.responses import Response

from newsletter.issues.model import Issue
from newsletter.ranking.score import Expectation
from newsletter.web.desk.background import Background, Remembered
from newsletter.web.desk.places import asked_issue, newsletter_of, tell_moment
from newsletter.web.desk.routes import DeskHandler
from newsletter.web.desk.visit import Visit
from newsletter.workflows.candidates import (
    Candidate,
    Order,
    describe_candidates,
    learn_expectation,
    search_stories,
)

_A_PAGE = 30
# What the reads let expect of a newsletter's stories is learned in a second on a large paper;
# the most read by some words are found in most of one.
_EXPECTED_FOR = timedelta(hours=1)
_FOUND_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class Found:
    """A candidate, and when it was published in words."""

    candidate: Candidate
    published: str


def show_stories(background: Background) -> DeskHandler:
    """The search, and what it found; the most read are looked for behind it."""
    expectations = Remembered[Expectation](background, _EXPECTED_FOR)
    searches = Remembered[list[str]](background, _FOUND_FOR)

    def handle(visit: Visit) -> Response:
        with visit.context.database.read() as tx:
            issue = asked_issue(visit, tx)
        order: Order = "most_read" if visit.query("order") == "most_read" else "newest"
        words = visit.query("words").strip()[:300]
        search = partial(
            search_stories, visit.installation, issue, words=words, order=order, limit=_A_PAGE
        )
        ids: list[str] | None
        if order == "most_read":
            name = f"search {issue.newsletter} {words}"
            ids = searches.of(name, visit.context.clock.now(), search)
        else:
            ids = search()
        return _page(visit, expectations, issue, words, order, ids)

    return handle


def _page(
    visit: Visit,
    expectations: Remembered[Expectation],
    issue: Issue,
    words: str,
    order: Order,
    ids: list[str] | None,
) -> Response:
    """What was found; ``ids`` None where it is looked for."""
    newsletter = newsletter_of(visit, issue)
    slugs = [section.slug for section in issue.sections]
    section = visit.query("section")
    if section not in slugs:
        section = slugs[0] if slugs else ""
    expectation = expectations.newest(
        f"expect {issue.newsletter}",
        visit.context.clock.now(),
        partial(learn_expectation, visit.installation, issue.newsletter),
    )
    found = describe_candidates(
        visit.installation, issue, ids or (), expectation=expectation, learns=False
    )
    return visit.page(
        "issue_stories",
        issue=issue,
        address=f"{visit.root}/issues/{issue.public_id}",
        words=words,
        section=section,
        order=order,
        waits=ids is None,
        again=f"{visit.request.url.path}?{visit.request.url.query}",
        found=[Found(one, tell_moment(visit, one.published_at, newsletter)) for one in found],
    )
