"""Nothing is kept for longer than `[privacy]` says: what a night's run erases and folds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from newsletter.config import PrivacyTable
from newsletter.log import get_logger
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import SubscriptionState
from newsletter.subscribers.opt_in import QUIET_TIME
from newsletter.tokens import Keyring
from newsletter.workflows.change_address import CONFIRM_WITHIN, TAKE_BACK_WITHIN
from newsletter.workflows.forget import forget_reader
from newsletter.workflows.installation import Installation

log = get_logger(__name__)
T = TypeVar("T")

ACTOR = "retention"
NIGHT_HOUR = 3
# What editors saved of an issue on its way to what went out; the change log stays.
VERSIONS_KEPT_FOR = timedelta(days=90)
# One transaction keeps the others waiting for a fraction of a second: of people
# each is some ten statements, of plain rows all are one.
_PEOPLE = 50
_ROWS = 5_000
# What is left over waits for the next night.
_ALL = 100_000


@dataclass(frozen=True)
class Expired:
    """How much was, or would be, let go.

    ``unconfirmed`` are sign-ups nobody confirmed, those of who had left before among them,
    and people without any subscription,
    ``long_gone`` people who left all
    they had, ``wanted_addresses`` wishes whose mailbox never answered,
    ``previous_addresses`` those of before a change that can't be taken back any more, ``networks``
    hashes of where readers agreed from, ``confirmations`` counts of those that were mailed
    to an address, ``changes`` lines of the change log whose
    detail is emptied, ``deliveries`` rows of issues
    that become counts, ``system_mail`` old letters, ``clicks`` which reader
    clicked on which link, ``versions`` what editors saved of issues on their way.
    """

    unconfirmed: int
    long_gone: int
    wanted_addresses: int
    previous_addresses: int
    networks: int
    confirmations: int
    changes: int
    deliveries: int
    system_mail: int
    clicks: int
    versions: int


def expire_at_night(installation: Installation) -> None:
    """`expire` in the hour after three at night, where the paper is; again does nothing."""
    zone = installation.settings().publication.zone
    if installation.clock.now().astimezone(zone).hour == NIGHT_HOUR:
        expire(installation)


def find_expired(installation: Installation) -> Expired:
    """What `expire` would let go now."""
    privacy, now = installation.privacy, installation.clock.now()
    with installation.database.read() as tx:
        kept = tx.retention
        return Expired(
            unconfirmed=len(kept.unconfirmed(_before(now, privacy.unconfirmed_days), _ALL))
            + kept.count_wishes(_before(now, privacy.unconfirmed_days))
            + len(kept.without_subscription(_before(now, privacy.unconfirmed_days), _ALL)),
            long_gone=len(kept.long_gone(_before(now, privacy.unsubscribed_days), _ALL)),
            wanted_addresses=kept.count_wanted_addresses(now - CONFIRM_WITHIN),
            previous_addresses=kept.count_previous_addresses(now - TAKE_BACK_WITHIN),
            networks=kept.count_networks(_before(now, privacy.network_days)),
            confirmations=kept.count_confirmations(
                now - QUIET_TIME, _before(now, privacy.confirmations_days)
            ),
            changes=kept.count_changes(_before(now, privacy.change_log_days)),
            deliveries=kept.count_deliveries(_before(now, privacy.ledger_days)),
            system_mail=kept.count_system_mail(_before(now, privacy.ledger_days)),
            clicks=kept.count_clicks(_before(now, privacy.ledger_days)),
            versions=kept.count_versions(now - VERSIONS_KEPT_FOR),
        )


def expire(installation: Installation) -> Expired:
    """Let go of all that was kept for its time, in small steps; how much that was."""
    database, keyring = installation.database, installation.keyring
    privacy, now = installation.privacy, installation.clock.now()
    expired = Expired(
        unconfirmed=_drop_unconfirmed(database, privacy, now)
        + _repeat(
            database,
            lambda tx: tx.retention.drop_wishes(_before(now, privacy.unconfirmed_days), _ROWS),
        )
        + _drop_without_subscription(database, privacy, now),
        long_gone=_forget_long_gone(database, keyring, privacy, now),
        wanted_addresses=_repeat(
            database, lambda tx: tx.retention.drop_wanted_addresses(now - CONFIRM_WITHIN, _ROWS)
        ),
        previous_addresses=_repeat(
            database,
            lambda tx: tx.retention.drop_previous_addresses(now - TAKE_BACK_WITHIN, _ROWS),
        ),
        networks=_repeat(
            database,
            lambda tx: tx.retention.drop_networks(_before(now, privacy.network_days), _ROWS),
        ),
        confirmations=_repeat(
            database,
            lambda tx: tx.retention.drop_confirmations(
                now - QUIET_TIME, _before(now, privacy.confirmations_days), _ROWS
            ),
        ),
        changes=_repeat(
            database,
            lambda tx: tx.retention.blank_changes(_before(now, privacy.change_log_days), _ROWS),
        ),
        deliveries=_fold(database, _before(now, privacy.ledger_days)),
        system_mail=_repeat(
            database,
            lambda tx: tx.retention.drop_system_mail(_before(now, privacy.ledger_days), _PEOPLE),
        ),
        clicks=_repeat(
            database, lambda tx: tx.retention.drop_clicks(_before(now, privacy.ledger_days), _ROWS)
        ),
        versions=_repeat(
            database, lambda tx: tx.retention.drop_versions(now - VERSIONS_KEPT_FOR, _PEOPLE)
        ),
    )
    if any(asdict(expired).values()):
        log.info("expired", **asdict(expired))
    return expired


def _drop_unconfirmed(database: Database, privacy: PrivacyTable, now: datetime) -> int:
    before, dropped = _before(now, privacy.unconfirmed_days), 0
    with database.read() as tx:
        found = tx.retention.unconfirmed(before, _ALL)
    for some in _in_parts(found):
        with database.write() as tx:
            for subscriber_id, newsletter in some:
                subscription = tx.subscribers.subscription(subscriber_id, newsletter)
                # Who has confirmed, or asked again, since they were found stays.
                if (
                    subscription is None
                    or subscription.state is not SubscriptionState.PENDING
                    or subscription.changed_at >= before
                ):
                    continue
                if tx.retention.drop_subscription(subscriber_id, newsletter):
                    tx.subscribers.forget(subscriber_id, now, ACTOR)
                dropped += 1
    return dropped


def _drop_without_subscription(database: Database, privacy: PrivacyTable, now: datetime) -> int:
    """Erase people whom nothing keeps, as those whom no confirmation could go to."""
    before, dropped = _before(now, privacy.unconfirmed_days), 0
    with database.read() as tx:
        found = tx.retention.without_subscription(before, _ALL)
    for some in _in_parts(found):
        with database.write() as tx:
            for subscriber_id in some:
                if tx.subscribers.by_id(subscriber_id) and not tx.subscribers.subscriptions(
                    subscriber_id
                ):
                    tx.subscribers.forget(subscriber_id, now, ACTOR)
                    dropped += 1
    return dropped


def _forget_long_gone(
    database: Database, keyring: Keyring, privacy: PrivacyTable, now: datetime
) -> int:
    """Erase who left long ago; the keyed hash stays, so that no import brings them back."""
    before, forgotten = _before(now, privacy.unsubscribed_days), 0
    with database.read() as tx:
        found = tx.retention.long_gone(before, _ALL)
    for some in _in_parts(found):
        with database.write() as tx:
            for subscriber_id in some:
                theirs = tx.subscribers.subscriptions(subscriber_id)
                asks = bool(tx.wishes.of(subscriber_id))
                if (
                    not theirs
                    or asks
                    or not all(
                        one.state is SubscriptionState.UNSUBSCRIBED and one.changed_at < before
                        for one in theirs
                    )
                ):
                    continue
                forget_reader(tx, keyring, theirs[0].subscriber, actor=ACTOR, now=now)
                forgotten += 1
    return forgotten


def _in_parts(found: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(found), _PEOPLE):
        yield found[start : start + _PEOPLE]


def _fold(database: Database, before: datetime) -> int:
    """Fold issue by issue, along the ledger's key: each step costs the same in any ledger."""
    with database.read() as tx:
        stretches = [
            (issue, keys)
            for issue in tx.retention.old_issues(before)
            for keys in tx.retention.stretches(issue, _ROWS)
        ]
    folded = 0
    for issue, keys in stretches:
        with database.write() as tx:
            folded += tx.retention.fold_stretch(issue, keys)
    return folded


def _repeat(database: Database, step: Callable[[Transaction], int]) -> int:
    """Take ``step`` until nothing is left; how much it took in all."""
    taken = 0
    while True:
        with database.write() as tx:
            now_taken = step(tx)
        if not now_taken:
            return taken
        taken += now_taken


def _before(now: datetime, days: int) -> datetime:
    """What is older goes; with 0 days nothing does."""
    return now - timedelta(days=days) if days else datetime.min.replace(tzinfo=now.tzinfo)
