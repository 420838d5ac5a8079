"""The one tree of errors.

Each error carries its subject (what it happened to) and prints one sentence
that a person can act on. Expected answers, such as a relay refusing one
reader, are values and not errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Remedy(StrEnum):
    """What mends it; each door says in its own words how that is done there."""

    PAUSE = "pause"
    CORRECT = "correct"
    HISTORY = "history"
    SHOW = "show"
    SOURCES = "sources"
    FIND_STORY = "find_story"
    SUBJECT = "subject"
    PREHEADER = "preheader"
    REMOVE = "remove"
    WITHDRAW = "withdraw"


@dataclass(frozen=True)
class Advice:
    """A sentence on what is left to do, and the act on ``item`` of ``subject`` that does it."""

    sentence: str
    remedy: Remedy | None = None
    subject: str = ""
    item: str = ""


@dataclass(frozen=True)
class Saying:
    """A message and what fills its ``%(names)s``: English as text, any language by `Words.say`.

    A value may be a saying too.
    """

    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message % self.values


class NewsletterError(Exception):
    """Something a person has to know about, said in one sentence.

    ``subject`` names the thing, for logs and machines; ``str(error)`` is the
    whole sentence. ``remedy`` is an act on the subject that would help, if there is one.
    The technical cause, if any, is chained by ``raise from``.
    """

    def __init__(self, sentence: str, *, subject: str = "", remedy: Remedy | None = None) -> None:
        super().__init__(sentence)
        self.subject = subject
        self.remedy = remedy


class ConfigError(NewsletterError):
    """A file, key or environment name is wrong: exit status 2."""


class UsageError(NewsletterError):
    """A command was called in a way that cannot be carried out: exit status 2."""


class SegmentError(UsageError):
    """A filter over readers can't be read; the sentence says where and what mends it.

    ``saying`` is the sentence in any language; ``place`` the character that it breaks
    at, from 1, or 0 where it is the filter as a whole.
    """

    def __init__(self, saying: Saying, *, subject: str = "", place: int = 0) -> None:
        super().__init__(str(saying), subject=subject)
        self.saying = saying
        self.place = place


class UnfitText(UsageError):
    """A text holds what no database takes: NUL, or half of a letter."""


class NotFound(NewsletterError):
    """There is no such newsletter, issue, subscriber."""


class Conflict(NewsletterError):
    """It is there already, or somebody else changed it first."""


class EditRefused(Conflict):
    """An editor's act that the issue does not allow; the sentence says why."""


class RevertRefused(EditRefused):
    """An act that can't be undone, or done again: the sentence says whose change stands there.

    ``version`` is the one that would have been reverted: what is older may still be.
    """

    def __init__(self, sentence: str, *, subject: str, version: int) -> None:
        super().__init__(sentence, subject=subject)
        self.version = version


class ChecksAwaited(Conflict):
    """The issue has to be looked over before that: nothing was done."""


class WrongCount(Conflict):
    """The number of readers that was written down is not how many there are: nothing was done."""


class EditClash(Conflict):
    """Another editor saved the same part meanwhile: nothing was saved.

    ``clashes`` are sentences, one a part, on what it was, is and would have been.
    """

    def __init__(self, sentence: str, *, subject: str = "", clashes: tuple[str, ...] = ()) -> None:
        super().__init__(sentence, subject=subject)
        self.clashes = clashes


class IssueHeld(Conflict):
    """It was to go out and is held instead; the editors were told why."""


class SendingHeld(NewsletterError):
    """Nothing is sent until a person has said that this is the true installation."""


class InvalidTransition(NewsletterError):
    """The state it is in does not allow this."""


class TokenError(NewsletterError):
    """A link's token is forged, cut, expired or meant for something else."""


class AddressError(NewsletterError):
    """An e-mail address that cannot be used."""


class SourceError(NewsletterError):
    """A site, feed or counter could not be used."""


class FetchError(SourceError):
    """It could not be fetched: unreachable, too large, too slow, refused."""


class ParseError(SourceError):
    """It was fetched, and is not what it should be."""


class RenderError(NewsletterError):
    """An issue could not be turned into an e-mail."""


class RelayError(NewsletterError):
    """An SMTP server could not be used at all."""


class RelayUnavailable(RelayError):
    """It does not answer, or not now: it may be well again by itself."""


class RelayRejectedLogin(RelayError):
    """It refuses our user name or password."""


class UploadWaits(NewsletterError):
    """A file came in, and is kept until the database can write it down."""


class StorageError(NewsletterError):
    """The database cannot take or give what was asked: full, locked, gone."""
