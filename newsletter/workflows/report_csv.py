"""Each reader of an issue as a row of a CSV that a spreadsheet opens safely."""

import csv
from collections.abc import Iterable
from datetime import datetime
from typing import TextIO

from newsletter.storage.delivery_rows import DeliveryRow
from newsletter.subscribers.csv_cells import guard_cell

HEADER = (
    *("address", "domain", "recipient", "state", "reason", "relay"),
    *(
        "reply_code",
        "reply_enhanced",
        "reply_text",
        "revision",
        "variant",
        "wave",
        "attempts",
        "doubts",
    ),
    *("queued_at", "due_at", "first_tried_at", "handed_over_at", "changed_at"),
    *("bounced_at", "bounce", "bounce_text"),
)


def write_readers(rows: Iterable[DeliveryRow], stream: TextIO) -> int:
    """Write one line a reader to ``stream`` (opened with ``newline=""``); how many.

    Whoever was forgotten has no address and no domain; times are ISO 8601 in UTC.
    """
    writer = csv.writer(stream)
    writer.writerow(HEADER)
    count = 0
    for row in rows:
        writer.writerow(_cells(row))
        count += 1
    return count


def _cells(row: DeliveryRow) -> tuple[str, ...]:
    return (
        # Guarded is what others wrote; the rest is our words, numbers and times.
        guard_cell(row.address),
        guard_cell(row.domain),
        row.recipient_id,
        row.state.value,
        row.reason,
        row.relay,
        # 0 stands for no reply, which an empty cell says better.
        str(row.reply_code or ""),
        guard_cell(row.reply_enhanced),
        guard_cell(row.reply_text),
        str(row.revision),
        guard_cell(row.variant),
        str(row.wave),
        str(row.attempts),
        str(row.doubts),
        _time(row.queued_at),
        _time(row.due_at),
        _time(row.first_tried_at),
        _time(row.handed_over_at),
        _time(row.changed_at),
        _time(row.bounce.at if row.bounce else None),
        row.bounce.report.action.value if row.bounce else "",
        guard_cell(row.bounce.report.words if row.bounce else ""),
    )


def _time(instant: datetime | None) -> str:
    return instant.isoformat(timespec="milliseconds") if instant else ""
