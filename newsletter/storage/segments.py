"""Segments of the readers: a filter's tree as SQL of bound parameters, counted.

Every comparison is true or false, never NULL, so that "not" gives exactly the
others. Letters A-Z compare without regard to capitals, all others as they stand:
so much SQLite and PostgreSQL do alike.
"""

import json
import operator
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import JSONB

from newsletter.storage import tables as t
from newsletter.storage.columns import Instant
from newsletter.storage.statements import among_texts
from newsletter.subscribers.model import (
    AllOf,
    AnyOf,
    Asked,
    Comparison,
    DaysAgo,
    Filter,
    Not,
    OneOf,
    Operator,
    Segment,
    SegmentCount,
    SegmentField,
    SubscriptionState,
    Waits,
)

_Condition = sa.ColumnElement[bool]

_COMPARE: Mapping[Operator, Callable[[Any, Any], Any]] = {
    Operator.EQUAL: operator.eq,
    Operator.UNEQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.MORE: operator.gt,
    Operator.AT_LEAST: operator.ge,
}
_COLUMNS: Mapping[SegmentField, sa.ColumnElement[Any]] = {
    SegmentField.STATE: t.subscription.c.state,
    SegmentField.LANGUAGE: t.subscriber.c.language,
    SegmentField.SOURCE: t.subscription.c.consent_how,
    SegmentField.PLACEMENT: t.subscription.c.consent_placement,
}
_OF_PERSON = (SegmentField.LANGUAGE, SegmentField.ATTRIBUTE)
# No longer number is read the same everywhere.
_LONGEST_NUMBER = 17
# Of more texts it is no quicker to look for each of them in a document first.
_FEW_TEXTS = 3
# A list is looked at for documents that many readers share if it has so many rows, at so
# many places. More documents than that are not worth a look at each row.
_MANY_READERS = 20_000
_SAMPLE = 2_000
_MOST_DOCUMENTS = 1_000


class SegmentRepository:
    """Readers by filters."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count(self, segment: Segment) -> SegmentCount:
        """How many people and subscriptions a segment has."""
        theirs = t.subscription.c
        wanted = _counting(self._connection, segment).condition(segment.filter)

        def select(*columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
            return self._select(segment, *columns, wanted=wanted)

        with _by_whole_tables(self._connection):
            rows = self._connection.execute(
                select(theirs.newsletter_id, theirs.state, sa.func.count()).group_by(
                    theirs.newsletter_id, theirs.state
                )
            ).all()
        newsletters = sa.select(t.newsletter.c.id, t.newsletter.c.slug)
        slugs = {row.id: row.slug for row in self._connection.execute(newsletters)}
        found: Counter[tuple[str, SubscriptionState]] = Counter()
        for newsletter_id, state, count in rows:
            found[slugs[newsletter_id], SubscriptionState(state)] += count
        readers = sum(found.values())
        if len({newsletter_id for newsletter_id, _, _ in rows}) > 1:
            # On one newsletter nobody is twice, and it is counted in a third of the time.
            people = select(sa.func.count(sa.distinct(theirs.subscriber_id)))
            with _by_whole_tables(self._connection):
                readers = self._connection.scalar(people) or 0
        return SegmentCount(readers, dict(sorted(found.items())))

    def some(self, segment: Segment, most: int) -> list[int]:
        """Rows of up to ``most`` subscriptions in a segment, as they are found: in no order,
        which of a million would have to be made first."""
        found = self._select(segment, t.subscription.c.id).limit(most)
        return list(self._connection.scalars(found))

    def has(self, segment: Segment, subscriber_id: str, newsletter: str) -> bool:
        """Whether a subscription is in a segment; both by their public names."""
        found = (
            self._select(segment, t.subscription.c.id)
            .where(
                t.subscription.c.subscriber_id.in_(
                    sa.select(t.subscriber.c.id).where(t.subscriber.c.public_id == subscriber_id)
                ),
                t.subscription.c.newsletter_id.in_(
                    sa.select(t.newsletter.c.id).where(t.newsletter.c.slug == newsletter)
                ),
            )
            .limit(1)
        )
        return self._connection.scalar(found) is not None

    def _select(
        self,
        segment: Segment,
        *columns: sa.ColumnElement[Any],
        wanted: _Condition | None = None,
    ) -> sa.Select[Any]:
        chosen = sa.select(*columns).select_from(t.subscription)
        if _asks_person(segment.filter):
            chosen = chosen.join(t.subscriber)
        return chosen.where(is_in(self._connection, segment) if wanted is None else wanted)


def is_in(connection: Connection, segment: Segment) -> _Condition:
    """Whether the subscription beside it, joined with its subscriber, is in a segment."""
    return _Compiler(connection.dialect.name == "sqlite", segment).condition(segment.filter)


def _asks(tree: Filter, *fields: SegmentField) -> bool:
    if isinstance(tree, Waits):
        return False
    if isinstance(tree, Comparison | OneOf):
        return tree.asked.field in fields
    parts = (tree.part,) if isinstance(tree, Not) else tree.parts
    return any(_asks(part, *fields) for part in parts)


def _asks_person(tree: Filter) -> bool:
    return _asks(tree, *_OF_PERSON)


@contextmanager
def _by_whole_tables(connection: Connection) -> Iterator[None]:
    """Keep PostgreSQL from a look-up and a sort for each reader of a million.

    It has no statistics of what a filter computes, takes a thousandth of the readers to
    be meant, and takes twice as long (measured).
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    switch = (
        "SELECT set_config(name, '{}', true) FROM unnest(ARRAY["
        "'enable_nestloop', 'enable_sort']) AS name"
    )
    connection.exec_driver_sql(switch.format("off"))
    yield
    connection.exec_driver_sql(switch.format("on"))


def _counting(connection: Connection, segment: Segment) -> "_Compiler":
    """A compiler for counting: what is asked of attributes is worked out once for each
    document that many readers share, as lists with a few columns have it."""
    compiler = _Compiler(connection.dialect.name == "sqlite", segment)
    if not _asks(segment.filter, SegmentField.ATTRIBUTE):
        return compiler
    keys = _sharers(connection)
    if not keys:
        return compiler
    document = _document(connection)

    def shared(condition: _Condition) -> _Condition:
        answers: dict[bool, list[str]] = {True: [], False: []}
        for text, holds in connection.execute(
            sa.select(document, condition).where(t.subscriber.c.id.in_(keys))
        ):
            answers[bool(holds)].append(text)
        # The answer of most documents first.
        order = sorted(answers, key=lambda answer: -len(answers[answer]))
        return sa.case(
            *(
                (among_texts(connection, document, answers[answer]), sa.literal(answer))
                for answer in order
                if answers[answer]
            ),
            else_=condition,
        )

    return _Compiler(connection.dialect.name == "sqlite", segment, shared)


def _sharers(connection: Connection) -> list[int]:
    """A reader for each of the documents that most readers share; none where they don't,
    or where there are few readers."""
    person = t.subscriber.c
    first, last = connection.execute(
        sa.select(sa.func.min(person.id), sa.func.max(person.id))
    ).one()
    if first is None or last - first < _MANY_READERS:
        return []
    sample: Sequence[int] = range(first, last + 1, max(1, (last - first) // _SAMPLE))
    document = _document(connection)
    found = connection.execute(
        sa.select(sa.func.min(person.id), sa.func.count())
        .where(person.id.in_(sample), document.is_not(None))
        .group_by(document)
    ).all()
    sharing = {key: readers for key, readers in found if readers > 1}
    everybody = sum(readers for _, readers in found)
    if len(sharing) > _MOST_DOCUMENTS or sum(sharing.values()) < everybody / 2:
        return []
    return list(sharing)


def _document(connection: Connection) -> sa.ColumnElement[str]:
    """A reader's attributes as the text that stands in the table."""
    attributes = t.subscriber.c.attributes
    if connection.dialect.name == "sqlite":
        return sa.type_coerce(attributes, sa.Text)
    return sa.cast(attributes, sa.Text)


class _Compiler:
    """The conditions of one segment in one dialect.

    ``shared`` makes of a condition on attributes one that is quicker for many rows.
    """

    def __init__(
        self,
        on_sqlite: bool,
        segment: Segment,
        shared: Callable[[_Condition], _Condition] = lambda condition: condition,
    ) -> None:
        self._on_sqlite = on_sqlite
        self._segment = segment
        self._shared = shared

    def condition(self, tree: Filter) -> _Condition:
        if isinstance(tree, AllOf):
            return sa.and_(*map(self.condition, tree.parts))
        if isinstance(tree, AnyOf):
            return sa.or_(*map(self.condition, tree.parts))
        if isinstance(tree, Not):
            return sa.not_(self.condition(tree.part))
        if isinstance(tree, Waits):
            theirs = t.subscription.c
            return sa.exists().where(
                t.catch_up.c.newsletter_id == theirs.newsletter_id,
                t.catch_up.c.slot == tree.slot,
                t.catch_up.c.subscriber_id == theirs.subscriber_id,
            )
        if isinstance(tree, OneOf):
            texts = [value for value in tree.values if isinstance(value, str)]
            numbers = [float(value) for value in tree.values if isinstance(value, Decimal)]
            any_text = [self._is_text(tree.asked, texts)] if texts else []
            any_number = (
                [self._is_number(tree.asked.name, lambda number: number.in_(numbers))]
                if numbers
                else []
            )
            listed = sa.or_(*any_text, *any_number)
            return self._shared(listed) if tree.asked.field is SegmentField.ATTRIBUTE else listed
        return self._comparison(tree.asked, tree.operator, tree.value)

    def _comparison(self, asked: Asked, sign: Operator, value: Any) -> _Condition:
        if sign is Operator.UNEQUAL:
            return sa.not_(self._comparison(asked, Operator.EQUAL, value))
        if asked.field is SegmentField.SIGNED_UP:
            return self._signed_up(sign, value)
        if asked.field is SegmentField.CLICKS:
            return self._clicked(asked.days, sign, int(value))
        if isinstance(value, Decimal):
            compare, wanted = _COMPARE[sign], sa.literal(float(value), sa.Double)
            return self._shared(self._is_number(asked.name, lambda number: compare(number, wanted)))
        found = self._is_text(asked, [value])
        return self._shared(found) if asked.field is SegmentField.ATTRIBUTE else found

    def _signed_up(self, sign: Operator, value: date | DaysAgo) -> _Condition:
        day = value
        if isinstance(day, DaysAgo):
            today = self._segment.now.astimezone(self._segment.zone).date()
            day = today - timedelta(days=day.days)
        at = t.subscription.c.consent_at
        begin, end = self._midnight(day), self._midnight(day + timedelta(days=1))
        if sign is Operator.EQUAL:
            return sa.and_(at >= begin, at < end)
        after = sign in (Operator.MORE, Operator.AT_MOST)
        is_later = at >= (end if after else begin)
        return is_later if sign in (Operator.MORE, Operator.AT_LEAST) else sa.not_(is_later)

    def _midnight(self, day: date) -> sa.ColumnElement[datetime]:
        begin = datetime(day.year, day.month, day.day, tzinfo=self._segment.zone)
        return sa.literal(begin, Instant())

    def _clicked(self, days: int, sign: Operator, count: int) -> _Condition:
        """By how many links a reader clicked on; nobody is asked who never did."""
        click, compare = t.reader_click.c, _COMPARE[sign]
        holds_for_none = compare(0, count)
        number = sa.func.count()
        held = sa.not_(compare(number, count)) if holds_for_none else compare(number, count)
        readers = (
            sa.select(click.subscriber_id)
            .where(click.clicks > 0, click.last_at >= self._segment.now - timedelta(days=days))
            .group_by(click.subscriber_id)
            .having(held)
        )
        theirs = t.subscription.c.subscriber_id
        return theirs.not_in(readers) if holds_for_none else theirs.in_(readers)

    def _is_text(self, asked: Asked, values: list[str]) -> _Condition:
        if asked.field is SegmentField.NEWSLETTER:
            wanted = sa.select(t.newsletter.c.id).where(t.newsletter.c.slug.in_(values))
            return t.subscription.c.newsletter_id.in_(wanted)
        if asked.field is SegmentField.STATE:
            return t.subscription.c.state.in_(values)
        if asked.field is SegmentField.CADENCE:
            return t.subscription.c.cadence.in_(values)
        folded = list(dict.fromkeys(map(_fold, values)))
        if asked.field is SegmentField.DEPARTMENT:
            return sa.or_(*map(self._chose, folded))
        if asked.field is SegmentField.ATTRIBUTE:
            return self._attribute_is(asked.name, folded)
        return self._lower(sa.func.coalesce(_COLUMNS[asked.field], "")).in_(folded)

    def _chose(self, name: str) -> _Condition:
        chosen = sa.func.coalesce(sa.cast(t.subscription.c.departments, sa.Text), "")
        if not name:
            return chosen == ""
        among = self._lower(sa.literal(";", sa.Text) + chosen + ";")
        find = sa.func.instr if self._on_sqlite else sa.func.strpos
        return find(among, f";{name};") > 0

    def _lower(self, text: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
        return sa.func.lower(text if self._on_sqlite else sa.collate(text, "C"))

    def _attribute_is(self, name: str, values: list[str]) -> _Condition:
        """Whether an attribute, or an entry of it where it is a list, is one of some texts."""
        filled = [value for value in values if value]
        tests = []
        if filled:
            tests.append(self._is_written(name, filled))
        if "" in values:
            tests.append(sa.not_(self._some_entry(name, lambda entry: entry != "")))
        return sa.or_(*tests)

    def _is_written(self, name: str, values: list[str]) -> _Condition:
        """Whether one of some texts stands there, by one look into most documents.

        Text is compared as it stands in the document; a number or a boolean too.
        """
        written = [_fold(json.dumps(value)) for value in values]
        plain = [value for value in values if value in ("true", "false") or value[-1:].isdecimal()]
        attributes = t.subscriber.c.attributes
        document = (
            attributes.op("->", return_type=sa.Text())(_path(name))
            if self._on_sqlite
            else sa.cast(attributes[name], sa.Text)
        )
        texts = [*written, *plain]
        return sa.and_(
            self._may_hold(name, texts),
            self._once(
                sa.func.coalesce(document, ""),
                lambda found: self._is_found(name, found, values, texts),
            ),
        )

    def _once(
        self, text: sa.ColumnElement[str], holds: Callable[[sa.ColumnElement[str]], _Condition]
    ) -> _Condition:
        """What ``holds`` says of a text of the document, looked up once a row.

        PostgreSQL looks it up wherever a condition names it, which is most of what that
        takes; the OFFSET keeps it from putting the two selects into one.
        """
        if self._on_sqlite:
            return holds(text)
        found = sa.select(text.label("text")).correlate(t.subscriber).offset(0).subquery()
        return sa.select(holds(found.c.text)).correlate(t.subscriber).scalar_subquery()

    def _may_hold(self, name: str, written: list[str]) -> _Condition:
        """Whether the whole document has a name, and one of some texts behind it: a quarter
        of what a look into the JSON takes, where that can be asked quickly."""
        if not self._on_sqlite or len(written) > _FEW_TEXTS:
            return sa.true()
        document = sa.type_coerce(t.subscriber.c.attributes, sa.Text)
        key = _like(json.dumps(name))
        # LIKE is for SQLite as `_lower` is: A-Z alone, and documents are in ASCII.
        return sa.or_(
            *(document.like(f"%{key}%{_like(text)}%", escape=_ESCAPE) for text in written)
        )

    def _is_found(
        self, name: str, found: sa.ColumnElement[str], values: list[str], written: list[str]
    ) -> _Condition:
        return sa.or_(
            self._lower(found).in_(written),
            sa.and_(
                _is_list(found) if self._on_sqlite else sa.func.substr(found, 1, 1) == "[",
                self._some_entry(name, lambda entry: self._lower(entry).in_(values)),
            ),
        )

    def _is_number(
        self, name: str, fits: Callable[[sa.ColumnElement[float]], _Condition]
    ) -> _Condition:
        """Whether an attribute, or an entry of it where it is a list, is a number that ``fits``."""

        def holds(entry: sa.ColumnElement[str]) -> _Condition:
            number = sa.case((self._reads_as_number(entry), sa.cast(entry, sa.Double)))
            return sa.func.coalesce(fits(number), sa.false())

        if not self._on_sqlite:
            return self._once(
                t.subscriber.c.attributes.op("->>", return_type=sa.Text())(name),
                lambda written: sa.case(
                    (self._reads_as_number(written), fits(sa.cast(written, sa.Double))),
                    (sa.func.left(written, 1) == "[", self._some_entry(name, holds)),
                    else_=sa.false(),
                ),
            )
        # Few hold, and of the others one look into the document is enough. The conditions of a
        # CASE are left at the first that decides; elsewhere SQLite works all of them out.
        document = t.subscriber.c.attributes.op("->", return_type=sa.Text())(_path(name))
        entry = sa.cast(
            t.subscriber.c.attributes.op("->>", return_type=sa.Text())(_path(name)), sa.Text
        )
        is_number = sa.and_(
            self._reads_as_number(entry), document.not_in([json.dumps(True), json.dumps(False)])
        )
        return sa.case(
            (_is_list(document), self._some_entry_on_sqlite(name, holds)),
            (
                fits(sa.cast(entry, sa.Double)),
                sa.case((is_number, sa.true()), else_=sa.false()),
            ),
            else_=sa.false(),
        )

    def _reads_as_number(self, text: sa.ColumnElement[str]) -> _Condition:
        if not self._on_sqlite:
            form = r"^-?[0-9]+(\.[0-9]+)?$"
            # Most numbers are whole, and to know that takes a fifth of the expression's time.
            whole = sa.and_(text != "", sa.func.ltrim(text, "0123456789") == "")
            is_one = sa.or_(whole, text.regexp_match(form))
            return sa.and_(sa.func.length(text) <= _LONGEST_NUMBER, is_one)

        def has_form(column: sa.ColumnElement[str], form: str) -> _Condition:
            return column.op("GLOB", is_comparison=True)(form)

        # Each look at the text is one into the document: most numbers are known after three.
        only_digits = sa.and_(text != "", sa.not_(has_form(text, "*[^0-9]*")))
        other = sa.and_(
            sa.or_(has_form(text, "[0-9]*"), has_form(text, "-[0-9]*")),
            has_form(text, "*[0-9]"),
            sa.not_(has_form(sa.func.substr(text, 2), "*[^0-9.]*")),
            sa.func.length(text) - sa.func.length(sa.func.replace(text, ".", "")) <= 1,
        )
        return sa.and_(sa.func.length(text) <= _LONGEST_NUMBER, sa.or_(only_digits, other))

    def _some_entry(
        self, name: str, holds: Callable[[sa.ColumnElement[str]], _Condition]
    ) -> _Condition:
        """Whether ``holds`` is true of an attribute's text, or of that of an entry of a list."""
        if self._on_sqlite:
            return self._some_entry_on_sqlite(name, holds)
        value = sa.cast(t.subscriber.c.attributes, JSONB)[name]
        kind = sa.func.jsonb_typeof(value)
        entries = sa.func.jsonb_array_elements(value).table_valued(
            sa.column("value", JSONB), name="entry"
        )
        some = sa.exists().select_from(entries).where(holds(_jsonb_text(entries.c.value)))
        return sa.case(
            (kind == "array", some),
            (kind.in_(["string", "number", "boolean"]), holds(_jsonb_text(value))),
            else_=sa.false(),
        )

    def _some_entry_on_sqlite(
        self, name: str, holds: Callable[[sa.ColumnElement[str]], _Condition]
    ) -> _Condition:
        attributes = t.subscriber.c.attributes
        path = _path(name)
        kind = sa.func.json_type(attributes, path)
        entries = sa.func.json_each(attributes, path).table_valued("value", "type")
        some = sa.exists().select_from(entries)
        # json_each is for lists alone: it takes three times as long.
        return sa.case(
            (kind == "array", some.where(holds(_json_text(entries.c.type, entries.c.value)))),
            (
                kind.in_(["text", "integer", "real", "true", "false"]),
                holds(_json_text(kind, sa.func.json_extract(attributes, path))),
            ),
            else_=sa.false(),
        )


def _is_list(document: sa.ColumnElement[str]) -> _Condition:
    """Whether an attribute is a list, by its JSON on SQLite; in most documents there is none."""
    some = sa.func.instr(t.subscriber.c.attributes, "[", type_=sa.Integer) > 0
    return sa.and_(some, sa.func.substr(document, 1, 1) == "[")


def _path(name: str) -> str:
    """The JSON path of an attribute. Documents are kept in ASCII, and SQLite compares
    a path with a key as that is written."""
    return f"$.{json.dumps(name)}"


_ESCAPE = "!"


def _like(text: str) -> str:
    """Text as a part of a LIKE pattern that means itself."""
    for letter in (_ESCAPE, "%", "_"):
        text = text.replace(letter, _ESCAPE + letter)
    return text


def _json_text(kind: sa.ColumnElement[str], value: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """What SQLite gave of a document, as text; NULL for what is no single value."""
    return sa.case(
        (kind.in_(["true", "false"]), kind),
        (kind.in_(["object", "array", "null"]), None),
        else_=sa.cast(value, sa.Text),
    )


def _jsonb_text(value: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.case(
        (sa.func.jsonb_typeof(value).in_(["object", "array", "null"]), None),
        else_=value.op("#>>", return_type=sa.Text())(sa.literal([], sa.ARRAY(sa.Text))),
    )


def _fold(text: str) -> str:
    """``text`` with A-Z as small letters, as `_Compiler._lower` does."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)
