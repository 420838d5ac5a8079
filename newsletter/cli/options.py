"""The options that commands have in common."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from newsletter.clock import Clock, ShiftedClock, SystemClock
from newsletter.errors import UsageError

ConfigOption = Annotated[
    Path,
    typer.Option("--config", envvar="NEWSLETTER_CONFIG", metavar="FILE", help="the config file"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="one JSON document on standard output")]
NowOption = Annotated[
    str | None, typer.Option("--now", metavar="ISO-8601", help="set the clock, for trying out")
]
NewsletterOption = Annotated[
    str | None, typer.Option("--newsletter", metavar="SLUG", help="may be left out if there is one")
]
SlotOption = Annotated[
    str | None,
    typer.Option("--slot", metavar="SLOT", help="such as 2025-W32; may be left out if one fits"),
]
DEFAULT_CONFIG = Path("config.toml")


def parse_now(text: str | None) -> Clock:
    """The clock that --now asks for, which runs on from there."""
    instant = named_instant(text)
    return SystemClock() if instant is None else ShiftedClock(instant)


def named_instant(text: str | None) -> datetime | None:
    """The instant that --now names, in UTC; a time without an offset is UTC."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f'--now: "{text}" is no instant; write it as 2025-08-05T12:00:00Z', subject="now"
        ) from error
    if not 1970 < instant.year < 9000:
        raise UsageError(f'--now: the year of "{text}" is out of reach', subject="now")
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
