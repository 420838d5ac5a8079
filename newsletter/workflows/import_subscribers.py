"""Editors bring readers in and out: one by one, from a file, to a file.

Whoever left or was suppressed stays so, whatever a file says; whoever a file
says has left is let go. Of readers who are there already only a time zone and
departments that were not known are taken. Repeating an import does nothing more.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TextIO

from newsletter.errors import NotFound, UsageError
from newsletter.log import get_logger, mask_address
from newsletter.publication.zones import find_zone
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.address import normalise_address
from newsletter.subscribers.csv_export import write_subscribers
from newsletter.subscribers.csv_import import (
    Addition,
    ImportStatus,
    RefusedRow,
    SubscriberFile,
    parse_language,
)
from newsletter.subscribers.departments import parse_departments
from newsletter.subscribers.model import (
    Consent,
    Subscriber,
    SubscriptionState,
    SuppressionReason,
)
from newsletter.subscribers.names import clean_name
from newsletter.subscribers.states import MOVES, SubscriptionAct
from newsletter.tokens import Keyring, new_public_id

log = get_logger(__name__)

# Rows a transaction: SQLite's one writer is free again within a fraction of a second.
BATCH_ROWS = 500
# How many refused rows a report names; the rest is only counted.
NAMED_REFUSALS = 1000


class Imported(StrEnum):
    """What became of one address."""

    ADDED = "added"
    ALREADY_THERE = "already there"
    LEFT_EARLIER = "left earlier"
    SUPPRESSED = "suppressed"
    WAITS_FOR_CONFIRMATION = "waits for confirmation"
    TAKEN_OFF = "taken off"


@dataclass
class ImportReport:
    """An import's rows by what became of them; together they are all of the file's."""

    outcomes: dict[Imported, int] = field(default_factory=lambda: dict.fromkeys(Imported, 0))
    refused: int = 0
    refused_rows: list[RefusedRow] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.refused + sum(self.outcomes.values())

    def count(self, row: RefusedRow | Imported) -> None:
        if isinstance(row, Imported):
            self.outcomes[row] += 1
            return
        self.refused += 1
        if len(self.refused_rows) < NAMED_REFUSALS:
            self.refused_rows.append(row)


def add_subscriber(
    database: Database,
    keyring: Keyring,
    *,
    newsletter: str,
    address: str,
    wording: str,
    actor: str,
    now: datetime,
    name: str = "",
    language: str | None = None,
    timezone: str | None = None,
    departments: str = "",
) -> Imported:
    """Subscribe one person whose consent an editor holds; ``wording`` says where from.

    ``departments`` are parted by ";"; empty for all.
    """
    if timezone is not None and find_zone(timezone) is None:
        raise UsageError(
            f'no time zone is called "{timezone}"; use a name such as Asia/Yerevan',
            subject="timezone",
        )
    addition = Addition(
        0,
        normalise_address(address),
        clean_name(name),
        parse_language(language or ""),
        ImportStatus.ACTIVE,
        timezone,
        parse_departments(departments),
    )
    consent = Consent(how="editor", wording=wording, at=now)
    with database.write() as tx:
        tx.settings.newsletter_id(newsletter)
        return _apply(tx, keyring, newsletter, addition, consent, actor, now)


def import_subscribers(
    database: Database,
    keyring: Keyring,
    file: SubscriberFile,
    *,
    newsletter: str,
    consent: str,
    actor: str,
    now: datetime,
    on_progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Bring the rows of ``file`` onto ``newsletter``, a batch a transaction.

    ``consent`` says in words how these people agreed; it is their evidence.
    ``on_progress`` is told the number of rows read so far. A run that breaks
    off may be repeated: what is there already is passed over.
    """
    with database.read() as tx:
        tx.settings.newsletter_id(newsletter)  # NotFound before anything is written
    report = ImportReport()
    evidence = Consent(how="import", wording=consent, at=now)
    for batch in _batches(file.rows()):
        with database.write() as tx:
            results = [
                row
                if isinstance(row, RefusedRow)
                else _apply(tx, keyring, newsletter, row, evidence, actor, now)
                for row in batch
            ]
        for result in results:
            report.count(result)
        if on_progress is not None:
            on_progress(report.rows)
    log.info(
        "subscribers_imported",
        newsletter=newsletter,
        refused=report.refused,
        **{str(outcome).replace(" ", "_"): n for outcome, n in report.outcomes.items()},
    )
    return report


def export_subscribers(database: Database, newsletter: str | None, stream: TextIO) -> int:
    """Write everyone on ``newsletter`` (None: on all) as CSV to ``stream``; how many rows."""
    with database.read() as tx:
        if newsletter is not None:
            tx.settings.newsletter_id(newsletter)
        return write_subscribers(tx.subscribers.each(newsletter), stream)


def suppress_address(
    database: Database,
    keyring: Keyring,
    address: str,
    reason: SuppressionReason,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Mail this address no more, known or not, until somebody lifts it."""
    normal = normalise_address(address)
    with database.write() as tx:
        tx.subscribers.suppress(keyring.hash_address(normal), reason, now, actor)
    log.info("address_suppressed", address=mask_address(normal), reason=str(reason))


def lift_suppression(
    database: Database, keyring: Keyring, address: str, *, actor: str, now: datetime
) -> bool:
    """Allow mail to this address again; False where nothing was in the way."""
    with database.write() as tx:
        return tx.subscribers.unsuppress(
            keyring.hash_address(normalise_address(address)), now, actor
        )


def forget_subscriber(
    database: Database, keyring: Keyring, address: str, *, actor: str, now: datetime
) -> None:
    """Erase a person; only a keyed hash stays, so that no import brings them back."""
    normal = normalise_address(address)
    with database.write() as tx:
        subscriber = tx.subscribers.find(normal)
        if subscriber is None:
            raise NotFound(f"no subscriber has the address {normal}", subject="address")
        tx.subscribers.forget(subscriber.public_id, now, actor)
        address_hash = keyring.hash_address(normal)
        if tx.subscribers.suppression(address_hash) is None:
            tx.subscribers.suppress(address_hash, SuppressionReason.FORGOTTEN, now, actor)


def _apply(
    tx: Transaction,
    keyring: Keyring,
    newsletter: str,
    row: Addition,
    consent: Consent,
    actor: str,
    now: datetime,
) -> Imported:
    address_hash = keyring.hash_address(row.address)
    suppression = tx.subscribers.suppression(address_hash)
    if row.status is ImportStatus.BOUNCED and suppression is None:
        tx.subscribers.suppress(address_hash, SuppressionReason.BOUNCED, now, actor)
    elif suppression is not None:
        return Imported.SUPPRESSED
    subscriber = tx.subscribers.add(
        Subscriber(new_public_id(), row.address, now, row.name, row.language, row.timezone),
        address_hash,
    )
    if row.timezone is not None and subscriber.timezone is None:
        # How else would it be learned of those who are there already?
        tx.subscribers.learn_timezone(subscriber.public_id, row.timezone)
    wanted = _state(row.status)
    subscription = tx.subscribers.subscription(subscriber.public_id, newsletter)
    if subscription is None:
        tx.subscribers.subscribe(subscriber.public_id, newsletter, wanted, consent, now, actor)
        _learn_departments(tx, subscriber, newsletter, row, actor, now)
        return Imported.TAKEN_OFF if wanted is SubscriptionState.UNSUBSCRIBED else Imported.ADDED
    if wanted is SubscriptionState.UNSUBSCRIBED:
        move = MOVES[SubscriptionAct.UNSUBSCRIBE]
        moved = tx.subscribers.move(
            subscriber.public_id, newsletter, move.allowed, move.to, now, actor, "import"
        )
        return Imported.TAKEN_OFF if moved else Imported.LEFT_EARLIER
    _learn_departments(tx, subscriber, newsletter, row, actor, now)
    return _WHAT_IS_THERE[subscription.state]


def _learn_departments(
    tx: Transaction,
    subscriber: Subscriber,
    newsletter: str,
    row: Addition,
    actor: str,
    now: datetime,
) -> None:
    if row.departments:
        tx.subscribers.choose_departments(
            subscriber.public_id, newsletter, row.departments, now, actor, if_unknown=True
        )


_WHAT_IS_THERE = {
    SubscriptionState.ACTIVE: Imported.ALREADY_THERE,
    SubscriptionState.PAUSED: Imported.ALREADY_THERE,
    SubscriptionState.UNSUBSCRIBED: Imported.LEFT_EARLIER,
    # Perhaps somebody else typed the address in: only its owner can tell.
    SubscriptionState.PENDING: Imported.WAITS_FOR_CONFIRMATION,
}


def _state(status: ImportStatus) -> SubscriptionState:
    if status is ImportStatus.BOUNCED:
        return SubscriptionState.UNSUBSCRIBED
    return SubscriptionState(status.value)


def _batches(
    rows: Iterable[Addition | RefusedRow],
) -> Iterator[list[Addition | RefusedRow]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH_ROWS)):
        yield batch
