"""An issue's rows that no reader was surely served by: corrected, called off, or in doubt."""

from datetime import datetime

import sqlalchemy as sa

from newsletter.delivery.model import BY_HAND, DeliveryState
from newsletter.issues.model import IssueState
from newsletter.storage import tables as t
from newsletter.storage.delivery_rows import DeliveryRows, of_issue, within
from newsletter.storage.statements import fence, lease_clock

_row = t.delivery.c
_CLAIMED = _row.state == DeliveryState.CLAIMED.value
_WAITING = _row.state.in_([DeliveryState.QUEUED.value, DeliveryState.DEFERRED.value])
# A row whose message may have been taken keeps its bytes, should it go out again.
_UNTOUCHED = sa.and_(_WAITING, _row.doubts == 0)
# These two say what the partial indexes of the ledger hold.
_HAS_DUE = _row.due_at.is_not(None)
_IS_HELD = _row.worker_id.is_not(None)
_STOPPED = (IssueState.RECALLED, IssueState.CANCELLED)


class UnservedRows(DeliveryRows):
    """What may still be changed about an issue that is under way."""

    def has_unserved(self, issue_id: str) -> bool:
        """Whether somebody waits for the issue of whom it is sure that they have not got it."""
        found = sa.select(_row.id).where(of_issue(issue_id), _HAS_DUE, _UNTOUCHED).limit(1)
        return self._connection.scalar(found) is not None

    def in_flight(self, issue_id: str, now: datetime) -> int:
        """How many messages of an issue wait for the reply to a living worker."""
        clock = lease_clock(self._connection.dialect.name, now)
        alive = (
            sa.select(t.worker.c.id)
            .where(t.worker.c.id == _row.worker_id, t.worker.c.lease_until > clock)
            .correlate(t.delivery)
            .exists()
        )
        handed_over = _row.state == DeliveryState.HANDED_OVER.value
        return self._connection.execute(
            sa.select(sa.func.count(_row.id)).where(
                of_issue(issue_id), _IS_HELD, handed_over, alive
            )
        ).scalar_one()

    def take_back(self, issue_id: str, at: datetime) -> int:
        """Take an issue's claimed rows from their workers, which then hand none of them over."""
        fence(self._connection)
        return self._connection.execute(
            sa.update(t.delivery)
            .where(of_issue(issue_id), _IS_HELD, _CLAIMED)
            .values(
                state=DeliveryState.QUEUED.value,
                due_at=_row.queued_at,
                worker_id=None,
                changed_at=at,
            )
        ).rowcount

    def give_newest(self, issue_id: str, keys: range) -> int:
        """Give a stretch's waiting rows their variant's newest revision; how many had another.

        For issues that are paused: rows that are claimed or handed over are left.
        """
        mailings = self._mailings_of(issue_id)
        newest = {mailing.variant.key: mailing.key for mailing in mailings}
        older = {
            mailing.key: newest[mailing.variant.key]
            for mailing in mailings
            if newest[mailing.variant.key] != mailing.key
        }
        if not older:
            return 0
        return self._connection.execute(
            sa.update(t.delivery)
            .where(of_issue(issue_id), within(keys), _UNTOUCHED, _row.mailing_id.in_(list(older)))
            .values(mailing_id=sa.case(older, value=_row.mailing_id))
        ).rowcount

    def settle_doubt(
        self, issue_id: str, recipient_id: str, to: DeliveryState, at: datetime
    ) -> bool:
        """A person settles an uncertain row: it was taken, or is queued once more.

        False where it is not uncertain any more.
        """
        again = to is DeliveryState.QUEUED
        if again:
            # Or the issue may be closed in between, with this row in it.
            fence(self._connection)
        return bool(
            self._connection.execute(
                sa.update(t.delivery)
                .where(
                    of_issue(issue_id),
                    _row.recipient == recipient_id,
                    _row.state == DeliveryState.UNCERTAIN.value,
                )
                .values(
                    state=to.value,
                    due_at=at if again else None,
                    reason=_row.reason if again else BY_HAND,
                    changed_at=at,
                )
            ).rowcount
        )

    def has_stopped(self) -> bool:
        """Whether a recalled or cancelled issue still has rows that wait or are claimed."""
        return bool(self._stopped_issues())

    def skip_stopped(self, at: datetime, limit: int) -> int:
        """Skip up to ``limit`` rows of recalled and cancelled issues; how many there were.

        The reason is the issue's state. Rows that were handed over before keep
        their course; where they come back to wait, the next call skips them.
        """
        skipped = 0
        for key, state in self._stopped_issues():
            for where in (_HAS_DUE, sa.and_(_IS_HELD, _CLAIMED)):
                picked = sa.select(_row.id).where(_row.issue_id == key, where)
                skipped += self._connection.execute(
                    sa.update(t.delivery)
                    .where(_row.id.in_(picked.limit(limit - skipped)), sa.or_(_WAITING, _CLAIMED))
                    .values(
                        state=DeliveryState.SKIPPED.value,
                        reason=state,
                        due_at=None,
                        worker_id=None,
                        changed_at=at,
                    )
                ).rowcount
        return skipped

    def _stopped_issues(self) -> list[tuple[int, str]]:
        """(key, state) of the issues that were called off and have rows left."""
        of_it = sa.select(_row.id).where(_row.issue_id == t.issue.c.id).correlate(t.issue)
        rows = self._connection.execute(
            sa.select(t.issue.c.id, t.issue.c.state).where(
                t.issue.c.state.in_([state.value for state in _STOPPED]),
                sa.or_(of_it.where(_HAS_DUE).exists(), of_it.where(_IS_HELD, _CLAIMED).exists()),
            )
        )
        return [(key, state) for key, state in rows]
