"""The exports of other newsletter services, each a table from their words into ours.

A format is recognised by headers that only it has together. Header words are
compared by their letters and digits alone, so that ``Email Address`` and
``email_address`` are one. What a table does not name stays an extra column.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum


class ImportStatus(StrEnum):
    """What a row says of its subscriber, in our words; the later outranks the earlier."""

    ACTIVE = "active"
    PAUSED = "paused"
    NOT_ASKED = "not asked"
    PENDING = "pending"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    BLOCKED = "blocked"

    @property
    def leaves(self) -> bool:
        """Whether it says that this person is not to be mailed any more."""
        return self in _LEAVES


_LEAVES = frozenset(
    (
        ImportStatus.UNSUBSCRIBED,
        ImportStatus.BOUNCED,
        ImportStatus.COMPLAINED,
        ImportStatus.BLOCKED,
    )
)
RANK: Mapping[ImportStatus, int] = {status: rank for rank, status in enumerate(ImportStatus)}


class Column(StrEnum):
    """The columns that have a meaning of ours."""

    ADDRESS = "address"
    NAME = "name"
    FIRST_NAME = "first name"
    LAST_NAME = "last name"
    LANGUAGE = "language"
    TIMEZONE = "time zone"
    DEPARTMENTS = "departments"
    CADENCE = "cadence"
    CONSENT_AT = "time of consent"
    CONSENT_WORDING = "wording of consent"
    ATTRIBUTES = "attributes"


Words = tuple[str, ...]


@dataclass(frozen=True)
class ListFormat:
    """How one service writes a list.

    ``recognised_by`` are header words that must all be there. ``columns`` are
    header words in order of preference. ``statuses`` are columns of status and
    what their cells mean ("" for an empty one); ``filled`` columns say a status
    wherever a cell is not empty, ``present`` ones of every row once they are
    there at all. The strictest of all that is said counts. ``opt_in`` are columns of which
    one is filled for everybody who was ever asked. ``tags`` are columns
    of tags; ``private`` ones are never taken. ``escape`` is what the service
    writes before a quotation mark in a cell instead of doubling it.
    """

    name: str
    recognised_by: Set[str]
    columns: Mapping[Column, Words]
    statuses: Mapping[str, Mapping[str, ImportStatus]] = field(default_factory=dict)
    filled: Mapping[str, ImportStatus] = field(default_factory=dict)
    present: Mapping[str, ImportStatus] = field(default_factory=dict)
    opt_in: Words = ()
    tags: Words = ()
    private: Words = ()
    escape: str | None = None
    # A list of our own is to say what is wrong with it; of another's, an odd zone
    # or language is not worth a reader.
    strict: bool = False


_ACTIVE = ImportStatus.ACTIVE
_UNSUBSCRIBED = ImportStatus.UNSUBSCRIBED
_NAMES: Mapping[Column, Words] = {
    Column.NAME: ("name", "fullname", "subscribername"),
    Column.FIRST_NAME: ("firstname", "first", "fname", "givenname"),
    Column.LAST_NAME: ("lastname", "last", "lname", "surname", "familyname"),
    Column.LANGUAGE: ("language", "lang", "locale"),
    Column.TIMEZONE: ("timezone", "tz", "timezonename"),
}
_PLAIN_COLUMNS: Mapping[Column, Words] = {
    Column.ADDRESS: ("email", "emailaddress", "mail", "subscriberemail", "address"),
    **_NAMES,
    Column.DEPARTMENTS: ("departments",),
    Column.CADENCE: ("cadence",),
}
_PLAIN_STATUSES: Mapping[str, ImportStatus] = {
    "": _ACTIVE,
    "active": _ACTIVE,
    "subscribed": _ACTIVE,
    "confirmed": _ACTIVE,
    "enabled": _ACTIVE,
    "pending": ImportStatus.PENDING,
    "unconfirmed": ImportStatus.PENDING,
    "paused": ImportStatus.PAUSED,
    "unsubscribed": _UNSUBSCRIBED,
    "inactive": _UNSUBSCRIBED,
    "disabled": _UNSUBSCRIBED,
    "bounced": ImportStatus.BOUNCED,
    "cleaned": ImportStatus.BOUNCED,
    "complained": ImportStatus.COMPLAINED,
    "blocked": ImportStatus.BLOCKED,
    "blocklisted": ImportStatus.BLOCKED,
}
# Of several words for the status the first there is, as ever.
STATUS_WORDS: Words = ("status", "state", "subscriptionstatus")

PLAIN = ListFormat(
    "plain CSV",
    frozenset(),
    _PLAIN_COLUMNS,
    dict.fromkeys(STATUS_WORDS, _PLAIN_STATUSES),
    strict=True,
)

# What `subscribers export` writes.
OWN = ListFormat(
    "our own export",
    frozenset({"address", "newsletter", "consenthow", "consentat", "consentwording"}),
    {
        **_PLAIN_COLUMNS,
        Column.CONSENT_AT: ("consentat",),
        Column.CONSENT_WORDING: ("consentwording",),
        Column.ATTRIBUTES: ("attributes",),
    },
    {"status": _PLAIN_STATUSES},
    strict=True,
)

# What `subscribers suppressions export` writes.
OWN_LIST = ListFormat(
    "our own list of who is never mailed",
    frozenset({"address", "hash", "reason", "source", "at"}),
    {Column.ADDRESS: ("address",)},
    strict=True,
)

# One file a status: those who left and those whose mail bounced are told apart by
# columns that only their files have. Times are UTC. Who never opted in, as buyers in a shop,
# is a "non-subscribed" contact, whom Mailchimp itself sends no campaign.
MAILCHIMP = ListFormat(
    "Mailchimp",
    frozenset({"optintime", "confirmtime", "leid", "euid"}),
    {
        Column.ADDRESS: ("emailaddress", "email"),
        **_NAMES,
        Column.CONSENT_AT: ("confirmtime", "optintime"),
    },
    present={"unsubtime": _UNSUBSCRIBED, "cleantime": ImportStatus.BOUNCED},
    opt_in=("optintime", "confirmtime"),
    tags=("tags",),
    private=("optinip", "confirmip", "latitude", "longitude", "leid", "euid"),
)

# "disabled" is an account switched off, "blocklisted" one that may never be mailed.
LISTMONK = ListFormat(
    "listmonk",
    frozenset({"uuid", "email", "name", "attributes", "status", "createdat"}),
    {
        Column.ADDRESS: ("email",),
        Column.NAME: ("name",),
        Column.CONSENT_AT: ("createdat",),
        Column.ATTRIBUTES: ("attributes",),
    },
    {
        "status": {
            "enabled": _ACTIVE,
            "disabled": _UNSUBSCRIBED,
            "blocklisted": ImportStatus.BLOCKED,
        }
    },
    private=("uuid",),
)

GHOST = ListFormat(
    "Ghost",
    frozenset({"email", "subscribedtoemails", "complimentaryplan", "stripecustomerid"}),
    {
        Column.ADDRESS: ("email",),
        Column.NAME: ("name",),
        Column.CONSENT_AT: ("createdat",),
    },
    {"subscribedtoemails": {"true": _ACTIVE, "false": _UNSUBSCRIBED}},
    filled={"deletedat": _UNSUBSCRIBED},
    tags=("labels",),
    private=("id", "stripecustomerid", "giftid"),
)

# `active_subscription` is about paying; whether mail is wanted stands in `email_disabled`.
SUBSTACK = ListFormat(
    "Substack",
    frozenset({"email", "activesubscription", "expiry", "emaildisabled", "createdat"}),
    {
        Column.ADDRESS: ("email",),
        Column.NAME: ("name",),
        Column.CONSENT_AT: ("createdat",),
    },
    {"emaildisabled": {"": _ACTIVE, "false": _ACTIVE, "true": _UNSUBSCRIBED}},
    tags=("plan",),
)

_MAILPOET_STATUSES: Mapping[str, ImportStatus] = {
    "subscribed": _ACTIVE,
    # They opened nothing for a while; they have not left.
    "inactive": _ACTIVE,
    "unconfirmed": ImportStatus.PENDING,
    "unsubscribed": _UNSUBSCRIBED,
    "bounced": ImportStatus.BOUNCED,
}
MAILPOET = ListFormat(
    "MailPoet",
    frozenset({"email", "liststatus", "globalstatus", "list"}),
    {
        Column.ADDRESS: ("email",),
        Column.FIRST_NAME: ("firstname",),
        Column.LAST_NAME: ("lastname",),
        Column.CONSENT_AT: ("confirmationtime", "subscriptiontime"),
    },
    {"liststatus": _MAILPOET_STATUSES, "globalstatus": _MAILPOET_STATUSES},
    tags=("list",),
    private=("subscriptionip", "confirmationip"),
    escape="\\",
)

RECOGNISED: tuple[ListFormat, ...] = (OWN, MAILCHIMP, LISTMONK, GHOST, SUBSTACK, MAILPOET)


def header_word(header: str) -> str:
    """A header by its letters and digits alone."""
    return "".join(c for c in header.casefold() if c.isalnum())


def recognise_format(words: Set[str]) -> ListFormat:
    """The format whose headers these words are; plain CSV where it is none of them."""
    return next((each for each in RECOGNISED if each.recognised_by <= words), PLAIN)
