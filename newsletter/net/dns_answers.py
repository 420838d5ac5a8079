"""What DNS answers to a question, as values: that it stays silent is an answer too."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class DnsStatus(StrEnum):
    """How a question ended. Only SILENT says nothing about the name."""

    FOUND = "found"
    NO_NAME = "no_name"  # NXDOMAIN: there is no such name, and nothing below it
    NO_DATA = "no_data"  # the name exists, without records of this type
    SILENT = "silent"  # a timeout, SERVFAIL, a refusal, no network


@dataclass(frozen=True)
class DnsAnswer(Generic[T]):
    """``values`` where found, in no order; ``why`` tells a silence's cause."""

    status: DnsStatus
    values: tuple[T, ...] = ()
    why: str = ""

    @property
    def silent(self) -> bool:
        return self.status is DnsStatus.SILENT


@dataclass(frozen=True)
class MailExchange:
    """One MX record; ``host`` in lower case without a dot at its end."""

    preference: int
    host: str


def is_null_mx(answer: DnsAnswer[MailExchange]) -> bool:
    """Whether a domain says that it takes no mail (RFC 7505 section 3: one MX, the root)."""
    return len(answer.values) == 1 and answer.values[0].host == ""
