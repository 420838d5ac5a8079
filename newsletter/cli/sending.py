"""Sending in the foreground, with a bar, until all is sent or only waiting is left."""

from dataclasses import dataclass

from newsletter.cli.output import progress_bar
from newsletter.cli.signals import stop_on_signals
from newsletter.delivery.model import LedgerCounts
from newsletter.errors import Conflict, InvalidTransition
from newsletter.issues.model import Issue, IssueState
from newsletter.workflows.deliver import deliver, open_ledger
from newsletter.workflows.installation import Installation
from newsletter.workflows.publish import start_sending


@dataclass(frozen=True)
class SendOutcome:
    """``elsewhere``: another process is the sender and has the queue now."""

    elsewhere: bool = False


def send_now(installation: Installation, issue: Issue, *, actor: str) -> SendOutcome:
    """Start an approved issue, or go on with a sending one, and deliver what is due."""
    if issue.state is IssueState.APPROVED:
        start_sending(installation, issue, actor=actor)
    elif issue.state is not IssueState.SENDING:
        raise InvalidTransition(
            f"issue {issue.slot} is {issue.state}; only an approved one can be sent"
            + (": approve it first" if issue.state in (IssueState.DRAFT, IssueState.HELD) else ""),
            subject=issue.slot,
        )
    try:
        _deliver_with_bar(installation, issue)
    except Conflict:
        return SendOutcome(elsewhere=True)
    return SendOutcome()


def _deliver_with_bar(installation: Installation, issue: Issue) -> None:
    def counts() -> LedgerCounts:
        with installation.database.read() as tx:
            return tx.mailings.counts(issue.public_id)

    with (
        open_ledger(installation) as ledger,
        stop_on_signals() as stop,
        progress_bar("sending", counts().total) as advance,
    ):
        done_before = counts().total - counts().open
        deliver(
            installation,
            ledger,
            should_stop=stop.is_set,
            on_progress=lambda summary: advance(
                done_before + summary.accepted + summary.refused + summary.skipped
            ),
        )
