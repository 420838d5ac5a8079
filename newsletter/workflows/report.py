"""Accounting for every reader of an issue: the totals always add up."""

from dataclasses import asdict, dataclass
from typing import Any

from newsletter.delivery.model import LedgerCounts
from newsletter.issues.model import Issue
from newsletter.storage.mailings import DeliveryRow
from newsletter.workflows.installation import Installation


@dataclass(frozen=True)
class IssueReport:
    """An issue's deliveries, counted; each of them too where asked for."""

    issue: Issue
    counts: LedgerCounts
    deliveries: tuple[DeliveryRow, ...] = ()

    def totals(self) -> dict[str, Any]:
        """The audience and its parts."""
        return {"state": self.issue.state, "audience": self.counts.total, **asdict(self.counts)}

    def sentence(self) -> str:
        """The totals in words."""
        counts = self.counts
        waiting = f", {counts.open:,} still to go" if counts.open else ""
        return (
            f"issue {self.issue.slot} is {self.issue.state}: of {counts.total:,} readers "
            f"{counts.accepted:,} accepted, {counts.refused:,} refused, "
            f"{counts.uncertain:,} uncertain, {counts.skipped:,} skipped{waiting}"
        )


def report_issue(installation: Installation, issue: Issue, *, each: bool = False) -> IssueReport:
    """The report of an issue as it stands now."""
    with installation.database.read() as tx:
        return IssueReport(
            issue=tx.issues.by_id(issue.public_id) or issue,
            counts=tx.mailings.counts(issue.public_id),
            deliveries=tuple(tx.mailings.deliveries(issue.public_id)) if each else (),
        )
