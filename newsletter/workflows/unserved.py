"""Readers who still wait for an issue: given its newest revision, or called off with it.

There may be millions, so both go in pieces, each a transaction of its own. One
that is broken off is taken up by the next call.
"""

from collections.abc import Callable

from newsletter.issues.model import Issue, IssueState
from newsletter.log import get_logger
from newsletter.workflows.installation import Installation

log = get_logger(__name__)

CALLED_OFF = frozenset({IssueState.RECALLED, IssueState.CANCELLED})
# SQLite's one writer is busy for 0.2 s (skipping) to 1 s (another revision) with
# so many rows. Other processes then ask for their turn every 100 ms.
_ROWS = 20_000
_BREATH_SECONDS = 0.15


def skip_called_off(installation: Installation) -> int:
    """Skip the rows that recalled and cancelled issues have left; how many there were.

    Those handed over before may still come back to the queue, so that this is
    asked again whenever issues are closed: without anything to do it only looks.
    """
    skipped = 0
    with installation.database.read() as tx:
        more = tx.mailings.has_stopped()
    while more:
        with installation.database.write() as tx:
            rows = tx.mailings.skip_stopped(installation.clock.now(), _ROWS)
        skipped += rows
        more = rows == _ROWS
        if more:
            installation.clock.sleep(_BREATH_SECONDS)
    if skipped:
        log.info("deliveries_called_off", rows=skipped)
    return skipped


def give_newest(
    installation: Installation, issue: Issue, on_progress: Callable[[int], None] = lambda _: None
) -> tuple[int, int]:
    """Give a paused issue's waiting rows its newest revision.

    (its number, how many rows had an older one). ``on_progress`` is told how
    many rows of the ledger were looked at so far.
    """
    with installation.database.read() as tx:
        number = tx.mailings.newest_revision(issue.public_id)
        if number < 2:
            return number, 0
        stretches = tx.mailings.stretches(issue.public_id)
    given = looked_at = 0
    for keys in stretches:
        if looked_at:
            installation.clock.sleep(_BREATH_SECONDS)
        with installation.database.write() as tx:
            given += tx.mailings.give_newest(issue.public_id, keys)
        looked_at += len(keys)
        on_progress(looked_at)
    if given:
        log.info("revision_given", issue=issue.slot, revision=number, rows=given)
    return number, given
