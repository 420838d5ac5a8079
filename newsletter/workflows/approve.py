"""An editor's approval, and the second one where a newsletter asks for two."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from newsletter.checks.model import Finding, stops
from newsletter.errors import Conflict, NotFound
from newsletter.issues.model import Issue, IssueState
from newsletter.issues.states import check_move
from newsletter.log import get_logger
from newsletter.publication.editions import editions_of
from newsletter.publication.editors import Act, Editor
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.passing_on import Link
from newsletter.storage.transaction import Transaction
from newsletter.words import words_of
from newsletter.workflows.check_issue import CheckedIssue
from newsletter.workflows.installation import Installation, newsletter_of
from newsletter.workflows.look_over import demand_looked_over
from newsletter.workflows.notices import Notice, preview_link, queue_notice
from newsletter.workflows.publish import why_not_moved

log = get_logger(__name__)

_WAITING = frozenset({IssueState.DRAFT, IssueState.HELD})


@dataclass(frozen=True)
class Approval:
    """What became of an approval: ``issue`` as it is then, ``checked`` what was found of it.

    Where there are ``stops`` it was not approved.
    """

    issue: Issue
    checked: CheckedIssue

    @property
    def stops(self) -> tuple[Finding, ...]:
        return stops(self.checked.findings)


def approve_checked(
    installation: Installation, issue: Issue, *, actor: str, version: int
) -> Approval:
    """`approve_issue` for whoever approves by one press, where no check stops the issue.

    ChecksAwaited where it was not looked over lately; other errors as there.
    """
    with installation.database.read() as tx:
        current = _waiting(tx, issue, version)
    checked = demand_looked_over(installation, current)
    if stops(checked.findings):
        return Approval(issue, checked)
    return Approval(approve_issue(installation, issue, actor=actor, version=version), checked)


def approve_issue(
    installation: Installation, issue: Issue, *, actor: str, version: int | None = None
) -> Issue:
    """Approve a draft, or a held issue, which is a draft again for that moment.

    Where the newsletter asks for two approvals, the first is kept, editors are told, and
    the issue stays what it is until another approves it: see `waits_for_second`. Any edit
    between them voids it. ``version`` is the one that was looked at: Conflict where that
    is not the newest, or where the same person approves twice; InvalidTransition where the
    issue is approved or on its way.
    """
    settings = installation.settings()
    now = installation.clock.now()
    with installation.database.write() as tx:
        current = _waiting(tx, issue, version)
        if newsletter_of(settings, current).approval == "two":
            if not current.first_approved_by:
                tx.issues.approve_first(current.public_id, actor, now)
                _tell_first(tx, installation, settings, current, actor)
                return tx.issues.by_id(current.public_id) or current
            _refuse_same(current, actor)
        _approve(tx, current, actor, now)
        approved = tx.issues.by_id(current.public_id) or current
    log.info("issue_approved", newsletter=issue.newsletter, issue=issue.slot, actor=actor)
    return approved


def lacking_approvers(settings: Settings, editors: Iterable[Editor]) -> tuple[Newsletter, ...]:
    """The newsletters that ask for two approvals where fewer than two editors may approve."""
    if sum(one.may(Act.SEND) for one in editors) >= 2:
        return ()
    return tuple(
        newsletter
        for newsletter in settings.newsletter
        if any(
            edition.approval == "two" for edition in editions_of(newsletter, settings.publication)
        )
    )


def waits_for_second(issue: Issue) -> bool:
    """Whether somebody approved it, and another has to."""
    return issue.state in _WAITING and bool(issue.first_approved_by)


def _approve(tx: Transaction, current: Issue, actor: str, now: datetime) -> None:
    state = current.state
    if state is IssueState.HELD:
        draft = IssueState.DRAFT
        check_move(state, draft)
        tx.issues.move(
            current.public_id, {state}, draft, actor, now, reason="released", keep_first=True
        )
        state = draft
    check_move(state, IssueState.APPROVED)
    tx.issues.move(current.public_id, {state}, IssueState.APPROVED, actor, now)


def _waiting(tx: Transaction, issue: Issue, version: int | None) -> Issue:
    """The issue as it stands, which has to wait for approval, and to be what was looked at."""
    current = tx.issues.by_id(issue.public_id)
    if current is None:
        raise NotFound(f"there is no issue {issue.slot} any more", subject=issue.slot)
    if version is not None and version != current.version:
        raise Conflict(
            f"issue {current.slot} was changed since you looked at it: it is version "
            f"{current.version} now, and you saw {version}; look again and approve it then",
            subject=current.slot,
        )
    if current.state not in _WAITING:
        raise why_not_moved(current, IssueState.APPROVED)
    return current


def _refuse_same(current: Issue, actor: str) -> None:
    if current.first_approved_by == actor:
        raise Conflict(
            f"you approved issue {current.slot} already; {current.newsletter} asks for two "
            "people, so another one has to approve it too",
            subject=current.slot,
        )


def _tell_first(
    tx: Transaction, installation: Installation, settings: Settings, issue: Issue, actor: str
) -> None:
    """Tell the editors that a second approval is wanted."""
    words = words_of(settings.publication.language)
    notice = Notice(
        key=f"second:{issue.public_id}:{issue.version}",
        subject=words.gettext("Waits for a second approval: %(subject)s", subject=issue.subject),
        sentences=(
            words.gettext(
                "Issue %(slot)s of %(newsletter)s was approved by one person. It goes out when "
                "another approves it too.",
                slot=issue.slot,
                newsletter=issue.newsletter,
            ),
        ),
        link=Link(words.gettext("See the draft"), preview_link(installation, issue.public_id)),
    )
    log.info("issue_approved_first", issue=issue.slot, actor=actor)
    queue_notice(tx, installation, settings, newsletter_of(settings, issue), notice)
