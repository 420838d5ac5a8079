"""What rendering gives: an issue as an e-mail, with slots for the reader."""

from dataclasses import dataclass
from enum import StrEnum

from newsletter.issues.model import StoryLink

# How the mark of every slot begins.
MARK_START = "XXREADER"


class ReaderSlot(StrEnum):
    """A place in the rendered issue that is filled for each reader.

    The marks are plain words, so that they pass the inliner and every encoding
    untouched; their values are tokens of `[a-z0-9.]`, safe in URLs and HTML.
    """

    UNSUBSCRIBE = f"{MARK_START}UNSUBSCRIBEXX"
    PREFERENCES = f"{MARK_START}PREFERENCESXX"
    CLICK = f"{MARK_START}CLICKXX"


@dataclass(frozen=True)
class RenderedIssue:
    """One rendering (variant) of an issue: whole HTML and text, marks unfilled.

    ``links`` are those that lead through us, and ``link_root`` is what stands
    before their ids.
    """

    subject: str
    preheader: str
    html: str
    text: str
    language: str
    links: tuple[StoryLink, ...] = ()
    link_root: str = ""


@dataclass(frozen=True)
class RenderedMail:
    """A system mail, ready to send: nothing left to fill."""

    subject: str
    html: str
    text: str
    language: str
