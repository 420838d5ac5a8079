"""What a reader chooses: a name, a language, a pause, another address, a word on leaving."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import DeliveryState
from newsletter.errors import Conflict
from newsletter.storage import tables as t
from newsletter.storage.changes import ChangeLog
from newsletter.storage.statements import (
    fence,
    hold_reader,
    insert_into,
    newsletter_key,
    subscriber_key,
)
from newsletter.storage.subscribers import SubscriberRepository
from newsletter.storage.suppressions import SuppressionRepository
from newsletter.subscribers.model import (
    AddressChange,
    LeaveReason,
    PreviousAddress,
    SubscriptionState,
)


class PreferenceRepository:
    """Choices of readers, by public id; each is logged without what it was about."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)

    def rename(self, public_id: str, name: str, at: datetime, actor: str) -> None:
        """Set a reader's name; empty for none."""
        self._set(public_id, t.subscriber.c.name, name, at, actor)

    def choose_language(
        self, public_id: str, language: str | None, at: datetime, actor: str
    ) -> None:
        """Set the language a reader prefers; None: that of each newsletter."""
        self._set(public_id, t.subscriber.c.language, language, at, actor)

    def end_pause_at(self, public_id: str, newsletter: str, until: datetime | None) -> None:
        """Let a paused subscription end its pause by itself, or (None) only by its reader."""
        self._connection.execute(
            sa.update(t.subscription)
            .where(
                t.subscription.c.id.in_(_one(public_id, newsletter)),
                t.subscription.c.state == SubscriptionState.PAUSED.value,
            )
            .values(paused_until=until, import_id=None)
        )

    def paused_too_long(self, now: datetime, limit: int) -> list[tuple[str, str]]:
        """(subscriber, newsletter) of pauses whose time is over, the longest over first."""
        rows = self._connection.execute(
            sa.select(t.subscriber.c.public_id, t.newsletter.c.slug)
            .join_from(t.subscription, t.subscriber)
            .join(t.newsletter)
            .where(
                t.subscription.c.paused_until <= now,
                t.subscription.c.state == SubscriptionState.PAUSED.value,
            )
            .order_by(t.subscription.c.paused_until)
            .limit(limit)
        )
        return [(public_id, slug) for public_id, slug in rows]

    def tell_why_left(
        self, public_id: str, newsletter: str, reason: LeaveReason, at: datetime, actor: str
    ) -> bool:
        """Keep why a reader left; False for one who has not."""
        placement = self._connection.scalar(
            sa.update(t.subscription)
            .where(
                t.subscription.c.id.in_(_one(public_id, newsletter)),
                t.subscription.c.state == SubscriptionState.UNSUBSCRIBED.value,
                t.subscription.c.left_because.is_distinct_from(reason.value),
            )
            .values(left_because=reason.value)
            .returning(t.subscription.c.consent_placement)
        )
        if placement is None:
            return False
        detail = {"newsletter": newsletter, "placement": placement, "because": reason.value}
        self._changes.record(at, actor, "subscription", public_id, "told why", detail)
        return True

    def reasons_told(self, newsletter: str) -> dict[LeaveReason, int]:
        """How many of those who are off a newsletter told which reason, zero included."""
        rows = self._connection.execute(
            sa.select(t.subscription.c.left_because, sa.func.count())
            .where(
                t.subscription.c.newsletter_id == newsletter_key(self._connection, newsletter),
                t.subscription.c.left_because.is_not(None),
            )
            .group_by(t.subscription.c.left_because)
        )
        return dict.fromkeys(LeaveReason, 0) | {LeaveReason(told): n for told, n in rows}

    def ask_address(self, public_id: str, change: AddressChange) -> None:
        """Note the address a reader wants; the wish before it is dropped."""
        values = {
            "public_id": change.public_id,
            "address": change.address,
            "asked_at": change.asked_at,
        }
        self._connection.execute(
            insert_into(self._connection, t.address_change)
            .values(subscriber_id=subscriber_key(self._connection, public_id), **values)
            .on_conflict_do_update(index_elements=["subscriber_id"], set_=values)
        )

    def asked_address(self, public_id: str) -> AddressChange | None:
        """The address a reader wants, while it waits for its mailbox's answer."""
        row = self._connection.execute(
            sa.select(
                t.address_change.c.public_id,
                t.address_change.c.address,
                t.address_change.c.asked_at,
            )
            .join_from(t.address_change, t.subscriber)
            .where(t.subscriber.c.public_id == public_id)
        ).one_or_none()
        return AddressChange(*row) if row else None

    def change_address(
        self, public_id: str, address: str, address_hash: str, at: datetime, actor: str
    ) -> None:
        """Give a reader another address, which nobody has; issues that wait go there too."""
        fence(self._connection)
        domain = address.rpartition("@")[2]
        rules = SuppressionRepository(self._connection).rules_covering([domain])
        key = subscriber_key(self._connection, public_id)
        self._connection.execute(
            sa.update(t.subscriber)
            .where(t.subscriber.c.id == key)
            .values(
                address=address,
                address_hash=address_hash,
                domain_suppressed=rules.reason(domain) is not None,
            )
        )
        waits = (DeliveryState.QUEUED.value, DeliveryState.DEFERRED.value)
        self._connection.execute(
            sa.update(t.delivery)
            .where(
                t.delivery.c.subscriber_id == key,
                t.delivery.c.issue_id.is_not(None),
                t.delivery.c.state.in_(waits),
            )
            .values(address=address, domain=domain)
        )
        self.drop_asked_address(public_id)
        self._record(at, actor, public_id, "address")

    def keep_previous(self, public_id: str, previous: PreviousAddress) -> None:
        """Keep the address that a reader has just given up, for its mailbox to take it back."""
        self._connection.execute(
            sa.insert(t.previous_address).values(
                public_id=previous.public_id,
                subscriber_id=subscriber_key(self._connection, public_id),
                address=previous.address,
                changed_at=previous.changed_at,
            )
        )

    def previous(self, public_id: str) -> list[PreviousAddress]:
        """The addresses that are kept of a reader, the one given up last in front."""
        kept = t.previous_address.c
        rows = self._connection.execute(
            sa.select(kept.public_id, kept.address, kept.changed_at)
            .join_from(t.previous_address, t.subscriber)
            .where(t.subscriber.c.public_id == public_id)
            .order_by(kept.changed_at.desc(), kept.public_id)
        )
        return [PreviousAddress(*row) for row in rows]

    def drop_previous(self, public_id: str, since: datetime) -> None:
        """Forget the addresses that a reader gave up from then on."""
        kept = t.previous_address.c
        self._connection.execute(
            sa.delete(t.previous_address).where(
                kept.subscriber_id == subscriber_key(self._connection, public_id),
                kept.changed_at >= since,
            )
        )

    def hold(self, public_id: str) -> None:
        """Let no other transaction give this reader another address before this one ends."""
        hold_reader(self._connection, public_id)

    def hold_to_move(self, public_id: str) -> None:
        """As `hold`, before the address or a subscription is changed by what is seen of it now:
        one such change is made at a time."""
        # In the order in which whoever is forgotten is held: none waits for the other.
        fence(self._connection)
        self.hold(public_id)

    def bar_undo(self, public_id: str, newsletter: str) -> None:
        """Let no link lead back to where a reader was before they left a newsletter."""
        self._connection.execute(
            sa.update(t.subscription)
            .where(t.subscription.c.id.in_(_one(public_id, newsletter)))
            .values(left_from=None)
        )

    def take_over(self, public_id: str, by: str, at: datetime, actor: str) -> None:
        """Erase a person whose address another proved to have; what they left stays left.

        A goodbye to a newsletter that the other never had becomes the other's, so that
        no import forgets it. Conflict where the person gets mail there, or is in a pause.
        """
        holder, heir = (subscriber_key(self._connection, one) for one in (public_id, by))
        theirs = t.subscription.c
        # On PostgreSQL they may be confirming in this very moment.
        self._connection.execute(
            sa.select(t.subscriber.c.id).where(t.subscriber.c.id == holder).with_for_update()
        )
        states = self._connection.scalars(
            sa.select(theirs.state).where(theirs.subscriber_id == holder).with_for_update()
        ).all()
        if {SubscriptionState.ACTIVE.value, SubscriptionState.PAUSED.value} & set(states):
            raise Conflict("somebody gets mail at that address", subject="address")
        had = sa.select(theirs.newsletter_id).where(theirs.subscriber_id == heir)
        self._connection.execute(
            sa.update(t.subscription)
            .where(
                theirs.subscriber_id == holder,
                theirs.state == SubscriptionState.UNSUBSCRIBED.value,
                theirs.newsletter_id.not_in(had),
            )
            # Whither the undo in an old mail would lead was another's wish.
            .values(subscriber_id=heir, left_from=None)
        )
        self._changes.record(at, actor, "subscriber", public_id, "address taken over")
        SubscriberRepository(self._connection).erase([holder], at)

    def drop_asked_address(self, public_id: str) -> None:
        """Forget the address a reader wanted."""
        key = subscriber_key(self._connection, public_id)
        self._connection.execute(
            sa.delete(t.address_change).where(t.address_change.c.subscriber_id == key)
        )

    def _set(
        self,
        public_id: str,
        column: sa.Column[str],
        value: str | None,
        at: datetime,
        actor: str,
    ) -> None:
        changed = self._connection.execute(
            sa.update(t.subscriber)
            .where(t.subscriber.c.public_id == public_id, column.is_distinct_from(value))
            .values({column: value})
        ).rowcount
        if changed:
            self._record(at, actor, public_id, column.name)

    def _record(self, at: datetime, actor: str, public_id: str, act: str) -> None:
        """Log what a reader chose; who chooses stays, also where an import that brought
        them is taken back."""
        theirs = t.subscription.c
        self._connection.execute(
            sa.update(t.subscription)
            .where(
                theirs.subscriber_id == subscriber_key(self._connection, public_id),
                theirs.state != SubscriptionState.UNSUBSCRIBED.value,
                theirs.import_id.is_not(None),
            )
            .values(import_id=None)
        )
        self._changes.record(at, actor, "subscriber", public_id, act)


def _one(public_id: str, newsletter: str) -> sa.Select[tuple[int]]:
    return (
        sa.select(t.subscription.c.id)
        .join_from(t.subscription, t.subscriber)
        .join(t.newsletter)
        .where(t.subscriber.c.public_id == public_id, t.newsletter.c.slug == newsletter)
    )
