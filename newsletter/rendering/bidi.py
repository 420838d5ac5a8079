"""Names and addresses that run against the lines they stand in.

In a line from right to left "12 Bridge Street, Glendale" would be printed with its
number and its comma turned round, and so would an Arabic name's in an English line.
Such a piece is isolated: by U+2068 and U+2069 while it is a plain text, and by
``<bdi>`` in HTML (Unicode Standard Annex 9, section 2.4).
"""

import re
import unicodedata

from markupsafe import Markup, escape

from newsletter.words import locale_of

_BEGIN, _END = "\u2068", "\u2069"
_PIECE = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}]*){_END}")
_DIRECTIONS = {"L": "ltr", "R": "rtl", "AL": "rtl"}


def text_direction(language: str) -> str:
    """``ltr`` or ``rtl``, for the ``dir`` attribute."""
    return str(locale_of(language).text_direction)


def isolate(text: str, language: str) -> str:
    """``text`` between the marks, if its first letter runs against the lines of ``language``."""
    letters = (_DIRECTIONS.get(unicodedata.bidirectional(character)) for character in text)
    own = next(filter(None, letters), None)
    if own is None or own == text_direction(language):
        return text
    return f"{_BEGIN}{drop_isolates(text)}{_END}"


def drop_isolates(text: str) -> str:
    """``text`` without such marks, for the parts of a mail that have no need of them."""
    return text.replace(_BEGIN, "").replace(_END, "")


def mark_isolates(text: str) -> Markup:
    """HTML of a plain text, with ``<bdi>`` around what is isolated."""
    pieces = _PIECE.split(text)
    # Every other one was between the marks.
    return Markup().join(
        Markup("<bdi>{}</bdi>").format(piece) if at % 2 else escape(piece)
        for at, piece in enumerate(pieces)
    )
