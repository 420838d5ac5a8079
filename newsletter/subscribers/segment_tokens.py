"""The words of the filter language, each with its place, and what is said where one is wrong."""

import re
from typing import NamedTuple, NoReturn

from newsletter.errors import Saying, SegmentError
from newsletter.words import gettext_noop

_TOKEN = re.compile(
    r"""
      (?P<text>"(?:[^"\\]|\\["\\])*")
    | (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?![\w-])
    | (?P<days>[0-9]+d)(?![\w-])
    | (?P<number>-?[0-9]+(?:\.[0-9]+)?)(?![\w-])
    | (?P<word>[^\W\d][\w-]*(?:\.[\w-]+)?)
    | (?P<sign><=|>=|!=|[=<>(),])
    """,
    re.VERBOSE,
)
_SPACE = re.compile(r"\s*")


class Token(NamedTuple):
    """A word of a filter. ``kind`` is that of the grammar, or "end"; ``place`` counts from 1."""

    kind: str
    text: str
    place: int


def say(message: str, **values: object) -> Saying:
    """A message with what fills its places."""
    return Saying(message, values)


def fail(place: int, message: str, **values: object) -> NoReturn:
    """SegmentError: the filter breaks at ``place``, for what ``message`` says."""
    sentence = say(message, **values)
    whole = say(
        gettext_noop("filter, character %(place)s: %(sentence)s"), place=place, sentence=sentence
    )
    raise SegmentError(whole, subject="filter", place=place)


def read_tokens(text: str) -> list[Token]:
    """The words of a filter, and its end; SegmentError where there is none that can be."""
    found = []
    place = _skip(text, 0)
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            if text[place] == '"':
                fail(
                    place + 1,
                    gettext_noop("this text has no end; close it by another quotation mark"),
                )
            if text[place].isdecimal():
                fail(
                    place + 1,
                    gettext_noop("this is no number and no date; put text in quotation marks"),
                )
            shown = text[place] if text[place].isprintable() else f"U+{ord(text[place]):04X}"
            fail(
                place + 1,
                gettext_noop("%(shown)s has no meaning here; put text in quotation marks"),
                shown=shown,
            )
        kind = str(match.lastgroup)
        found.append(Token(kind, match[kind], place + 1))
        place = _skip(text, match.end())
    found.append(Token("end", "", len(text) + 1))
    return found


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def show_text(text: str) -> Saying:
    """What somebody wrote, as it may be named in a sentence."""
    plain = text.strip('"')[:40]
    if plain.isprintable():
        return say(gettext_noop("“%(words)s”"), words=plain)
    return say(gettext_noop("what stands here"))
