"""Queueing an audience: in which order, and who belongs to which wave."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from newsletter.delivery.model import PlannedWave
from newsletter.issues.model import ServedVariant
from newsletter.storage import tables as t
from newsletter.storage.columns import NameList
from newsletter.storage.segments import is_in
from newsletter.storage.statements import domain_of
from newsletter.storage.subscribers import mailable
from newsletter.subscribers.model import Segment, SubscriptionState

_CACHE = 8 * 1024  # KiB


@contextmanager
def room_for_indexes(connection: Connection) -> Iterator[None]:
    """Let SQLite hold the parts of its indexes that a large insert goes back to.

    With the usual 2 MiB it writes and reads them over and over: 8 s of system
    time for a million rows instead of 4 (measured).
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    usual = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = {usual}")


def wave_of_reader(
    connection: Connection,
    newsletter: int,
    plan: Sequence[PlannedWave],
    key: str,
    segment: Segment | None = None,
) -> sa.ColumnElement[int]:
    """The number of the wave that a subscriber in the audience belongs to.

    The sample of a wave with a share are the readers whose public ids, which
    are random, come next after ``key``: another sample for every key, and a
    fair one whatever the readers have in common.
    """
    cases: list[tuple[sa.ColumnElement[bool], int]] = []
    by_zone: list[tuple[int, sa.ColumnElement[bool], int]] = []
    for number, wave in enumerate(plan):
        if wave.addresses or wave.domains:
            cases.append((_is_one_of(connection, wave), number))
        elif wave.share > 0:
            taken = sa.or_(sa.false(), *(case for case, _ in cases))
            sample = _is_in_sample(connection, newsletter, segment, taken, wave.share, key)
            cases.append((sample, number))
        elif wave.zones:
            by_zone.append((wave.rank, t.subscriber.c.timezone.in_(wave.zones), number))
    others = next(number for number, wave in enumerate(plan) if wave.others)
    if by_zone:
        cases.append((t.subscriber.c.timezone.is_(None), others))
        # They exclude each other: asked first for what most readers have.
        cases += [(case, number) for _, case, number in sorted(by_zone, key=lambda z: z[0])]
    return sa.case(*cases, else_=others) if cases else sa.literal(others, sa.Integer)


def mailing_of_reader(
    canonical: int, variants: Mapping[int, ServedVariant]
) -> sa.ColumnElement[int]:
    """The mailing (its key) that serves the choice of a subscriber in the audience.

    ``variants`` are by their mailing. Whoever made a choice that none of them
    serves gets the full one in their language, else the ``canonical`` one.
    """
    cases: list[tuple[sa.ColumnElement[bool], int]] = []
    for mailing, served in variants.items():
        if served.variant.is_full:
            continue
        languages: dict[tuple[str, ...], set[str | None]] = {}
        for choice in served.choices:
            languages.setdefault(choice.departments, set()).add(choice.language)
        cases += [
            (sa.and_(_chose(departments), _speaks(spoken)), mailing)
            for departments, spoken in sorted(languages.items())
        ]
    for mailing, served in variants.items():
        if served.variant.is_full and served.choices and mailing != canonical:
            cases.append((_speaks({choice.language for choice in served.choices}), mailing))
    return _literal(canonical) if not cases else sa.case(*cases, else_=_literal(canonical))


def _literal(mailing: int) -> sa.ColumnElement[int]:
    return sa.literal(mailing, t.delivery.c.mailing_id.type)


def _chose(departments: tuple[str, ...]) -> sa.ColumnElement[bool]:
    return t.subscription.c.departments == sa.literal(departments, NameList())


def _speaks(languages: Collection[str | None]) -> sa.ColumnElement[bool]:
    language = t.subscriber.c.language
    named = sorted(tag for tag in languages if tag is not None)
    unknown = [language.is_(None)] if None in languages else []
    return sa.or_(*unknown, language.in_(named)) if named else sa.or_(sa.false(), *unknown)


def reader_order(key: str) -> tuple[sa.ColumnElement[Any], ...]:
    """An order of subscribers without meaning, another one for every ``key``.

    The first rows of a wave are then a fair sample of its readers too.
    """
    public_id = t.subscriber.c.public_id
    return (sa.case((public_id < key, 1), else_=0), public_id)


def _is_one_of(connection: Connection, wave: PlannedWave) -> sa.ColumnElement[bool]:
    address = t.subscriber.c.address
    return sa.or_(address.in_(wave.addresses), domain_of(connection, address).in_(wave.domains))


def _is_in_sample(
    connection: Connection,
    newsletter: int,
    segment: Segment | None,
    taken: sa.ColumnElement[bool],
    share: float,
    key: str,
) -> sa.ColumnElement[bool]:
    public_id = t.subscriber.c.public_id
    counted = (
        mailable(connection, newsletter, segment).where(~taken).with_only_columns(sa.func.count())
    )
    readers = connection.execute(counted).scalar_one()
    wanted = math.ceil(share * readers - 1e-9)
    if not wanted:
        return sa.false()
    beyond = public_id >= key
    last = _nth_of(connection, newsletter, segment, sa.and_(beyond, ~taken), wanted)
    if last is not None:
        return sa.and_(beyond, public_id <= last)
    # On from the first of all ids.
    left = wanted - connection.execute(counted.where(beyond)).scalar_one()
    last = _nth_of(connection, newsletter, segment, sa.and_(~beyond, ~taken), left)
    return beyond if last is None else sa.or_(beyond, public_id <= last)


def _nth_of(
    connection: Connection,
    newsletter: int,
    segment: Segment | None,
    whose: sa.ColumnElement[bool],
    number: int,
) -> str | None:
    """The public id of the audience's ``number``th reader of these, in order of public ids.

    Asked so that the ids' own index is walked as far as that one: sorting the
    whole audience would take as long as queueing a third of it.
    """
    is_active = sa.exists().where(
        t.subscription.c.subscriber_id == t.subscriber.c.id,
        t.subscription.c.newsletter_id == newsletter,
        t.subscription.c.state == SubscriptionState.ACTIVE.value,
        *(() if segment is None else (is_in(connection, segment),)),
    )
    is_suppressed = sa.exists().where(t.suppression.c.address_hash == t.subscriber.c.address_hash)
    found: str | None = connection.scalar(
        sa.select(t.subscriber.c.public_id)
        .where(whose, is_active, ~is_suppressed, ~t.subscriber.c.domain_suppressed)
        .order_by(t.subscriber.c.public_id)
        .limit(1)
        .offset(max(0, number - 1))
    )
    return found if number > 0 else None


def open_waves(
    connection: Connection, issue: int, plan: Sequence[PlannedWave], at: datetime
) -> None:
    """Write down the waves of rows just queued; the first is released if its time has come.

    A wave without readers is left out, so that none waits for it; with no
    reader at all there is one wave of nobody.
    """
    row = t.delivery.c
    found: list[tuple[int, int, int | None]] = [
        (number, readers, first_delivery)
        for number, readers, first_delivery in connection.execute(
            sa.select(row.wave, sa.func.count(), sa.func.min(row.id))
            .where(row.issue_id == issue, row.due_at.is_not(None))
            .group_by(row.wave)
            .order_by(row.wave)
        )
    ]
    if not found:
        nobody = next(number for number, wave in enumerate(plan) if wave.others)
        found = [(nobody, 0, None)]
    connection.execute(
        sa.insert(t.wave),
        [
            {
                "issue_id": issue,
                "number": number,
                "name": plan[number].name,
                "readers": readers,
                "starts_at": plan[number].starts_at,
                "released_at": at if place == 0 and plan[number].starts_at <= at else None,
                "first_delivery": first_delivery,
            }
            for place, (number, readers, first_delivery) in enumerate(found)
        ],
    )


def last_wave(connection: Connection, issue: int) -> int | None:
    """The number of an issue's last wave; None where it has none yet."""
    number: int | None = connection.scalar(
        sa.select(sa.func.max(t.wave.c.number)).where(t.wave.c.issue_id == issue)
    )
    return number


def widen_wave(connection: Connection, issue: int, number: int, newcomers: int) -> None:
    """Count newcomers to a wave."""
    row = t.delivery.c
    first = sa.select(sa.func.min(row.id)).where(
        row.issue_id == issue, row.wave == number, row.due_at.is_not(None)
    )
    connection.execute(
        sa.update(t.wave)
        .where(t.wave.c.issue_id == issue, t.wave.c.number == number)
        .values(
            readers=t.wave.c.readers + newcomers,
            first_delivery=sa.func.coalesce(t.wave.c.first_delivery, first.scalar_subquery()),
        )
    )
