"""The reader's slots: filled for the one who gets the mail, taken out for everybody else."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from newsletter.errors import RenderError
from newsletter.rendering.links import without_click_slots
from newsletter.rendering.model import MARK_START, ReaderSlot

Words = TypeVar("Words")

# Templates put these around what only a subscriber should see.
READER_PART = ("<!--reader-->", "<!--/reader-->")

# Also those of other services, whose templates and texts papers bring along.
UNRESOLVED = re.compile(
    r"\{\{|\}\}|\{%|%\}|%7B%7B|XX[A-Z]{4,}XX|%%[A-Za-z_][\w.-]*%%|\*\|[A-Za-z_][\w:.-]*\|\*"
)
_MARKS = re.compile("|".join(re.escape(slot) for slot in ReaderSlot))
_READER_PART = re.compile(re.escape(READER_PART[0]) + r".*?" + re.escape(READER_PART[1]), re.DOTALL)
_READER_LINK = re.compile(
    r"<a\b[^>]*(?:" + _MARKS.pattern + r")[^>]*>.*?</a>", re.DOTALL | re.IGNORECASE
)


def disarm_marks(words: Words) -> Words:
    """Text, or whatever holds text, in which nothing is the mark of a slot any more.

    A story may write a mark into its headline or its picture's address; filled
    in, it would hand every reader's token on to whoever wrote it.
    """
    value: Any = words
    if type(value) is str:
        return value.replace(MARK_START, f"{MARK_START[:2]}-{MARK_START[2:]}")  # type: ignore[return-value]
    if type(value) is tuple:
        return tuple(map(disarm_marks, value))  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        held = {each.name: disarm_marks(getattr(value, each.name)) for each in fields(value)}
        return replace(value, **held)  # type: ignore[return-value]
    return words


def fill_slots(text: str, values: Mapping[ReaderSlot, str]) -> str:
    """``text`` with every reader slot's mark replaced by its value.

    One pass: a value cannot bring in another slot. Values are tokens, safe in
    URLs and HTML as they are. RenderError for a mark without a value.
    """

    def value_of(match: re.Match[str]) -> str:
        slot = ReaderSlot(match[0])
        if slot not in values:
            raise RenderError(f"no value was given for the reader slot {slot.name}", subject=slot)
        return values[slot]

    return _MARKS.sub(value_of, text)


def strip_personal(html: str) -> str:
    """The issue as anybody may see it: archive page, view in browser, preview.

    Drops what the template marks as the reader's part, then whatever link
    still holds a slot (a paper's own template may have left out the marks).
    """
    html = without_click_slots(_READER_PART.sub("", html))
    html = _READER_LINK.sub("", html)
    return _MARKS.sub("", html)


def strip_personal_text(text: str) -> str:
    """The text part as anybody may see it: without the paragraphs that hold a slot."""
    paragraphs = without_click_slots(text).split("\n\n")
    return "\n\n".join(part for part in paragraphs if not _MARKS.search(part))
