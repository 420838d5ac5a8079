"""What lets an issue go, or keeps it: approval, hold, another time, now, and back."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time

from starlette.responses import Response

from newsletter.errors import (
    ChecksAwaited,
    Conflict,
    InvalidTransition,
    NewsletterError,
    UsageError,
    WrongCount,
)
from newsletter.issues.model import Issue, IssueState
from newsletter.issues.states import EDITABLE
from newsletter.publication.editors import Act
from newsletter.web.desk.background import Background
from newsletter.web.desk.issue_review import checks_page, review_page
from newsletter.web.desk.places import asked_issue, newsletter_of
from newsletter.web.desk.routes import DeskHandler
from newsletter.web.desk.visit import Visit
from newsletter.workflows.approve import approve_checked
from newsletter.workflows.publish import move_issue
from newsletter.workflows.schedule_issue import (
    reschedule_issue,
    send_soon,
    take_back,
    undo_cancel,
)

_LONGEST_REASON = 300


def take_approval(background: Background) -> DeskHandler:
    """Approve what was looked at; where a check stops it, say which."""

    def handle(visit: Visit) -> Response:
        issue = _issue(visit)
        version = _number(visit.field("version"), "version")
        try:
            done = approve_checked(visit.installation, issue, actor=visit.actor, version=version)
        except ChecksAwaited as error:
            return checks_page(visit, background, issue, error, 409)
        except (Conflict, InvalidTransition) as error:
            return review_page(visit, error, 409)
        if count := len(done.stops):
            shut = Conflict(
                f"it can’t be approved: {count} {'thing has' if count == 1 else 'things have'} to "
                "be mended first",
                subject=issue.slot,
            )
            return checks_page(visit, background, issue, shut, 409)
        first = done.issue.state is not IssueState.APPROVED
        return _back(visit, issue, "approved-first" if first else "approved")

    return handle


def take_hold(visit: Visit) -> Response:
    """Hold it, for a reason that the others read."""
    issue = _issue(visit)
    reason = " ".join(visit.field("reason").split())[:_LONGEST_REASON]
    if not reason:
        error = UsageError("say why it is held: the others have to know", subject="reason")
        return review_page(visit, error, 400)
    return _move(visit, issue, IssueState.HELD, "held", reason)


def take_release(visit: Visit) -> Response:
    """Make a held one a draft again."""
    return _move(visit, _issue(visit), IssueState.DRAFT, "released", "released")


def take_cancel(visit: Visit) -> Response:
    """Cancel one of which nothing was sent; an approved one by whoever may approve."""
    issue = _issue(visit)
    may_send = visit.editor.may(Act.SEND)
    if issue.state is IssueState.APPROVED and not may_send:
        return visit.not_allowed()
    only = EDITABLE if may_send else EDITABLE - {IssueState.APPROVED}
    return _move(visit, issue, IssueState.CANCELLED, "cancelled", "cancelled by hand", only)


def take_undo_cancel(visit: Visit) -> Response:
    """Make a cancelled one a draft again."""
    issue = _issue(visit)
    undo_cancel(visit.installation, issue, actor=visit.actor)
    return _back(visit, issue, "drafted-again")


def take_time(visit: Visit) -> Response:
    """Let it go out at another time, read as the clocks of the newsletter's zone show it."""
    issue = _issue(visit)
    zone = newsletter_of(visit, issue).zone_in(visit.settings.publication)
    try:
        day, clock = (
            date.fromisoformat(visit.field("date")),
            time.fromisoformat(visit.field("time")),
        )
    except ValueError:
        error = UsageError(
            f'"{visit.field("date")} {visit.field("time")}" is no time; write a day as 2026-08-07 '
            "and a time as 07:00",
            subject="date",
        )
        return review_page(visit, error, 400)
    if not 1970 < day.year < 9000:
        return review_page(visit, UsageError(f"{day} is out of reach", subject="date"), 400)
    wanted = datetime.combine(day, clock.replace(tzinfo=None))
    send_at = wanted.replace(tzinfo=zone).astimezone(UTC)
    try:
        reschedule_issue(visit.installation, issue, send_at, actor=visit.actor)
    except NewsletterError as error:
        return _refused(visit, error)
    local = send_at.astimezone(zone).replace(tzinfo=None)
    skipped = f"The clocks skip {wanted:%H:%M} on that day: it is {local:%H:%M} then."
    return _back(visit, issue, "moved", () if local == wanted else (skipped,))


def take_send_now(background: Background) -> DeskHandler:
    """Send it in a minute, where the count of readers was typed."""

    def handle(visit: Visit) -> Response:
        issue = _issue(visit)
        try:
            typed = _number(visit.field("count"), "count")
            send_soon(visit.installation, issue, actor=visit.actor, typed=typed)
        except ChecksAwaited as error:
            return checks_page(visit, background, issue, error, 409)
        except (WrongCount, UsageError) as error:
            return checks_page(visit, background, issue, None, 409, miscounted=error)
        except NewsletterError as error:
            return _refused(visit, error)
        return _back(visit, issue, "soon")

    return handle


def take_back_send(visit: Visit) -> Response:
    """Stop what was to be sent in a minute."""
    issue = _issue(visit)
    try:
        take_back(visit.installation, issue, actor=visit.actor)
    except NewsletterError as error:
        return _refused(visit, error)
    return _back(visit, issue, "taken-back")


def _issue(visit: Visit) -> Issue:
    with visit.context.database.read() as tx:
        return asked_issue(visit, tx)


def _move(
    visit: Visit,
    issue: Issue,
    to: IssueState,
    done: str,
    reason: str,
    only: Collection[IssueState] = EDITABLE,
) -> Response:
    try:
        move_issue(visit.installation, issue, to, actor=visit.actor, reason=reason, only=only)
    except NewsletterError as error:
        return _refused(visit, error)
    return _back(visit, issue, done)


def _refused(visit: Visit, error: NewsletterError) -> Response:
    return review_page(visit, error, 400 if isinstance(error, UsageError) else 409)


def _back(visit: Visit, issue: Issue, done: str, told: tuple[str, ...] = ()) -> Response:
    path = "/report" if done == "cancelled" else "/review"
    return visit.go(f"/issues/{issue.public_id}{path}", done=done, **visit.seal(told))


def _number(text: str, name: str) -> int:
    """A whole number as people type it, with or without separators."""
    digits = "".join(one for one in text if one not in " .,’'\u00a0\u202f\u2009")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise UsageError(f'"{text}" is no whole number', subject=name)
    return int(digits)
