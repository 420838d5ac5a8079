"""Waves of an issue's audience: when they begin, and what became of their first rows."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import DeliveryState, FirstRows, Wave
from newsletter.issues.model import IssueState
from newsletter.storage import tables as t
from newsletter.storage.statements import issue_key, newsletter_key
from newsletter.storage.subscribers import mailable
from newsletter.subscribers.model import Segment

_CLOSED = (
    DeliveryState.ACCEPTED.value,
    DeliveryState.REFUSED.value,
    DeliveryState.UNCERTAIN.value,
    DeliveryState.SKIPPED.value,
)
# How far from its wave's first row a row may be to be one of the first, of which
# the brake looks at 10,000 at most: others' rows may lie between them.
_NEAR = 40_000

_row = t.delivery.c
_WAVES = sa.select(t.issue.c.public_id, *(c for c in t.wave.c if c.name != "issue_id")).join_from(
    t.wave, t.issue
)
_IS_SENDING = t.issue.c.state == IssueState.SENDING.value


class WaveRepository:
    """Waves by the public id of their issue and their number."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_issue(self, issue_id: str) -> list[Wave]:
        """An issue's waves in their order. Numbers of waves without readers are left out."""
        return self._found(_WAVES.where(t.issue.c.public_id == issue_id))

    def due(self, now: datetime) -> list[tuple[Wave, Wave | None]]:
        """Of each issue that is sending its next wave, if its time has come, and the one before."""
        late = sa.select(t.issue.c.public_id).join_from(t.wave, t.issue)
        issues = self._connection.scalars(
            late.where(
                _IS_SENDING, t.wave.c.released_at.is_(None), t.wave.c.starts_at <= now
            ).distinct()
        ).all()
        found = []
        for issue_id in issues:
            waves = self.of_issue(issue_id)
            place = next(i for i, wave in enumerate(waves) if wave.released_at is None)
            if waves[place].starts_at <= now:
                found.append((waves[place], waves[place - 1] if place else None))
        return found

    def of_first_rows(self, delivery_ids: Collection[int]) -> list[Wave]:
        """The waves, of issues that are sending, that some rows may be among the first of."""
        return self._found(
            _WAVES.join(
                t.delivery,
                sa.and_(_row.issue_id == t.wave.c.issue_id, _row.wave == t.wave.c.number),
            )
            .where(
                _row.id.in_(list(delivery_ids)),
                _row.id < t.wave.c.first_delivery + _NEAR,
                _IS_SENDING,
            )
            .distinct()
        )

    def first_rows(self, wave: Wave, rows: int, *, after: int = 0) -> FirstRows:
        """What became of a wave's first ``rows`` rows, those ``after`` the first so many."""
        # Read along the primary key: it costs the same in a ledger of any length.
        first = (
            sa.select(_row.state, _row.reason, _row.attempts)
            .where(
                _row.id >= (wave.first_delivery or 0),
                _row.issue_id == issue_key(self._connection, wave.issue_id),
                _row.wave == wave.number,
            )
            .order_by(_row.id)
            .limit(max(0, min(rows, wave.readers - after)))
            .offset(after)
            .subquery()
        ).c
        tried = first.attempts > 0
        groups = self._connection.execute(
            sa.select(first.state, first.reason, tried.label("tried"), sa.func.count()).group_by(
                first.state, first.reason, tried
            )
        ).all()
        refused: dict[str, int] = {}
        total = closed = untried = 0
        for state, reason, was_tried, count in groups:
            total += count
            closed += count if state in _CLOSED else 0
            untried += 0 if state in _CLOSED or was_tried else count
            if state == DeliveryState.REFUSED.value:
                refused[reason] = refused.get(reason, 0) + count
        return FirstRows(total, closed, untried, refused)

    def release(self, wave: Wave, at: datetime) -> bool:
        """Let a wave's rows be claimed; False where they are, or the issue isn't sending."""
        return bool(
            self._connection.execute(
                sa.update(t.wave)
                .where(
                    t.wave.c.issue_id
                    == sa.select(t.issue.c.id)
                    .where(t.issue.c.public_id == wave.issue_id, _IS_SENDING)
                    .scalar_subquery(),
                    t.wave.c.number == wave.number,
                    t.wave.c.released_at.is_(None),
                )
                .values(released_at=at)
            ).rowcount
        )

    def hold_until(self, wave: Wave, at: datetime) -> None:
        """Put off the start of a wave, and of those after it, to ``at`` at the earliest."""
        self._connection.execute(
            sa.update(t.wave)
            .where(
                t.wave.c.issue_id == issue_key(self._connection, wave.issue_id),
                t.wave.c.number >= wave.number,
                t.wave.c.starts_at < at,
            )
            .values(starts_at=at)
        )

    def waiting(self, issue_id: str) -> Mapping[int, int]:
        """How many rows of each of an issue's waves wait to be sent."""
        rows = self._connection.execute(
            sa.select(_row.wave, sa.func.count().label("waiting"))
            .where(
                _row.issue_id
                == sa.select(t.issue.c.id).where(t.issue.c.public_id == issue_id).scalar_subquery(),
                _row.due_at.is_not(None),
            )
            .group_by(_row.wave)
        )
        return {row.wave: row.waiting for row in rows}

    def zone_counts(self, newsletter: str, segment: Segment | None = None) -> dict[str | None, int]:
        """A newsletter's audience by zone, the most frequent first."""
        key = newsletter_key(self._connection, newsletter)
        audience = mailable(self._connection, key, segment).subquery()
        readers = sa.func.count()
        rows = self._connection.execute(
            sa.select(audience.c.timezone, readers).group_by("timezone").order_by(readers.desc())
        )
        return {row.timezone: int(row[1]) for row in rows}

    def reader_zones(self, newsletter: str, segment: Segment | None = None) -> list[str | None]:
        """The zones of a newsletter's audience by name, the most frequent first."""
        return list(self.zone_counts(newsletter, segment))

    def known_zones(self) -> list[str | None]:
        """The zones of all readers there are; asked more quickly than `reader_zones`."""
        return list(self._connection.scalars(sa.select(t.subscriber.c.timezone).distinct()))

    def _found(self, statement: sa.Select[Any]) -> list[Wave]:
        rows = self._connection.execute(statement.order_by(t.issue.c.public_id, t.wave.c.number))
        return [Wave(*row) for row in rows]
