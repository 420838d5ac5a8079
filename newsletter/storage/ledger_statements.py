"""The ledger's statements, built once: each is one guarded move.

Their parameters: ``now``, ``lease``, ``due`` (instants), ``worker_name``,
``row`` (a ledger row), ``issue_row`` (an issue's), ``wanted`` (rows),
``all_workers``, and for an outcome ``tried`` (0 or 1) and `REPLY_COLUMNS`.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from newsletter.delivery.model import DeliveryState, OutcomeKind
from newsletter.issues.model import IssueState
from newsletter.storage import tables as t
from newsletter.storage.columns import Instant
from newsletter.subscribers.model import SubscriptionState, SuppressionReason

_QUEUED = DeliveryState.QUEUED.value
_CLAIMED = DeliveryState.CLAIMED.value
_HANDED_OVER = DeliveryState.HANDED_OVER.value
_UNCERTAIN = DeliveryState.UNCERTAIN.value
_SKIPPED = DeliveryState.SKIPPED.value

_row = t.delivery.c
_NOW = sa.bindparam("now", type_=Instant)
_LEASE = sa.bindparam("lease", type_=Instant)
_DUE = sa.bindparam("due", type_=Instant)
_WORKER = sa.bindparam("worker_name", type_=sa.String)
_ALL_WORKERS = sa.bindparam("all_workers", type_=sa.Boolean)
_TRIED = sa.bindparam("tried", type_=sa.Integer)

# Scalar lookups by unique keys rather than EXISTS: without fresh statistics
# PostgreSQL turns an EXISTS into a scan of all subscriptions.
_newsletter = (
    sa.select(t.issue.c.newsletter_id)
    .where(t.issue.c.id == _row.issue_id)
    .correlate(t.delivery)
    .scalar_subquery()
)
_subscription = (
    sa.select(t.subscription.c.state)
    .where(
        t.subscription.c.subscriber_id == _row.subscriber_id,
        t.subscription.c.newsletter_id == _newsletter,
    )
    .correlate(t.delivery)
    .scalar_subquery()
)
_suppression = (
    sa.select(t.suppression.c.reason)
    .join_from(
        t.subscriber,
        t.suppression,
        t.suppression.c.address_hash == t.subscriber.c.address_hash,
    )
    .where(t.subscriber.c.id == _row.subscriber_id)
    .correlate(t.delivery)
    .scalar_subquery()
)
_issue_state = (
    sa.select(t.issue.c.state)
    .where(t.issue.c.id == _row.issue_id)
    .correlate(t.delivery)
    .scalar_subquery()
)
# Why a row must not be sent, or NULL. Editors and test addresses have no
# subscriber and never leave. Any suppression stops an issue, a confirmation
# only those that outrank the reader's own wish.
_skip = sa.case(
    (_row.subscriber_id.is_(None), None),
    (
        _row.issue_id.is_(None),
        sa.case(
            (
                _suppression.in_(
                    [reason.value for reason in SuppressionReason if reason.blocks_confirmation]
                ),
                "suppressed",
            )
        ),
    ),
    (sa.func.coalesce(_subscription, "") != SubscriptionState.ACTIVE.value, "left"),
    (_suppression.is_not(None), "suppressed"),
)
_may_go = sa.or_(_row.issue_id.is_(None), _issue_state == IssueState.SENDING.value)


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
    judged = (
        sa.select(_row.id, _skip.label("skip"))
        .join_from(t.delivery, picked, picked.c.id == _row.id)
        .cte("judged")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    mailing = (
        sa.select(t.mailing.c.public_id)
        .where(t.mailing.c.id == _row.mailing_id)
        .correlate(t.delivery)
        .scalar_subquery()
    )
    goes = judged.c.skip.is_(None)
    return (
        sa.update(t.delivery)
        .where(_row.id == judged.c.id)
        .values(
            state=sa.case((goes, _CLAIMED), else_=_SKIPPED),
            reason=sa.func.coalesce(judged.c.skip, _row.reason),
            lease_until=sa.case((goes, _LEASE)),
            worker=sa.case((goes, _WORKER)),
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
CLAIM_ISSUE = _claim(_row.issue_id == sa.bindparam("issue_row", type_=_row.issue_id.type))

SENDING_ISSUES = (
    sa.select(t.issue.c.id)
    .where(t.issue.c.state == IssueState.SENDING.value)
    .order_by(t.issue.c.send_at, t.issue.c.id)
)

_OURS = sa.and_(_row.id == sa.bindparam("row", type_=_row.id.type), _row.worker == _WORKER)

HAND_OVER = (
    sa.update(t.delivery)
    .where(_OURS, _row.state == _CLAIMED, _row.lease_until > _NOW, _may_go, _skip.is_(None))
    .values(state=_HANDED_OVER, handed_over_at=_NOW, changed_at=_NOW)
)
# What a refused hand-over leaves: the reader is gone, or the row is for later.
RETURN_CLAIMED = (
    sa.update(t.delivery)
    .where(_OURS, _row.state == _CLAIMED)
    .values(
        state=sa.case((_skip.is_(None), _QUEUED), else_=_SKIPPED),
        reason=sa.func.coalesce(_skip, _row.reason),
        due_at=sa.case((_skip.is_(None), _row.queued_at)),
        worker=None,
        lease_until=None,
        changed_at=_NOW,
    )
)

RENEW = (
    sa.update(t.delivery)
    .where(_row.worker == _WORKER, _row.lease_until.is_not(None))
    .values(lease_until=_LEASE)
)
RELEASE = (
    sa.update(t.delivery)
    .where(_row.worker == _WORKER, _row.lease_until.is_not(None), _row.state == _CLAIMED)
    .values(state=_QUEUED, due_at=_row.queued_at, worker=None, lease_until=None)
)


def _waits(state: str, due: sa.ColumnElement[Any]) -> dict[str, Any]:
    """Back to waiting until ``due``; skipped where the reader was forgotten meanwhile."""
    return {
        "state": sa.case((_row.address.is_(None), _SKIPPED), else_=state),
        "due_at": sa.case((_row.address.is_not(None), due)),
        "worker": None,
        "lease_until": None,
    }


def _in_doubt(due: sa.ColumnElement[Any]) -> dict[str, Any]:
    """The message may have been taken: queued once more at ``due``, uncertain the next time."""
    again = sa.and_(_row.doubts == 0, _row.address.is_not(None))
    return {
        "state": sa.case((again, _QUEUED), else_=_UNCERTAIN),
        "due_at": sa.case((again, due)),
        "doubts": _row.doubts + 1,
        "lease_until": None,
    }


def _is_final(kind: OutcomeKind) -> dict[str, Any]:
    return {"state": kind.value, "due_at": None, "lease_until": None}


# What is kept of an outcome besides its state, by the name of its parameter.
REPLY_COLUMNS: Mapping[str, str] = {
    "its_reason": "reason",
    "its_fault": "sender_fault",
    "its_relay": "relay",
    "its_code": "reply_code",
    "its_enhanced": "reply_enhanced",
    "its_text": "reply_text",
}
# A worker that was taken for dead tells in the end what became of a row in
# doubt: better late than a second copy. Such a row keeps its worker's name
# until the next one claims it.
_LATE_NEWS = sa.and_(_row.doubts > 0, _row.state.in_([_QUEUED, _UNCERTAIN]))
_HANDED = _row.state == _HANDED_OVER
_HELD = _row.state.in_([_CLAIMED, _HANDED_OVER])


def _record(allowed: sa.ColumnElement[bool], values: dict[str, Any]) -> sa.Executable:
    return (
        sa.update(t.delivery)
        .where(_OURS, allowed)
        .values(
            **values,
            **{
                column: sa.bindparam(name, type_=_row[column].type)
                for name, column in REPLY_COLUMNS.items()
            },
            attempts=_row.attempts + _TRIED,
            first_tried_at=sa.case(
                (_TRIED > 0, sa.func.coalesce(_row.first_tried_at, _NOW)),
                else_=_row.first_tried_at,
            ),
            changed_at=_NOW,
        )
    )


RECORD: Mapping[OutcomeKind, sa.Executable] = {
    OutcomeKind.ACCEPTED: _record(sa.or_(_HANDED, _LATE_NEWS), _is_final(OutcomeKind.ACCEPTED)),
    OutcomeKind.REFUSED: _record(sa.or_(_HELD, _LATE_NEWS), _is_final(OutcomeKind.REFUSED)),
    OutcomeKind.DEFERRED: _record(_HELD, _waits(DeliveryState.DEFERRED.value, _DUE)),
    OutcomeKind.REQUEUED: _record(_HELD, _waits(_QUEUED, _DUE)),
    OutcomeKind.UNCERTAIN: _record(_HANDED, _in_doubt(_DUE)),
}

_DEAD = sa.and_(_row.lease_until.is_not(None), sa.or_(_ALL_WORKERS, _row.lease_until <= _NOW))
RECOVER_CLAIMED = (
    sa.update(t.delivery)
    .where(_DEAD, _row.state == _CLAIMED)
    .values(**_waits(_QUEUED, _NOW), changed_at=_NOW)
)
RECOVER_HANDED_OVER = (
    sa.update(t.delivery)
    .where(_DEAD, _HANDED)
    .values(**_in_doubt(_NOW), reason="worker_lost", changed_at=_NOW)
    .returning(_row.state)
)


def _first(marker: sa.ColumnElement[Any], whose: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    """The earliest ``marker`` among some rows, read off the end of its index, or NULL."""
    return (
        sa.select(sa.func.min(marker))
        .where(whose, marker.is_not(None))
        .correlate(t.issue)
        .scalar_subquery()
    )


_of_issue = _row.issue_id == t.issue.c.id

NEXT_DUE = sa.union_all(
    sa.select(_first(_row.due_at, _row.issue_id.is_(None)).label("due")),
    sa.select(_first(_row.due_at, _of_issue).label("due")).where(
        t.issue.c.state == IssueState.SENDING.value
    ),
)

# Sending, queued for somebody, and nothing of it waits or is held.
FINISHED_ISSUES = sa.select(t.issue.c.id).where(
    t.issue.c.state == IssueState.SENDING.value,
    sa.exists().where(t.mailing.c.issue_id == t.issue.c.id),
    _first(_row.due_at, _of_issue).is_(None),
    _first(_row.lease_until, _of_issue).is_(None),
)
