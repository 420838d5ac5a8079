"""Filters at random, and what they mean in plain Python."""

import operator
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from newsletter.subscribers.model import (
    AllOf,
    AnyOf,
    Asked,
    Comparison,
    DaysAgo,
    Filter,
    Not,
    OneOf,
    Operator,
    SegmentField,
    Subscription,
)

PLACES = ("Yerevan", "yerevan", "Paris", "Երևան", 'say "so" \\ ;', "30", "")
NUMBERS = (Decimal(30), Decimal("2.5"), Decimal(-1), Decimal(0))
ATTRIBUTES = ("city", "age", "tags", "vip", "քաղաք")
DAYS = (date(2025, 7, 1), date(2025, 8, 4), date(2025, 8, 5))
WORDS = {
    SegmentField.NEWSLETTER: ("weekly", "daily"),
    SegmentField.STATE: ("active", "pending", "paused", "unsubscribed"),
    SegmentField.DEPARTMENT: ("arts", "Arts", "Film", "Մշակույթ", ""),
    SegmentField.LANGUAGE: ("hy", "HY", "en", "or", ""),
    SegmentField.CADENCE: ("each", "monthly"),
    SegmentField.SOURCE: ("form", "import", ""),
    SegmentField.PLACEMENT: ("article", "front page", ""),
}
_EQUAL = st.sampled_from([Operator.EQUAL, Operator.UNEQUAL])
_SIGNS = st.sampled_from(list(Operator))


def _of_words(field: SegmentField) -> st.SearchStrategy[Filter]:
    words = st.sampled_from(WORDS[field])
    listed = st.lists(words, min_size=1, max_size=3).map(tuple)
    return st.builds(Comparison, st.just(Asked(field)), _EQUAL, words) | st.builds(
        OneOf, st.just(Asked(field)), listed
    )


_attribute = st.sampled_from(ATTRIBUTES).map(lambda name: Asked(SegmentField.ATTRIBUTE, name))
_value = st.sampled_from((*PLACES, *NUMBERS, "true", "VIP"))
_leaves = st.one_of(
    *map(_of_words, WORDS),
    st.builds(Comparison, _attribute, _EQUAL, _value),
    st.builds(Comparison, _attribute, _SIGNS, st.sampled_from(NUMBERS)),
    st.builds(OneOf, _attribute, st.lists(_value, min_size=1, max_size=3).map(tuple)),
    st.builds(
        Comparison,
        st.just(Asked(SegmentField.SIGNED_UP)),
        _SIGNS,
        st.sampled_from((*DAYS, DaysAgo(1), DaysAgo(400))),
    ),
    st.builds(
        Comparison,
        st.sampled_from((7, 90)).map(lambda days: Asked(SegmentField.CLICKS, days=days)),
        _SIGNS,
        st.sampled_from(tuple(map(Decimal, range(4)))),
    ),
)
filters: st.SearchStrategy[Filter] = st.recursive(
    _leaves,
    lambda inner: (
        inner.map(Not)
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: AllOf(tuple(parts)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: AnyOf(tuple(parts)))
    ),
    max_leaves=6,
)

_COMPARE = {
    Operator.EQUAL: operator.eq,
    Operator.UNEQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.MORE: operator.gt,
    Operator.AT_LEAST: operator.ge,
}


def means(
    tree: Filter, reader: Subscription, clicks: list[datetime], now: datetime, zone: ZoneInfo
) -> bool:
    """Whether a filter is true of a subscription whose reader last clicked links at ``clicks``."""

    def holds(tree: Filter) -> bool:
        if isinstance(tree, AllOf):
            return all(map(holds, tree.parts))
        if isinstance(tree, AnyOf):
            return any(map(holds, tree.parts))
        if isinstance(tree, Not):
            return not holds(tree.part)
        if isinstance(tree, OneOf):
            return any(holds(Comparison(tree.asked, Operator.EQUAL, v)) for v in tree.values)
        return compared(tree.asked, tree.operator, tree.value)

    def compared(asked: Asked, sign: Operator, value: Any) -> bool:
        compare = _COMPARE[sign]
        if asked.field is SegmentField.SIGNED_UP:
            if isinstance(value, DaysAgo):
                value = now.astimezone(zone).date() - timedelta(days=value.days)
            return bool(compare(reader.consent.at.astimezone(zone).date(), value))
        if asked.field is SegmentField.CLICKS:
            since = now - timedelta(days=asked.days)
            return bool(compare(sum(at >= since for at in clicks), value))
        if sign is Operator.UNEQUAL:
            return not compared(asked, Operator.EQUAL, value)
        known = texts(asked)
        if isinstance(value, Decimal):
            numbers = [Decimal(x) for x in known if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", x)]
            return any(compare(number, value) for number in numbers)
        return (fold(value) in map(fold, known)) if value else not any(known)

    def texts(asked: Asked) -> list[str]:
        if asked.field is SegmentField.ATTRIBUTE:
            found = reader.subscriber.attributes.get(asked.name)
            entries = found if isinstance(found, list) else [found]
            plain = [x for x in entries if isinstance(x, str | int | float)]
            return [str(x).lower() if isinstance(x, bool) else str(x) for x in plain]
        return {
            SegmentField.NEWSLETTER: [reader.newsletter],
            SegmentField.STATE: [str(reader.state)],
            SegmentField.DEPARTMENT: list(reader.departments),
            SegmentField.LANGUAGE: [reader.subscriber.language or ""],
            SegmentField.CADENCE: [str(reader.cadence)],
            SegmentField.SOURCE: [reader.consent.how],
            SegmentField.PLACEMENT: [reader.consent.placement],
        }[asked.field]

    return holds(tree)


def fold(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)
