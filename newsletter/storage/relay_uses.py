"""What relays were used for until now, to foresee how long a send will take."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from statistics import median

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import DeliveryState, RelayState, RelayUse
from newsletter.storage import tables as t

# The newest rows of the ledger that are looked at, of any relay.
_NEWEST = 5_000
_row = t.delivery.c


class RelayUses:
    """Relays by slug."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, relay: str, now: datetime) -> RelayUse:
        """How the relay was used up to ``now``."""
        today = now.astimezone(UTC).date()
        day = t.relay_day.c
        used = sa.select(day.day, day.granted).where(
            day.relay == relay, day.day <= today, day.granted > 0
        )
        granted = {row.day: row.granted for row in self._connection.execute(used)}
        return RelayUse(
            days=len(granted.keys() - {today}),
            granted_today=granted.get(today, 0),
            reply_seconds=self._reply_seconds(relay),
        )

    def states(self) -> Mapping[str, RelayState]:
        """The breakers that are open or have been, by relay."""
        rows = self._connection.execute(sa.select(t.relay_state)).all()
        return {
            row.relay: RelayState(row.paused_until, row.reason, row.trips, row.since)
            for row in rows
        }

    def _reply_seconds(self, relay: str) -> float | None:
        """The median time from handing a message over to the relay's answer."""
        newest = sa.select(sa.func.max(_row.id)).scalar_subquery()
        rows = self._connection.execute(
            sa.select(_row.handed_over_at, _row.changed_at).where(
                _row.id > newest - _NEWEST,
                _row.relay == relay,
                _row.state == DeliveryState.ACCEPTED.value,
                _row.handed_over_at.is_not(None),
            )
        ).all()
        times = [(row.changed_at - row.handed_over_at) / timedelta(seconds=1) for row in rows]
        return max(0.0, median(times)) if times else None
