"""How a list grew, week by week: the lines of a table, and bars drawn from them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from newsletter.subscribers.growth import Growth

WIDTH, HEIGHT = 720, 120
# The least that is drawn of what is not nothing.
_THINNEST = 1.5


@dataclass
class Line:
    """One week, or one placement, of a newsletter: what came and went.

    ``came`` are those who confirmed, were added or took their goodbye back; ``went``
    those who left, or were removed with an import that was taken back.
    """

    asked: int = 0
    confirmed: int = 0
    added: int = 0
    returned: int = 0
    left: int = 0
    removed: int = 0

    def count(self, one: Growth) -> None:
        """Add what ``one`` tells."""
        self.asked += one.signed_up
        self.confirmed += one.confirmed
        self.added += one.added
        self.returned += one.returned
        self.left += one.left.total()
        self.removed += one.removed

    @property
    def came(self) -> int:
        return self.confirmed + self.added + self.returned

    @property
    def went(self) -> int:
        return self.left + self.removed

    @property
    def change(self) -> int:
        return self.came - self.went


@dataclass(frozen=True)
class Bar:
    """A week's two bars, up from the base and down from it, in the drawing's units."""

    x: float
    up: float
    down: float


@dataclass
class ListGrowth:
    """How one newsletter grew: by week (all of them), by week and placement, in all."""

    weeks: dict[date, Line]
    places: dict[str, Line] = field(default_factory=dict)
    by_both: dict[tuple[date, str], Line] = field(default_factory=dict)
    all: Line = field(default_factory=Line)
    how: Counter[str] = field(default_factory=Counter)

    @property
    def bars(self) -> list[Bar]:
        """Bars as high as the drawing allows, all on one scale."""
        return draw_bars(list(self.weeks.values()))

    @property
    def base(self) -> float:
        """Where the bars stand, from the top."""
        return _scale(list(self.weeks.values()))[1]

    @property
    def bar_width(self) -> float:
        return round(WIDTH / len(self.weeks) * 0.7, 2)

    @property
    def best(self) -> tuple[date, Line]:
        """The week in which most came."""
        return max(self.weeks.items(), key=lambda each: (each[1].came, each[0]))


def growth_of(newsletter: str, growth: Iterable[Growth], since: date, weeks: int) -> ListGrowth:
    """The growth of one newsletter in ``weeks`` weeks from ``since``, quiet ones included."""
    found = ListGrowth({since + timedelta(weeks=n): Line() for n in range(weeks)})
    for one in growth:
        if one.newsletter != newsletter or one.begin not in found.weeks:
            continue
        key = (one.begin, one.placement)
        for line in (
            found.weeks[one.begin],
            found.places.setdefault(one.placement, Line()),
            found.by_both.setdefault(key, Line()),
            found.all,
        ):
            line.count(one)
        found.how += one.left
    return found


def draw_bars(lines: Sequence[Line]) -> list[Bar]:
    """A bar a line, from left to right."""
    factor, _ = _scale(lines)
    step = WIDTH / max(len(lines), 1)
    return [
        Bar(
            round(n * step + step * 0.15, 2), _height(line.came, factor), _height(line.went, factor)
        )
        for n, line in enumerate(lines)
    ]


def _scale(lines: Sequence[Line]) -> tuple[float, float]:
    """(units a reader, where the base lies)."""
    up = max((line.came for line in lines), default=0)
    down = max((line.went for line in lines), default=0)
    factor = (HEIGHT - 2 * _THINNEST) / (up + down) if up + down else 0.0
    return factor, round(up * factor + _THINNEST, 2)


def _height(count: int, factor: float) -> float:
    return round(max(count * factor, _THINNEST), 2) if count else 0.0
