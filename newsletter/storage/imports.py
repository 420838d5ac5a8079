"""Imports of readers: how far each came, whom we know of a list, and what it changes of theirs.

Whom it adds is in `import_additions`, and how it is taken back in `import_undo`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.errors import Conflict, NotFound
from newsletter.storage import tables as t
from newsletter.storage.changes import Change, ChangeLog
from newsletter.storage.columns import NameList
from newsletter.storage.import_keys import import_key, reader_names, walk_indexes
from newsletter.storage.statements import (
    among_texts,
    chunks,
    fence,
    insert_into,
    newsletter_key,
)
from newsletter.subscribers.model import (
    Consent,
    Learned,
    Standing,
    SubscriberImport,
    SubscriptionState,
)

_UNSUBSCRIBED = SubscriptionState.UNSUBSCRIBED.value
_IMPORTS = sa.select(
    t.subscriber_import.c.public_id,
    t.newsletter.c.slug,
    *(
        t.subscriber_import.c[name]
        for name in (
            *("digest", "file", "format", "consent", "actor"),
            *("started_at", "finished_at", "undone_at", "rows", "counts"),
            *("undo_wanted_by", "undo_problem"),
        )
    ),
).join_from(t.subscriber_import, t.newsletter)


class ImportRepository:
    """Imports by public id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changes = ChangeLog(connection)

    def start(self, begun: SubscriberImport) -> None:
        """Write down that an import begins."""
        row = t.subscriber_import.c
        values = {
            row[name]: getattr(begun, name)
            for name in (
                *("public_id", "digest", "file", "format", "consent", "actor"),
                *("started_at", "rows"),
            )
        }
        self._connection.execute(
            sa.insert(t.subscriber_import).values(
                {
                    **values,
                    row.newsletter_id: newsletter_key(self._connection, begun.newsletter),
                    row.counts: dict(begun.counts),
                }
            )
        )

    def get(self, public_id: str) -> SubscriberImport:
        """NotFound where there is none of that id."""
        found = self._one(t.subscriber_import.c.public_id == public_id)
        if found is None:
            raise NotFound(f'there is no import "{public_id}"', subject=public_id)
        return found

    def unfinished(self, newsletter: str, digest: str) -> SubscriberImport | None:
        """The import of that very file onto that newsletter that broke off, if one did."""
        row = t.subscriber_import.c
        return self._one(
            t.newsletter.c.slug == newsletter,
            row.digest == digest,
            row.finished_at.is_(None),
            row.undone_at.is_(None),
        )

    def all(self, most: int | None = None) -> list[SubscriberImport]:
        """Every import, the newest first; at most ``most``."""
        rows = self._connection.execute(
            _IMPORTS.order_by(t.subscriber_import.c.id.desc()).limit(most)
        )
        return [SubscriberImport(*row) for row in rows]

    def want_undo(self, public_id: str, actor: str) -> bool:
        """Note that an import is to be taken back; False where that is so, or was done, already."""
        row = t.subscriber_import.c
        return bool(
            self._connection.execute(
                sa.update(t.subscriber_import)
                .where(
                    row.public_id == public_id,
                    sa.or_(row.undone_at.is_(None), row.undo_problem != ""),
                    row.undo_wanted_by == "",
                )
                .values(undo_wanted_by=actor, undo_problem="")
            ).rowcount
        )

    def undo_wanted(self) -> SubscriberImport | None:
        """An import that is to be taken back and was not yet, or not to its end."""
        return self._one(t.subscriber_import.c.undo_wanted_by != "")

    def end_undo(self, public_id: str, problem: str = "") -> None:
        """Nothing more is to be done about it; ``problem`` is why it was not brought to its end."""
        self._connection.execute(
            sa.update(t.subscriber_import)
            .where(t.subscriber_import.c.public_id == public_id)
            .values(undo_wanted_by="", undo_problem=problem)
        )

    def advance(
        self,
        public_id: str,
        *,
        rows_before: int,
        rows: int,
        counts: Mapping[str, int],
        finished_at: datetime | None = None,
    ) -> None:
        """Write down how far an import came; Conflict where another process moved it."""
        row = t.subscriber_import.c
        moved = self._connection.execute(
            sa.update(t.subscriber_import)
            .where(row.public_id == public_id, row.rows == rows_before, row.undone_at.is_(None))
            .values(rows=rows, counts=dict(counts), finished_at=finished_at)
        ).rowcount
        if not moved:
            raise Conflict(
                "this file is being imported, or its import taken back, by somebody else",
                subject=public_id,
            )

    def people(self) -> int:
        """About how many people there are: at least as many."""
        return self._connection.scalar(sa.select(sa.func.max(t.subscriber.c.id))) or 0

    def standings(self, newsletter: str, addresses: Collection[str]) -> dict[str, Standing]:
        """What we hold of those of some addresses that are known, by address."""
        address = t.subscriber.c.address
        return self._standings(newsletter, t.subscriber, address, addresses)

    def former_standings(self, newsletter: str, hashes: Collection[str]) -> dict[str, Standing]:
        """What we hold of the readers who have given up some addresses, by the address's hash."""
        former = t.former_address.c.address_hash
        if self._connection.scalar(sa.select(former).limit(1)) is None:
            return {}
        people = t.former_address.join(t.subscriber)
        return self._standings(newsletter, people, former, hashes)

    def _standings(
        self,
        newsletter: str,
        people: sa.FromClause,
        known_by: sa.Column[str],
        names: Collection[str],
    ) -> dict[str, Standing]:
        walk_indexes(self._connection)
        person, theirs = t.subscriber.c, t.subscription.c
        rows = self._connection.execute(
            sa.select(
                known_by,
                person.id,
                theirs.state,
                theirs.departments,
                person.timezone,
                person.attributes,
            )
            .select_from(people)
            .outerjoin(
                t.subscription,
                sa.and_(
                    theirs.subscriber_id == person.id,
                    theirs.newsletter_id == newsletter_key(self._connection, newsletter),
                ),
            )
            .where(among_texts(self._connection, known_by, names))
        )
        return {
            name: Standing(
                key,
                SubscriptionState(state) if state else None,
                departments,
                timezone,
                attributes or {},
            )
            for name, key, state, departments, timezone, attributes in rows
        }

    def hold(self, readers: Collection[int], *, leaves: bool) -> None:
        """Hold readers by their rows before anything of theirs is changed, all in one order:
        no two imports wait for each other. ``leaves``: some of them are let go."""
        if self._connection.dialect.name == "sqlite" or not readers:
            return
        if leaves:
            fence(self._connection)
        person = t.subscriber.c.id
        for keys in chunks(sorted(readers)):
            self._connection.execute(
                sa.select(person)
                .where(person.in_(keys))
                .order_by(person)
                .with_for_update(key_share=True)
            )

    def keep_left(
        self,
        newsletter: str,
        readers: Collection[int],
        consent: Consent,
        at: datetime,
        actor: str,
        import_id: str | None = None,
    ) -> None:
        """Keep of readers by their rows, who are not on a newsletter, that they have left it."""
        if not readers:
            return
        newsletter_id = newsletter_key(self._connection, newsletter)
        cause = import_key(self._connection, import_id) if import_id else None
        theirs, person = t.subscription.c, t.subscriber.c
        values = {
            "newsletter_id": newsletter_id,
            "state": _UNSUBSCRIBED,
            "changed_at": at,
            "consent_how": consent.how,
            "consent_wording": consent.wording,
            "consent_placement": consent.placement,
            "consent_at": consent.at,
            "import_id": cause,
        }
        given = [sa.literal(value, theirs[name].type) for name, value in values.items()]
        kept: list[int] = []
        for keys in chunks(readers):
            rows = sa.select(person.id, *given).where(person.id.in_(keys))
            kept += self._connection.scalars(
                insert_into(self._connection, t.subscription)
                .from_select(["subscriber_id", *values], rows)
                .on_conflict_do_nothing(index_elements=["subscriber_id", "newsletter_id"])
                .returning(theirs.subscriber_id)
            )
        self._log_left(newsletter, kept, at, actor, import_id)

    def take_off(
        self,
        newsletter: str,
        leaving: Sequence[Standing],
        at: datetime,
        actor: str,
        import_id: str | None = None,
    ) -> None:
        """Let subscriptions go, remembering for `give_back` where they were."""
        if not leaving:
            return
        fence(self._connection)
        newsletter_id = newsletter_key(self._connection, newsletter)
        cause = import_key(self._connection, import_id) if import_id else None
        theirs = t.subscription.c
        if cause is not None:
            before = (
                sa.select(
                    sa.literal(cause, theirs.import_id.type),
                    theirs.subscriber_id,
                    theirs.state,
                    theirs.import_id,
                )
                # An import that takes off whom it brought has nothing to give back.
                .where(theirs.import_id.is_distinct_from(cause), self._of(newsletter_id, leaving))
            )
            statement = insert_into(self._connection, t.import_trace).from_select(
                ["import_id", "subscriber_id", "was_state", "was_import_id"], before
            )
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["import_id", "subscriber_id"],
                    set_={
                        name: statement.excluded[name] for name in ("was_state", "was_import_id")
                    },
                )
            )
        self._connection.execute(
            sa.update(t.subscription)
            .where(self._of(newsletter_id, leaving), theirs.state != _UNSUBSCRIBED)
            .values(state=_UNSUBSCRIBED, left_from=theirs.state, changed_at=at, import_id=cause)
        )
        self._log_left(newsletter, [one.key for one in leaving], at, actor, import_id)

    def learn(self, newsletter: str, news: Sequence[Learned], import_id: str | None = None) -> None:
        """Keep what was not known of readers, remembering it for `unlearn`."""
        if not news:
            return
        person, theirs = t.subscriber.c, t.subscription.c
        known = {
            key: (timezone, attributes or {})
            for key, timezone, attributes in self._connection.execute(
                sa.select(person.id, person.timezone, person.attributes).where(
                    person.id.in_([one.key for one in news])
                )
            )
        }
        people = []
        for one in news:
            timezone, attributes = known.get(one.key, (None, {}))
            people.append(
                {
                    "its_key": one.key,
                    "its_timezone": timezone or one.timezone,
                    "its_attributes": {**(one.attributes or {}), **attributes} or None,
                }
            )
        self._connection.execute(
            sa.update(t.subscriber)
            .where(person.id == sa.bindparam("its_key"))
            .values(
                timezone=sa.bindparam("its_timezone", type_=person.timezone.type),
                attributes=sa.bindparam("its_attributes", type_=person.attributes.type),
            ),
            people,
        )
        chosen = [
            {"its_key": one.key, "its_departments": one.departments}
            for one in news
            if one.departments
        ]
        if chosen:
            self._connection.execute(
                sa.update(t.subscription)
                .where(
                    theirs.subscriber_id == sa.bindparam("its_key"),
                    theirs.newsletter_id == newsletter_key(self._connection, newsletter),
                    theirs.departments.is_(None),
                )
                .values(departments=sa.bindparam("its_departments", type_=NameList())),
                chosen,
            )
        if import_id is not None:
            cause = import_key(self._connection, import_id)
            statement = insert_into(self._connection, t.import_trace)
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["import_id", "subscriber_id"],
                    set_={"learned": statement.excluded.learned},
                ),
                [
                    {
                        "import_id": cause,
                        "subscriber_id": one.key,
                        "learned": {
                            "timezone": one.timezone,
                            "departments": list(one.departments),
                            "attributes": dict(one.attributes or {}),
                        },
                    }
                    for one in news
                ],
            )

    def mark_suppressions(self, hashes: Collection[str], import_id: str) -> None:
        """Note of suppressions just made that this import caused them."""
        self._connection.execute(
            sa.update(t.suppression)
            .where(among_texts(self._connection, t.suppression.c.address_hash, hashes))
            .values(import_id=import_key(self._connection, import_id))
        )

    def _log_left(
        self,
        newsletter: str,
        readers: Collection[int],
        at: datetime,
        actor: str,
        import_id: str | None,
    ) -> None:
        detail = {"newsletter": newsletter, "reason": "import"}
        detail |= {"import": import_id} if import_id else {}
        self._changes.record_all(
            Change(at, actor, "subscription", name, _UNSUBSCRIBED, detail)
            for name in reader_names(self._connection, readers).values()
        )

    def _one(self, *where: sa.ColumnElement[bool]) -> SubscriberImport | None:
        row = self._connection.execute(_IMPORTS.where(*where)).first()
        return SubscriberImport(*row) if row else None

    def _of(self, newsletter_id: int, people: Sequence[Standing]) -> sa.ColumnElement[bool]:
        theirs = t.subscription.c
        return sa.and_(
            theirs.newsletter_id == newsletter_id,
            theirs.subscriber_id.in_([one.key for one in people]),
        )
