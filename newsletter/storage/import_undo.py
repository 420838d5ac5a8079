"""Imports that are taken back."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.changes import Change, ChangeLog
from newsletter.storage.columns import NameList
from newsletter.storage.import_keys import import_key, import_place, reader_names
from newsletter.storage.statements import fence
from newsletter.subscribers.model import SubscriptionState

_UNSUBSCRIBED = SubscriptionState.UNSUBSCRIBED.value


class ImportUndo:
    """Taking imports back, by their public id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)

    def begin_undo(self, public_id: str, at: datetime) -> None:
        """Write down that an import is taken back; it goes on no more."""
        row = t.subscriber_import.c
        self._connection.execute(
            sa.update(t.subscriber_import)
            .where(row.public_id == public_id, row.undone_at.is_(None))
            .values(undone_at=at)
        )

    def give_back(
        self,
        public_id: str,
        allowed: Collection[SubscriptionState],
        at: datetime,
        actor: str,
        limit: int,
    ) -> tuple[int, int]:
        """Give up to ``limit`` readers back what an import took or filled in.

        (how many traces it went through, how many readers came back to where they were).
        Nothing comes back that anybody has touched since. Whom an import brought that was
        taken back before stays where they are, as if this one had: for `remove_subscriptions`.
        """
        fence(self._connection)
        cause, newsletter_id, newsletter = import_place(self._connection, public_id)
        trace, before = t.import_trace.c, t.subscriber_import
        rows = self._connection.execute(
            sa.select(
                *(trace.subscriber_id, trace.was_state, trace.was_import_id, trace.learned),
                before.c.undone_at.is_not(None),
            )
            .outerjoin_from(t.import_trace, before, before.c.id == trace.was_import_id)
            .where(trace.import_id == cause)
            .order_by(trace.subscriber_id)
            .limit(limit)
        ).all()
        readers = [row[0] for row in rows]
        person = t.subscriber.c
        # Before anything of theirs, as whoever confirms or leaves does.
        self._connection.execute(
            sa.select(person.id).where(person.id.in_(readers)).with_for_update(key_share=True)
        )
        returned = []
        states = {state.value for state in allowed}
        for key, was_state, was_cause, learned, is_undone in rows:
            if learned is not None:
                self._unlearn(key, newsletter_id, learned)
            # Else only an import's word put them there, and it was taken back.
            if was_state in states and not is_undone:
                theirs = t.subscription.c
                came_back = self._connection.execute(
                    sa.update(t.subscription)
                    .where(
                        theirs.subscriber_id == key,
                        theirs.newsletter_id == newsletter_id,
                        theirs.import_id == cause,
                        theirs.state == _UNSUBSCRIBED,
                    )
                    .values(state=was_state, left_from=None, import_id=was_cause, changed_at=at)
                ).rowcount
                if came_back:
                    returned.append((key, was_state))
        wish = t.subscription_wish.c
        self._connection.execute(
            sa.delete(t.subscription_wish).where(
                wish.newsletter_id == newsletter_id,
                wish.subscriber_id.in_([key for key, _ in returned]),
            )
        )
        names = reader_names(self._connection, [key for key, _ in returned])
        self._changes.record_all(
            Change(
                *(at, actor, "subscription", names[key], state),
                {"newsletter": newsletter, "reason": "import undone", "import": public_id},
            )
            for key, state in returned
        )
        self._connection.execute(
            sa.delete(t.import_trace).where(
                trace.import_id == cause, trace.subscriber_id.in_(readers)
            )
        )
        return len(rows), len(returned)

    def lift_suppressions(self, public_id: str, at: datetime, actor: str) -> int:
        """Allow mail again to whom only an import forbade it; how many."""
        suppression = t.suppression.c
        lifted = self._connection.execute(
            sa.delete(t.suppression)
            .where(suppression.import_id == import_key(self._connection, public_id))
            .returning(suppression.address_hash, suppression.reason)
        ).all()
        self._changes.record_all(
            Change(
                *(at, actor, "suppression", address_hash, "lifted"),
                {"reason": reason, "import": public_id},
            )
            for address_hash, reason in lifted
        )
        return len(lifted)

    def brought(self, public_id: str, after: int, limit: int) -> list[tuple[int, str]]:
        """(row, reader) of up to ``limit`` subscriptions that an import added and nobody has
        touched. Nobody changes what these readers have until the transaction ends."""
        fence(self._connection)
        theirs = t.subscription.c
        rows = self._connection.execute(
            sa.select(theirs.id, t.subscriber.c.public_id)
            .join_from(t.subscription, t.subscriber)
            .where(theirs.import_id == import_key(self._connection, public_id), theirs.id > after)
            .order_by(theirs.id)
            .limit(limit)
            .with_for_update(of=t.subscriber, key_share=True)
        )
        return [(key, name) for key, name in rows]

    def remove_subscriptions(
        self, public_id: str, brought: Sequence[tuple[int, str]], at: datetime, actor: str
    ) -> int:
        """Remove those of `brought` that nobody has touched since; how many."""
        if not brought:
            return 0
        cause, _, newsletter = import_place(self._connection, public_id)
        theirs = t.subscription.c
        gone = self._connection.scalars(
            sa.delete(t.subscription)
            .where(theirs.id.in_([key for key, _ in brought]), theirs.import_id == cause)
            .returning(theirs.id)
        ).all()
        names = dict(brought)
        self._changes.record_all(
            Change(
                *(at, actor, "subscription", names[key], "removed"),
                {"newsletter": newsletter, "reason": "import undone", "import": public_id},
            )
            for key in sorted(gone)
        )
        return len(gone)

    def people_without_subscription(self, after: int, limit: int) -> list[tuple[int, str, str]]:
        """(row, public id, import) of up to ``limit`` people whom nobody needs: an import
        brought them that was taken back, be it long ago, and they are on no newsletter."""
        person, cause = t.subscriber.c, t.subscriber_import.c
        theirs = sa.exists().where(t.subscription.c.subscriber_id == person.id)
        rows = self._connection.execute(
            sa.select(person.id, person.public_id, cause.public_id)
            .join_from(t.subscriber, t.subscriber_import, cause.id == person.import_id)
            .where(cause.undone_at.is_not(None), person.id > after, ~theirs)
            .order_by(person.id)
            .limit(limit)
        )
        return [(key, name, brought_by) for key, name, brought_by in rows]

    def _unlearn(self, key: int, newsletter_id: int, learned: dict[str, Any]) -> None:
        person, theirs = t.subscriber.c, t.subscription.c
        row = self._connection.execute(
            sa.select(person.timezone, person.attributes).where(person.id == key)
        ).one_or_none()
        if row is None:
            return
        timezone, attributes = row
        told = learned["attributes"]
        kept = {
            name: value
            for name, value in (attributes or {}).items()
            if name not in told or told[name] != value
        }
        if timezone == learned["timezone"]:
            timezone = None
        self._connection.execute(
            sa.update(t.subscriber)
            .where(person.id == key)
            .values(timezone=timezone, attributes=kept or None)
        )
        if learned["departments"]:
            self._connection.execute(
                sa.update(t.subscription)
                .where(
                    theirs.subscriber_id == key,
                    theirs.newsletter_id == newsletter_id,
                    theirs.departments == sa.literal(tuple(learned["departments"]), NameList()),
                )
                .values(departments=None)
            )
