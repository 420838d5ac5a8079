"""Addresses that readers have given up for others, by their keyed hashes alone."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.storage import tables as t
from newsletter.storage.statements import insert_into, subscriber_key

_former = t.former_address.c


class FormerAddresses:
    """Whose an address was, as long as nobody else has confirmed with it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, public_id: str, address_hash: str, at: datetime) -> None:
        """Note that a reader has given up an address."""
        values = {"subscriber_id": subscriber_key(self._connection, public_id), "since": at}
        self._connection.execute(
            insert_into(self._connection, t.former_address)
            .values(address_hash=address_hash, **values)
            .on_conflict_do_update(index_elements=["address_hash"], set_=values)
        )

    def hashes(self, public_id: str) -> list[str]:
        """Of all that a reader has given up, the first in front."""
        rows = self._connection.scalars(
            sa.select(_former.address_hash)
            .join_from(t.former_address, t.subscriber)
            .where(t.subscriber.c.public_id == public_id)
            .order_by(_former.since, _former.address_hash)
        )
        return list(rows)

    def drop(self, address_hash: str) -> None:
        """Its mailbox has answered for somebody: it is nobody's former address any more."""
        self._connection.execute(
            sa.delete(t.former_address).where(_former.address_hash == address_hash)
        )

    def pass_on(self, public_id: str, heir: str) -> None:
        """Make what a reader has given up another's, who takes their place."""
        keys = [subscriber_key(self._connection, one) for one in (public_id, heir)]
        self._connection.execute(
            sa.update(t.former_address)
            .where(_former.subscriber_id == keys[0])
            .values(subscriber_id=keys[1])
        )
