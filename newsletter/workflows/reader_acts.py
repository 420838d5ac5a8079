"""What editors look up about one reader at the desk, and do for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.errors import Conflict
from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.storage.database import Database
from newsletter.storage.reader_rows import ClickedLink, SentMail
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.address import normalise_address
from newsletter.subscribers.model import (
    Subscriber,
    Subscription,
    SubscriptionState,
    SubscriptionWish,
    SuppressionReason,
)
from newsletter.subscribers.states import BROUGHT_BACK, MOVES, SubscriptionAct
from newsletter.tokens import Keyring
from newsletter.workflows.forget import forget_reader
from newsletter.workflows.leave import UNDO_WITHIN
from newsletter.workflows.personal_data import collect_data

log = get_logger(__name__)

# As the log has it, and what an undo may follow.
LEFT_BY_DESK = "desk"
UNCONFIRMED_BY_DESK = "desk, unconfirmed"
_MOST = 20


@dataclass(frozen=True)
class ReaderFile:
    """A reader with all that the desk shows. ``clicks`` None: not counted by reader.

    ``suppressed`` is why nothing is mailed to them, ``of_domain`` whether their domain is
    what may not be mailed; ``can_return`` are the newsletters that an editor took them off
    and may put them back on, ``wishes`` those that they left and asked for again.
    """

    reader: Subscriber
    subscriptions: list[Subscription]
    wishes: dict[str, SubscriptionWish]
    suppressed: SuppressionReason | None
    of_domain: bool
    deliveries: list[SentMail]
    clicks: list[ClickedLink] | None
    can_return: frozenset[str]


def find_reader(
    database: Database, keyring: Keyring, written: str
) -> tuple[Subscriber | None, SuppressionReason | None]:
    """Who has an address, and why it may not be mailed, if so; AddressError."""
    address = normalise_address(written)
    with database.read() as tx:
        return (
            tx.subscribers.find(address),
            tx.suppressions.reason(address, keyring.hash_address(address)),
        )


def read_reader(
    database: Database, keyring: Keyring, settings: Settings, public_id: str, now: datetime
) -> ReaderFile:
    """What is to be seen of one reader; NotFound once they are forgotten."""
    with database.read() as tx:
        reader = tx.subscribers.get(public_id)
        address_hash = keyring.hash_address(reader.address)
        reason = tx.suppressions.reason(reader.address, address_hash)
        own = tx.subscribers.suppression(address_hash)
        counted = settings.tracking.clicks == "count"
        return ReaderFile(
            reader,
            tx.subscribers.subscriptions(public_id),
            tx.wishes.of(public_id),
            reason,
            reason is not None and own is not reason,
            tx.reader_rows.deliveries(public_id, _MOST),
            tx.reader_rows.clicks(public_id, _MOST) if counted else None,
            _left_by_desk(tx, public_id, now),
        )


def take_off(
    database: Database, public_id: str, newsletter: str, *, actor: str, now: datetime
) -> bool:
    """Unsubscribe a reader; False where they were off already. NotFound."""
    move = MOVES[SubscriptionAct.UNSUBSCRIBE]
    with database.write() as tx:
        tx.subscribers.get(public_id)
        subscription = tx.subscribers.subscription(public_id, newsletter)
        pending = subscription and subscription.state is SubscriptionState.PENDING
        reason = UNCONFIRMED_BY_DESK if pending else LEFT_BY_DESK
        return tx.subscribers.move(
            *(public_id, newsletter, move.allowed, move.to, now, actor), reason
        )


def put_back(
    database: Database, public_id: str, newsletter: str, *, actor: str, now: datetime
) -> None:
    """Undo `take_off`, within 30 days. Conflict where the reader left by themselves since,
    or had never confirmed: nobody but they may sign them up."""
    with database.write() as tx:
        tx.subscribers.get(public_id)
        if newsletter not in _left_by_desk(tx, public_id, now) or not tx.subscribers.come_back(
            public_id, newsletter, BROUGHT_BACK, now, actor
        ):
            raise Conflict(
                "only what an editor did here within 30 days can be undone; who left by "
                "themselves comes back by signing up",
                subject="subscription",
            )


def forget_one(
    database: Database, keyring: Keyring, public_id: str, written: str, *, actor: str, now: datetime
) -> bool:
    """Erase a reader whose address is ``written`` as a confirmation; False where it differs."""
    with database.write() as tx:
        reader = tx.subscribers.get(public_id)
        if written.strip().casefold() != reader.address.casefold():
            return False
        forget_reader(tx, keyring, reader, actor=actor, now=now)
    log.info("reader_forgotten", by="desk")
    return True


def hand_out_data(
    database: Database, keyring: Keyring, public_id: str, *, actor: str, now: datetime
) -> dict[str, Any]:
    """Everything held about a reader, for an editor who passes it on; that is logged."""
    with database.read() as tx:
        reader = tx.subscribers.get(public_id)
    data = collect_data(database, keyring, reader)
    with database.write() as tx:
        tx.changes.record(now, actor, "subscriber", public_id, "data handed out")
    return data


def _left_by_desk(tx: Transaction, public_id: str, now: datetime) -> frozenset[str]:
    """The newsletters whose last word is that an editor took the reader off, lately."""
    last: dict[str, bool] = {}
    for change in tx.changes.of("subscription", public_id):
        slug = change.detail.get("newsletter")
        if slug and change.act in list(SubscriptionState):
            last[slug] = (
                change.act == SubscriptionState.UNSUBSCRIBED
                and change.detail.get("reason") == LEFT_BY_DESK
                and change.at > now - UNDO_WITHIN
            )
    return frozenset(slug for slug, is_ours in last.items() if is_ours)
