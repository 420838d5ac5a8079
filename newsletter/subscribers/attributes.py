"""Free attributes of a subscriber: a small JSON document of what else a list said of them."""

import csv
import json
from typing import Any

from newsletter.errors import UsageError

MAX_ATTRIBUTES = 50
MAX_NAME = 60
MAX_DOCUMENT = 8_000  # characters as JSON

# Kept: making one takes longer than what it does for a few tags.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def attribute_name(written: str) -> str:
    """A column's header as the name of an attribute: lower case, words joined by "_".

    ``Member Rating`` and ``MEMBER_RATING`` are one. Empty where no letter is left.
    """
    name = "".join(c if c.isalnum() else " " for c in written.lower())
    return "_".join(name.split())[:MAX_NAME].rstrip("_")


def check_attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    """``attributes`` if both databases can hold them; UsageError says what is in the way."""
    if len(attributes) > MAX_ATTRIBUTES:
        raise UsageError(f"there are more than {MAX_ATTRIBUTES} attributes")
    try:
        text = _encode(attributes)
        text.encode()
    except (ValueError, RecursionError) as error:
        raise UsageError(
            "an attribute holds what can't be stored: NaN, or half a character"
        ) from error
    if "\\u0000" in text:
        raise UsageError("an attribute holds a NUL")
    if len(text) > MAX_DOCUMENT:
        raise UsageError(f"the attributes have more than {MAX_DOCUMENT:,} characters in all")
    return attributes


def parse_attributes(text: str) -> dict[str, Any]:
    """A JSON object as attributes; UsageError where it is none, or more than one may have."""
    if not text:
        return {}
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError("the attributes are no JSON") from error
    if not isinstance(document, dict):
        raise UsageError("the attributes are no JSON object")
    return check_attributes({attribute_name(key): value for key, value in document.items()})


def parse_tags(text: str) -> list[str]:
    """The tags in one cell, parted by commas; those with commas inside stand in quotes."""
    if '"' not in text and "," not in text:
        return [text.strip()] if text.strip() else []
    line = text.replace("\r", " ").replace("\n", " ")
    cells = next(csv.reader([line], skipinitialspace=True), [])
    return list(dict.fromkeys(tag.strip() for tag in cells if tag.strip()))
