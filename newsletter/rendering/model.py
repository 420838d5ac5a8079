"""What rendering gives: an issue as an e-mail, with slots for the reader."""

from dataclasses import dataclass
from enum import StrEnum

# How the mark of every slot begins.
MARK_START = "XXREADER"


class ReaderSlot(StrEnum):
    """A place in the rendered issue that is filled for each reader.

    The marks are plain words, so that they pass the inliner and every encoding
    untouched; their values are tokens of `[a-z0-9.]`, safe in URLs and HTML.
    """

    UNSUBSCRIBE = f"{MARK_START}UNSUBSCRIBEXX"
    PREFERENCES = f"{MARK_START}PREFERENCESXX"


@dataclass(frozen=True)
class RenderedIssue:
    """One rendering (variant) of an issue: whole HTML and text, marks unfilled."""

    subject: str
    preheader: str
    html: str
    text: str
    language: str


@dataclass(frozen=True)
class RenderedMail:
    """A system mail, ready to send: nothing left to fill."""

    subject: str
    html: str
    text: str
    language: str
