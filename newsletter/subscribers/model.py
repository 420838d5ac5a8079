"""Who reads: a person's address, consent and what may not be mailed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
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

    ``how`` is the way it came: "form" (our page), "embed" (the element on the
    site), "frame", "api", "import" or "editor". ``wording`` is the text as shown
    and ``language`` its language; ``placement`` the slug of the form's place and
    ``page`` the address of the page it stood on, without query. ``network`` is a
    keyed hash of the visitor's network address, empty once it was let go.
    """

    how: str
    wording: str
    at: datetime
    placement: str = ""
    page: str = ""
    language: str = ""
    network: str = ""

    @property
    def wording_version(self) -> str:
        """The same for the same words: which version of the wording it was."""
        return hashlib.sha256(self.wording.encode()).hexdigest()[:12]


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


@dataclass(frozen=True)
class Posts:
    """Sign-ups within the hour, this one included: of its network, for its domain, in all."""

    network: int
    domain: int
    in_all: int
    last_ten_minutes: int


@dataclass(frozen=True)
class Alarm:
    """An attack: since when, and until when it is taken to last; ``told`` once editors were."""

    since: datetime | None = None
    until: datetime | None = None
    told: bool = False

    def is_on(self, now: datetime) -> bool:
        return self.until is not None and now < self.until


@dataclass(frozen=True)
class Lane:
    """A queue of confirmations that go out at a pace: one every ``gap``."""

    name: str
    gap: timedelta
