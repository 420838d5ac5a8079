"""Wishes for newsletters that were left: held beside the subscription until they are confirmed."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.publication.cadence import Cadence
from newsletter.storage import tables as t
from newsletter.storage.changes import ChangeLog
from newsletter.storage.consents import consent_of, consent_values
from newsletter.storage.ready import ReadyStatement
from newsletter.storage.statements import (
    AnyRow,
    among_texts,
    hold_reader,
    insert_into,
    newsletter_key,
    subscriber_key,
)
from newsletter.subscribers.model import ASKED, Consent, SubscriptionState, SubscriptionWish

_wish = t.subscription_wish.c
_SAID = (
    *(_wish.consent_how, _wish.consent_wording, _wish.consent_at, _wish.consent_placement),
    *(_wish.consent_page, _wish.consent_language, _wish.consent_network, _wish.cadence),
)


def _drop(_dialect: str) -> Any:
    readers = sa.select(t.subscriber.c.id).where(
        t.subscriber.c.public_id == sa.bindparam("public_id")
    )
    newsletters = sa.select(t.newsletter.c.id).where(t.newsletter.c.slug == sa.bindparam("slug"))
    return sa.delete(t.subscription_wish).where(
        _wish.subscriber_id.in_(readers), _wish.newsletter_id.in_(newsletters)
    )


_DROP = ReadyStatement(_drop)


def drop_wish(connection: Connection, public_id: str, newsletter: str) -> None:
    """Nobody waits for a reader's confirmation any more, where anybody did."""
    _DROP.change(connection, public_id=public_id, slug=newsletter)


class WishRepository:
    """By the subscriber's public id and the newsletter's slug; at most one for each."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)

    def hold(self, public_id: str, newsletter: str, wish: SubscriptionWish, actor: str) -> None:
        """Keep a wish in place of the one before; logged, the subscription stays as it is."""
        asked_before = newsletter in self.of(public_id)
        consent = wish.consent
        values = {
            **consent_values(consent),
            "cadence": wish.cadence.value if wish.cadence else None,
        }
        keys = {
            "subscriber_id": subscriber_key(self._connection, public_id),
            "newsletter_id": newsletter_key(self._connection, newsletter),
        }
        self._connection.execute(
            insert_into(self._connection, t.subscription_wish)
            .values(keys | values)
            .on_conflict_do_update(index_elements=list(keys), set_=values)
        )
        before = ASKED if asked_before else SubscriptionState.UNSUBSCRIBED.value
        self._record(public_id, newsletter, consent, consent.at, actor, ASKED, before)

    def of(self, public_id: str) -> dict[str, SubscriptionWish]:
        """The wishes of a reader, by newsletter."""
        rows = self._connection.execute(
            sa.select(t.newsletter.c.slug, *_SAID)
            .join_from(t.subscription_wish, t.newsletter)
            .join(t.subscriber)
            .where(t.subscriber.c.public_id == public_id)
        )
        return {row.slug: _as_wish(row) for row in rows}

    def take(
        self,
        public_id: str,
        newsletter: str,
        allowed: Collection[SubscriptionState],
        to: SubscriptionState,
        at: datetime,
        actor: str,
    ) -> bool:
        """Let a subscription that is in one of ``allowed`` be ``to``, as the wish says it;
        the wish is gone. False where there is none, or it is in no such state."""
        keys = (
            subscriber_key(self._connection, public_id),
            newsletter_key(self._connection, newsletter),
        )
        # Whoever leaves at this moment drops it first, or waits until it was taken.
        hold_reader(self._connection, public_id)
        row = self._connection.execute(
            sa.delete(t.subscription_wish)
            .where(_wish.subscriber_id == keys[0], _wish.newsletter_id == keys[1])
            .returning(*_SAID)
        ).one_or_none()
        if row is None:
            return False
        said = dict(row._mapping)
        chosen = said.pop("cadence")
        theirs = t.subscription.c
        taken = self._connection.execute(
            sa.update(t.subscription)
            .where(
                theirs.subscriber_id == keys[0],
                theirs.newsletter_id == keys[1],
                theirs.state.in_([state.value for state in allowed]),
            )
            .values(
                **said,
                **({"cadence": chosen, "cadence_at": row.consent_at} if chosen else {}),
                state=to.value,
                changed_at=at,
                import_id=None,
                paused_until=None,
                left_because=None,
                left_from=None,
            )
        ).rowcount
        if taken:
            consent = _as_wish(row).consent
            self._record(public_id, newsletter, consent, at, actor, to.value, ASKED)
        return bool(taken)

    def drop_since(self, public_id: str, since: datetime) -> None:
        """Forget what a reader asked for from then on."""
        self._connection.execute(
            sa.delete(t.subscription_wish).where(
                _wish.subscriber_id == subscriber_key(self._connection, public_id),
                _wish.consent_at >= since,
            )
        )

    def asking(self, newsletter: str, readers: Collection[str]) -> list[str]:
        """Those among some readers who have a wish for a newsletter."""
        rows = self._connection.scalars(
            sa.select(t.subscriber.c.public_id)
            .join_from(t.subscription_wish, t.subscriber)
            .where(
                _wish.newsletter_id == newsletter_key(self._connection, newsletter),
                among_texts(self._connection, t.subscriber.c.public_id, readers),
            )
        )
        return list(rows)

    def _record(
        self,
        public_id: str,
        newsletter: str,
        consent: Consent,
        at: datetime,
        actor: str,
        act: str,
        before: str,
    ) -> None:
        detail = {"newsletter": newsletter, "how": consent.how, "placement": consent.placement}
        self._changes.record(at, actor, "subscription", public_id, act, {**detail, "from": before})


def _as_wish(row: AnyRow) -> SubscriptionWish:
    return SubscriptionWish(
        consent_of(row),
        Cadence(row.cadence) if row.cadence else None,
    )
