"""How commands answer: JSON documents, plain tables, progress on standard error."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(_plain(document), ensure_ascii=False, indent=2))


def print_json_with_rows(document: dict[str, Any], name: str, rows: Iterable[Any]) -> None:
    """One JSON document with a last key ``name``: a list of any length, never held whole."""
    head = json.dumps(_plain(document), ensure_ascii=False, indent=2).removesuffix("\n}")
    print(f'{head},\n  "{name}": [', end="")
    comma = ""
    for row in rows:
        print(f"{comma}\n    {json.dumps(_plain(row), ensure_ascii=False)}", end="")
        comma = ","
    print("\n  ]\n}")


def print_rows(rows: Sequence[Sequence[Any]], heads: Sequence[str]) -> None:
    """Columns as wide as their content; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [
        max(len(head), *(len(row[i]) for row in cells)) if cells else len(head)
        for i, head in enumerate(heads)
    ]
    for line in ([*heads], *cells):
        print(
            "  ".join(_pad(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )


def say(sentence: str) -> None:
    """A sentence for the person at the terminal; standard output stays free for results."""
    print(sentence, file=sys.stderr)


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error; the value is a function that takes how many are done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.update(task, completed=done)


def _pad(cell: str, width: int) -> str:
    number = cell.replace(",", "").replace(".", "").isdigit()
    return cell.rjust(width) if number else cell.ljust(width)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value) if isinstance(value, Path) else value
