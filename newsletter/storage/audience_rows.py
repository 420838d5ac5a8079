"""A newsletter's audience as it stands, read without queueing anything."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.issues.model import Choice
from newsletter.storage import tables as t
from newsletter.storage.columns import NameList
from newsletter.storage.statements import CHUNK, domain_of, newsletter_key
from newsletter.storage.subscribers import mailable
from newsletter.subscribers.model import Segment

_public_id = t.subscriber.c.public_id
_CHOICE = (t.subscriber.c.language, t.subscription.c.departments)


class AudienceRow(NamedTuple):
    """A reader as the ledger would have them."""

    recipient_id: str
    address: str
    domain: str
    choice: Choice


@dataclass(frozen=True)
class AudiencePlace:
    """How far one has read: behind ``after``, in the half that begins with ``key`` or the other."""

    key: str
    second_half: bool = False
    after: str = ""


@dataclass(frozen=True)
class AudienceDomains:
    """The recipient domains with most readers, most first, and the readers at all the others."""

    named: tuple[tuple[str, int], ...] = ()
    others: int = 0

    @property
    def readers(self) -> int:
        """The whole audience."""
        return self.others + sum(count for _, count in self.named)


class AudienceRows:
    """Readers who are active and not suppressed, in the order of `audience.reader_order`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(
        self,
        newsletter: str,
        place: AudiencePlace,
        looked_at: int = CHUNK,
        segment: Segment | None = None,
    ) -> tuple[Sequence[AudienceRow], AudiencePlace | None]:
        """The readers among the next ``looked_at`` subscribers, and where to go on, if anywhere.

        Each page is asked for anew: reading a million in one transaction would
        keep the database from tidying up after everybody else for minutes.
        """
        half = _public_id < place.key if place.second_half else _public_id >= place.key
        people = self._connection.execute(
            sa.select(t.subscriber.c.id, _public_id)
            .where(half, _public_id > place.after)
            .order_by(_public_id)
            .limit(looked_at)
        ).all()
        following: AudiencePlace | None
        if len(people) == looked_at:
            following = replace(place, after=people[-1].public_id)
        else:
            following = None if place.second_half else AudiencePlace(place.key, second_half=True)
        # Named by their keys: else SQLite goes through all subscriptions for every page.
        audience = self._audience(newsletter, segment)
        rows = self._connection.execute(
            audience.with_only_columns(
                _public_id,
                t.subscriber.c.address,
                domain_of(self._connection, t.subscriber.c.address),
                *_CHOICE,
            )
            .where(t.subscriber.c.id.in_([person.id for person in people]))
            .order_by(_public_id)
        )
        return [
            AudienceRow(recipient_id, address, domain, Choice(language, departments or ()))
            for recipient_id, address, domain, language, departments in rows
        ], following

    def choices(
        self,
        newsletter: str,
        *,
        only_departments: bool = False,
        segment: Segment | None = None,
    ) -> dict[Choice, int]:
        """How many readers made each choice; ``only_departments``: of those who chose some."""
        wanted = (
            t.subscription.c.departments > sa.literal((), NameList())
            if only_departments
            else sa.true()
        )
        audience = self._audience(newsletter, segment).where(wanted)
        rows = self._connection.execute(
            audience.with_only_columns(*_CHOICE, sa.func.count()).group_by(*_CHOICE)
        )
        found: Counter[Choice] = Counter()
        for language, departments, readers in rows:
            found[Choice(language, departments or ())] += readers
        return dict(found)

    def domains(
        self, newsletter: str, named: int, segment: Segment | None = None
    ) -> AudienceDomains:
        """The ``named`` largest recipient domains, and the rest."""
        domain = domain_of(self._connection, t.subscriber.c.address).label("domain")
        audience = self._audience(newsletter, segment)
        part = audience.with_only_columns(domain).subquery()
        readers = sa.func.count()
        rows = self._connection.execute(
            sa.select(part.c.domain, readers, sa.func.sum(readers).over())
            .group_by(part.c.domain)
            .order_by(readers.desc(), part.c.domain)
            .limit(named)
        ).all()
        if not rows:
            return AudienceDomains()
        found = tuple((domain, count) for domain, count, _ in rows)
        return AudienceDomains(found, int(rows[0][2]) - sum(count for _, count in found))

    def _audience(self, newsletter: str, segment: Segment | None) -> sa.Select[Any]:
        key = newsletter_key(self._connection, newsletter)
        return mailable(self._connection, key, segment)
