"""Mailings and deliveries: what is sent, to whom, and how far it got."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from newsletter.issues.model import Variant

# The reason of an outcome that no relay told but a person.
BY_HAND = "by_hand"


class DeliveryState(StrEnum):
    """Where one mailing to one recipient is; the moves are in `delivery.states`."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    HANDED_OVER = "handed_over"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"


class MailingKind(StrEnum):
    """An issue revision, a system mail (which goes first), or an issue as a test for editors.

    A test has the headers of an issue, goes first as well and counts nowhere.
    """

    ISSUE = "issue"
    SYSTEM = "system"
    TEST = "test"


@dataclass(frozen=True)
class Mailing:
    """One thing that is sent: frozen when it is queued.

    ``public_id`` gives the Message-ID, the boundary and the return path.
    ``created_at`` is the Date of every message. ``list_id`` and the
    unsubscribe headers are written where ``newsletter_id`` (a public id) is
    set and the kind is ISSUE. ``base_url`` is the root of the reader's links,
    without a slash at the end; with ``leave_address`` a mail to it that carries a
    token unsubscribes too. ``revision`` counts the corrections of an issue,
    from 1; ``departments`` are those that this variant of it is narrowed to.
    ``token_key`` names the key that signs the readers' links and
    ``dkim_selectors`` those that sign the message: a message that is sent a
    second time has the same bytes, whatever became the newest key meanwhile.
    """

    public_id: str
    kind: MailingKind
    subject: str
    html: str
    text: str
    from_name: str
    from_address: str
    created_at: datetime
    language: str
    reply_to: str | None = None
    return_path: str | None = None
    newsletter_id: str | None = None
    list_id: str = ""
    list_name: str = ""
    base_url: str = ""
    archive_url: str = ""
    leave_address: str | None = None
    revision: int = 1
    departments: tuple[str, ...] = ()
    token_key: str = ""
    dkim_selectors: tuple[str, ...] = ()

    @property
    def variant(self) -> Variant:
        """Which one of its issue it is."""
        return Variant(self.language, self.departments)


# Four are made for every message; a frozen dataclass takes five times as long to make.
class Delivery(NamedTuple):
    """One mailing to one recipient, as a worker claims it.

    ``id`` is the ledger row; ``recipient_id`` a public id: the subscriber's,
    or one made from the address for editors and test mail. ``attempts`` counts
    earlier tries that count, for the recipient's server answered them, and
    ``first_tried_at`` is when the first was; without any, when a try first went
    back undecided. ``domain`` is what stands after the address's @; ``relay``
    the slug of the server that answered last, or empty. It waits since ``queued_at``.
    """

    id: int
    mailing_id: str
    recipient_id: str
    address: str
    attempts: int = 0
    domain: str = ""
    relay: str = ""
    is_system: bool = False
    first_tried_at: datetime | None = None
    queued_at: datetime | None = None


class OutcomeKind(StrEnum):
    """What became of a try."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    # Nothing was decided: the row goes back to the queue untouched.
    REQUEUED = "requeued"


class Reply(NamedTuple):
    """An SMTP reply: ``code`` 0 means that none came. ``enhanced`` as in RFC 3463."""

    code: int
    text: str = ""
    enhanced: str = ""


class Outcome(NamedTuple):
    """What a reply, or its absence, meant for one delivery.

    ``reason`` is one of our words (`delivery.replies`); ``sender_fault`` marks
    refusals that blame us and say nothing of the reader. ``retry_at`` is when a
    row that goes back to waiting is due again, where not at once.
    """

    kind: OutcomeKind
    reason: str
    reply: Reply
    sender_fault: bool = False
    retry_at: datetime | None = None


class Settlement(NamedTuple):
    """What became of one claimed or handed-over row.

    ``relay`` is the slug of the server that answered, for the report.
    """

    delivery_id: int
    outcome: Outcome
    relay: str = ""


@dataclass(frozen=True)
class Relay:
    """An SMTP server we hand mail to, as configured.

    ``tls``: "starttls" and "tls" verify the certificate and fail closed;
    "none" is for a server on this machine or a trusted network. Limits hold for
    the whole installation: ``rate`` in messages a second and ``daily_cap`` in
    messages a day (UTC), 0 for none. ``warm_up`` are the caps of the first days
    on which the relay sends. A relay of ``weight`` 0 is used where no other can.
    """

    slug: str
    host: str
    port: int
    tls: str = "starttls"
    username: str = ""
    password: str = ""
    connections: int = 4
    rate: float = 0.0
    daily_cap: int = 0
    warm_up: tuple[int, ...] = ()
    weight: int = 1
    local_hostname: str | None = None


@dataclass(frozen=True)
class Permit:
    """A worker's part of a relay's limits; ``rate`` 0 where there is none.

    ``kept`` of its ``connections`` are for system mail only. It is one of
    ``workers``, and has the ``place`` among them, from 0.
    """

    connections: int
    rate: float = 0.0
    kept: int = 0
    workers: int = 1
    place: int = 0


@dataclass(frozen=True)
class RelayState:
    """Whether a relay's breaker is open: until when, why, how often in a row and since when."""

    paused_until: datetime | None = None
    reason: str = ""
    trips: int = 0
    since: datetime | None = None


@dataclass(frozen=True)
class Hold:
    """A mailing that no relay can be given as it is, and when it is looked at again."""

    until: datetime
    because: str

    def sentence(self) -> str:
        """It in words."""
        return f"held up, and tried again at {self.until:%Y-%m-%d %H:%M} UTC: {self.because}"


@dataclass(frozen=True)
class Slowdown:
    """What a destination group that complained of our pace bears, of all workers together.

    ``rate`` in messages a second and ``connections`` at once, both from ``paused_until``
    on, when a pause of ``pause`` seconds ends; it complained at ``changed_at``. ``since``
    is when it complained first since it took a message, or None where it has taken one.
    """

    group: str
    rate: float
    connections: float
    pause: float
    paused_until: datetime
    changed_at: datetime
    since: datetime | None = None


@dataclass(frozen=True)
class RelayUse:
    """What a relay was used for: the days (UTC) before today on which a cap of it was drawn on,
    the messages granted today, and how long its answers took last, where that is known."""

    days: int = 0
    granted_today: int = 0
    reply_seconds: float | None = None


class OnUncertain(StrEnum):
    """What becomes of a row whose message may have been taken."""

    RESEND = "resend"  # once, with the same bytes
    HOLD = "hold"


@dataclass(frozen=True)
class LedgerCounts:
    """A mailing's deliveries by state; together they are its whole audience."""

    queued: int = 0
    claimed: int = 0
    handed_over: int = 0
    accepted: int = 0
    deferred: int = 0
    refused: int = 0
    uncertain: int = 0
    skipped: int = 0

    @property
    def total(self) -> int:
        return self.open + self.accepted + self.refused + self.uncertain + self.skipped

    @property
    def open(self) -> int:
        """Rows that still have a way to go."""
        return self.queued + self.claimed + self.handed_over + self.deferred

    @property
    def reached_nobody(self) -> bool:
        """Whether all is settled and nobody can have got it, though it was sent to somebody."""
        return self.refused > 0 and not (self.open or self.accepted or self.uncertain)


class Phase(StrEnum):
    """How far an SMTP conversation had come when its last reply came, or did not."""

    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    # The final dot is written: from here on a message may have been taken.
    DOT = "dot"


@dataclass(frozen=True)
class DeliverySummary:
    """What one run of the engine did, in tries.

    ``requeued`` counts rows that went back undecided and may be tried again in
    the same run; ``skipped`` those whose hand-over no longer held.
    """

    accepted: int = 0
    refused: int = 0
    deferred: int = 0
    uncertain: int = 0
    requeued: int = 0
    skipped: int = 0


# Names of waves; those by zone are called by their offset from UTC.
ALL, STAFF, CANARY, REST = "all", "staff", "canary", "the rest"


@dataclass(frozen=True)
class PlannedWave:
    """Who of an audience is served from when on.

    A reader belongs to the first wave that fits: by ``addresses`` or ``domains``,
    by being in the sample of ``share``, by one of ``zones``; whom none of them
    fits, to the one that takes the ``others``. Of waves by zone ``rank`` tells
    how they compare in readers, the largest first.
    """

    name: str
    starts_at: datetime
    addresses: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    share: float = 0.0
    zones: tuple[str, ...] = ()
    rank: int = 0
    others: bool = False


@dataclass(frozen=True)
class Wave:
    """A part of an issue's audience; claimed from ``released_at`` on.

    ``issue_id`` is the issue's public id. ``first_delivery`` is the first of its
    rows in the ledger, which lie side by side and in no order of their readers.
    """

    issue_id: str
    number: int
    name: str
    readers: int
    starts_at: datetime
    released_at: datetime | None
    first_delivery: int | None

    @property
    def is_preview(self) -> bool:
        """Whether it goes ahead of the others, to see how it fares."""
        return self.name in (STAFF, CANARY)


@dataclass(frozen=True)
class FirstRows:
    """What became of some of a wave's first rows.

    ``closed`` of them have no way to go any more, and ``untried`` have not been
    answered yet. ``refused`` counts those refused for good, by reason.
    """

    rows: int
    closed: int
    untried: int
    refused: Mapping[str, int]
