"""The order in which stories compete for a section, and how to speak of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from newsletter.ranking.model import PastUse
from newsletter.ranking.score import Score, take_next
from newsletter.stories.model import Story


@dataclass(frozen=True)
class Entry:
    """A story that competes. ``reads`` are those the section counts, None where unknown."""

    story: Story
    reads: int | None
    score: Score | None

    @property
    def value(self) -> float:
        """Its score's value; 0 without one."""
        return self.score.value if self.score else 0.0


def _nothing_to_say(_: int) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Order:
    """The stories that compete, the best first.

    ``explain`` says why the one at an index came, ``outdone`` why one that
    nothing bars did not. ``bars`` tells which earlier use keeps a story out;
    ``may_come_again``: one such story may, where too few others are left.
    ``scored``: by score, so that ties within its error band are no order.
    """

    entries: list[Entry]
    explain: Callable[[int], tuple[str, ...]] = _nothing_to_say
    outdone: Callable[[Entry], str] = lambda _: ""
    bars: Callable[[PastUse], bool] = lambda _: False
    may_come_again: bool = False
    scored: bool = False

    def take_next(self, preference: Callable[[Entry], Any], remaining: list[Entry]) -> Entry:
        """Take out of ``remaining`` what comes next: the first, or the preferred of its ties."""
        return take_next(remaining, lambda e: e.score if self.scored else None, preference)
