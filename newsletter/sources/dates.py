"""Instants as sources write them: RFC 822 with its odd zones, and ISO 8601."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

# Zone names that feeds use and RFC 822 does not know, in hours. A name that
# stands for several zones is left out, and then read as UTC (RFC 2822, 4.3).
_ZONES = {
    "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "eet": 2,
    "eest": 3, "msk": 3, "trt": 3, "get": 4, "amt": 4, "azt": 4, "gst": 4, "pkt": 5, "hkt": 8,
    "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "akst": -9, "akdt": -8,
    "hst": -10,
}  # fmt: skip
_NAMED_ZONE = re.compile(r"\s\(?([A-Za-z]{3,4})\)?$")
_GMT_OFFSET = re.compile(r"(?:GMT|UTC?)\s*([+-])(\d{1,2}):?(\d{2})?$", re.IGNORECASE)
_ISO_START = re.compile(r"\d{4}-\d\d-\d\d|\d{8}(?:T|$)")
_SPACE_BEFORE_OFFSET = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)")
# Web feeds are younger; an earlier date is some program's idea of "none".
_FIRST_YEAR = 1980
_LAST_YEAR = 2200
_LONGEST = 80


def parse_date(text: str | None) -> datetime | None:
    """An aware UTC instant, or None where the text tells none.

    Without a zone, or with one that nobody knows, the time is taken as UTC.
    """
    if not text or len(text) > _LONGEST:
        return None
    text = " ".join(text.split())
    try:
        found = _parse_iso(text) if _ISO_START.match(text) else _parse_rfc822(text)
        found = found.astimezone(UTC) if found else None
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    if found is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        return None
    return found


def _parse_iso(text: str) -> datetime:
    text = re.sub(r"\s*(?:UTC|GMT|[zZ])$", "+00:00", text)
    found = datetime.fromisoformat(_SPACE_BEFORE_OFFSET.sub("", text))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _parse_rfc822(text: str) -> datetime | None:
    parsed = parsedate_tz(_with_numeric_zone(text))
    if parsed is None:
        return None
    zone = timezone(timedelta(seconds=parsed[9] or 0))
    # Second 60 is a leap second, hour 24 the next midnight: both do occur.
    hour, minute, second = parsed[3:6]
    start = datetime(parsed[0], parsed[1], parsed[2], tzinfo=zone)
    return start + timedelta(hours=hour, minutes=minute, seconds=second)


def _with_numeric_zone(text: str) -> str:
    if match := _GMT_OFFSET.search(text):
        sign, hours, minutes = match.groups()
        return f"{text[: match.start()]}{sign}{int(hours):02}{minutes or '00'}"
    if match := _NAMED_ZONE.search(text):
        hours = _ZONES.get(match[1].lower())
        if hours is not None:
            sign = "-" if hours < 0 else "+"
            return f"{text[: match.start()]} {sign}{abs(hours):02}00"
    return text
