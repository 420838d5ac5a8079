"""All issues, the newest first."""

from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.responses import Response

from newsletter.storage.issue_lines import IssueLine
from newsletter.web.desk.places import issue_address, tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.web.desk.waiting import ALARMING, STATES

_A_PAGE = 25


@dataclass(frozen=True)
class ListedIssue:
    """An issue in the list."""

    line: IssueLine
    newsletter: str
    address: str
    state: str
    alarming: bool
    time: str


def show_issues(visit: Visit) -> Response:
    """A page of the list."""
    before = _before(visit.query("before"))
    with visit.context.database.read() as tx:
        lines = tx.issue_lines.newest(_A_PAGE + 1, before)
    shown = lines[:_A_PAGE]
    return visit.page(
        "issues",
        issues=[_listed(visit, line) for line in shown],
        older=f"{shown[-1].send_at.timestamp():.0f}" if len(lines) > _A_PAGE else "",
    )


def _before(text: str) -> datetime | None:
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        return None
    return datetime.fromtimestamp(int(text), UTC)


def _listed(visit: Visit, line: IssueLine) -> ListedIssue:
    newsletter = visit.settings.newsletter_called(line.newsletter)
    return ListedIssue(
        line,
        newsletter.name if newsletter else line.newsletter,
        issue_address(visit, line.public_id),
        visit.words.gettext(STATES[line.state]),
        line.state in ALARMING,
        tell_moment(visit, line.send_at, newsletter),
    )
