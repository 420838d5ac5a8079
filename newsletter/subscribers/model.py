"""Who reads: a person's address, consent and what may not be mailed."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from newsletter.publication.cadence import Cadence


class SubscriptionState(StrEnum):
    """Where a subscription is; the moves are in `subscribers.states`."""

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"


class LeaveReason(StrEnum):
    """Why a reader left, where they cared to say."""

    TOO_MUCH = "too_much"
    NOT_FOR_ME = "not_for_me"
    READ_ELSEWHERE = "read_elsewhere"
    NEVER_ASKED = "never_asked"
    OTHER = "other"


class SuppressionReason(StrEnum):
    """Why an address may not be mailed; the later outranks the earlier."""

    BOUNCED = "bounced"
    FORGOTTEN = "forgotten"
    COMPLAINT = "complaint"
    LEGAL = "legal"

    @property
    def blocks_confirmation(self) -> bool:
        """Whether even the reader's own new confirmation is blocked."""
        return self in (SuppressionReason.COMPLAINT, SuppressionReason.LEGAL)

    @property
    def strength(self) -> int:
        """A weaker reason never lifts a stronger one."""
        return _STRENGTH[self]


_STRENGTH = {reason: strength for strength, reason in enumerate(SuppressionReason)}


@dataclass(frozen=True)
class Suppression:
    """An address that may not be mailed. ``address`` is known as long as we hold it."""

    address_hash: str
    reason: SuppressionReason
    at: datetime
    source: str = ""
    address: str | None = None


@dataclass(frozen=True)
class DomainRule:
    """A domain that may not be mailed, until a person lifts it.

    ``pattern`` is ``@example.org`` for the domain itself, ``*.example.org`` for
    all below it; the domain is in A-labels.
    """

    pattern: str
    reason: SuppressionReason
    at: datetime
    source: str = ""


class DomainRules:
    """Rules, asked by domain."""

    def __init__(self, rules: Iterable[DomainRule]) -> None:
        self._reasons = {rule.pattern: rule.reason for rule in rules}

    def reason(self, domain: str) -> SuppressionReason | None:
        """The strongest reason not to mail a domain, or None."""
        if not self._reasons:
            return None
        found = [self._reasons.get(pattern) for pattern in patterns_covering(domain)]
        return max((r for r in found if r), key=lambda reason: reason.strength, default=None)


def patterns_covering(domain: str) -> list[str]:
    """Every pattern of a `DomainRule` that covers a domain."""
    labels = domain.split(".")
    return [
        f"@{domain}",
        *(f"*.{'.'.join(labels[place:])}" for place in range(1, len(labels))),
    ]


@dataclass(frozen=True)
class Subscriber:
    """A person. ``address`` is normalised by `subscribers.address`.

    ``timezone`` is the name of a zone in the IANA database, where it is known;
    ``attributes`` what else a list said of them.
    """

    public_id: str
    address: str
    created_at: datetime
    name: str = ""
    language: str | None = None
    timezone: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Consent:
    """What a reader agreed to, where and when: the evidence of the opt-in.

    ``how`` is the way it came: "form" (our page), "embed" (the element on the
    site), "frame", "api", "import" or "editor". ``wording`` is the text as shown
    and ``language`` its language; ``placement`` the slug of the form's place, or whose export, and
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


# In the log: who had left asked for the newsletter again.
ASKED = "asked"
# And why a subscription became active: the mailbox answered.
CONFIRMED = "confirmed"


@dataclass(frozen=True)
class SubscriptionWish:
    """What was asked for by a reader's address after they had left; until it is confirmed
    they have left. ``cadence`` is None where nothing was said of it."""

    consent: Consent
    cadence: Cadence | None = None


@dataclass(frozen=True)
class AddressChange:
    """The (normalised) address a reader asked for; ``public_id`` names the wish."""

    public_id: str
    address: str
    asked_at: datetime


@dataclass(frozen=True)
class PreviousAddress:
    """The address that a reader had until ``changed_at``; ``public_id`` names the change."""

    public_id: str
    address: str
    changed_at: datetime


@dataclass(frozen=True)
class Subscription:
    """A subscriber on a newsletter.

    ``departments`` are those of the paper that it is narrowed to; none means all.
    ``paused_until`` is when a pause ends by itself, if it does; ``left_because``
    what its reader told on leaving; ``cadence`` how often it is wanted. ``left_from``
    is the state that was left; None for who has not left, or left before it was kept.
    """

    subscriber: Subscriber
    newsletter: str
    state: SubscriptionState
    consent: Consent
    changed_at: datetime
    departments: tuple[str, ...] = ()
    paused_until: datetime | None = None
    left_because: LeaveReason | None = None
    cadence: Cadence = Cadence.EACH
    left_from: SubscriptionState | None = None


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


class Standing(NamedTuple):
    """What we hold of an address that a file names, as far as an import has to know.

    ``state`` None: not on this newsletter. ``departments`` None: never asked.
    """

    key: int
    state: SubscriptionState | None
    departments: tuple[str, ...] | None
    timezone: str | None
    attributes: Mapping[str, Any]


class NewSubscription(NamedTuple):
    """A person to be put on a newsletter, and their subscription if they have none."""

    public_id: str
    address: str
    address_hash: str
    name: str
    language: str | None
    timezone: str | None
    attributes: Mapping[str, Any] | None
    domain_suppressed: bool
    state: SubscriptionState
    departments: tuple[str, ...]
    consent: Consent
    cadence: Cadence = Cadence.EACH


class Learned(NamedTuple):
    """What a file says of a reader where nothing was known; ``key`` is as in `Standing`."""

    key: int
    timezone: str | None = None
    departments: tuple[str, ...] = ()
    attributes: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class SubscriberImport:
    """Readers brought in from a file; how far it was read, and what became of its rows.

    ``undo_wanted_by`` is who wants it taken back, until that is done; ``undo_problem`` why
    that was not brought to its end, in English.
    """

    public_id: str
    newsletter: str
    digest: str
    file: str
    format: str
    consent: str
    actor: str
    started_at: datetime
    finished_at: datetime | None = None
    undone_at: datetime | None = None
    rows: int = 0
    counts: Mapping[str, int] = field(default_factory=dict, hash=False)
    undo_wanted_by: str = ""
    undo_problem: str = ""


class UploadKind(StrEnum):
    """What a file at the desk brings."""

    READERS = "readers"
    SUPPRESSIONS = "suppressions"


class UploadState(StrEnum):
    """Where a file at the desk is: looked through, shown, imported once that is wanted."""

    CHECKING = "checking"
    CHECKED = "checked"
    WANTED = "wanted"
    DONE = "done"
    FAILED = "failed"

    @property
    def waits(self) -> bool:
        """Whether something is to be done about it by itself."""
        return self in (UploadState.CHECKING, UploadState.WANTED)


@dataclass(frozen=True)
class ReaderUpload:
    """A file that an editor brought to the desk.

    ``target`` is the slug of the newsletter, or the reason that its suppressions are given;
    ``rows`` how far it was read of at most ``row_bound``; ``told`` what was recognised and
    counted, as plain values; ``problem`` why it failed, in English. ``without_opt_in``:
    ``consent`` is true of those too of whom an export tells no opt-in.
    """

    public_id: str
    kind: UploadKind
    file: str
    bytes: int
    target: str
    actor: str
    state: UploadState
    uploaded_at: datetime
    changed_at: datetime
    consent: str = ""
    all_columns: bool = False
    without_opt_in: bool = False
    rows: int = 0
    row_bound: int = 0
    told: Mapping[str, Any] = field(default_factory=dict, hash=False)
    problem: str = ""


class SegmentField(StrEnum):
    """What a filter may ask of a subscription."""

    NEWSLETTER = "newsletter"
    STATE = "state"
    DEPARTMENT = "department"
    LANGUAGE = "language"
    CADENCE = "cadence"
    SIGNED_UP = "signed_up"
    SOURCE = "source"
    PLACEMENT = "placement"
    CLICKS = "clicks"
    ATTRIBUTE = "attribute"


class Operator(StrEnum):
    """How a filter compares."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True)
class DaysAgo:
    """The local day that was so many days before today."""

    days: int


SegmentValue = str | Decimal | date | DaysAgo


@dataclass(frozen=True)
class Asked:
    """A field of a filter: ``name`` is an attribute's, ``days`` how far back clicks count."""

    field: SegmentField
    name: str = ""
    days: int = 0


@dataclass(frozen=True)
class Comparison:
    """One comparison; ``!=`` is true wherever ``=`` is not, of what is unknown too."""

    asked: Asked
    operator: Operator
    value: SegmentValue


@dataclass(frozen=True)
class OneOf:
    """Whether a field equals one of some values."""

    asked: Asked
    values: tuple[SegmentValue, ...]


@dataclass(frozen=True)
class Not:
    """What ``part`` leaves out."""

    part: "Filter"


@dataclass(frozen=True)
class AllOf:
    """What each of two or more parts is true of."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class AnyOf:
    """What one at least of two or more parts is true of."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Waits:
    """Whether a catch-up of that slot is waited for; no filter that anybody writes asks it."""

    slot: str


Filter = Comparison | OneOf | Not | AllOf | AnyOf | Waits


@dataclass(frozen=True)
class Segment:
    """A filter as it is asked now: ``zone`` is that in which its days run."""

    filter: Filter
    now: datetime
    zone: ZoneInfo


@dataclass(frozen=True)
class SegmentCount:
    """How many people a segment has, and subscriptions by newsletter and state."""

    readers: int
    subscriptions: Mapping[tuple[str, SubscriptionState], int]


@dataclass(frozen=True)
class ListChange:
    """So many subscriptions of a newsletter changed alike at one instant, as the log has it.

    ``act`` is the state they came to, or what else was done; ``before`` the state they
    were in, ``reason`` why, and ``how`` by which way a consent came, each empty where the
    log does not say.
    """

    at: datetime
    newsletter: str
    placement: str
    act: str
    how: str
    reason: str
    count: int
    before: str = ""
