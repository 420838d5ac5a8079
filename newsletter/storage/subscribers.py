"""Subscribers, their subscriptions, and what may not be mailed."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import DeliveryState, MailingKind
from newsletter.errors import NotFound
from newsletter.publication.cadence import Cadence
from newsletter.storage import tables as t
from newsletter.storage.bounces import drop_bounces
from newsletter.storage.changes import ChangeLog
from newsletter.storage.columns import NameList
from newsletter.storage.consents import consent_of, consent_values
from newsletter.storage.documents import mailing_document, mailing_from_document
from newsletter.storage.ready import ReadyStatement, insert_for, ready_insert
from newsletter.storage.segments import SegmentRepository, is_in
from newsletter.storage.statements import (
    AnyRow,
    among_parameter,
    among_values,
    fence,
    hold_reader,
    newsletter_key,
    of_nobody,
    subscriber_key,
)
from newsletter.storage.suppressions import SuppressionRepository
from newsletter.storage.wishes import drop_wish
from newsletter.subscribers.model import (
    Consent,
    LeaveReason,
    Segment,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from newsletter.tokens import new_public_id

_PERSON = (
    t.subscriber.c.public_id,
    t.subscriber.c.address,
    t.subscriber.c.created_at,
    t.subscriber.c.name,
    t.subscriber.c.language,
    t.subscriber.c.timezone,
    t.subscriber.c.attributes,
)
_SUBSCRIPTIONS = (
    sa.select(
        *_PERSON,
        t.newsletter.c.slug.label("newsletter"),
        t.subscription.c.state,
        t.subscription.c.changed_at,
        t.subscription.c.consent_how,
        t.subscription.c.consent_wording,
        t.subscription.c.consent_at,
        t.subscription.c.consent_placement,
        t.subscription.c.departments,
        t.subscription.c.consent_page,
        t.subscription.c.consent_language,
        t.subscription.c.consent_network,
        t.subscription.c.paused_until,
        t.subscription.c.left_because,
        t.subscription.c.cadence,
        t.subscription.c.left_from,
    )
    .join_from(t.subscription, t.subscriber)
    .join(t.newsletter)
)
_HOLDING_ROWS = 1_000


def mailable(
    connection: Connection, newsletter_id: int, segment: Segment | None = None
) -> sa.Select[Any]:
    """The audience: subscribers active on a newsletter, in its segment and not suppressed."""
    narrowed = () if segment is None else (is_in(connection, segment),)
    return (
        sa.select(t.subscriber)
        .join_from(t.subscription, t.subscriber)
        .join(
            t.suppression,
            t.suppression.c.address_hash == t.subscriber.c.address_hash,
            isouter=True,
        )
        .where(
            t.subscription.c.newsletter_id == newsletter_id,
            t.subscription.c.state == SubscriptionState.ACTIVE.value,
            t.suppression.c.id.is_(None),
            ~t.subscriber.c.domain_suppressed,
            *narrowed,
        )
    )


# What belongs to the state that is left.
_OF_BEFORE = {"import_id": None, "paused_until": None, "left_because": None, "left_from": None}
_UNSUBSCRIBED = SubscriptionState.UNSUBSCRIBED.value
# One subscription, by its reader and newsletter.
_MINE = (
    sa.select(t.subscription.c.id)
    .join_from(t.subscription, t.subscriber)
    .join(t.newsletter)
    .where(
        t.subscriber.c.public_id == sa.bindparam("public_id"),
        t.newsletter.c.slug == sa.bindparam("newsletter"),
    )
)
_CONSENT = (
    "consent_how",
    "consent_wording",
    "consent_placement",
    "consent_at",
    "consent_page",
    "consent_language",
    "consent_network",
)


def _subscribe(dialect: str) -> Any:
    column = t.subscription.c
    given = {
        name: sa.bindparam(name, type_=column[name].type)
        for name in ("subscriber_id", "newsletter_id", "state", "changed_at", *_CONSENT)
    }
    keys = ("subscriber_id", "newsletter_id")
    anew = {name: value for name, value in given.items() if name not in keys} | _OF_BEFORE
    return (
        insert_for(dialect, t.subscription)
        .values(given | _OF_BEFORE)
        .on_conflict_do_update(
            index_elements=keys,
            set_=anew,
            where=among_parameter(dialect, column.state, "over"),
        )
    )


def _move(dialect: str) -> Any:
    column = t.subscription.c
    leaves = sa.bindparam("to", type_=column.state.type) == _UNSUBSCRIBED
    remembered = {
        "left_from": sa.case((leaves, column.state)),
        "paused_until": sa.case((leaves, column.paused_until)),
    }
    return (
        sa.update(t.subscription)
        .where(column.id.in_(_MINE), among_parameter(dialect, column.state, "allowed"))
        .values(
            state=sa.bindparam("to", type_=column.state.type),
            changed_at=sa.bindparam("at", type_=column.changed_at.type),
            **(_OF_BEFORE | remembered),
        )
        .returning(column.consent_placement)
    )


def _come_back(dialect: str) -> Any:
    column = t.subscription.c
    return (
        sa.update(t.subscription)
        .where(
            column.id.in_(_MINE),
            column.state == _UNSUBSCRIBED,
            among_parameter(dialect, column.left_from, "allowed"),
        )
        .values(
            state=column.left_from,
            changed_at=sa.bindparam("at", type_=column.changed_at.type),
            **{name: value for name, value in _OF_BEFORE.items() if name != "paused_until"},
        )
        .returning(column.state, column.consent_placement)
    )


_BY_ADDRESS = ReadyStatement(
    lambda _: sa.select(*_PERSON).where(
        t.subscriber.c.address == sa.bindparam("address", type_=t.subscriber.c.address.type)
    )
)
_BY_ID = ReadyStatement(
    lambda _: sa.select(*_PERSON).where(t.subscriber.c.public_id == sa.bindparam("public_id"))
)
_SUBSCRIPTION = ReadyStatement(
    lambda _: _SUBSCRIPTIONS.where(
        t.subscriber.c.public_id == sa.bindparam("public_id"),
        t.newsletter.c.slug == sa.bindparam("newsletter"),
    )
)
_SUBSCRIPTIONS_OF = ReadyStatement(
    lambda _: _SUBSCRIPTIONS.where(t.subscriber.c.public_id == sa.bindparam("public_id")).order_by(
        t.newsletter.c.slug
    )
)
_ADD = ready_insert(
    t.subscriber,
    (
        "public_id",
        "address",
        "address_hash",
        "name",
        "language",
        "timezone",
        "attributes",
        "domain_suppressed",
        "created_at",
    ),
    leave=True,
)
_SUBSCRIBE = ReadyStatement(_subscribe)
_MOVE = ReadyStatement(_move)
_COME_BACK = ReadyStatement(_come_back)
_UNNAME = ReadyStatement(
    lambda _: (
        sa.update(t.change_log)
        .where(
            t.change_log.c.kind.in_(
                [
                    sa.literal_column(f"'{kind}'", sa.String)
                    for kind in ("subscriber", "subscription")
                ]
            ),
            t.change_log.c.subject == sa.bindparam("name", type_=t.change_log.c.subject.type),
        )
        .values(subject=sa.bindparam("lot", type_=t.change_log.c.subject.type))
    )
)
_LEAVE_IMPORT = ReadyStatement(
    lambda _: (
        sa.update(t.subscription)
        .where(t.subscription.c.id.in_(_MINE), t.subscription.c.import_id.is_not(None))
        .values(import_id=None)
    )
)


class SubscriberRepository:
    """People by normalised address or public id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)
        self._suppressions = SuppressionRepository(connection)

    def find(self, address: str) -> Subscriber | None:
        """The subscriber of that (normalised) address."""
        row = _BY_ADDRESS.first(self._connection, address=address)
        return _subscriber(row) if row else None

    def by_id(self, public_id: str) -> Subscriber | None:
        """The subscriber of that public id; None once forgotten."""
        row = _BY_ID.first(self._connection, public_id=public_id)
        return _subscriber(row) if row else None

    def get(self, public_id: str) -> Subscriber:
        """The same, where there has to be one; NotFound."""
        subscriber = self.by_id(public_id)
        if subscriber is None:
            raise NotFound("we have no such reader any more", subject="subscriber")
        return subscriber

    def add(self, subscriber: Subscriber, address_hash: str) -> Subscriber:
        """Add a person; the one there already where the address is known."""
        domain = subscriber.address.rpartition("@")[2]
        rules = self._suppressions.rules_covering([domain])
        _ADD.change(
            self._connection,
            public_id=subscriber.public_id,
            address=subscriber.address,
            address_hash=address_hash,
            name=subscriber.name,
            language=subscriber.language,
            timezone=subscriber.timezone,
            attributes=dict(subscriber.attributes) or None,
            domain_suppressed=rules.reason(domain) is not None,
            created_at=subscriber.created_at,
        )
        return self.find(subscriber.address) or subscriber

    def subscription(self, public_id: str, newsletter: str) -> Subscription | None:
        """A subscriber's subscription to one newsletter."""
        row = _SUBSCRIPTION.first(self._connection, public_id=public_id, newsletter=newsletter)
        return _subscription(row) if row else None

    def subscriptions(self, public_id: str) -> list[Subscription]:
        """All subscriptions of a subscriber, by newsletter."""
        rows = _SUBSCRIPTIONS_OF.rows(self._connection, public_id=public_id)
        return [_subscription(row) for row in rows]

    def subscribe(
        self,
        public_id: str,
        newsletter: str,
        state: SubscriptionState,
        consent: Consent,
        at: datetime,
        actor: str,
        over: Collection[SubscriptionState] = tuple(SubscriptionState),
    ) -> bool:
        """Set a subscription with the consent it rests on.

        False where there is one that is in none of the states ``over``.
        """
        before = self.subscription(public_id, newsletter)
        if before is not None and state is not SubscriptionState.ACTIVE:
            fence(self._connection)
        changed = _SUBSCRIBE.change(
            self._connection,
            over=among_values(self._connection, [each.value for each in over]),
            subscriber_id=subscriber_key(self._connection, public_id),
            newsletter_id=newsletter_key(self._connection, newsletter),
            state=state.value,
            changed_at=at,
            **consent_values(consent),
        )
        if not changed:
            return False
        detail = {"newsletter": newsletter, "how": consent.how, "placement": consent.placement}
        if before is not None:
            detail["from"] = before.state.value
        self._changes.record(at, actor, "subscription", public_id, state.value, detail)
        return True

    def choose_departments(
        self,
        public_id: str,
        newsletter: str,
        departments: tuple[str, ...],
        at: datetime,
        actor: str,
        *,
        if_unknown: bool = False,
    ) -> bool:
        """Narrow a subscription to departments, or with none to all; logged.

        False where it is so already, or with ``if_unknown`` where a choice stands.
        """
        chosen = sa.literal(departments, NameList())
        mine = (
            sa.select(t.subscription.c.id)
            .join_from(t.subscription, t.subscriber)
            .join(t.newsletter)
            .where(t.subscriber.c.public_id == public_id, t.newsletter.c.slug == newsletter)
        )
        before = t.subscription.c.departments
        changed = self._connection.execute(
            sa.update(t.subscription)
            .where(
                t.subscription.c.id.in_(mine),
                before.is_(None) if if_unknown else before.is_distinct_from(chosen),
            )
            .values(departments=chosen, **({} if if_unknown else {"import_id": None}))
        ).rowcount
        if changed:
            detail = {"newsletter": newsletter, "departments": list(departments)}
            self._changes.record(at, actor, "subscription", public_id, "departments", detail)
        return bool(changed)

    def choose_cadence(
        self, public_id: str, newsletter: str, cadence: Cadence, at: datetime, actor: str
    ) -> bool:
        """Let a subscription come each time or once a month; logged. False where it is so."""
        mine = (
            sa.select(t.subscription.c.id)
            .join_from(t.subscription, t.subscriber)
            .join(t.newsletter)
            .where(t.subscriber.c.public_id == public_id, t.newsletter.c.slug == newsletter)
        )
        changed = self._connection.execute(
            sa.update(t.subscription)
            .where(t.subscription.c.id.in_(mine), t.subscription.c.cadence != cadence.value)
            .values(cadence=cadence.value, cadence_at=at, import_id=None)
        ).rowcount
        if changed:
            detail = {"newsletter": newsletter, "cadence": cadence.value}
            self._changes.record(at, actor, "subscription", public_id, "cadence", detail)
        return bool(changed)

    def chose_by(self, newsletter: str, cadence: Cadence, at: datetime) -> bool:
        """Whether somebody who is active had chosen that cadence by ``at``."""
        theirs = t.subscription.c
        found = self._connection.scalar(
            sa.select(theirs.id)
            .where(
                theirs.newsletter_id == newsletter_key(self._connection, newsletter),
                theirs.state == SubscriptionState.ACTIVE.value,
                theirs.cadence == cadence.value,
                sa.func.coalesce(theirs.cadence_at, theirs.consent_at) <= at,
            )
            .limit(1)
        )
        return found is not None

    def cadences(self, newsletter: str) -> dict[Cadence, int]:
        """How many active readers of a newsletter chose each cadence, zero included."""
        theirs = t.subscription.c
        rows = self._connection.execute(
            sa.select(theirs.cadence, sa.func.count())
            .where(
                theirs.newsletter_id == newsletter_key(self._connection, newsletter),
                theirs.state == SubscriptionState.ACTIVE.value,
            )
            .group_by(theirs.cadence)
        )
        return dict.fromkeys(Cadence, 0) | {Cadence(chosen): count for chosen, count in rows}

    def move(
        self,
        public_id: str,
        newsletter: str,
        allowed: Collection[SubscriptionState],
        to: SubscriptionState,
        at: datetime,
        actor: str,
        reason: str = "",
    ) -> bool:
        """Move a subscription from one of ``allowed`` to ``to``; False where it is in none.

        Who leaves, or says again that they have left, wishes for nothing any more.
        """
        if to is not SubscriptionState.ACTIVE:
            fence(self._connection)
        if to is SubscriptionState.UNSUBSCRIBED:
            # Before the state is looked at: a confirmation under way is waited for.
            hold_reader(self._connection, public_id)
            drop_wish(self._connection, public_id, newsletter)
        whose = {"public_id": public_id, "newsletter": newsletter}
        states = among_values(self._connection, [state.value for state in allowed])
        placement = _MOVE.scalar(self._connection, **whose, allowed=states, to=to.value, at=at)
        moved = placement is not None
        if moved:
            detail = {"newsletter": newsletter, "placement": placement}
            detail |= {"reason": reason} if reason else {}
            self._changes.record(at, actor, "subscription", public_id, to.value, detail)
        elif to is SubscriptionState.UNSUBSCRIBED:
            # Whom an import took off, and who says so too, is off whatever becomes of the import.
            _LEAVE_IMPORT.change(self._connection, **whose)
        return moved

    def come_back(
        self,
        public_id: str,
        newsletter: str,
        allowed: Collection[SubscriptionState],
        at: datetime,
        actor: str,
    ) -> SubscriptionState | None:
        """Undo a goodbye: to the state that was left, where that is among ``allowed``.

        None where there is nothing to undo. A pause goes on to its day; a wish is met by it.
        """
        hold_reader(self._connection, public_id)
        states = among_values(self._connection, [state.value for state in allowed])
        row = _COME_BACK.first(
            self._connection, public_id=public_id, newsletter=newsletter, allowed=states, at=at
        )
        if row is None:
            return None
        drop_wish(self._connection, public_id, newsletter)
        detail = {"newsletter": newsletter, "placement": row.consent_placement, "reason": "undo"}
        self._changes.record(at, actor, "subscription", public_id, row.state, detail)
        return SubscriptionState(row.state)

    def suppress(
        self, address_hash: str, reason: SuppressionReason, at: datetime, actor: str
    ) -> None:
        """Forbid mail to an address; a stronger reason that stands already stays."""
        self._suppressions.suppress([Suppression(address_hash, reason, at)], actor)

    def unsuppress(self, address_hash: str, at: datetime, actor: str, why: str = "") -> bool:
        """Allow mail again; False where nothing forbade it."""
        lifted = self._connection.scalar(
            sa.delete(t.suppression)
            .where(t.suppression.c.address_hash == address_hash)
            .returning(t.suppression.c.reason)
        )
        if lifted is not None:
            detail = {"reason": lifted, **({"why": why} if why else {})}
            self._changes.record(at, actor, "suppression", address_hash, "lifted", detail)
        return lifted is not None

    def suppression(self, address_hash: str) -> SuppressionReason | None:
        """Why an address itself may not be mailed, or None; see `SuppressionRepository.reason`."""
        reason = self._connection.scalar(
            sa.select(t.suppression.c.reason).where(t.suppression.c.address_hash == address_hash)
        )
        return SuppressionReason(reason) if reason else None

    def forget(self, public_id: str, at: datetime, actor: str) -> None:
        """Erase a person: subscriptions, clicks, name, address, and both in what was sent.

        Ledger rows and lines of the log stay, of nobody, so that the totals do; rows
        that still waited are skipped. Of system mail sent to this person alone
        (its text may name them) only the envelope stays. NotFound.
        """
        key = subscriber_key(self._connection, public_id)
        self._changes.record(at, actor, "subscriber", public_id, "forgotten")
        self.erase([key], at)

    def erase(self, keys: list[int], at: datetime) -> None:
        """Erase people by their rows, as `forget` does; the log is the caller's to write."""
        fence(self._connection)
        # Clicks that are just being counted come before or not at all.
        self._connection.execute(
            sa.select(t.subscriber.c.id).where(t.subscriber.c.id.in_(keys)).with_for_update()
        )
        theirs = t.delivery.c.subscriber_id.in_(keys)
        with_system_mail = self._connection.scalars(
            sa.select(t.delivery.c.subscriber_id)
            .where(theirs, t.delivery.c.issue_id.is_(None))
            .distinct()
        ).all()
        for key in with_system_mail:
            self._blank_system_mail(int(key or 0))
        unsent = t.delivery.c.state.in_(
            [
                DeliveryState.QUEUED.value,
                DeliveryState.CLAIMED.value,
                DeliveryState.DEFERRED.value,
            ]
        )
        drop_bounces(self._connection, theirs)
        skipped = {"state": DeliveryState.SKIPPED.value, "reason": "forgotten", "changed_at": at}
        self._connection.execute(
            sa.update(t.delivery)
            .where(theirs, unsent)
            .values(**skipped, due_at=None, worker_id=None)
        )
        self._connection.execute(
            sa.update(t.delivery).where(theirs).values(of_nobody(self._connection))
        )
        self._unname_changes(keys)
        for table in (
            *(t.subscription, t.subscription_wish, t.catch_up, t.reader_click, t.import_trace),
            *(t.address_change, t.previous_address, t.former_address),
        ):
            self._connection.execute(sa.delete(table).where(table.c.subscriber_id.in_(keys)))
        self._connection.execute(sa.delete(t.subscriber).where(t.subscriber.c.id.in_(keys)))

    def counts(self, newsletter: str) -> dict[SubscriptionState, int]:
        """How many subscriptions a newsletter has in each state, zero included."""
        rows = self._connection.execute(
            sa.select(t.subscription.c.state, sa.func.count())
            .where(t.subscription.c.newsletter_id == newsletter_key(self._connection, newsletter))
            .group_by(t.subscription.c.state)
        )
        return dict.fromkeys(SubscriptionState, 0) | {
            SubscriptionState(state): count for state, count in rows
        }

    def each(
        self,
        newsletter: str | None,
        segment: Segment | None = None,
        *,
        limit: int | None = None,
        after: str = "",
    ) -> Iterator[Subscription]:
        """Every subscription of a newsletter, or of all, by address; streamed.

        With ``segment`` only those in it, with ``limit`` only so many, with ``after``
        only those whose address comes after that one.
        """
        wanted = sa.true() if newsletter is None else t.newsletter.c.slug == newsletter
        narrowed = sa.true() if segment is None else is_in(self._connection, segment)
        rows = self._connection.execute(
            _SUBSCRIPTIONS.where(wanted, narrowed, t.subscriber.c.address > after)
            .order_by(t.subscriber.c.address, t.newsletter.c.slug)
            .limit(limit),
            execution_options={"yield_per": _HOLDING_ROWS},
        )
        for row in rows:
            yield _subscription(row)

    def some(self, segment: Segment, most: int) -> list[Subscription]:
        """Up to ``most`` subscriptions of a segment, whichever are found first; by address."""
        keys = SegmentRepository(self._connection).some(segment, most)
        rows = self._connection.execute(
            _SUBSCRIPTIONS.where(t.subscription.c.id.in_(keys)).order_by(
                t.subscriber.c.address, t.newsletter.c.slug
            )
        )
        return [_subscription(row) for row in rows]

    def audience_size(self, newsletter: str, segment: Segment | None = None) -> int:
        """How many readers an issue would go to now."""
        key = newsletter_key(self._connection, newsletter)
        audience = mailable(self._connection, key, segment).subquery()
        return self._connection.execute(
            sa.select(sa.func.count()).select_from(audience)
        ).scalar_one()

    def addresses(self, hashes: Collection[str]) -> dict[str, str]:
        """Those addresses of these keyed hashes that we hold, by hash."""
        rows = self._connection.execute(
            sa.select(t.subscriber.c.address_hash, t.subscriber.c.address).where(
                t.subscriber.c.address_hash.in_(sorted(hashes))
            )
        )
        return {row.address_hash: row.address for row in rows}

    def is_in_audience(
        self, public_id: str, newsletter: str, segment: Segment | None = None
    ) -> bool:
        """Whether an issue that began now would go to a subscriber."""
        key = newsletter_key(self._connection, newsletter)
        found = (
            mailable(self._connection, key, segment)
            .with_only_columns(t.subscriber.c.id)
            .where(t.subscriber.c.public_id == public_id)
        )
        return self._connection.scalar(found) is not None

    def _unname_changes(self, keys: list[int]) -> None:
        """Give the log's lines about people a random subject, the same for all of one.

        Their public id stands in every link of the mails they had.
        """
        names = self._connection.scalars(
            sa.select(t.subscriber.c.public_id).where(t.subscriber.c.id.in_(keys))
        )
        _UNNAME.change_each(
            self._connection, [{"name": name, "lot": new_public_id()} for name in names]
        )

    def _blank_system_mail(self, key: int) -> None:
        own = sa.select(t.delivery.c.mailing_id).where(
            t.delivery.c.subscriber_id == key, t.delivery.c.issue_id.is_(None)
        )
        shared = sa.select(t.delivery.c.mailing_id).where(
            t.delivery.c.mailing_id == t.mailing.c.id,
            t.delivery.c.subscriber_id.is_distinct_from(key),
        )
        rows = self._connection.execute(
            sa.select(t.mailing.c.id, t.mailing.c.content).where(
                t.mailing.c.id.in_(own),
                # An issue that welcomes a reader names nobody, and goes to others too.
                t.mailing.c.kind == MailingKind.SYSTEM.value,
                ~sa.exists(shared.correlate(t.mailing)),
            )
        ).all()
        for mailing_id, content in rows:
            blank = mailing_document(mailing_from_document(content | _BLANK))
            self._connection.execute(
                sa.update(t.mailing).where(t.mailing.c.id == mailing_id).values(content=blank)
            )


_BLANK = {"subject": "", "html": "", "text": ""}


def _subscriber(row: AnyRow) -> Subscriber:
    public_id, address, created_at, name, language, timezone, attributes = row[: len(_PERSON)]
    return Subscriber(public_id, address, created_at, name, language, timezone, attributes or {})


def _subscription(row: AnyRow) -> Subscription:
    return Subscription(
        subscriber=_subscriber(row),
        newsletter=row.newsletter,
        state=SubscriptionState(row.state),
        consent=consent_of(row),
        changed_at=row.changed_at,
        departments=row.departments or (),
        paused_until=row.paused_until,
        left_because=LeaveReason(row.left_because) if row.left_because else None,
        cadence=Cadence(row.cadence),
        left_from=SubscriptionState(row.left_from) if row.left_from else None,
    )
