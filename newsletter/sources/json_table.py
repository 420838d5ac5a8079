"""JSON of counters as a table: a header, and rows of text.

Known are a list of objects (or one within an object), and the answers of GA4's
runReport, Plausible's query v2, Matomo's Actions.getPageUrls and Jetpack's
top-posts.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from newsletter.errors import ParseError
from newsletter.sources.rest import mapping, objects, string

_LISTS = ("reads", "rows", "data", "results", "items", "pages", "posts")


@dataclass(frozen=True)
class JsonTable:
    """``rows`` have a cell for each name of ``header``; ``window`` are the days covered."""

    header: list[str]
    rows: list[list[str]]
    window: tuple[date, date] | None = None


def looks_like_json(text: str) -> bool:
    """Whether a text begins as a JSON list or object does."""
    return text.lstrip("\ufeff \t\r\n")[:1] in ("[", "{")


def read_json_table(text: str, name: str) -> JsonTable:
    """The table in a JSON document; ParseError where there is none."""
    try:
        document = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise ParseError(f"{name} is not valid JSON ({error})", subject=name) from error
    told = mapping(document)
    if told.get("result") == "error":  # Matomo's way to refuse, with status 200
        raise ParseError(f"{name}: Matomo answers “{told.get('message')}”", subject=name)
    period = string(told.get("period")) or "day"
    if period != "day" and mapping(told.get("days")):  # Jetpack's: each day stands for many
        raise ParseError(
            f"{name} tells the views of a whole {period} under one day; ask for them by day "
            "(stats/top-posts with period=day and num=30), or summed (summarize=1) and name the "
            "days by --from and --until",
            subject=name,
        )
    table = _from_objects(list(_find_rows(document)))
    if "metricHeaders" in told:
        table = _from_ga4(told)
    elif "query" in told and "results" in told:
        table = _from_plausible(told)
    if not table.header:
        raise ParseError(
            f"{name} holds no list of reads; it should be like "
            '[{"url": "https://…", "date": "2025-08-05", "reads": 142}]',
            subject=name,
        )
    return table


def _find_rows(document: Any) -> Iterator[Mapping[str, Any]]:
    """Objects that are rows, wherever the known shapes keep them, with their day."""
    if isinstance(document, list):
        yield from objects(document)
        return
    told = mapping(document)
    for day, inner in mapping(told.get("days")).items():  # Jetpack, by day
        yield from ({**row, "date": day} for row in objects(mapping(inner).get("postviews")))
    yield from objects(mapping(told.get("summary")).get("postviews"))  # Jetpack, summed
    for key, rows in told.items():
        if key in _LISTS:
            yield from objects(rows)
        elif _is_day(key):  # Matomo, period=day over a range
            yield from ({**row, "date": key} for row in objects(rows))


def _from_objects(rows: list[Mapping[str, Any]]) -> JsonTable:
    header = list(dict.fromkeys(key for row in rows for key in row))
    return JsonTable(header, [[_cell(row.get(key)) for key in header] for row in rows])


def _from_ga4(told: Mapping[str, Any]) -> JsonTable:
    heads = [*objects(told.get("dimensionHeaders")), *objects(told.get("metricHeaders"))]
    rows = []
    for row in objects(told.get("rows")):
        values = [*objects(row.get("dimensionValues")), *objects(row.get("metricValues"))]
        rows.append([_cell(value.get("value")) for value in values])
    return JsonTable([string(head.get("name")) for head in heads], rows)


def _from_plausible(told: Mapping[str, Any]) -> JsonTable:
    query = mapping(told.get("query"))
    header = [*_texts(query.get("dimensions")), *_texts(query.get("metrics"))]
    rows = [
        [_cell(value) for part in ("dimensions", "metrics") for value in _list(row.get(part))]
        for row in objects(told.get("results"))
    ]
    days = [day[:10] for day in _texts(query.get("date_range")) if _is_day(day[:10])]
    window = (date.fromisoformat(days[0]), date.fromisoformat(days[1])) if len(days) == 2 else None
    return JsonTable(header, rows, window)


def _cell(value: Any) -> str:
    return "" if value is None or isinstance(value, bool | list | dict) else str(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [text for text in _list(value) if isinstance(text, str)]


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2025-08-05")
