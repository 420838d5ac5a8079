"""What is counted at the door: sign-ups, proofs, confirmations, and whether it is an attack."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.statements import insert_into, insert_or_leave, lock_name
from newsletter.subscribers.model import Alarm, Lane, Posts

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_ALL, _DOMAIN, _NETWORK = "all", "domain", "network"
_KEY = 1


class SignUpRepository:
    """Shared by all processes that serve the door, on however many hosts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count_post(self, network: str, domain: str, now: datetime) -> Posts:
        """Count one more sign-up from a network (a keyed hash) for a domain.

        Of a network and a domain the clock's hour counts, in all the last sixty
        minutes. The row of all comes first: on PostgreSQL it keeps two sign-ups
        from waiting for one another.
        """
        minute = now.replace(second=0, microsecond=0)
        hour = minute.replace(minute=0)
        rows = ((_ALL, "", minute), (_DOMAIN, domain, hour), (_NETWORK, network, hour))
        count = t.sign_up_count.c
        counted = {
            row.scope: row.posts
            for row in self._connection.execute(
                # The rows as parameters: a statement that held them would be compiled each time.
                insert_into(self._connection, t.sign_up_count)
                .on_conflict_do_update(
                    index_elements=["scope", "key", "since"], set_={"posts": count.posts + 1}
                )
                .returning(count.scope, count.posts),
                [{"scope": s, "key": k, "since": at, "posts": 1} for s, k, at in rows],
            )
        }
        lately, in_all = self._connection.execute(
            sa.select(
                sa.func.sum(sa.case((count.since > minute - 10 * _MINUTE, count.posts), else_=0)),
                sa.func.sum(count.posts),
            ).where(count.scope == _ALL, count.key == "", count.since > minute - _HOUR)
        ).one()
        return Posts(counted[_NETWORK], counted[_DOMAIN], int(in_all), int(lately))

    def alarm(self) -> Alarm:
        """The attack that is going on or has just ended, if any."""
        alarm = t.sign_up_alarm.c
        row = self._connection.execute(
            sa.select(alarm.since, alarm.until, alarm.told).where(alarm.id == _KEY)
        ).one_or_none()
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
        free_at: datetime | None = self._connection.scalar(
            sa.select(t.slow_lane.c.free_at).where(t.slow_lane.c.name == lane.name)
        )
        return max(free_at or now, now)

    def take_place(self, lane: Lane, at: datetime) -> None:
        """Take the place that `lane_free_at` told."""
        values = {"free_at": at + lane.gap}
        self._connection.execute(
            insert_into(self._connection, t.slow_lane)
            .values(name=lane.name, **values)
            .on_conflict_do_update(index_elements=["name"], set_=values)
        )

    def count_confirmation(
        self, address_hash: str, now: datetime, *, quiet: timedelta, most: int
    ) -> bool:
        """Count a confirmation that is to be mailed now; False where none may be.

        None is mailed within ``quiet`` of the last one, or while ``most`` are unanswered.
        """
        count = t.confirmation_count.c
        mailed = self._connection.scalar(
            insert_into(self._connection, t.confirmation_count)
            .values(address_hash=address_hash, mailed=1, unanswered=1, last_at=now)
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
                    sa.and_(count.unanswered < most, count.last_at <= now - quiet),
                ),
            )
            .returning(count.mailed)
        )
        return mailed is not None

    def answer_confirmation(self, address_hash: str) -> None:
        """The reader has acted on what was mailed to the address."""
        self._connection.execute(
            sa.update(t.confirmation_count)
            .where(t.confirmation_count.c.address_hash == address_hash)
            .values(unanswered=0)
        )

    def tidy(self, now: datetime) -> int:
        """Drop counts and proofs whose time is over; how many."""
        over = (
            sa.delete(t.sign_up_count).where(t.sign_up_count.c.since < now - 2 * _HOUR),
            sa.delete(t.spent_proof).where(t.spent_proof.c.expires_at < now),
        )
        return sum(self._connection.execute(one).rowcount for one in over)
