"""How much of what may be long stands on one page of the desk."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Line = TypeVar("Line")
# In bytes of its texts: with all that stands around them a page has 100 KB at most.
_MOST = 70_000


def fitting(lines: Sequence[Line], texts_of: Callable[[Line], Sequence[str | None]]) -> list[Line]:
    """The first lines whose texts have room on a page, one at least; the others are on the next."""
    found: list[Line] = []
    size = 0
    for line in lines:
        size += sum(len(text.encode()) for text in texts_of(line) if text)
        if found and size > _MOST:
            break
        found.append(line)
    return found
