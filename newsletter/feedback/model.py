"""What comes back: clicks, one by one and together, and reports of mail servers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class BounceAction(StrEnum):
    """What a mail server reports to have done (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True)
class BounceReport:
    """What a mail server told of one message after ours had taken it.

    ``code`` is 0 and ``enhanced`` (RFC 3463) empty where it names none; addresses in
    ``text`` are masked.
    """

    action: BounceAction
    code: int = 0
    enhanced: str = ""
    text: str = ""

    @property
    def words(self) -> str:
        """On one line, as a reply is shown."""
        return " ".join(filter(None, (str(self.code or ""), self.enhanced, self.text)))


@dataclass(frozen=True)
class Bounce:
    """A report, and when it came."""

    report: BounceReport
    at: datetime


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
