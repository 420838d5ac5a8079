"""The figures of all lists at one moment: who is on them, how they grew, why readers left."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from newsletter.subscribers.growth import Growth
from newsletter.subscribers.model import LeaveReason, SubscriptionState, SuppressionReason


@dataclass(frozen=True)
class ListFigures:
    """A newsletter's readers by state; ``audience`` are those an issue would go to now,
    ``told`` why others say that they left."""

    states: Mapping[SubscriptionState, int]
    audience: int
    told: Mapping[LeaveReason, int]


@dataclass(frozen=True)
class ReaderFigures:
    """All figures as they were ``at``, lists by the newsletter's slug.

    ``growth`` is by week, from the week that ``since`` begins.
    """

    at: datetime
    since: date
    lists: Mapping[str, ListFigures]
    growth: tuple[Growth, ...]
    suppressed: Mapping[SuppressionReason, int]


def figures_document(figures: ReaderFigures) -> dict[str, Any]:
    """The figures as plain JSON values, without their instant."""
    return {
        "since": figures.since.isoformat(),
        "lists": {slug: asdict(one) for slug, one in figures.lists.items()},
        "growth": [_plain(one) for one in figures.growth],
        "suppressed": dict(figures.suppressed),
    }


def figures_from_document(document: Mapping[str, Any], at: datetime) -> ReaderFigures:
    """What `figures_document` wrote."""
    return ReaderFigures(
        at=at,
        since=date.fromisoformat(document["since"]),
        lists={
            slug: ListFigures(
                {SubscriptionState(state): n for state, n in one["states"].items()},
                one["audience"],
                {LeaveReason(reason): n for reason, n in one["told"].items()},
            )
            for slug, one in document["lists"].items()
        },
        growth=tuple(_growth(one) for one in document["growth"]),
        suppressed={SuppressionReason(r): n for r, n in document["suppressed"].items()},
    )


def _plain(one: Growth) -> dict[str, Any]:
    counted = {"left": dict(one.left), "told": dict(one.told)}
    return {**vars(one), "begin": one.begin.isoformat(), **counted}


def _growth(one: Mapping[str, Any]) -> Growth:
    counted = {name: Counter(one[name]) for name in ("left", "told")}
    return Growth(**{**one, "begin": date.fromisoformat(one["begin"]), **counted})
