"""A mailing, its readers and keys, as the delivery tests use them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from newsletter.clock import SystemClock
from newsletter.delivery.model import Delivery, Mailing, MailingKind
from newsletter.tokens import Key, Keyring

NOW = datetime(2025, 8, 8, 7, 0, tzinfo=UTC)
GIVE_UP = timedelta(days=2)
KEYRING = Keyring([Key("a", b"k" * 32)], b"h" * 32)
MAILING_ID = "mailing000000001"
READER_ID = "reader0000000001"
UNSUBSCRIBE = "XXREADERUNSUBSCRIBEXX"
PREFERENCES = "XXREADERPREFERENCESXX"

ISSUE = Mailing(
    public_id=MAILING_ID,
    kind=MailingKind.ISSUE,
    subject="Top Stories · Week 32",
    html=f'<p>Բարեւ.</p><a href="https://paper.example/unsubscribe/{UNSUBSCRIBE}">leave</a>\n'
    f'<a href="https://paper.example/preferences/{PREFERENCES}">choose</a>\n',
    text=f"Stories.\n\nLeave: https://paper.example/unsubscribe/{UNSUBSCRIBE}\n",
    from_name="Paper Weekly",
    from_address="weekly@paper.example",
    created_at=NOW,
    language="en",
    return_path="bounces@paper.example",
    newsletter_id="newsletter000001",
    list_id="weekly.paper.example",
    list_name="Paper Weekly",
    base_url="https://paper.example",
    archive_url="https://paper.example/archive/weekly/",
)
SYSTEM = Mailing(
    public_id="mailing000000002",
    kind=MailingKind.SYSTEM,
    subject="Confirm your address",
    html="<p>Confirm.</p>",
    text="Confirm.\n",
    from_name="Paper Weekly",
    from_address="weekly@paper.example",
    created_at=NOW,
    language="en",
)
READER = Delivery(1, MAILING_ID, READER_ID, "lilit@reader.example")


def issue(**changes: Any) -> Mailing:
    return replace(ISSUE, **changes)


class SetClock(SystemClock):
    """A clock that stands where it is set."""

    def __init__(self, instant: datetime = NOW) -> None:
        self.instant = instant
        self._waited = 0.0

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return super().monotonic() + self._waited

    def move(self, instant: datetime) -> None:
        """Let the time until then go by, for all but leases, which real threads renew."""
        self._waited += max(0.0, (instant - self.instant).total_seconds())
        self.instant = instant

    def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)
