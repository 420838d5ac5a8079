"""Every key of the settings as its model tells it: what may stand there, and what it is.

The desk's forms are made of this, so that a new key is there by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from newsletter.publication.fields import ONLY_FILE, Colour, Timezone
from newsletter.publication.model import Settings
from newsletter.publication.settings_document import UNSET, Path


class KeyKind(StrEnum):
    """What a key holds."""

    LINE = "line"
    NUMBER = "number"
    SWITCH = "switch"  # true or false
    CHOICE = "choice"  # one of a few words
    LIST = "list"  # any number of lines
    PAIRS = "pairs"  # a line for each of some languages
    COLOUR = "colour"
    ZONE = "zone"


@dataclass(frozen=True)
class Key:
    """One key; ``path`` counts from the table that was asked for.

    ``default`` is `UNSET` where the key is required. ``optional`` ones may be nothing at
    all. ``low`` and ``high`` bound a number, ``above`` where ``low`` itself is too little.
    """

    path: Path
    kind: KeyKind
    description: str = ""
    default: Any = UNSET
    optional: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    above: bool = False
    high: float | None = None
    whole: bool = False
    # What names files or networks of the server is for who may write its config file.
    only_file: bool = False

    @property
    def required(self) -> bool:
        return self.default is UNSET


@cache
def keys_of(model: type[BaseModel]) -> tuple[Key, ...]:
    """The keys of a table, inner tables spelled out; arrays of tables are left out."""
    return tuple(_keys(model, ()))


@cache
def arrays_of(model: type[BaseModel]) -> Mapping[Path, type[BaseModel]]:
    """The arrays of tables in a table, by path, with what an entry is."""
    return dict(_arrays(model, ()))


def only_in_file(path: Path) -> bool:
    """Whether a key, named from the settings' root, is for the config file alone."""
    model: type[BaseModel] = Settings
    while True:
        for key in keys_of(model):
            if key.path == path:
                return key.only_file
        inner = next(
            (
                (entry, path[len(where) + 1 :])
                for where, entry in arrays_of(model).items()
                if path[: len(where)] == where and len(path) > len(where) + 1
            ),
            None,
        )
        if inner is None:
            return False
        model, path = inner


def value_at(model: BaseModel, path: Path) -> Any:
    """The value that a key has in ``model``; entries of arrays by slug. KeyError."""
    value: Any = model
    for part in path:
        if isinstance(value, tuple):
            value = next((entry for entry in value if entry.slug == part), None)
            if value is None:
                raise KeyError(part)
            continue
        name = next((n for n, f in type(value).model_fields.items() if part == (f.alias or n)), "")
        if not name:
            raise KeyError(part)
        value = getattr(value, name)
    return value


def _keys(model: type[BaseModel], path: Path) -> Iterator[Key]:
    for name, field in model.model_fields.items():
        here = (*path, field.alias or name)
        if entry_in(field.annotation) is not None:
            continue
        table = _table_in(field.annotation)
        if table is not None:
            yield from _keys(table, here)
        else:
            yield _key(here, field)


def _arrays(model: type[BaseModel], path: Path) -> Iterator[tuple[Path, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        here = (*path, field.alias or name)
        entry = entry_in(field.annotation)
        table = _table_in(field.annotation)
        if entry is not None:
            yield here, entry
        elif table is not None:
            yield from _arrays(table, here)


def entry_in(annotation: Any) -> type[BaseModel] | None:
    """What an entry of an array of tables is; None of anything else."""
    if get_origin(annotation) is not tuple:
        return None
    inner = get_args(annotation)[0]
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _table_in(annotation: Any) -> type[BaseModel] | None:
    found = annotation if isinstance(annotation, type) else None
    return found if found is not None and issubclass(found, BaseModel) else None


def _key(path: Path, field: FieldInfo) -> Key:
    annotation, marks = field.annotation, list(field.metadata)
    inner = [one for one in get_args(annotation) if one is not NoneType]
    optional = NoneType in get_args(annotation)
    if optional:
        (annotation,) = inner
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            marks += more
    low, above, high = _bounds(marks)
    return Key(
        path=path,
        kind=_kind(annotation, marks),
        description=field.description or "",
        default=UNSET if field.is_required() else field.get_default(),
        optional=optional,
        choices=get_args(annotation) if get_origin(annotation) is Literal else (),
        low=low,
        above=above,
        high=high,
        whole=annotation is int,
        only_file=field.json_schema_extra == ONLY_FILE,
    )


def _kind(annotation: Any, marks: list[Any]) -> KeyKind:
    origin = get_origin(annotation)
    if origin is Literal:
        return KeyKind.CHOICE
    if origin in (tuple, dict):
        return KeyKind.LIST if origin is tuple else KeyKind.PAIRS
    if annotation is bool:
        return KeyKind.SWITCH
    if annotation in (int, float):
        return KeyKind.NUMBER
    for kind, shape in ((KeyKind.COLOUR, Colour), (KeyKind.ZONE, Timezone)):
        if any(mark is get_args(shape)[1] for mark in marks):
            return kind
    return KeyKind.LINE


def _bounds(marks: list[Any]) -> tuple[float | None, bool, float | None]:
    low: Any = None
    high: Any = None
    above = False
    for mark in marks:
        if isinstance(mark, annotated_types.Ge):
            low = mark.ge
        elif isinstance(mark, annotated_types.Gt):
            low, above = mark.gt, True
        elif isinstance(mark, annotated_types.Le):
            high = mark.le
    return low, above, high
