"""Records of the form ``tag=value; tag=value`` (RFC 6376 section 3.2)."""

import re

_SPACE = " \t\r\n"  # str.strip alone would take more than the standard calls space
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VALUE = re.compile(r"[!-:<-~ \t\r\n]*")


def parse_tags(text: str) -> dict[str, str] | None:
    """The tags in order, values without the space around them; None where the form is not kept.

    A tag that comes twice breaks the form, as does a piece without "=".
    """
    tags: dict[str, str] = {}
    pieces = text.split(";")
    if not pieces[-1].strip(_SPACE):
        pieces.pop()
    for piece in pieces:
        name, equals, value = piece.partition("=")
        name, value = name.strip(_SPACE), value.strip(_SPACE)
        fits = _NAME.fullmatch(name) and _VALUE.fullmatch(value)
        if not equals or not fits or name in tags:
            return None
        tags[name] = value
    return tags


def parse_lenient_tags(text: str) -> dict[str, str]:
    """As `parse_tags`, leaving out what is malformed and taking a tag's first value."""
    tags: dict[str, str] = {}
    for piece in text.split(";"):
        one = parse_tags(piece)
        for name, value in (one or {}).items():
            tags.setdefault(name, value)
    return tags
