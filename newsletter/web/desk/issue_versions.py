"""What was saved of an issue, by whom, and how it comes back."""

from dataclasses import dataclass

from starlette.responses import Response

from newsletter.issues.model import PartChange
from newsletter.issues.states import EDITABLE
from newsletter.publication.editors import Act
from newsletter.web.desk.fitting import fitting
from newsletter.web.desk.history import PROGRAMS
from newsletter.web.desk.places import asked_issue, newsletter_of, tell_moment
from newsletter.web.desk.visit import Visit

_A_PAGE = 25


@dataclass(frozen=True)
class ShownVersion:
    """A version as the page tells it."""

    number: int
    time: str
    who: str
    told: str
    changes: tuple[PartChange, ...]


def show_versions(visit: Visit) -> Response:
    """Versions by pages, the newest first; ``?before=26`` are those before the 26th."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        versions = tx.issues.versions(issue.public_id)[::-1]
        names = tx.editors.names()
    before = visit.query("before")
    if before.isascii() and before.isdecimal():
        versions = [one for one in versions if one.number < int(before[:9])]
    shown = fitting(
        versions[:_A_PAGE],
        lambda one: [text for each in one.save.changes for text in (each.before, each.after)],
    )
    newsletter = newsletter_of(visit, issue)
    programs = {actor: visit.words.gettext(name) for actor, name in PROGRAMS.items()}
    return visit.page(
        "issue_versions",
        issue=issue,
        address=f"{visit.root}/issues/{issue.public_id}",
        may_edit=issue.state in EDITABLE and visit.editor.may(Act.EDIT),
        versions=[
            ShownVersion(
                one.number,
                tell_moment(visit, one.at, newsletter),
                names.get(one.actor) or programs.get(one.actor, one.actor),
                one.save.told or one.save.kind,
                one.save.changes,
            )
            for one in shown
        ],
        before=shown[-1].number if len(versions) > len(shown) else None,
    )
