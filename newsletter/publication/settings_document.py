"""A document of settings by its keys: laid over another, changed, and merged, key by key.

A path names tables and keys, and entries of arrays by their slug:
``("newsletter", "weekly", "send_at")``. The order of an array's entries stands at the
array's own path with `ORDER` behind it. A list of anything but tables is one value.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]
# No key and no slug is empty.
ORDER = ""


class _Unset:
    """Takes a key, a table or an entry out: what it is then is the default."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = _Unset()


@dataclass(frozen=True)
class Merged:
    """Two changes of one document together; ``conflicts`` are what both changed otherwise."""

    document: dict[str, Any]
    conflicts: tuple[Path, ...] = ()


def flatten(document: Mapping[str, Any]) -> dict[Path, Any]:
    """The document's values by path; empty tables, which say nothing, are left out."""
    return dict(_leaves(document, ()))


def unflatten(values: Mapping[Path, Any]) -> dict[str, Any]:
    """The document of these values; of an array the entries that its order names."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        place = tree
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return {key: _as_arrays(value) for key, value in tree.items()}


def lay_over(
    below: Mapping[str, Any], above: Mapping[str, Any], former: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """``below`` with the keys of ``above`` in their place.

    Entries of arrays are met by slug: those of ``above`` are there and in its order, the
    others of ``below`` stay beside them, save what was in ``former``, the ``above`` of
    before: what a file names no more while it still has the array is gone.
    """
    values, over, before = flatten(below), flatten(above), flatten(former or {})
    for path in [path for path in over if path[-1] == ORDER]:
        dropped = set(before.get(path, ())) - set(over[path])
        order = [slug for slug in values.get(path, ()) if slug not in dropped]
        over[path] = _fit(order, over[path])
        values.pop(path[:-1], None)
        for slug in dropped:
            _cut(values, (*path[:-1], slug))
    for path in over:
        _cut(values, path)
    return unflatten(values | over)


def change(document: Mapping[str, Any], edits: Mapping[Path, Any]) -> dict[str, Any]:
    """The document with ``edits`` made: values, tables, whole entries, orders, or `UNSET`.

    A new entry comes last in its array. An entry that is unset leaves its array.
    """
    values = flatten(document)
    for path, value in edits.items():
        order = (*path[:-1], ORDER)
        is_entry = order in values or (isinstance(value, Mapping) and value.get("slug") == path[-1])
        _cut(values, path)
        if is_entry and path[-1] != ORDER:
            # An array without entries may stand there as an empty list.
            values.pop(path[:-1], None)
            others = tuple(slug for slug in values.get(order, ()) if slug != path[-1])
            values[order] = others if value is UNSET else (*others, path[-1])
        if value is not UNSET:
            values |= dict(_leaves(value, path))
    return unflatten(values)


def merge(base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Merged:
    """What comes of ``base`` when it became ``mine`` and ``theirs`` at the same time.

    Where both changed one key to different values it is ``mine`` in the document, and
    among the conflicts; of an order so is how ``mine`` has it, with the entries of both.
    """
    old, own, other = flatten(base), flatten(mine), flatten(theirs)
    merged: dict[Path, Any] = {}
    conflicts: list[Path] = []
    for path in {**other, **own, **old}:
        before, here, there = (side.get(path, UNSET) for side in (old, own, other))
        if here in (before, there):
            value = there
        elif there == before:
            value = here
        elif path[-1] == ORDER:
            value, agreed = _merge_orders(*(_listed(side) for side in (before, here, there)))
            conflicts += [] if agreed else [path]
        else:
            value = here
            conflicts.append(path)
        if value is not UNSET:
            merged[path] = value
    lost = _outside_arrays(merged)
    document = unflatten({path: value for path, value in merged.items() if path not in lost})
    return Merged(document, (*conflicts, *lost))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[Path, tuple[Any, Any]]:
    """What is not the same: by path the values before and after, `UNSET` where there is none."""
    old, new = flatten(before), flatten(after)
    return {
        path: (old.get(path, UNSET), new.get(path, UNSET))
        for path in {**old, **new}
        if old.get(path, UNSET) != new.get(path, UNSET)
    }


def dotted(path: Path) -> str:
    """A path as people read it: ``newsletter.weekly.send_at``, ``newsletter.weekly.section``."""
    return ".".join(part for part in path if part != ORDER)


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif slugs := _slugs(value):
        yield (*path, ORDER), slugs
        for slug, entry in zip(slugs, value, strict=True):
            yield from _leaves(entry, (*path, slug))
    else:
        yield path, list(value) if isinstance(value, tuple) and path[-1] != ORDER else value


def _slugs(value: Any) -> Path:
    """The slugs of an array of tables; of anything else none."""
    if not isinstance(value, list | tuple) or not value:
        return ()
    found = [entry.get("slug") for entry in value if isinstance(entry, Mapping)]
    whole = len(found) == len(value) == len(set(map(str, found)))
    return tuple(map(str, found)) if whole and all(isinstance(s, str) for s in found) else ()


def _as_arrays(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if ORDER not in value:
        return {key: _as_arrays(inner) for key, inner in value.items()}
    return [_as_arrays(value[slug]) for slug in value[ORDER] if slug in value]


def _cut(values: dict[Path, Any], path: Path) -> None:
    """Take out a value, and all that lies below it."""
    for found in [one for one in values if one[: len(path)] == path]:
        del values[found]


def _fit(order: Iterable[str], wanted: Sequence[str]) -> Path:
    """``order`` with the slugs of ``wanted`` in that one's order, new ones beside them or last."""
    waiting = iter([slug for slug in wanted if slug in order])
    fitted = [next(waiting) if slug in wanted else slug for slug in order]
    for place, slug in enumerate(wanted):
        if slug not in fitted:
            after = [fitted.index(other) for other in wanted[place:] if other in fitted]
            at = fitted.index(wanted[place - 1]) + 1 if place else min(after, default=len(fitted))
            fitted.insert(at, slug)
    return tuple(fitted)


def _listed(order: Any) -> Path:
    return () if order is UNSET else tuple(order)


def _merge_orders(before: Path, here: Path, there: Path) -> tuple[Path, bool]:
    """Entries added and taken out by both, and whether one alone put the others anew in order."""
    common = [slug for slug in before if slug in here and slug in there]
    own, other = ([slug for slug in side if slug in common] for side in (here, there))
    if own not in (common, other) and other != common:
        kept = [slug for slug in here if slug in there or slug not in before]
        added = [slug for slug in there if slug not in before and slug not in kept]
        return (*kept, *added), False
    kept = [slug for slug in there if slug in here or slug not in before]
    added = [slug for slug in here if slug not in before and slug not in kept]
    return (*_fit(kept, [slug for slug in here if slug in kept]), *added), True


def _outside_arrays(values: Mapping[Path, Any]) -> list[Path]:
    """Values of entries that their array no longer names."""
    orders = {path[:-1]: value for path, value in values.items() if path[-1] == ORDER}
    return [
        path
        for path in values
        for size in range(1, len(path))
        if path[:size] in orders and path[size] != ORDER and path[size] not in orders[path[:size]]
    ]
