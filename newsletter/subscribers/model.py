"""Who reads: a person's address, consent and what may not be mailed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SubscriptionState(StrEnum):
    """Where a subscription is; the moves are in `subscribers.states`."""

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"


class SuppressionReason(StrEnum):
    """Why an address may not be mailed."""

    BOUNCED = "bounced"
    FORGOTTEN = "forgotten"
    COMPLAINT = "complaint"
    LEGAL = "legal"

    @property
    def blocks_confirmation(self) -> bool:
        """Whether even the reader's own new confirmation is blocked."""
        return self in (SuppressionReason.COMPLAINT, SuppressionReason.LEGAL)


@dataclass(frozen=True)
class Subscriber:
    """A person. ``address`` is normalised by `subscribers.address`.

    ``timezone`` is the name of a zone in the IANA database, where it is known.
    """

    public_id: str
    address: str
    created_at: datetime
    name: str = ""
    language: str | None = None
    timezone: str | None = None


@dataclass(frozen=True)
class Consent:
    """What a reader agreed to, where and when: the evidence of the opt-in.

    ``how`` is "form", "import" or "editor"; ``wording`` the text as shown;
    ``placement`` which form on which page.
    """

    how: str
    wording: str
    at: datetime
    placement: str = ""


@dataclass(frozen=True)
class Subscription:
    """A subscriber on a newsletter.

    ``departments`` are those of the paper that it is narrowed to; none means all.
    """

    subscriber: Subscriber
    newsletter: str
    state: SubscriptionState
    consent: Consent
    changed_at: datetime
    departments: tuple[str, ...] = ()
