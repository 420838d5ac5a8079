"""The ledger's statements, built once: each is one guarded move.

The parameters are ``now``, ``lease`` (instants), ``worker_name``, ``row``
(a ledger row), ``issue`` (an issue row), ``wanted`` (rows) and ``all_workers``.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.delivery.model import DeliveryState
from newsletter.issues.model import IssueState
from newsletter.storage import tables as t
from newsletter.storage.columns import Instant
from newsletter.subscribers.model import SubscriptionState, SuppressionReason

Value = datetime | sa.ColumnElement[Any]

_QUEUED = DeliveryState.QUEUED.value
_CLAIMED = DeliveryState.CLAIMED.value
_HANDED_OVER = DeliveryState.HANDED_OVER.value
_UNCERTAIN = DeliveryState.UNCERTAIN.value
_SKIPPED = DeliveryState.SKIPPED.value

_row = t.delivery.c
_NOW = sa.bindparam("now", type_=Instant)
_LEASE = sa.bindparam("lease", type_=Instant)
_WORKER = sa.bindparam("worker_name", type_=sa.String)
_ALL_WORKERS = sa.bindparam("all_workers", type_=sa.Boolean)

# The reader of an issue's row is no longer active on its newsletter. Rows of
# editors and test addresses have no subscriber and never leave.
_LEFT = sa.and_(
    _row.issue_id.is_not(None),
    _row.subscriber_id.is_not(None),
    ~sa.exists(
        sa.select(sa.literal(1))
        .select_from(t.issue)
        .join(t.subscription, t.subscription.c.newsletter_id == t.issue.c.newsletter_id)
        .where(
            t.issue.c.id == _row.issue_id,
            t.subscription.c.subscriber_id == _row.subscriber_id,
            t.subscription.c.state == SubscriptionState.ACTIVE.value,
        )
        .correlate(t.delivery)
    ),
)
# Any suppression stops an issue; a confirmation only those that outrank the reader's own wish.
_SUPPRESSED = sa.exists(
    sa.select(sa.literal(1))
    .select_from(t.subscriber)
    .join(t.suppression, t.suppression.c.address_hash == t.subscriber.c.address_hash)
    .where(
        t.subscriber.c.id == _row.subscriber_id,
        sa.or_(
            _row.issue_id.is_not(None),
            t.suppression.c.reason.in_(
                [reason.value for reason in SuppressionReason if reason.blocks_confirmation]
            ),
        ),
    )
    .correlate(t.delivery)
)
_SKIP = sa.or_(_LEFT, _SUPPRESSED)
_SKIP_REASON = sa.case((_LEFT, "left"), else_="suppressed")

_SENDING = sa.or_(
    _row.issue_id.is_(None),
    sa.exists(
        sa.select(sa.literal(1))
        .select_from(t.issue)
        .where(t.issue.c.id == _row.issue_id, t.issue.c.state == IssueState.SENDING.value)
        .correlate(t.delivery)
    ),
)


def requeued(due: Value, *, state: DeliveryState = DeliveryState.QUEUED) -> dict[str, Any]:
    """Back to waiting until ``due``; skipped where the reader was forgotten meanwhile."""
    return {
        "state": sa.case((_row.address.is_(None), _SKIPPED), else_=state.value),
        "due_at": sa.case((_row.address.is_not(None), due)),
        "worker": None,
        "lease_until": None,
    }


def doubted(due: Value) -> dict[str, Any]:
    """The message may have been taken: queued once more at ``due``, uncertain the next time."""
    again = sa.and_(_row.doubts == 0, _row.address.is_not(None))
    return {
        "state": sa.case((again, _QUEUED), else_=_UNCERTAIN),
        "due_at": sa.case((again, due)),
        "doubts": _row.doubts + 1,
        "lease_until": None,
    }


def _claim(whose: sa.ColumnElement[bool]) -> sa.Executable:
    picked = (
        sa.select(_row.id)
        .where(whose, _row.due_at <= _NOW)
        # The index's own order, so that no sort of the whole queue is needed.
        .order_by(_row.issue_id, _row.due_at, _row.id)
        .limit(sa.bindparam("wanted", type_=sa.Integer))
        .with_for_update(skip_locked=True)
        # As a CTE: PostgreSQL may run a plain subquery several times, and lock
        # other rows each time.
        .cte("picked")
    )
    mailing = (
        sa.select(t.mailing.c.public_id)
        .where(t.mailing.c.id == _row.mailing_id)
        .correlate(t.delivery)
        .scalar_subquery()
    )
    return (
        sa.update(t.delivery)
        .where(_row.id.in_(sa.select(picked.c.id)))
        .values(
            state=sa.case((_SKIP, _SKIPPED), else_=_CLAIMED),
            reason=sa.case((_SKIP, _SKIP_REASON), else_=_row.reason),
            lease_until=sa.case((~_SKIP, _LEASE)),
            worker=_WORKER,
            due_at=None,
            changed_at=_NOW,
        )
        .returning(
            _row.id,
            mailing.label("mailing"),
            *(_row.recipient, _row.address, _row.attempts, _row.first_tried_at, _row.state),
        )
    )


CLAIM_SYSTEM = _claim(_row.issue_id.is_(None))
CLAIM_ISSUE = _claim(_row.issue_id == sa.bindparam("issue", type_=_row.issue_id.type))

SENDING_ISSUES = (
    sa.select(t.issue.c.id)
    .where(t.issue.c.state == IssueState.SENDING.value)
    .order_by(t.issue.c.send_at, t.issue.c.id)
)

_HELD_BY_US = sa.and_(
    _row.id == sa.bindparam("row", type_=_row.id.type),
    _row.state == _CLAIMED,
    _row.worker == _WORKER,
)
HAND_OVER = (
    sa.update(t.delivery)
    .where(_HELD_BY_US, _row.lease_until > _NOW, _SENDING, ~_SKIP)
    .values(state=_HANDED_OVER, handed_over_at=_NOW, changed_at=_NOW)
)
# What a refused hand-over leaves: the reader is gone, or the row is for later.
RETURN_CLAIMED = (
    sa.update(t.delivery)
    .where(_HELD_BY_US)
    .values(
        state=sa.case((_SKIP, _SKIPPED), else_=_QUEUED),
        reason=sa.case((_SKIP, _SKIP_REASON), else_=_row.reason),
        due_at=sa.case((~_SKIP, _row.queued_at)),
        worker=None,
        lease_until=None,
        changed_at=_NOW,
    )
)

_DEAD = sa.and_(
    _row.lease_until.is_not(None),
    sa.or_(_ALL_WORKERS, _row.lease_until <= _NOW),
)
RECOVER_CLAIMED = (
    sa.update(t.delivery)
    .where(_DEAD, _row.state == _CLAIMED)
    .values(**requeued(_NOW), changed_at=_NOW)
)
RECOVER_HANDED_OVER = (
    sa.update(t.delivery)
    .where(_DEAD, _row.state == _HANDED_OVER)
    .values(**doubted(_NOW), reason="worker_lost", changed_at=_NOW)
    .returning(_row.state)
)


def _first_due(whose: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    return (
        sa.select(sa.func.min(_row.due_at))
        .where(whose, _row.due_at.is_not(None))
        .correlate(t.issue)
        .scalar_subquery()
    )


# One minimum an issue, each read off the end of the index.
NEXT_DUE = sa.union_all(
    sa.select(_first_due(_row.issue_id.is_(None)).label("due")),
    sa.select(_first_due(_row.issue_id == t.issue.c.id).label("due")).where(
        t.issue.c.state == IssueState.SENDING.value
    ),
)

# Sending, queued for somebody, and nothing of it waits or is held.
FINISHED_ISSUES = sa.select(t.issue.c.id).where(
    t.issue.c.state == IssueState.SENDING.value,
    sa.exists().where(t.mailing.c.issue_id == t.issue.c.id),
    *(
        ~sa.exists(
            sa.select(sa.literal(1))
            .select_from(t.delivery)
            .where(_row.issue_id == t.issue.c.id, marker.is_not(None))
            .correlate(t.issue)
        )
        for marker in (_row.due_at, _row.lease_until)
    ),
)
