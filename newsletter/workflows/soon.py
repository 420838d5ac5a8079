"""The minute before an issue that is sent now goes out, and the way back from it."""

from dataclasses import replace
from datetime import datetime, timedelta

from newsletter.errors import Conflict
from newsletter.issues.lines import made_lines, remake_lines
from newsletter.issues.model import Issue, IssueState, PartChange, Save, SaveKind
from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.storage.transaction import Transaction
from newsletter.workflows.installation import newsletter_of

log = get_logger(__name__)

# So long a send can be taken back; the tick of the scheduler adds up to half a minute.
TAKE_BACK = timedelta(seconds=60)
TOOK_BACK = "took the send back"
_PART = "send_at"
# Sent soon twice, or looked up at the site since, it is still sent soon.
_GOES_ON = frozenset((SaveKind.SENT_SOON, SaveKind.FRESHENED))


def time_before(tx: Transaction, issue: Issue) -> datetime | None:
    """The time that an approved issue had before it was sent in a minute; None where it wasn't."""
    if issue.state is not IssueState.APPROVED:
        return None
    before = None
    for version in reversed(tx.issues.versions(issue.public_id)):
        if version.save.kind not in _GOES_ON:
            break
        if version.save.kind is SaveKind.SENT_SOON:
            before = datetime.fromisoformat(version.save.changes[0].before)
    return before


def give_back_time(
    tx: Transaction, settings: Settings, issue: Issue, actor: str, now: datetime
) -> Issue:
    """The issue at the time that it had before it was sent in a minute, else as it is.

    To be called by whatever takes its approval: with the minute's time it would be late at
    once, and could go out by the rule for what nobody approved.
    """
    before = time_before(tx, issue)
    if before is None:
        return issue
    return put_time(tx, settings, issue, before, SaveKind.TAKEN_BACK, TOOK_BACK, actor, now)


def at_time(settings: Settings, issue: Issue, send_at: datetime) -> Issue:
    """The issue as it would go out at ``send_at``: what is printed of its date follows."""
    newsletter = newsletter_of(settings, issue)
    made = made_lines(newsletter, settings.publication, issue)
    day = send_at.astimezone(newsletter.zone_in(settings.publication)).date()
    moved = replace(issue, send_at=send_at, date=day)
    return remake_lines(newsletter, settings.publication, moved, made)


def put_time(
    tx: Transaction,
    settings: Settings,
    issue: Issue,
    send_at: datetime,
    kind: SaveKind,
    told: str,
    actor: str,
    now: datetime,
) -> Issue:
    """Keep the issue at its new time as its next version; Conflict where there is a newer one."""
    moved = at_time(settings, issue, send_at)
    change = PartChange(_PART, issue.send_at.isoformat(), send_at.isoformat())
    save = Save(kind, told, (change,), frozenset({_PART}))
    if not tx.issues.reschedule(moved, actor, now, save):
        raise Conflict(f"issue {issue.slot} was changed just now; look again", subject=issue.slot)
    log.info("issue_rescheduled", issue=issue.slot, send_at=send_at.isoformat(), actor=actor)
    return tx.issues.by_id(issue.public_id) or moved
