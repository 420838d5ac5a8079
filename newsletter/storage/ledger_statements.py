"""The ledger's statements, built once a dialect: each is one guarded move.

Their parameters: ``now``, ``due`` (instants), ``worker`` (a worker's key),
``row`` (a ledger row), ``rows`` (several), ``issue_row`` and ``wave_number`` (an
issue's), ``mailings`` (public ids), ``wanted`` (rows), ``dead`` (keys of dead
workers), ``again`` (whether a row in doubt is sent again), and for an outcome
``tried`` (0 or 1) and `REPLY_COLUMNS`.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from newsletter.delivery.model import DeliveryState, OutcomeKind
from newsletter.issues.model import IssueState
from newsletter.storage import tables as t
from newsletter.storage.columns import Instant
from newsletter.storage.statements import lease_clock
from newsletter.subscribers.model import SubscriptionState, SuppressionReason

_QUEUED = DeliveryState.QUEUED.value
_CLAIMED = DeliveryState.CLAIMED.value
_HANDED_OVER = DeliveryState.HANDED_OVER.value
_UNCERTAIN = DeliveryState.UNCERTAIN.value
_SKIPPED = DeliveryState.SKIPPED.value

_row = t.delivery.c
_NOW = sa.bindparam("now", type_=Instant)
_DUE = sa.bindparam("due", type_=Instant)
_WORKER = sa.bindparam("worker", type_=sa.BigInteger)
_AGAIN = sa.bindparam("again", type_=sa.Boolean)
_TRIED = sa.bindparam("tried", type_=sa.Integer)


def _literals(*words: str) -> list[sa.ColumnElement[str]]:
    """Words of ours written into the statement: a list of parameters is only known when it runs."""
    return [sa.literal_column(f"'{word}'", sa.String) for word in words]


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
# What is forbidden of mail to the reader: 'all', 'issues', or NULL. A rule for the
# domain, which has marked the reader, forbids all.
_blocks_all = t.suppression.c.reason.in_(
    _literals(*(r.value for r in SuppressionReason if r.blocks_confirmation))
)
_forbidden = (
    sa.select(
        sa.case(
            (sa.or_(t.subscriber.c.domain_suppressed, _blocks_all), "all"),
            (t.suppression.c.id.is_not(None), "issues"),
        )
    )
    .select_from(t.subscriber)
    .outerjoin(t.suppression, t.suppression.c.address_hash == t.subscriber.c.address_hash)
    .where(t.subscriber.c.id == _row.subscriber_id)
    .correlate(t.delivery)
    .scalar_subquery()
)
# The same of the mailbox that a system mail goes to, which may be another than the reader's
# of today: the question at a new address, and what is told to the old one.
_mailbox_suppression = (
    sa.select(t.suppression.c.id)
    .where(t.suppression.c.address_hash == _row.address_hash, _blocks_all)
    .correlate(t.delivery)
    .scalar_subquery()
)
_rule = t.suppression_rule.c.pattern
_ending = sa.func.substr(_rule, 2)
_mailbox_rule = (
    sa.select(sa.func.min(t.suppression_rule.c.id))
    .where(
        sa.or_(
            _rule == sa.literal_column("'@'") + _row.domain,
            sa.and_(
                sa.func.substr(_rule, 1, 1) == sa.literal_column("'*'"),
                # A domain that is shorter than the ending gives less, which is not the same.
                sa.func.substr(
                    _row.domain, sa.func.length(_row.domain) - sa.func.length(_ending) + 1
                )
                == _ending,
            ),
        )
    )
    .correlate(t.delivery)
    .scalar_subquery()
)
_mailbox_forbidden = sa.or_(_mailbox_suppression.is_not(None), _mailbox_rule.is_not(None))
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
            # Queued before addresses were kept with it: by the reader.
            (_row.address_hash.is_(None), sa.case((_forbidden == "all", "suppressed"))),
            (_mailbox_forbidden, "suppressed"),
        ),
    ),
    (sa.func.coalesce(_subscription, "") != SubscriptionState.ACTIVE.value, "left"),
    (_forbidden.is_not(None), "suppressed"),
)
_may_go = sa.or_(_row.issue_id.is_(None), _issue_state == IssueState.SENDING.value)


_OURS = sa.and_(_row.id == sa.bindparam("row", type_=_row.id.type), _row.worker_id == _WORKER)
_HANDED = _row.state == _HANDED_OVER
_HANDED_NOW = sa.and_(_HANDED, _row.handed_by == _WORKER, _row.handed_over_at == _NOW)
_HELD = _row.state.in_(_literals(_CLAIMED, _HANDED_OVER))
# A worker that was taken for dead tells in the end what became of a row in
# doubt: better late than a second copy.
_LATE_NEWS = sa.and_(
    _row.id == sa.bindparam("row", type_=_row.id.type),
    _row.handed_by == _WORKER,
    _row.doubts > 0,
    _row.state.in_(_literals(_QUEUED, _UNCERTAIN)),
)
_OF_LIVE_WORKER = (
    sa.select(t.worker.c.id)
    .where(t.worker.c.id == _row.worker_id, t.worker.c.lease_until.is_not(None))
    .correlate(t.delivery)
    .exists()
)
# What is kept of an outcome besides its state, by the name of its parameter.
REPLY_COLUMNS: Mapping[str, str] = {
    "its_reason": "reason",
    "its_fault": "sender_fault",
    "its_relay": "relay",
    "its_code": "reply_code",
    "its_enhanced": "reply_enhanced",
    "its_text": "reply_text",
}


def _pick_due(whose: sa.ColumnElement[bool]) -> sa.CTE:
    return (
        sa.select(_row.id)
        .where(whose, _row.due_at <= _NOW)
        # The index's own order, so that no sort of the whole queue is needed.
        .order_by(_row.issue_id, _row.wave, _row.due_at, _row.id)
        .limit(sa.bindparam("wanted", type_=sa.Integer))
        .with_for_update(skip_locked=True)
        # As a CTE: PostgreSQL may run a plain subquery several times, and lock
        # other rows each time.
        .cte("picked")
    )


def claim(whose: sa.ColumnElement[bool]) -> sa.Executable:
    """Claim or skip the first rows of ``whose`` that are due."""
    picked = _pick_due(whose)
    judged = (
        sa.select(_row.id, _skip.label("skip"))
        .join_from(t.delivery, picked, picked.c.id == _row.id)
        .cte("judged")
        # Or SQLite asks anew for every column that depends on it.
        .prefix_with("MATERIALIZED")
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
            worker_id=sa.case((goes, _WORKER)),
            due_at=None,
            changed_at=_NOW,
        )
        .returning(
            # As the ledger makes deliveries of them.
            *(_row.state, _row.first_tried_at, _row.queued_at),
            *(_row.id, mailing.label("mailing"), _row.recipient, _row.address),
            *(_row.attempts, _row.domain, _row.relay),
        )
    )


# The wave of system mail that waits behind all other: confirmations in the slow lane.
SLOW_WAVE = 1


def _system(wave: int) -> sa.ColumnElement[bool]:
    return sa.and_(_row.issue_id.is_(None), _row.wave == wave)


_OF_WAVE = sa.and_(
    _row.issue_id == sa.bindparam("issue_row", type_=_row.issue_id.type),
    _row.wave == sa.bindparam("wave_number", type_=sa.Integer),
)
CLAIM_SYSTEM = claim(_system(0))
CLAIM_SLOW = claim(_system(SLOW_WAVE))
CLAIM_WAVE = claim(_OF_WAVE)


def _give_up(whose: sa.ColumnElement[bool]) -> sa.Executable:
    """Refuse as expired, or skip, the first due rows of ``whose`` queued before ``due``."""
    picked = _pick_due(sa.and_(whose, _row.queued_at <= _DUE))
    relay, words = (sa.bindparam(name, type_=sa.String) for name in ("its_relay", "its_text"))
    goes = _skip.is_(None)
    return (
        sa.update(t.delivery)
        .where(_row.id.in_(sa.select(picked.c.id)), _row.due_at.is_not(None))
        .values(
            state=sa.case((goes, DeliveryState.REFUSED.value), else_=_SKIPPED),
            reason=sa.func.coalesce(_skip, "expired"),
            due_at=None,
            relay=sa.case((goes & (_row.relay == ""), relay), else_=_row.relay),
            reply_text=sa.case((goes & (_row.reply_code == 0), words), else_=_row.reply_text),
            sender_fault=sa.case((goes, True), else_=_row.sender_fault),
            changed_at=_NOW,
        )
        .returning(_row.id, _row.state)
    )


GIVE_UP_SYSTEM = (_give_up(_system(0)), _give_up(_system(SLOW_WAVE)))
GIVE_UP_WAVE = _give_up(_OF_WAVE)
CALLED_OFF = (
    sa.select(t.mailing.c.public_id)
    .join_from(t.mailing, t.issue)
    .where(
        t.mailing.c.public_id.in_(sa.bindparam("mailings", expanding=True)),
        t.issue.c.state != IssueState.SENDING.value,
    )
)
RELEASED_WAVES = (
    sa.select(t.wave.c.issue_id, t.wave.c.number)
    .join_from(t.wave, t.issue)
    .where(t.issue.c.state == IssueState.SENDING.value, t.wave.c.released_at.is_not(None))
    .order_by(t.issue.c.send_at, t.issue.c.id, t.wave.c.number)
)


def hand_over(dialect: str, *, judged: bool = False) -> sa.Executable:
    """Hand over what may go: on SQLite ``row``, on PostgreSQL those of ``rows``, with their keys.

    SQLite runs a statement again for less than it takes to read a list and to
    give keys back; PostgreSQL plans each anew. Of rows that are ``judged`` it is
    known that the reader has not left: only the rest is asked.
    """
    one = dialect == "sqlite"
    lease_lasts = (
        sa.select(t.worker.c.id)
        .where(t.worker.c.id == _WORKER, t.worker.c.lease_until > lease_clock(dialect))
        .correlate(None)
        .exists()
    )
    handing = (
        sa.update(t.delivery)
        .where(
            _row.id == sa.bindparam("row", type_=_row.id.type)
            if one
            else among(_row.id, "rows", dialect),
            _row.worker_id == _WORKER,
            # Asked again where the answer was lost on its way: it held, and holds.
            sa.or_(_row.state == _CLAIMED, _HANDED_NOW),
            lease_lasts,
            _may_go,
            *([] if judged else [_skip.is_(None)]),
        )
        .values(state=_HANDED_OVER, handed_by=_WORKER, handed_over_at=_NOW, changed_at=_NOW)
    )
    return handing if one else handing.returning(_row.id)


def handed_over(dialect: str) -> sa.Executable:
    """The keys of those of ``rows`` that ``worker`` handed over at ``now``."""
    return sa.select(_row.id).where(among(_row.id, "rows", dialect), _HANDED_NOW)


def among(column: sa.ColumnElement[Any], name: str, dialect: str) -> sa.ColumnElement[bool]:
    """Whether ``column`` is among the keys of a parameter, which `keys` writes."""
    if dialect == "sqlite":
        listed = sa.func.json_each(sa.bindparam(name, type_=sa.String)).table_valued("value")
        return column.in_(sa.select(listed.c.value))
    return column == sa.any_(sa.bindparam(name, type_=ARRAY(sa.BigInteger)))


# What a refused hand-over leaves: the reader is gone, or the row is for later.
RETURN_CLAIMED = (
    sa.update(t.delivery)
    .where(_OURS, _row.state == _CLAIMED)
    .values(
        state=sa.case((_skip.is_(None), _QUEUED), else_=_SKIPPED),
        reason=sa.func.coalesce(_skip, _row.reason),
        due_at=sa.case((_skip.is_(None), _row.queued_at)),
        worker_id=None,
        changed_at=_NOW,
    )
)
RELEASE = (
    sa.update(t.delivery)
    .where(_row.worker_id == _WORKER, _row.state == _CLAIMED)
    .values(state=_QUEUED, due_at=_row.queued_at, worker_id=None)
)


def _waits(state: str, due: sa.ColumnElement[Any]) -> dict[str, Any]:
    """Back to waiting until ``due``; skipped where the reader was forgotten meanwhile."""
    return {
        "state": sa.case((_row.address.is_(None), _SKIPPED), else_=state),
        "due_at": sa.case((_row.address.is_not(None), due)),
        "worker_id": None,
    }


def _in_doubt(due: sa.ColumnElement[Any]) -> dict[str, Any]:
    """The message may have been taken: queued once more at ``due``, or uncertain."""
    again = sa.and_(_AGAIN, _row.doubts == 0, _row.address.is_not(None))
    return {
        "state": sa.case((again, _QUEUED), else_=_UNCERTAIN),
        "due_at": sa.case((again, due)),
        "doubts": _row.doubts + 1,
        "worker_id": None,
    }


def _is_final(kind: OutcomeKind) -> dict[str, Any]:
    return {"state": kind.value, "due_at": None, "worker_id": None}


PUT_OFF = (
    sa.update(t.delivery)
    .where(_OURS, _row.state == _CLAIMED)
    .values(**_waits(_QUEUED, _DUE), changed_at=_NOW)
)


# From when a row is tried: the first try that counts, or before it the first one that went
# back undecided, save where that tells of the relay alone.
_FIRST_TRY = sa.and_(_TRIED > 0, _row.attempts == 0)
_FIRST_REQUEUE = sa.and_(
    _row.first_tried_at.is_(None), ~sa.bindparam("its_fault", type_=sa.Boolean)
)


def _record(
    allowed: sa.ColumnElement[bool],
    values: dict[str, Any],
    begins: sa.ColumnElement[bool] = _FIRST_TRY,
) -> sa.Executable:
    return (
        sa.update(t.delivery)
        .where(allowed)
        .values(
            **values,
            **{
                column: sa.bindparam(name, type_=_row[column].type)
                for name, column in REPLY_COLUMNS.items()
            },
            attempts=_row.attempts + _TRIED,
            first_tried_at=sa.case((begins, _NOW), else_=_row.first_tried_at),
            changed_at=_NOW,
        )
    )


_OURS_HANDED = sa.and_(_OURS, _HANDED)
_OURS_HELD = sa.and_(_OURS, _HELD)
RECORD: Mapping[OutcomeKind, sa.Executable] = {
    OutcomeKind.ACCEPTED: _record(_OURS_HANDED, _is_final(OutcomeKind.ACCEPTED)),
    OutcomeKind.REFUSED: _record(_OURS_HELD, _is_final(OutcomeKind.REFUSED)),
    OutcomeKind.DEFERRED: _record(_OURS_HELD, _waits(DeliveryState.DEFERRED.value, _DUE)),
    OutcomeKind.REQUEUED: _record(_OURS_HELD, _waits(_QUEUED, _DUE), _FIRST_REQUEUE),
    OutcomeKind.UNCERTAIN: _record(_OURS_HANDED, _in_doubt(_DUE)),
}
RECORD_LATE: Mapping[OutcomeKind, sa.Executable] = {
    kind: _record(_LATE_NEWS, _is_final(kind))
    for kind in (OutcomeKind.ACCEPTED, OutcomeKind.REFUSED)
}

_DEAD = sa.and_(_row.worker_id.is_not(None), ~_OF_LIVE_WORKER)
RECOVER_CLAIMED = (
    sa.update(t.delivery)
    .where(_DEAD, _row.state == _CLAIMED)
    .values(**_waits(_QUEUED, _NOW), changed_at=_NOW)
)
RECOVER_HANDED_OVER = (
    sa.update(t.delivery)
    .where(_DEAD, _HANDED)
    .values(
        **_in_doubt(_NOW),
        reason="worker_lost",
        changed_at=_NOW,
        # What a server said to an earlier try is no answer to this one.
        relay="",
        reply_code=0,
        reply_enhanced="",
        reply_text="",
        sender_fault=False,
    )
    .returning(_row.state)
)


def end_leases(dialect: str) -> sa.Executable:
    """End the leases that have run out, and those of the workers known to be ``dead``."""
    return (
        sa.update(t.worker)
        .where(
            t.worker.c.lease_until.is_not(None),
            sa.or_(
                t.worker.c.lease_until <= lease_clock(dialect),
                among(t.worker.c.id, "dead", dialect),
            ),
        )
        .values(lease_until=None)
        .returning(t.worker.c.id)
    )


def _first(marker: sa.ColumnElement[Any], whose: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    """The earliest ``marker`` among some rows, read off the end of its index, or NULL."""
    return (
        sa.select(sa.func.min(marker))
        .where(whose, marker.is_not(None))
        .correlate(t.issue, t.wave)
        .scalar_subquery()
    )


_of_wave = sa.and_(_row.issue_id == t.wave.c.issue_id, _row.wave == t.wave.c.number)

NEXT_DUE = sa.union_all(
    *(sa.select(_first(_row.due_at, _system(wave)).label("due")) for wave in (0, SLOW_WAVE)),
    sa.select(
        sa.case(
            (t.wave.c.released_at.is_(None), t.wave.c.starts_at),
            else_=_first(_row.due_at, _of_wave),
        ).label("due")
    )
    .join_from(t.wave, t.issue)
    .where(t.issue.c.state == IssueState.SENDING.value, t.wave.c.readers > 0),
)

_waiting = (
    sa.select(_row.id)
    .where(_row.issue_id == t.issue.c.id, _row.due_at.is_not(None))
    .correlate(t.issue)
    .exists()
)
_held = (
    sa.select(_row.id)
    .where(_row.worker_id.is_not(None), _row.issue_id == t.issue.c.id)
    .correlate(t.issue)
    .exists()
)
# Sending, queued for somebody, and nothing of it waits or is held.
FINISHED_ISSUES = sa.select(t.issue.c.id).where(
    t.issue.c.state == IssueState.SENDING.value,
    sa.exists().where(t.mailing.c.issue_id == t.issue.c.id),
    ~_waiting,
    ~_held,
)
