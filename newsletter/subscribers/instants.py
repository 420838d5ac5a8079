"""Instants as lists of readers write them: of a consent, of a suppression."""

import re
from datetime import UTC, datetime

# Before anybody had a newsletter: what is older is a field's zero, no time.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
# As Go prints an instant, which listmonk exports: 2025-01-02 03:04:05.678901 +0000 UTC.
_GO_INSTANT = re.compile(r"(\S+ \S+) ([+-]\d{4}) \S+")


def parse_instant(text: str) -> datetime | None:
    """An instant in UTC, which stands where no zone is named; None for what is none.

    Nor is what lies before 1990, or where the calendar ends on the way to UTC.
    """
    go = _GO_INSTANT.fullmatch(text)
    try:
        instant = datetime.fromisoformat(f"{go[1]}{go[2]}" if go else text)
        instant = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return instant if instant >= _EARLIEST else None
