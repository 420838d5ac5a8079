"""A person is erased; only a keyed hash stays, so that no import brings them back."""

from datetime import datetime

from newsletter.errors import NotFound
from newsletter.storage.database import Database
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.address import limit_address, normalise_address
from newsletter.subscribers.model import Subscriber, SuppressionReason
from newsletter.tokens import Keyring


def forget_subscriber(
    database: Database, keyring: Keyring, address: str, *, actor: str, now: datetime
) -> None:
    """Erase a person; only a keyed hash stays, so that no import brings them back."""
    normal = normalise_address(address)
    with database.write() as tx:
        subscriber = tx.subscribers.find(normal)
        if subscriber is None:
            raise NotFound(f"no subscriber has the address {normal}", subject="address")
        forget_reader(tx, keyring, subscriber, actor=actor, now=now)


def forget_reader(
    tx: Transaction, keyring: Keyring, reader: Subscriber, *, actor: str, now: datetime
) -> None:
    """Erase a person in a transaction, and keep the hash unless a suppression holds it already.

    So for each address that they have given up. Confirmations that were answered are counted
    no more; the others keep whoever types in the address from having it mailed anew.
    """
    hashes = [*tx.former_addresses.hashes(reader.public_id), keyring.hash_address(reader.address)]
    tx.subscribers.forget(reader.public_id, now, actor)
    tx.sign_ups.forget_answered(keyring.hash_address(limit_address(reader.address)))
    for address_hash in hashes:
        if tx.subscribers.suppression(address_hash) is None:
            tx.subscribers.suppress(address_hash, SuppressionReason.FORGOTTEN, now, actor)
