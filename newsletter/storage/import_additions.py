"""Readers whom an import adds, by the thousand.

A batch goes through a table of its own connection, so that each step is one
statement over all its rows, whatever their number. Most of a long list are
strangers: a batch of which nobody is known is added without looking for each of
its rows first, which takes half the time.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Column, Connection
from sqlalchemy.dialects.postgresql import REGCLASS

from newsletter.publication.cadence import Cadence
from newsletter.storage import tables as t
from newsletter.storage.columns import Document, Instant, NameList, PlainText, RowId
from newsletter.storage.import_keys import import_key, walk_indexes
from newsletter.storage.statements import insert_into, newsletter_key
from newsletter.subscribers.model import NewSubscription, SubscriptionState

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


class SomebodyIsKnown(Exception):
    """A batch that was taken for one of strangers names somebody whom we know."""


class NewRows(NamedTuple):
    """Rows for a table; ``key`` are the columns that tell whether one is there."""

    table: sa.Table
    columns: list[str]
    rows: sa.Select[Any]
    key: tuple[str, ...] = ()


class ImportAdditions:
    """Whom imports add."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        newsletter: str,
        people: Sequence[NewSubscription],
        at: datetime,
        actor: str,
        import_id: str | None = None,
    ) -> int:
        """Put people on a newsletter; how many were not on it yet. The ``how`` of
        all is one."""
        if not people:
            return 0
        self._hold(people)
        newsletter_id = newsletter_key(self._connection, newsletter)
        cause = import_key(self._connection, import_id) if import_id else None
        how = people[0].consent.how
        last = self._connection.scalar(sa.select(sa.func.max(t.subscription.c.id))) or 0
        if self._insert_absent(self._people(at, cause)) < len(people):
            self._settle()
        added = self._insert_absent(self._subscriptions(newsletter_id, how, at, cause))
        changes = self._changes_of(newsletter, how, at, actor, import_id)
        self._insert_new(self._only_added(changes, newsletter_id, last, at, cause))
        return added

    def stage(
        self,
        newsletter: str,
        people: Sequence[NewSubscription],
        at: datetime,
        actor: str,
        import_id: str | None = None,
    ) -> list[NewRows]:
        """Hand over people to be put on a newsletter who are all new to us: one at the least,
        and the ``how`` of all is one. `add_unknown` does it."""
        self._hold(people)
        newsletter_id = newsletter_key(self._connection, newsletter)
        cause = import_key(self._connection, import_id) if import_id else None
        how = people[0].consent.how
        return [
            self._people(at, cause),
            self._subscriptions(newsletter_id, how, at, cause),
            self._changes_of(newsletter, how, at, actor, import_id),
        ]

    def add_unknown(self, staged: Iterable[NewRows]) -> None:
        """Add whom `stage` was given.

        SomebodyIsKnown where somebody of them is there already, or a suppression or a reader's
        former address names one; nothing of the transaction is used then.
        """
        try:
            for rows in staged:
                self._insert_new(rows)
        except sa.exc.IntegrityError as error:
            raise SomebodyIsKnown from error
        # Behind the people, who waited for whoever gave up the same address meanwhile.
        for address_hash in (t.suppression.c.address_hash, t.former_address.c.address_hash):
            named = sa.select(_batch.c.address_hash).where(
                sa.exists().where(address_hash == _batch.c.address_hash)
            )
            if self._connection.scalar(named.limit(1)) is not None:
                raise SomebodyIsKnown

    def _people(self, at: datetime, cause: int | None) -> NewRows:
        """The people of the batch as rows of theirs."""
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
        )
        return NewRows(
            t.subscriber, ["id", *columns, "created_at", "import_id"], rows, ("address",)
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

    def _subscriptions(
        self, newsletter_id: int, how: str, at: datetime, cause: int | None
    ) -> NewRows:
        """The subscriptions of the batch as rows of theirs."""
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
        )
        return NewRows(
            t.subscription,
            [*columns, "newsletter_id", "changed_at", "consent_how", "import_id"],
            rows,
            ("subscriber_id", "newsletter_id"),
        )

    def _changes_of(
        self, newsletter: str, how: str, at: datetime, actor: str, import_id: str | None
    ) -> NewRows:
        """What the log says of the batch's subscriptions."""
        log = t.change_log.c
        detail = {"newsletter": newsletter, "how": how}
        detail |= {"import": import_id} if import_id else {}
        rows = sa.select(
            sa.literal(at, log.at.type),
            sa.literal(actor, log.actor.type),
            sa.literal("subscription", log.kind.type),
            _batch.c.public_id,
            _batch.c.state,
            sa.literal(detail, log.detail.type),
        )
        return NewRows(t.change_log, ["at", "actor", "kind", "subject", "act", "detail"], rows)

    def _insert_new(self, new: NewRows) -> None:
        """Insert rows that must be new; a plain insert, which looks for nobody beforehand.

        After an error nothing of the transaction is used: so SQLite needn't keep what each page
        was before the statement, which costs as much as the statement.
        """
        self._connection.execute(
            sa.insert(new.table)
            .from_select(new.columns, new.rows)
            .prefix_with("OR FAIL", dialect="sqlite")
        )

    def _insert_absent(self, new: NewRows) -> int:
        """Insert rows but for those whose key is there; how many that were."""
        return self._connection.execute(
            insert_into(self._connection, new.table)
            # SQLite's grammar needs a condition between a SELECT and ON CONFLICT.
            .from_select(new.columns, new.rows.where(sa.true()))
            .on_conflict_do_nothing(index_elements=list(new.key)),
            execution_options={"preserve_rowcount": True},
        ).rowcount

    def _only_added(
        self, changes: NewRows, newsletter_id: int, last: int, at: datetime, cause: int | None
    ) -> NewRows:
        """Of the log's rows those of subscriptions behind the row ``last``, under their own names.

        Looked up rather than joined: without statistics of tables that grow so fast either
        database goes through all readers there are.
        """
        person, theirs = t.subscriber.c, t.subscription.c
        name = sa.select(person.public_id).where(person.id == _batch.c.subscriber_id)
        added = sa.select(theirs.id).where(
            theirs.subscriber_id == _batch.c.subscriber_id,
            theirs.newsletter_id == newsletter_id,
            theirs.import_id.is_not_distinct_from(cause),
            theirs.changed_at == at,
        )
        subject = changes.columns.index("subject")
        columns = list(changes.rows.selected_columns)
        columns[subject] = name.scalar_subquery()
        rows = sa.select(*columns).where(added.scalar_subquery() > last)
        return changes._replace(rows=rows)

    def _make_room(self) -> None:
        """Let SQLite keep more of its indexes at hand, for as long as the connection lives:
        the next batch goes back to the same pages."""
        if self._connection.dialect.name == "sqlite":
            self._connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")

    def _hold(self, people: Sequence[NewSubscription]) -> None:
        walk_indexes(self._connection)
        if len(people) >= _LARGE_BATCH:
            self._make_room()
        self._fill(people)

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
        try:
            with driver.cursor() as cursor:
                cursor.execute("TRUNCATE import_batch")
                with cursor.copy("COPY import_batch FROM STDIN") as copy:
                    for row in values:
                        copy.write_row(row)
        except dialect.loaded_dbapi.Error as error:
            # As the engine itself would tell of it.
            raise sa.exc.DBAPIError("COPY import_batch", None, error) from error

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
