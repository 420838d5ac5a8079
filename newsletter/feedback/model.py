"""Clicks: one request of a link, and what many of them come to."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class Click(NamedTuple):
    """One request of a link. ``mailing`` and ``recipient`` (public ids) are empty in a link
    that is the same for all readers."""

    link: str
    at: datetime
    by_machine: bool
    mailing: str = ""
    recipient: str = ""


@dataclass(frozen=True)
class Addressee:
    """A mail that a reader got: of which issue (its public id), and when it was handed over."""

    issue_id: str
    handed_over_at: datetime | None


@dataclass(frozen=True)
class ClickSum:
    """Clicks counted together."""

    clicks: int = 0
    machine_clicks: int = 0


@dataclass(frozen=True)
class ReaderClicks:
    """One reader's clicks on one link."""

    recipient: str
    link: str
    clicks: int
    machine_clicks: int
    first_at: datetime
    last_at: datetime
