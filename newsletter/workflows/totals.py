"""What came of an issue, counted once: a million rows take seconds, and a page has none."""

from newsletter.delivery.model import LedgerCounts
from newsletter.log import get_logger
from newsletter.storage.database import Database
from newsletter.storage.issue_lines import IssueLine
from newsletter.workflows.installation import Installation

log = get_logger(__name__)

# So many rows are counted while a page waits: in some 30 ms.
COUNTED_AT_ONCE = 20_000
_LATEST = 5


def read_totals(database: Database, line: IssueLine) -> LedgerCounts | None:
    """The ledger of an issue that is over, by state; None while it is still to be counted."""
    with database.read() as tx:
        kept = tx.issue_lines.totals(line)
        if kept is None and line.readers <= COUNTED_AT_ONCE:
            return tx.mailings.counts(line.public_id)
    return kept


def count_issues(installation: Installation) -> None:
    """Count the issues that were over lately and are not counted yet."""
    with installation.database.read() as tx:
        lines = [
            line for line in tx.issue_lines.over(_LATEST) if tx.issue_lines.totals(line) is None
        ]
    for line in lines:
        with installation.database.read() as tx:
            counts = tx.mailings.counts(line.public_id)
        with installation.database.write() as tx:
            tx.issue_lines.keep_totals(line, counts)
        log.info("issue_counted", issue=line.public_id, readers=counts.total)
