"""A reader in doubt: a person found out whether the message arrived, or has it sent once more."""

from dataclasses import dataclass

from newsletter.delivery.model import DeliveryState
from newsletter.delivery.states import move_delivery
from newsletter.errors import Conflict, InvalidTransition, NotFound
from newsletter.issues.model import Issue, IssueState
from newsletter.issues.states import REOPENED
from newsletter.log import get_logger
from newsletter.storage.delivery_rows import DeliveryRow
from newsletter.workflows.installation import Installation
from newsletter.workflows.unserved import CALLED_OFF

log = get_logger(__name__)


@dataclass(frozen=True)
class Settled:
    """The reader's row as it is now, and the issue."""

    issue: Issue
    row: DeliveryRow


def settle_doubt(
    installation: Installation, issue: Issue, reader: str, *, resend: bool, actor: str
) -> Settled:
    """Count an uncertain message as accepted, or queue it once more with the same bytes.

    ``reader`` is an address, or the recipient's id as the report shows it. A sent
    issue is sending again until the row is settled. NotFound where the issue has no
    such reader, InvalidTransition where nothing is in doubt or the issue was called
    off, Conflict where it was sent twice already.
    """
    now, key = installation.clock.now(), issue.public_id
    to = move_delivery(
        DeliveryState.UNCERTAIN, DeliveryState.QUEUED if resend else DeliveryState.ACCEPTED
    )
    with installation.database.write() as tx:
        row = _in_doubt(tx.mailings.reader(key, reader), issue, reader)
        current = tx.issues.by_id(key) or issue
        if resend:
            _refuse_resend(row, current)
        if not tx.mailings.settle_doubt(key, row.recipient_id, to, now):
            raise InvalidTransition(
                f"{reader} is not in doubt any more; look at `newsletter issue report`",
                subject=reader,
            )
        # Without the reader, whom the log would name when they are forgotten.
        tx.changes.record(now, actor, "issue", key, "doubt_settled", {"to": to.value})
        tx.issue_lines.forget_totals(key)
        if resend:
            tx.issues.move(key, REOPENED, IssueState.SENDING, actor, now, reason="resend")
        settled = Settled(
            tx.issues.by_id(key) or issue,
            tx.mailings.reader(key, row.recipient_id) or row,
        )
    log.info("doubt_settled", issue=issue.slot, recipient=row.recipient_id, to=str(to))
    return settled


def _in_doubt(row: DeliveryRow | None, issue: Issue, reader: str) -> DeliveryRow:
    if row is None:
        raise NotFound(
            f"issue {issue.slot} has no reader {reader}; `newsletter issue report` lists those "
            "in doubt",
            subject=reader,
        )
    if row.state is not DeliveryState.UNCERTAIN:
        state = row.state.replace("_", " ")
        raise InvalidTransition(
            f"the message to {reader} is {state}: nothing is in doubt", subject=reader
        )
    return row


def _refuse_resend(row: DeliveryRow, issue: Issue) -> None:
    if issue.state in CALLED_OFF:
        raise InvalidTransition(
            f"issue {issue.slot} is {issue.state}: nothing of it is sent any more; settle the "
            "doubt with --accepted",
            subject=issue.slot,
        )
    if row.doubts > 1:
        raise Conflict(
            "the message was sent twice already, and may have arrived twice; settle the doubt "
            "with --accepted",
            subject=row.recipient_id,
        )
    if not row.address:
        raise Conflict("the reader was forgotten, and can't be mailed", subject=row.recipient_id)
