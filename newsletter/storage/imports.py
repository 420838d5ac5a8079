"""Imports of readers: brought in by the thousand, and taken back.

A batch goes through a table of its own connection, so that each step is one
statement over all its rows, whatever their number.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Column, Connection
from sqlalchemy.dialects.postgresql import REGCLASS

from newsletter.errors import Conflict, NotFound
from newsletter.publication.cadence import Cadence
from newsletter.storage import tables as t
from newsletter.storage.changes import Change, ChangeLog
from newsletter.storage.columns import Document, Instant, NameList, PlainText, RowId
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
    NewSubscription,
    Standing,
    SubscriberImport,
    SubscriptionState,
)

_UNSUBSCRIBED = SubscriptionState.UNSUBSCRIBED.value
# Random keys all over large indexes: with the usual 2 MiB SQLite writes them again and again,
# and more than this saves nothing where a batch goes through them in their order (measured).
_CACHE_KIB = 16 * 1024
# Nor is each batch copied from the write-ahead log into the file at once, where the next
# one changes the same pages: 160 MB of them may wait (a seventh less system time, measured).
_CHECKPOINT_PAGES = 40_000
_LARGE_BATCH = 1_000

_batch = sa.Table(
    "import_batch",
    sa.MetaData(),
    # The row that its person is to have, of which `_settle` makes the one that they have.
    Column("subscriber_id", RowId),
    Column("public_id", sa.String),
    Column("address", PlainText),
    Column("address_hash", sa.String),
    Column("name", PlainText),
    Column("language", PlainText),
    Column("timezone", sa.String),
    Column("attributes", Document),
    Column("domain_suppressed", sa.Boolean),
    Column("state", sa.String),
    Column("departments", NameList),
    Column("cadence", sa.String),
    Column("consent_wording", PlainText),
    Column("consent_placement", PlainText),
    Column("consent_at", Instant),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
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
        self._walk_indexes()
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

    def add(
        self,
        newsletter: str,
        people: Sequence[NewSubscription],
        at: datetime,
        actor: str,
        import_id: str | None = None,
    ) -> int:
        """Put people on a newsletter; how many were not on it yet. Their ``how`` is one."""
        if not people:
            return 0
        self._walk_indexes()
        if len(people) >= _LARGE_BATCH:
            self._make_room()
        self._fill(people)
        newsletter_id = newsletter_key(self._connection, newsletter)
        cause = self._key(import_id) if import_id else None
        how = people[0].consent.how
        detail = {"newsletter": newsletter, "how": how}
        detail |= {"import": import_id} if import_id else {}
        last = self._connection.scalar(sa.select(sa.func.max(t.subscription.c.id))) or 0
        if self._add_people(at, cause) < len(people):
            self._settle()
        added = self._add_subscriptions(newsletter_id, how, at, cause)
        self._log_subscriptions(newsletter_id, last, at, cause, actor, detail)
        return added

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
        cause = self._key(import_id) if import_id else None
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
        cause = self._key(import_id) if import_id else None
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
            cause = self._key(import_id)
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
            .values(import_id=self._key(import_id))
        )

    def begin_undo(self, public_id: str, at: datetime) -> None:
        """Write down that an import is taken back; it goes on no more."""
        row = t.subscriber_import.c
        self._connection.execute(
            sa.update(t.subscriber_import)
            .where(row.public_id == public_id, row.undone_at.is_(None))
            .values(undone_at=at)
        )

    def give_back(
        self,
        public_id: str,
        allowed: Collection[SubscriptionState],
        at: datetime,
        actor: str,
        limit: int,
    ) -> tuple[int, int]:
        """Give up to ``limit`` readers back what an import took or filled in.

        (how many traces it went through, how many readers came back to where they were).
        Nothing comes back that anybody has touched since. Whom an import brought that was
        taken back before stays where they are, as if this one had: for `remove_subscriptions`.
        """
        fence(self._connection)
        cause, newsletter_id, newsletter = self._place(public_id)
        trace, before = t.import_trace.c, t.subscriber_import
        rows = self._connection.execute(
            sa.select(
                *(trace.subscriber_id, trace.was_state, trace.was_import_id, trace.learned),
                before.c.undone_at.is_not(None),
            )
            .outerjoin_from(t.import_trace, before, before.c.id == trace.was_import_id)
            .where(trace.import_id == cause)
            .order_by(trace.subscriber_id)
            .limit(limit)
        ).all()
        readers = [row[0] for row in rows]
        person = t.subscriber.c
        # Before anything of theirs, as whoever confirms or leaves does.
        self._connection.execute(
            sa.select(person.id).where(person.id.in_(readers)).with_for_update(key_share=True)
        )
        returned = []
        states = {state.value for state in allowed}
        for key, was_state, was_cause, learned, is_undone in rows:
            if learned is not None:
                self._unlearn(key, newsletter_id, learned)
            # Else only an import's word put them there, and it was taken back.
            if was_state in states and not is_undone:
                theirs = t.subscription.c
                came_back = self._connection.execute(
                    sa.update(t.subscription)
                    .where(
                        theirs.subscriber_id == key,
                        theirs.newsletter_id == newsletter_id,
                        theirs.import_id == cause,
                        theirs.state == _UNSUBSCRIBED,
                    )
                    .values(state=was_state, left_from=None, import_id=was_cause, changed_at=at)
                ).rowcount
                if came_back:
                    returned.append((key, was_state))
        wish = t.subscription_wish.c
        self._connection.execute(
            sa.delete(t.subscription_wish).where(
                wish.newsletter_id == newsletter_id,
                wish.subscriber_id.in_([key for key, _ in returned]),
            )
        )
        names = self._public_ids([key for key, _ in returned])
        self._changes.record_all(
            Change(
                *(at, actor, "subscription", names[key], state),
                {"newsletter": newsletter, "reason": "import undone", "import": public_id},
            )
            for key, state in returned
        )
        self._connection.execute(
            sa.delete(t.import_trace).where(
                trace.import_id == cause, trace.subscriber_id.in_(readers)
            )
        )
        return len(rows), len(returned)

    def lift_suppressions(self, public_id: str, at: datetime, actor: str) -> int:
        """Allow mail again to whom only an import forbade it; how many."""
        suppression = t.suppression.c
        lifted = self._connection.execute(
            sa.delete(t.suppression)
            .where(suppression.import_id == self._key(public_id))
            .returning(suppression.address_hash, suppression.reason)
        ).all()
        self._changes.record_all(
            Change(
                *(at, actor, "suppression", address_hash, "lifted"),
                {"reason": reason, "import": public_id},
            )
            for address_hash, reason in lifted
        )
        return len(lifted)

    def brought(self, public_id: str, after: int, limit: int) -> list[tuple[int, str]]:
        """(row, reader) of up to ``limit`` subscriptions that an import added and nobody has
        touched. Nobody changes what these readers have until the transaction ends."""
        fence(self._connection)
        theirs = t.subscription.c
        rows = self._connection.execute(
            sa.select(theirs.id, t.subscriber.c.public_id)
            .join_from(t.subscription, t.subscriber)
            .where(theirs.import_id == self._key(public_id), theirs.id > after)
            .order_by(theirs.id)
            .limit(limit)
            .with_for_update(of=t.subscriber, key_share=True)
        )
        return [(key, name) for key, name in rows]

    def remove_subscriptions(
        self, public_id: str, brought: Sequence[tuple[int, str]], at: datetime, actor: str
    ) -> int:
        """Remove those of `brought` that nobody has touched since; how many."""
        if not brought:
            return 0
        cause, _, newsletter = self._place(public_id)
        theirs = t.subscription.c
        gone = self._connection.scalars(
            sa.delete(t.subscription)
            .where(theirs.id.in_([key for key, _ in brought]), theirs.import_id == cause)
            .returning(theirs.id)
        ).all()
        names = dict(brought)
        self._changes.record_all(
            Change(
                *(at, actor, "subscription", names[key], "removed"),
                {"newsletter": newsletter, "reason": "import undone", "import": public_id},
            )
            for key in sorted(gone)
        )
        return len(gone)

    def people_without_subscription(self, after: int, limit: int) -> list[tuple[int, str, str]]:
        """(row, public id, import) of up to ``limit`` people whom nobody needs: an import
        brought them that was taken back, be it long ago, and they are on no newsletter."""
        person, cause = t.subscriber.c, t.subscriber_import.c
        theirs = sa.exists().where(t.subscription.c.subscriber_id == person.id)
        rows = self._connection.execute(
            sa.select(person.id, person.public_id, cause.public_id)
            .join_from(t.subscriber, t.subscriber_import, cause.id == person.import_id)
            .where(cause.undone_at.is_not(None), person.id > after, ~theirs)
            .order_by(person.id)
            .limit(limit)
        )
        return [(key, name, brought_by) for key, name, brought_by in rows]

    def _add_people(self, at: datetime, cause: int | None) -> int:
        """Add the people of the batch whom we don't hold yet; how many those were."""
        columns = [
            *("public_id", "address", "address_hash", "name", "language", "timezone"),
            *("attributes", "domain_suppressed"),
        ]
        person = t.subscriber.c
        rows = sa.select(
            _batch.c.subscriber_id,
            *(_batch.c[name] for name in columns),
            sa.literal(at, person.created_at.type),
            sa.literal(cause, person.import_id.type),
            # SQLite's grammar needs a condition between a SELECT and ON CONFLICT.
        ).where(sa.true())
        return self._insert_new(
            t.subscriber, ["id", *columns, "created_at", "import_id"], rows, ["address"]
        )

    def _settle(self) -> None:
        """Name in the batch the row of whoever was there already, or came in meanwhile."""
        person = t.subscriber.c
        theirs = sa.select(person.id).where(person.address == _batch.c.address)
        self._connection.execute(
            sa.update(_batch)
            .where(~sa.exists().where(person.id == _batch.c.subscriber_id))
            .values(subscriber_id=theirs.scalar_subquery())
        )

    def _add_subscriptions(
        self, newsletter_id: int, how: str, at: datetime, cause: int | None
    ) -> int:
        columns = [
            *("subscriber_id", "state", "departments", "cadence"),
            *("consent_wording", "consent_placement", "consent_at"),
        ]
        theirs = t.subscription.c
        rows = sa.select(
            *(_batch.c[name] for name in columns),
            sa.literal(newsletter_id, theirs.newsletter_id.type),
            sa.literal(at, theirs.changed_at.type),
            sa.literal(how, theirs.consent_how.type),
            sa.literal(cause, theirs.import_id.type),
        ).where(sa.true())
        return self._insert_new(
            t.subscription,
            [*columns, "newsletter_id", "changed_at", "consent_how", "import_id"],
            rows,
            ["subscriber_id", "newsletter_id"],
        )

    def _insert_new(
        self, table: sa.Table, columns: list[str], rows: sa.Select[Any], key: list[str]
    ) -> int:
        """Insert ``rows`` but for those whose ``key`` is there; how many that were."""
        return self._connection.execute(
            insert_into(self._connection, table)
            .from_select(columns, rows)
            .on_conflict_do_nothing(index_elements=key),
            execution_options={"preserve_rowcount": True},
        ).rowcount

    def _log_subscriptions(
        self,
        newsletter_id: int,
        last: int,
        at: datetime,
        cause: int | None,
        actor: str,
        detail: dict[str, Any],
    ) -> None:
        """Log the subscriptions behind the row ``last`` that this import has added.

        Looked up rather than joined: without statistics of tables that grow so fast either
        database goes through all readers there are.
        """
        log, person, theirs = t.change_log.c, t.subscriber.c, t.subscription.c
        name = sa.select(person.public_id).where(person.id == _batch.c.subscriber_id)
        added = sa.select(theirs.id).where(
            theirs.subscriber_id == _batch.c.subscriber_id,
            theirs.newsletter_id == newsletter_id,
            theirs.import_id.is_not_distinct_from(cause),
            theirs.changed_at == at,
        )
        rows = sa.select(
            sa.literal(at, log.at.type),
            sa.literal(actor, log.actor.type),
            sa.literal("subscription", log.kind.type),
            name.scalar_subquery(),
            _batch.c.state,
            sa.literal(detail, log.detail.type),
        ).where(added.scalar_subquery() > last)
        columns = ["at", "actor", "kind", "subject", "act", "detail"]
        self._connection.execute(sa.insert(t.change_log).from_select(columns, rows))

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
            for name in self._public_ids(readers).values()
        )

    def _unlearn(self, key: int, newsletter_id: int, learned: dict[str, Any]) -> None:
        person, theirs = t.subscriber.c, t.subscription.c
        row = self._connection.execute(
            sa.select(person.timezone, person.attributes).where(person.id == key)
        ).one_or_none()
        if row is None:
            return
        timezone, attributes = row
        told = learned["attributes"]
        kept = {
            name: value
            for name, value in (attributes or {}).items()
            if name not in told or told[name] != value
        }
        if timezone == learned["timezone"]:
            timezone = None
        self._connection.execute(
            sa.update(t.subscriber)
            .where(person.id == key)
            .values(timezone=timezone, attributes=kept or None)
        )
        if learned["departments"]:
            self._connection.execute(
                sa.update(t.subscription)
                .where(
                    theirs.subscriber_id == key,
                    theirs.newsletter_id == newsletter_id,
                    theirs.departments == sa.literal(tuple(learned["departments"]), NameList()),
                )
                .values(departments=None)
            )

    def _one(self, *where: sa.ColumnElement[bool]) -> SubscriberImport | None:
        row = self._connection.execute(_IMPORTS.where(*where)).first()
        return SubscriberImport(*row) if row else None

    def _key(self, public_id: str) -> int:
        return self._place(public_id)[0]

    def _place(self, public_id: str) -> tuple[int, int, str]:
        row = self._connection.execute(
            sa.select(
                t.subscriber_import.c.id, t.subscriber_import.c.newsletter_id, t.newsletter.c.slug
            )
            .join_from(t.subscriber_import, t.newsletter)
            .where(t.subscriber_import.c.public_id == public_id)
        ).one()
        return row[0], row[1], row[2]

    def _of(self, newsletter_id: int, people: Sequence[Standing]) -> sa.ColumnElement[bool]:
        theirs = t.subscription.c
        return sa.and_(
            theirs.newsletter_id == newsletter_id,
            theirs.subscriber_id.in_([one.key for one in people]),
        )

    def _public_ids(self, keys: Collection[int]) -> dict[int, str]:
        person = t.subscriber.c
        rows = self._connection.execute(
            sa.select(person.id, person.public_id).where(person.id.in_(keys))
        )
        return {key: name for key, name in rows}  # noqa: C416 (rows are no tuples to mypy)

    def _walk_indexes(self) -> None:
        """Let PostgreSQL go through no whole table, which grows faster than its statistics,
        nor compile a statement because of what it then believes that to cost."""
        if self._connection.dialect.name != "sqlite":
            self._connection.exec_driver_sql(
                "SELECT set_config(name, 'off', true) FROM unnest(ARRAY["
                "'enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit']) AS name"
            )

    def _make_room(self) -> None:
        """Let SQLite keep more of its indexes at hand, for as long as the connection lives:
        the next batch goes back to the same pages."""
        if self._connection.dialect.name == "sqlite":
            self._connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")

    def _fill(self, people: Sequence[NewSubscription]) -> None:
        """The rows of this batch, and no others, in the table that statements read."""
        connection = self._connection
        dialect = connection.dialect
        _batch.create(connection, checkfirst=True)
        bind = Instant().dialect_impl(dialect).bind_processor(dialect)
        values = _batch_values(people, self._new_keys(len(people)), bind)
        driver: Any = connection.connection.driver_connection
        if dialect.name == "sqlite":
            connection.exec_driver_sql("DELETE FROM import_batch")
            driver.executemany(str(sa.insert(_batch).compile(dialect=dialect)), values)
            return
        with driver.cursor() as cursor:
            cursor.execute("TRUNCATE import_batch")
            with cursor.copy("COPY import_batch FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)

    def _new_keys(self, count: int) -> Sequence[int]:
        """Keys that no subscriber has or will get, for as long as the transaction lasts."""
        key = t.subscriber.c.id
        if self._connection.dialect.name == "sqlite":
            first = (self._connection.scalar(sa.select(sa.func.max(key))) or 0) + 1
            return range(first, first + count)
        name = sa.func.pg_get_serial_sequence(t.subscriber.name, key.name)
        # Asked for once: where it stands in place, the sequence is looked up for each key.
        sequence = sa.select(sa.cast(name, REGCLASS)).scalar_subquery()
        each = sa.func.generate_series(1, count).table_valued("n")
        # In one text: rows by the ten thousand are much work to the driver.
        drawn = sa.func.string_agg(sa.cast(sa.func.nextval(sequence), sa.Text), ",")
        listed = self._connection.scalars(sa.select(drawn).select_from(each)).one()
        return [int(key) for key in listed.split(",")]


def _batch_values(
    people: Sequence[NewSubscription],
    keys: Sequence[int],
    bind: Callable[[datetime], Any] | None,
) -> Iterator[tuple[Any, ...]]:
    """The rows of ``people`` in the batch's columns, one by one as the driver takes them.

    What most of them share is converted once: by identity, which is sure within a batch.
    """
    consents: dict[int, tuple[str, str, Any]] = {}
    documents: dict[int, str] = {}
    states = {id(state): state.value for state in SubscriptionState}
    cadences = {id(cadence): cadence.value for cadence in Cadence}
    for key, one in zip(keys, people, strict=True):
        consent, attributes = one.consent, one.attributes
        said = consents.get(id(consent))
        if said is None:
            at = bind(consent.at) if bind is not None else consent.at
            said = consents[id(consent)] = (consent.wording, consent.placement, at)
        document = None
        if attributes:
            document = documents.get(id(attributes))
            if document is None:
                document = documents[id(attributes)] = json.dumps(attributes)
        yield (
            key,
            *one[:6],
            document,
            one.domain_suppressed,
            states[id(one.state)],
            ";".join(one.departments) if one.departments else None,
            cadences[id(one.cadence)],
            *said,
        )
