"""What is counted at the door: sign-ups, proofs, confirmations, and whether it is an attack."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.ready import ReadyStatement, insert_for
from newsletter.storage.statements import insert_into, insert_or_leave, lock_name
from newsletter.subscribers.model import Alarm, Lane, Posts

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_ALL, _DOMAIN, _NETWORK = "all", "domain", "network"
_KEY = 1


def _count(dialect: str) -> Any:
    """One more post of a scope and key; how many there are now."""
    count = t.sign_up_count.c
    return (
        insert_for(dialect, t.sign_up_count)
        .values(
            scope=sa.bindparam("scope", type_=count.scope.type),
            key=sa.bindparam("key", type_=count.key.type),
            since=sa.bindparam("since", type_=count.since.type),
            posts=1,
        )
        .on_conflict_do_update(
            index_elements=["scope", "key", "since"], set_={"posts": count.posts + 1}
        )
        .returning(count.posts)
    )


def _in_all(_dialect: str) -> Any:
    """Posts of all networks, lately and within the hour."""
    count = t.sign_up_count.c
    lately = sa.case(
        (count.since > sa.bindparam("lately", type_=count.since.type), count.posts), else_=0
    )
    return sa.select(sa.func.sum(lately), sa.func.sum(count.posts)).where(
        count.scope == _ALL,
        count.key == "",
        count.since > sa.bindparam("hour", type_=count.since.type),
    )


def _confirm(dialect: str) -> Any:
    """Count a confirmation, where the brake lets it go."""
    count = t.confirmation_count.c
    now = sa.bindparam("now", type_=count.last_at.type)
    return (
        insert_for(dialect, t.confirmation_count)
        .values(
            address_hash=sa.bindparam("address_hash", type_=count.address_hash.type),
            mailed=1,
            unanswered=1,
            last_at=now,
        )
        .on_conflict_do_update(
            index_elements=["address_hash"],
            set_={
                "mailed": count.mailed + 1,
                "unanswered": count.unanswered + 1,
                "last_at": now,
            },
            # Who has acted on the last one may have another at once.
            where=sa.or_(
                count.unanswered == 0,
                sa.and_(
                    count.unanswered < sa.bindparam("most", type_=sa.Integer),
                    count.last_at <= sa.bindparam("quiet_since", type_=count.last_at.type),
                ),
            ),
        )
        .returning(count.mailed)
    )


def _take_place(dialect: str) -> Any:
    lane = t.slow_lane.c
    free_at = sa.bindparam("free_at", type_=lane.free_at.type)
    return (
        insert_for(dialect, t.slow_lane)
        .values(name=sa.bindparam("name", type_=lane.name.type), free_at=free_at)
        .on_conflict_do_update(index_elements=["name"], set_={"free_at": free_at})
    )


_COUNT = ReadyStatement(_count)
_IN_ALL = ReadyStatement(_in_all)
_ALARM = ReadyStatement(
    lambda _: sa.select(
        t.sign_up_alarm.c.since, t.sign_up_alarm.c.until, t.sign_up_alarm.c.told
    ).where(t.sign_up_alarm.c.id == _KEY)
)
_FREE_AT = ReadyStatement(
    lambda _: sa.select(t.slow_lane.c.free_at).where(t.slow_lane.c.name == sa.bindparam("name"))
)
_TAKE_PLACE = ReadyStatement(_take_place)
_CONFIRM = ReadyStatement(_confirm)


class SignUpRepository:
    """Shared by all processes that serve the door, on however many hosts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count_post(
        self, network: str, domain: str, now: datetime, *, network_most: int = 0
    ) -> Posts:
        """Count one more sign-up from a network (a keyed hash) for a domain.

        Of a network and a domain the clock's hour counts, in all the last sixty minutes.
        What a network sends beyond ``network_most`` (0: no limit) is its own matter: it
        counts for nothing else, and so keeps nobody of another network out.

        One order of the rows keeps two sign-ups on PostgreSQL from waiting for one another.
        """
        minute = now.replace(second=0, microsecond=0)
        hour = minute.replace(minute=0)

        def count(scope: str, key: str, since: datetime) -> int:
            counted = _COUNT.scalar(self._connection, scope=scope, key=key, since=since)
            return int(counted)

        of_network = count(_NETWORK, network, hour)
        if network_most and of_network > network_most:
            return Posts(of_network, 0, 0, 0)
        count(_ALL, "", minute)
        of_domain = count(_DOMAIN, domain, hour)
        lately, in_all = _IN_ALL.first(
            self._connection, lately=minute - 10 * _MINUTE, hour=minute - _HOUR
        )
        return Posts(of_network, of_domain, int(in_all), int(lately))

    def alarm(self) -> Alarm:
        """The attack that is going on or has just ended, if any."""
        row = _ALARM.first(self._connection)
        return Alarm(*row) if row else Alarm()

    def set_alarm(self, alarm: Alarm) -> None:
        """Note how the alarm stands."""
        values = {"since": alarm.since, "until": alarm.until, "told": alarm.told}
        self._connection.execute(
            insert_into(self._connection, t.sign_up_alarm)
            .values(id=_KEY, **values)
            .on_conflict_do_update(index_elements=["id"], set_=values)
        )

    def spend_proof(self, proof_id: str, expires_at: datetime) -> bool:
        """Let a proof count; False where it did before."""
        row = {"id": proof_id, "expires_at": expires_at}
        return bool(insert_or_leave(self._connection, t.spent_proof, row))

    def lane_free_at(self, lane: Lane, now: datetime) -> datetime:
        """When the next confirmation of a lane may go; nobody else is told that place until
        the transaction ends."""
        lock_name(self._connection, f"lane:{lane.name}")
        free_at: datetime | None = _FREE_AT.scalar(self._connection, name=lane.name)
        return max(free_at or now, now)

    def take_place(self, lane: Lane, at: datetime) -> None:
        """Take the place that `lane_free_at` told."""
        _TAKE_PLACE.change(self._connection, name=lane.name, free_at=at + lane.gap)

    def count_confirmation(
        self, address_hash: str, now: datetime, *, quiet: timedelta, most: int
    ) -> bool:
        """Count a confirmation that is to be mailed now; False where none may be.

        None is mailed within ``quiet`` of the last one, or while ``most`` are unanswered.
        """
        mailed = _CONFIRM.scalar(
            self._connection, address_hash=address_hash, now=now, quiet_since=now - quiet, most=most
        )
        return mailed is not None

    def answer_confirmation(self, address_hash: str) -> None:
        """The reader has acted on what was mailed to the address."""
        self._connection.execute(
            sa.update(t.confirmation_count)
            .where(t.confirmation_count.c.address_hash == address_hash)
            .values(unanswered=0)
        )

    def forget_answered(self, address_hash: str) -> None:
        """Drop the count of an address whose reader acted; it keeps nothing from them."""
        count = t.confirmation_count.c
        self._connection.execute(
            sa.delete(t.confirmation_count).where(
                count.address_hash == address_hash, count.unanswered == 0
            )
        )

    def tidy(self, now: datetime) -> int:
        """Drop counts and proofs whose time is over; how many."""
        over = (
            sa.delete(t.sign_up_count).where(t.sign_up_count.c.since < now - 2 * _HOUR),
            sa.delete(t.spent_proof).where(t.spent_proof.c.expires_at < now),
        )
        return sum(self._connection.execute(one).rowcount for one in over)
