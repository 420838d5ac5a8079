"""Mailings and deliveries: what is sent, to whom, and how far it got."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
    """An issue revision, or a system mail (which goes first)."""

    ISSUE = "issue"
    SYSTEM = "system"


@dataclass(frozen=True)
class Mailing:
    """One thing that is sent: frozen when it is queued.

    ``public_id`` gives the Message-ID, the boundary and the return path.
    ``created_at`` is the Date of every message. ``list_id`` and the
    unsubscribe headers are written where ``newsletter_id`` (a public id) is
    set and the kind is ISSUE. ``base_url`` is the root of the reader's links,
    without a slash at the end.
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


@dataclass(frozen=True)
class Delivery:
    """One mailing to one recipient, as a worker claims it.

    ``id`` is the ledger row; ``recipient_id`` a public id: the subscriber's,
    or one made from the address for editors and test mail. ``attempts`` counts
    earlier tries that the recipient's server answered, ``first_tried_at`` when
    the first was.
    """

    id: int
    mailing_id: str
    recipient_id: str
    address: str
    attempts: int = 0
    first_tried_at: datetime | None = None


class OutcomeKind(StrEnum):
    """What became of a try."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    # Nothing was decided: the row goes back to the queue untouched.
    REQUEUED = "requeued"


@dataclass(frozen=True)
class Reply:
    """An SMTP reply: ``code`` 0 means that none came. ``enhanced`` as in RFC 3463."""

    code: int
    text: str = ""
    enhanced: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a reply, or its absence, meant for one delivery.

    ``reason`` is one of our words (`delivery.replies`); ``sender_fault`` marks
    refusals that blame us and say nothing of the reader. ``retry_at`` is set on
    DEFERRED. ``relay`` is the slug of the server that answered, for the report.
    """

    kind: OutcomeKind
    reason: str
    reply: Reply
    sender_fault: bool = False
    retry_at: datetime | None = None
    relay: str = ""


@dataclass(frozen=True)
class Relay:
    """An SMTP server we hand mail to, as configured.

    ``tls``: "starttls" and "tls" verify the certificate and fail closed;
    "none" is for a server on this machine or a trusted network.
    """

    slug: str
    host: str
    port: int
    tls: str = "starttls"
    username: str = ""
    password: str = ""
    connections: int = 4
    local_hostname: str | None = None


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
