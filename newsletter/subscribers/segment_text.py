"""A filter's tree as text, which `parse_segment` reads back."""

import re
from datetime import date
from decimal import Decimal

from newsletter.subscribers.model import (
    AllOf,
    AnyOf,
    Asked,
    Comparison,
    DaysAgo,
    Filter,
    Not,
    OneOf,
    SegmentField,
    SegmentValue,
    Waits,
)

_BARE = re.compile(r"[^\W\d][\w-]*")


def print_segment(tree: Filter) -> str:
    """The text of a filter."""
    if isinstance(tree, Comparison):
        return f"{_print_asked(tree.asked)} {tree.operator} {_print_value(tree.value)}"
    if isinstance(tree, OneOf):
        values = ", ".join(map(_print_value, tree.values))
        return f"{_print_asked(tree.asked)} in ({values})"
    if isinstance(tree, Waits):
        return f"waits for {tree.slot}"
    if isinstance(tree, Not):
        return f"not {_inside(tree.part, AllOf, AnyOf)}"
    if isinstance(tree, AllOf):
        return " and ".join(_inside(part, AllOf, AnyOf) for part in tree.parts)
    return " or ".join(_inside(part, AnyOf) for part in tree.parts)


def _inside(tree: Filter, *wrapped: type[AllOf] | type[AnyOf]) -> str:
    text = print_segment(tree)
    return f"({text})" if isinstance(tree, wrapped) else text


def _print_asked(asked: Asked) -> str:
    if asked.field is SegmentField.CLICKS:
        return f"clicks({asked.days}d)"
    return f"attribute.{asked.name}" if asked.name else str(asked.field)


def _print_value(value: SegmentValue) -> str:
    if isinstance(value, DaysAgo):
        return f"{value.days}d ago"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
