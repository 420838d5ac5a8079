"""Subscribers by the million: made inside the database, for only their mail is measured."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bench.paper import DEPARTMENTS
from newsletter.storage import tables as t
from newsletter.subscribers.model import SubscriptionState
from newsletter.workflows.installation import Installation

_CACHE_KIB = 512 * 1024
# As long and as random as our public ids and address hashes: the indexes have to bear that.
_RANDOM = {
    "sqlite": ("lower(hex(randomblob(8)))", "lower(hex(randomblob(26)))"),
    "postgresql": (
        "substr(md5(random()::text), 1, 16)",
        "substr(md5(random()::text) || md5(random()::text), 1, 52)",
    ),
}
# One reader in two is at one of four large providers, the rest in two hundred small places.
_ADDRESS = (
    "'reader' || i || CASE i % 2 WHEN 0 THEN '@mail-' || (i / 2 % 4) "
    "ELSE '@town-' || (i / 2 % 200) END || '.example'"
)


# Half of the readers never chose departments; each other left one of them out.
_CHOICES = [
    ";".join(sorted(set(DEPARTMENTS) - {left_out}, key=str.casefold)) for left_out in DEPARTMENTS
]
# Of languages two in three readers are known to prefer one.
_LANGUAGES = (None, "en", "hy")


def add_readers(
    installation: Installation,
    newsletter: str,
    count: int,
    now: datetime,
    *,
    with_choices: bool = False,
) -> None:
    """Add ``count`` active subscribers of the newsletter of that slug to an empty database.

    ``with_choices``: of languages and departments, for an issue in variants.
    """
    numbers = sa.select(sa.literal(0).label("i")).cte("numbers", recursive=True)
    numbers = numbers.union_all(sa.select(numbers.c.i + 1).where(numbers.c.i < count - 1))
    with installation.database.write() as tx:
        dialect = tx.connection.dialect.name
        if dialect == "sqlite":
            # Random keys all over the indexes: with the usual 2 MB it would write more than add.
            tx.connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")
        public_id, address_hash = _RANDOM[dialect]
        people: dict[str, Any] = {
            "public_id": sa.literal_column(public_id),
            "address": sa.literal_column(_ADDRESS),
            "address_hash": sa.literal_column(address_hash),
            "created_at": sa.literal(now, t.subscriber.c.created_at.type),
        }
        if with_choices:
            people["language"] = _by_turns(numbers.c.i, _LANGUAGES)
        rows = sa.select(*people.values()).select_from(numbers)
        tx.connection.execute(sa.insert(t.subscriber).from_select(list(people), rows))
        newsletter_id = tx.connection.scalar(
            sa.select(t.newsletter.c.id).where(t.newsletter.c.slug == newsletter)
        )
        subscriptions: dict[str, Any] = {
            "subscriber_id": t.subscriber.c.id,
            "newsletter_id": sa.literal(newsletter_id, t.newsletter.c.id.type),
            "state": sa.literal(SubscriptionState.ACTIVE.value),
            "changed_at": sa.literal(now, t.subscription.c.changed_at.type),
            "consent_how": sa.literal("import"),
            "consent_wording": sa.literal("made up by the bench"),
            "consent_placement": sa.literal(""),
            "consent_at": sa.literal(now, t.subscription.c.consent_at.type),
        }
        if with_choices:
            turn = t.subscriber.c.id // len(_LANGUAGES)
            nobody_asked = [None] * len(_CHOICES)
            subscriptions["departments"] = _by_turns(turn, (*nobody_asked, *_CHOICES))
        everybody = sa.select(*subscriptions.values())
        tx.connection.execute(sa.insert(t.subscription).from_select(list(subscriptions), everybody))
        if dialect == "postgresql":
            for table in ("subscriber", "subscription"):
                tx.connection.exec_driver_sql(f"ANALYZE {table}")


def _by_turns(
    number: sa.ColumnElement[int], values: Sequence[str | None]
) -> sa.ColumnElement[str | None]:
    """Each of ``values`` in its turn."""
    cases = {place: sa.literal(value, sa.Text) for place, value in enumerate(values) if value}
    return sa.case(cases, value=number % len(values), else_=sa.null())
