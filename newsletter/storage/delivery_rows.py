"""An issue's part of the ledger, read: counted in groups, or row by row."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import DeliveryState, LedgerCounts
from newsletter.feedback.model import Bounce
from newsletter.issues.model import Variant
from newsletter.storage import tables as t
from newsletter.storage.bounces import BOUNCE_COLUMNS, bounce_of

_HOLDING_ROWS = 1_000
# SQLite sorts what it groups, and spills to a file what exceeds its cache: a
# million rows in pieces took 2.0 s of CPU, at once 2.8 s and 7 on the clock.
_STRETCH_ROWS = 20_000
_row = t.delivery.c


@dataclass(frozen=True)
class DeliveryRow:
    """One row of the ledger, for a report.

    ``address`` and ``domain`` are empty once the reader is forgotten;
    ``reason`` is one of our words; the reply is the last one, with addresses
    masked. ``doubts`` counts how often the message may have been taken without
    our knowing. ``revision`` is that of its mailing, ``variant`` the name of the
    rendering, ``bounce`` what a mail server told after ours had taken it.
    """

    mailing_id: str
    recipient_id: str
    address: str
    state: DeliveryState
    attempts: int
    doubts: int
    reason: str
    sender_fault: bool
    relay: str
    reply_code: int
    reply_enhanced: str
    reply_text: str
    queued_at: datetime
    due_at: datetime | None
    first_tried_at: datetime | None
    handed_over_at: datetime | None
    changed_at: datetime
    domain: str = ""
    wave: int = 0
    revision: int = 1
    variant: str = ""
    bounce: Bounce | None = None


@dataclass(frozen=True)
class DeliveryGroup:
    """How many of an issue's readers have all this in common.

    ``doubtful`` of the ``readers`` were in doubt at least once.
    """

    revision: int
    wave: int
    state: DeliveryState
    reason: str
    relay: str
    readers: int
    doubtful: int
    variant: str = ""


@dataclass(frozen=True)
class TroubledDomain:
    """A recipient domain that refused or put off readers of an issue."""

    domain: str
    refused: int
    deferred: int


@dataclass(frozen=True)
class DomainCounts:
    """A recipient domain's readers by state; the empty domain is that of the forgotten."""

    domain: str
    counts: LedgerCounts


class DeliveryRows:
    """What became of an issue's readers.

    Everything asks for the stretch of the ledger in which the issue lies, by
    its key: an issue is queued in one go, and reading its rows through another
    index would jump about the whole table.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def counts(self, issue_id: str) -> LedgerCounts:
        """How many of an issue's deliveries are in each state, over all its mailings."""
        found = self._count(issue_id, (_row.state,))
        return LedgerCounts(**{state: readers for (state,), (readers, _) in found.items()})

    def groups(self, issue_id: str) -> list[DeliveryGroup]:
        """An issue's deliveries by revision, variant, wave, state, reason and relay."""
        columns = (_row.mailing_id, _row.wave, _row.state, _row.reason, _row.relay)
        parts = {part.key: part for part in self._mailings_of(issue_id)}
        return [
            DeliveryGroup(
                parts[mailing].revision,
                wave,
                DeliveryState(state),
                reason,
                relay,
                *sums,
                variant=parts[mailing].variant.name,
            )
            for (mailing, wave, state, reason, relay), sums in sorted(
                self._count(issue_id, columns).items()
            )
        ]

    def domains(self, issue_id: str, limit: int) -> list[DomainCounts]:
        """The recipient domains with most readers, most first."""
        states = list(DeliveryState)
        counted = (
            sa.func.sum(sa.case((_row.state == state.value, 1), else_=0)) for state in states
        )
        rows = self._connection.execute(
            sa.select(_row.domain, *counted)
            .where(of_issue(issue_id), within(self._stretch(issue_id)))
            .group_by(_row.domain)
            .order_by(sa.func.count().desc(), _row.domain)
            .limit(limit)
        )
        return [
            DomainCounts(
                domain,
                LedgerCounts(**{s.value: int(n) for s, n in zip(states, sums, strict=True)}),
            )
            for domain, *sums in rows
        ]

    def troubled(self, issue_id: str, limit: int) -> list[TroubledDomain]:
        """The recipient domains that refused or put off most readers, most first."""
        refused, deferred = (
            sa.func.sum(sa.case((_row.state == state.value, 1), else_=0))
            for state in (DeliveryState.REFUSED, DeliveryState.DEFERRED)
        )
        rows = self._connection.execute(
            sa.select(_row.domain, refused, deferred)
            .where(
                of_issue(issue_id),
                within(self._stretch(issue_id)),
                _row.state.in_((DeliveryState.REFUSED.value, DeliveryState.DEFERRED.value)),
            )
            .group_by(_row.domain)
            .order_by(sa.func.count().desc(), _row.domain)
            .limit(limit)
        )
        return [TroubledDomain(domain, int(no), int(later)) for domain, no, later in rows]

    def settled_since(self, issue_id: str, since: datetime) -> tuple[int, datetime | None]:
        """How many of an issue's readers were accepted or refused at ``since`` or later.

        And when the first of all of them was tried, None where none was yet.
        """
        answered = (DeliveryState.ACCEPTED.value, DeliveryState.REFUSED.value)
        lately = sa.and_(_row.changed_at >= since, _row.state.in_(answered))
        settled, first = self._connection.execute(
            sa.select(
                sa.func.sum(sa.case((lately, 1), else_=0)), sa.func.min(_row.first_tried_at)
            ).where(of_issue(issue_id), within(self._stretch(issue_id)))
        ).one()
        return int(settled or 0), first

    def deliveries(self, issue_id: str) -> Iterator[DeliveryRow]:
        """An issue's ledger rows in the order in which they were queued; streamed."""
        return self._read(issue_id, sa.true(), None)

    def doubtful(self, issue_id: str, limit: int) -> list[DeliveryRow]:
        """The first rows whose message may have been taken without our knowing."""
        return list(self._read(issue_id, _row.doubts > 0, limit))

    def reader(self, issue_id: str, name: str) -> DeliveryRow | None:
        """The row of one of an issue's readers, by address or recipient id."""
        named = sa.or_(_row.recipient == name, sa.func.lower(_row.address) == name.lower())
        return next(iter(list(self._read(issue_id, named, 1))), None)

    def _read(
        self, issue_id: str, wanted: sa.ColumnElement[bool], limit: int | None
    ) -> Iterator[DeliveryRow]:
        mailings = {part.key: part for part in self._mailings_of(issue_id)}
        # In the order of DeliveryRow. No join with the mailings: SQLite would begin there.
        rows = self._connection.execute(
            sa.select(
                _row.mailing_id,
                _row.recipient,
                sa.func.coalesce(_row.address, ""),
                *(_row.state, _row.attempts, _row.doubts, _row.reason, _row.sender_fault),
                *(_row.relay, _row.reply_code, _row.reply_enhanced, _row.reply_text),
                *(_row.queued_at, _row.due_at, _row.first_tried_at, _row.handed_over_at),
                *(_row.changed_at, _row.domain, _row.wave),
                *BOUNCE_COLUMNS,
            )
            .join_from(
                t.delivery,
                t.bounce_report,
                t.bounce_report.c.delivery_id == _row.id,
                isouter=True,
            )
            .where(of_issue(issue_id), within(self._stretch(issue_id)), wanted)
            .order_by(_row.id)
            .limit(limit),
            execution_options={"yield_per": _HOLDING_ROWS},
        )
        for key, recipient, address, state, *others in rows:
            mailing = mailings[key]
            known: list[Any] = [mailing.public_id, recipient, address, DeliveryState(state)]
            told = bounce_of(*others[-len(BOUNCE_COLUMNS) :])
            del others[-len(BOUNCE_COLUMNS) :]
            yield DeliveryRow(*(known + others + [mailing.revision, mailing.variant.name, told]))

    def newest_revision(self, issue_id: str) -> int:
        """The number of an issue's newest revision; 0 where nothing of it was frozen yet."""
        return max((mailing.revision for mailing in self._mailings_of(issue_id)), default=0)

    def wave_names(self, issue_id: str) -> dict[int, str]:
        """What an issue's waves are called, by number."""
        rows = self._connection.execute(
            sa.select(t.wave.c.number, t.wave.c.name)
            .join_from(t.wave, t.issue)
            .where(t.issue.c.public_id == issue_id)
            .order_by(t.wave.c.number)
        )
        return {row.number: row.name for row in rows}

    def _count(
        self, issue_id: str, columns: Sequence[sa.ColumnElement[Any]]
    ) -> dict[tuple[Any, ...], tuple[int, int]]:
        """(readers, of them doubtful) by the values of ``columns``, folded rows included."""
        readers: Counter[tuple[Any, ...]] = Counter()
        doubtful: Counter[tuple[Any, ...]] = Counter()
        for keys in self.stretches(issue_id):
            rows = self._connection.execute(
                sa.select(
                    *columns, sa.func.count(), sa.func.sum(sa.case((_row.doubts > 0, 1), else_=0))
                )
                .where(of_issue(issue_id), within(keys))
                .group_by(*columns)
            )
            for *values, number, in_doubt in rows:
                readers[tuple(values)] += number
                doubtful[tuple(values)] += int(in_doubt)
        folded = t.folded_delivery.c
        kept = [folded[column.key or ""] for column in columns]
        for *values, number, in_doubt in self._connection.execute(
            sa.select(*kept, sa.func.sum(folded.readers), sa.func.sum(folded.doubtful))
            .join_from(t.folded_delivery, t.issue, t.issue.c.id == folded.issue_id)
            .where(t.issue.c.public_id == issue_id)
            .group_by(*kept)
        ):
            readers[tuple(values)] += int(number)
            doubtful[tuple(values)] += int(in_doubt)
        return {key: (number, doubtful[key]) for key, number in readers.items()}

    def stretches(self, issue_id: str) -> list[range]:
        """The keys between which an issue's rows lie in the ledger, in handy pieces."""
        whole = self._stretch(issue_id)
        return [
            range(start, min(start + _STRETCH_ROWS, whole.stop))
            for start in range(whole.start, whole.stop, _STRETCH_ROWS)
        ]

    def _stretch(self, issue_id: str) -> range:
        mailings = [part.key for part in self._mailings_of(issue_id)]
        # A bare min(id) tempts PostgreSQL to look from the ledger's beginning for
        # a row that fits.
        first, last = self._connection.execute(
            sa.select(sa.func.min(_row.id + 0), sa.func.max(_row.id + 0)).where(
                _row.mailing_id.in_(mailings)
            )
        ).one()
        return range(0) if first is None else range(first, last + 1)

    def _mailings_of(self, issue_id: str) -> list["_MailingKey"]:
        content = t.mailing.c.content
        revision = sa.func.coalesce(content["revision"].as_integer(), 1)
        rows = self._connection.execute(
            sa.select(
                *(t.mailing.c.id, t.mailing.c.public_id, revision),
                *(content["language"].as_string(), content["departments"]),
            )
            .join_from(t.mailing, t.issue)
            .where(t.issue.c.public_id == issue_id)
            .order_by(t.mailing.c.id)
        )
        return [
            _MailingKey(key, public_id, number, Variant(language, tuple(departments or ())))
            for key, public_id, number, language, departments in rows
        ]


class _MailingKey(NamedTuple):
    key: int
    public_id: str
    revision: int
    variant: Variant


def of_issue(issue_id: str) -> sa.ColumnElement[bool]:
    """Whether a row belongs to the issue of that public id."""
    return _row.issue_id == (
        sa.select(t.issue.c.id).where(t.issue.c.public_id == issue_id).scalar_subquery()
    )


def within(keys: range) -> sa.ColumnElement[bool]:
    """Whether a row's key is in a stretch of the ledger."""
    return _row.id.between(keys.start, keys.stop - 1)
