"""What a feed tells of its site."""

import re
from dataclasses import dataclass

_LANGUAGE = re.compile(r"([A-Za-z]{2,3})((?:-[A-Za-z0-9]{1,8})*)$")


@dataclass(frozen=True)
class FeedProfile:
    """What a feed tells of its site; empty where it tells nothing."""

    name: str
    description: str
    link: str | None
    language: str | None
    logo: str | None = None


def language_tag(text: str | None) -> str | None:
    """A language as a BCP 47 tag with a lower-case language, or None if it is none."""
    match = _LANGUAGE.match((text or "").strip().replace("_", "-"))
    return f"{match[1].lower()}{match[2]}" if match else None
