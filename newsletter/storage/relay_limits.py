"""What all workers may use of the relays, the relays' breakers, and what destinations bear."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import Permit, Relay, RelayState, Slowdown
from newsletter.delivery.ports import Ledger
from newsletter.storage import tables as t
from newsletter.storage.database import Database
from newsletter.storage.relay_uses import RelayUses
from newsletter.storage.statements import insert_into, lease_clock, lock_name

# A pace has grown back long before a complaint is this old.
_KEPT = timedelta(days=1)


class RelayLimits(Ledger):
    """The part of the ledger that knows of relays and destinations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def share(self, worker: int, relay: Relay, in_use: int, now: datetime) -> Permit:
        """As the port says: an equal part, as far as the others have left it."""
        with self._database.write() as transaction:
            connection = transaction.connection
            lock_name(connection, f"permits:{relay.slug}")
            living = sorted(
                connection.scalars(
                    sa.select(t.worker.c.id).where(
                        t.worker.c.lease_until > lease_clock(connection.dialect.name, now)
                    )
                )
            )
            if worker not in living:
                return Permit(0)
            others = connection.execute(
                sa.select(
                    sa.func.coalesce(sa.func.sum(t.permit.c.connections), 0),
                    sa.func.coalesce(sa.func.sum(t.permit.c.rate), 0.0),
                )
                .join_from(t.permit, t.worker, t.worker.c.id == t.permit.c.worker_id)
                .where(
                    t.permit.c.relay == relay.slug,
                    t.permit.c.worker_id != worker,
                    t.worker.c.lease_until.is_not(None),
                )
            ).one()
            place, count = living.index(worker), len(living)
            whole, rest = divmod(relay.connections, count)
            fair = whole + (1 if place < rest else 0)
            connections = max(0, min(fair, relay.connections - int(others[0])))
            rate = max(0.0, min(relay.rate / count, relay.rate - float(others[1])))
            # What is open above the part is not the others' before it is closed.
            self._write_permit(connection, worker, relay.slug, max(connections, in_use), rate)
        # A worker that got no part of a rate must not take that for "no limit".
        connections = connections if not relay.rate or rate > 0 else 0
        # Of several one is kept for system mail, by the worker that is there longest.
        kept = 1 if place == 0 and relay.connections > 1 and connections else 0
        return Permit(connections, rate, kept, count, place)

    def grant(self, relay: Relay, wanted: int, now: datetime) -> int:
        today = now.astimezone(UTC).date()
        with self._database.write() as transaction:
            connection = transaction.connection
            lock_name(connection, f"day:{relay.slug}")
            cap = _cap_of(connection, relay, today)
            granted = int(connection.scalar(_granted(relay, today)) or 0)
            given = wanted if cap == 0 else max(0, min(wanted, cap - granted))
            if given:
                _add(connection, relay, today, given)
        return given

    def give_back(self, relay: Relay, unused: int, now: datetime) -> None:
        if unused > 0:
            with self._database.write() as transaction:
                _add(transaction.connection, relay, now.astimezone(UTC).date(), -unused)

    def relay_states(self) -> Mapping[str, RelayState]:
        with self._database.read() as transaction:
            return RelayUses(transaction.connection).states()

    def set_relay_state(self, relay: str, state: RelayState, now: datetime) -> None:
        values = {
            "trips": state.trips,
            "paused_until": state.paused_until,
            "reason": state.reason,
            "since": state.since,
            "changed_at": now,
        }
        with self._database.write() as transaction:
            connection = transaction.connection
            connection.execute(
                insert_into(connection, t.relay_state)
                .values(relay=relay, **values)
                .on_conflict_do_update(index_elements=["relay"], set_=values)
            )

    def slowdowns(self, since: datetime) -> Sequence[Slowdown]:
        pace = t.destination_pace
        with self._database.read() as transaction:
            rows = transaction.connection.execute(
                sa.select(pace).where(pace.c.changed_at > since).order_by(pace.c.destination)
            ).all()
        return [
            Slowdown(
                *(r.destination, r.rate, r.connections, r.pause),
                *(r.paused_until, r.changed_at, r.since),
            )
            for r in rows
        ]

    def slow_down(self, slowdown: Slowdown) -> None:
        """As the port says: the last complaint counts, and the longest pause."""
        pace = t.destination_pace
        values = {
            "rate": slowdown.rate,
            "connections": slowdown.connections,
            "pause": slowdown.pause,
            "changed_at": slowdown.changed_at,
            "since": slowdown.since,
        }
        with self._database.write() as transaction:
            connection = transaction.connection
            row = insert_into(connection, pace).values(
                destination=slowdown.group, paused_until=slowdown.paused_until, **values
            )
            new = row.excluded.paused_until
            longest = sa.case((pace.c.paused_until > new, pace.c.paused_until), else_=new)
            connection.execute(
                row.on_conflict_do_update(
                    index_elements=["destination"], set_=values | {"paused_until": longest}
                )
            )
            connection.execute(
                sa.delete(pace).where(pace.c.paused_until < slowdown.changed_at - _KEPT)
            )

    def destination_takes(self, group: str) -> None:
        pace = t.destination_pace
        with self._database.write() as transaction:
            transaction.connection.execute(
                sa.update(pace).where(pace.c.destination == group).values(since=None)
            )

    def _write_permit(
        self, connection: Connection, worker: int, relay: str, connections: int, rate: float
    ) -> None:
        values = {"connections": connections, "rate": rate}
        connection.execute(
            insert_into(connection, t.permit)
            .values(worker_id=worker, relay=relay, **values)
            .on_conflict_do_update(index_elements=["worker_id", "relay"], set_=values)
        )


def _granted(relay: Relay, day: date) -> sa.Select[Any]:
    return sa.select(t.relay_day.c.granted).where(
        t.relay_day.c.relay == relay.slug, t.relay_day.c.day == day
    )


def _cap_of(connection: Connection, relay: Relay, day: date) -> int:
    """Today's cap: that of the warm-up while it lasts, else the relay's; 0 for none."""
    if relay.warm_up:
        days = connection.scalar(
            sa.select(sa.func.count()).where(
                t.relay_day.c.relay == relay.slug,
                t.relay_day.c.day < day,
                t.relay_day.c.granted > 0,
            )
        )
        if (days or 0) < len(relay.warm_up):
            step = relay.warm_up[days or 0]
            return min(step, relay.daily_cap) if relay.daily_cap else step
    return relay.daily_cap


def _add(connection: Connection, relay: Relay, day: date, messages: int) -> None:
    row = insert_into(connection, t.relay_day).values(
        relay=relay.slug, day=day, granted=max(messages, 0)
    )
    connection.execute(
        row.on_conflict_do_update(
            index_elements=["relay", "day"], set_={"granted": t.relay_day.c.granted + messages}
        )
    )
