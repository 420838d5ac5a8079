"""Subscribers as a CSV that a spreadsheet opens safely and an import reads back."""

import csv
import json
from collections.abc import Callable, Iterable
from typing import TextIO

from newsletter.subscribers.csv_cells import guard_cell
from newsletter.subscribers.csv_source import RefusedRow
from newsletter.subscribers.departments import join_departments
from newsletter.subscribers.model import Subscription

HEADER = (
    *(
        "address",
        "name",
        "language",
        "timezone",
        "newsletter",
        "departments",
        "cadence",
        "status",
        "changed_at",
    ),
    *("consent_how", "consent_at", "consent_placement", "consent_wording", "attributes"),
)


def write_subscribers(subscriptions: Iterable[Subscription], stream: TextIO) -> int:
    """Write one row a subscription to ``stream`` (opened with ``newline=""``); how many."""
    csv.writer(stream).writerow(HEADER)
    return write_rows(subscriptions, stream)


def write_rows(subscriptions: Iterable[Subscription], stream: TextIO) -> int:
    """The same without the line of column names, for a part of a file."""
    writer = csv.writer(stream)
    count = 0
    for subscription in subscriptions:
        writer.writerow([guard_cell(cell) for cell in _cells(subscription)])
        count += 1
    return count


def refusal_writer(stream: TextIO) -> Callable[[RefusedRow], None]:
    """What writes rows that can't be used to ``stream``, each with its line and why."""
    writer = csv.writer(stream)
    writer.writerow(("line", "why"))

    def write(row: RefusedRow) -> None:
        cells = (str(row.line), row.sentence, *row.cells)
        writer.writerow([guard_cell(cell) for cell in cells])

    return write


def _cells(subscription: Subscription) -> tuple[str, ...]:
    subscriber, consent = subscription.subscriber, subscription.consent
    return (
        subscriber.address,
        subscriber.name,
        subscriber.language or "",
        subscriber.timezone or "",
        subscription.newsletter,
        join_departments(subscription.departments),
        str(subscription.cadence),
        str(subscription.state),
        subscription.changed_at.isoformat(timespec="seconds"),
        consent.how,
        consent.at.isoformat(timespec="seconds"),
        consent.placement,
        consent.wording,
        json.dumps(subscriber.attributes, ensure_ascii=False) if subscriber.attributes else "",
    )
