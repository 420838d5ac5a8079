"""The rehearsal of an issue: begun here, carried out behind, its report shown."""

from datetime import datetime

from starlette.responses import Response

from newsletter.errors import ConfigError, Conflict
from newsletter.issues.states import EDITABLE
from newsletter.publication.editors import Act
from newsletter.web.desk.issue_page import issue_head, tell_length
from newsletter.web.desk.places import asked_issue, newsletter_of, tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.workflows.rehearsals import RehearsalState, begin_rehearsal, read_rehearsal

_MOST_DOMAINS = 12


def show_rehearsal(visit: Visit) -> Response:
    """How the rehearsal stands, or what it found."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        kept = read_rehearsal(tx, issue.public_id, visit.context.clock.now())
        names = tx.editors.names()
    newsletter = newsletter_of(visit, issue)
    report = kept.report if kept else {}
    estimate = report.get("estimate") or {}
    named = [one for one in report.get("by_domain", ()) if one["domain"]]

    def moment(text: str | None) -> str:
        return tell_moment(visit, datetime.fromisoformat(text), newsletter) if text else ""

    seconds = estimate.get("seconds")
    return visit.page(
        "issue_rehearsal",
        **issue_head(visit, issue, newsletter),
        may_begin=issue.state in EDITABLE and visit.editor.may(Act.EDIT),
        kept=kept,
        running=kept is not None and kept.state is RehearsalState.RUNNING,
        who=names.get(kept.by, kept.by) if kept else "",
        begun=tell_moment(visit, kept.begun_at, newsletter) if kept else "",
        report=report,
        takes=tell_length(visit.words, seconds) if seconds is not None else "",
        starts=moment(estimate.get("starts_at")),
        ends=moment(estimate.get("ends_at")),
        days=estimate.get("by_day", ()),
        domains=named[:_MOST_DOMAINS],
        others=report.get("audience", 0) - sum(one["readers"] for one in named[:_MOST_DOMAINS]),
        waves=[(wave["name"], moment(wave["starts_at"])) for wave in report.get("waves", ())],
        stops=[one for one in report.get("findings", ()) if one["level"] == "stop"],
        findings=[one for one in report.get("findings", ()) if one["level"] != "stop"],
    )


def take_rehearsal(visit: Visit) -> Response:
    """Begin a rehearsal."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    if issue.state not in EDITABLE:
        raise Conflict(
            f"issue {issue.slot} is {issue.state}; only one whose sending has not begun can be "
            "rehearsed",
            subject=issue.slot,
        )
    try:
        begin_rehearsal(visit.installation, issue, actor=visit.actor)
    except ConfigError as error:
        raise Conflict(str(error), subject=issue.slot) from error
    return visit.go(f"/issues/{issue.public_id}/rehearsal")
