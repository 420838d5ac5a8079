"""How lists grow: the change log's lines of subscriptions, counted by period and placement."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from newsletter.subscribers.model import ASKED, CONFIRMED, ListChange, SubscriptionState

# Who had left is pending in the moment of confirming only.
_ASKS = (SubscriptionState.PENDING.value, ASKED)


class Period(StrEnum):
    """What a line of figures is about: a week from its Monday, or a month."""

    WEEK = "week"
    MONTH = "month"

    def begin(self, day: date) -> date:
        """The first day of the period that ``day`` is in."""
        if self is Period.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1)


@dataclass
class Growth:
    """A newsletter's figures of one period and placement.

    ``signed_up`` asked for it, ``confirmed`` answered the mail; ``added`` were
    brought in by an import or an editor, ``removed`` with an import that was taken
    back; ``returned`` took their goodbye back. ``left`` by how they did, ``told``
    by what they told on leaving. ``chose`` by the cadence that readers changed to.
    """

    begin: date
    newsletter: str
    placement: str
    signed_up: int = 0
    confirmed: int = 0
    added: int = 0
    removed: int = 0
    returned: int = 0
    left: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    chose: Counter[str] = field(default_factory=Counter)


def count_growth(changes: Iterable[ListChange], period: Period, zone: ZoneInfo) -> list[Growth]:
    """The figures of all periods in which something changed, the earliest first."""
    found: dict[tuple[date, str, str], Growth] = {}
    for change in changes:
        begin = period.begin(change.at.astimezone(zone).date())
        key = (begin, change.newsletter, change.placement)
        _add(found.setdefault(key, Growth(*key)), change)
    counted = [found[key] for key in sorted(found)]
    return [one for one in counted if _tells(one)]


def _add(growth: Growth, change: ListChange) -> None:
    if change.act in _ASKS:
        # Who asks again is sent the confirmation again, and has signed up once.
        if change.before not in _ASKS:
            growth.signed_up += change.count
    elif change.act == SubscriptionState.ACTIVE:
        if change.reason == CONFIRMED:
            growth.confirmed += change.count
        elif change.reason in ("undo", "import undone"):
            growth.returned += change.count
        elif change.how:
            growth.added += change.count
    elif change.act == SubscriptionState.PAUSED and change.reason == "undo":
        growth.returned += change.count
    elif change.act == SubscriptionState.UNSUBSCRIBED and change.reason:
        growth.left[change.reason] += change.count
    elif change.act == "told why":
        growth.told[change.reason] += change.count
    elif change.act == "cadence":
        growth.chose[change.reason] += change.count
    elif change.act == "removed":
        growth.removed += change.count


def _tells(one: Growth) -> bool:
    arrived = (one.signed_up, one.confirmed, one.added, one.returned)
    return any((*arrived, one.removed, one.left, one.told, one.chose))
