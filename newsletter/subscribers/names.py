"""A reader's name: one line of plain words, fit for a header or a page."""

import re
import unicodedata

from newsletter.errors import UsageError

MAX_CHARACTERS = 120
_SPACES = re.compile("[ \u00a0]+")
# Controls, line and paragraph separators, halves of surrogate pairs.
_REFUSED = frozenset(("Cc", "Zl", "Zp", "Cs"))
# Marks that turn the direction of what follows, also outside the name.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_name(text: str) -> str:
    """``text`` with its spaces in order; UsageError where it is no name.

    Control characters and line separators are refused rather than dropped:
    nobody types them, and in a header they would begin a new one.
    """
    # Nothing in most names is to be refused or put in order, and a million are read at a time.
    harmless = text.isascii() and text.isprintable()
    in_order = harmless and "  " not in text
    name = (text if in_order else _SPACES.sub(" ", text)).strip(" ")
    if not harmless and any(unicodedata.category(c) in _REFUSED or c in _TURNING for c in name):
        raise UsageError("the name holds characters that no name has", subject="name")
    if len(name) > MAX_CHARACTERS:
        raise UsageError(f"the name has more than {MAX_CHARACTERS} characters", subject="name")
    return name
