"""A new version of the settings, with the rows of what it names."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from newsletter.publication.model import Settings
from newsletter.publication.secret_parts import hide_secrets
from newsletter.publication.settings_document import UNSET, Path, differences, dotted
from newsletter.publication.sources import Reads, Source
from newsletter.storage.settings import SettingsVersion
from newsletter.storage.transaction import Transaction


def add_version(
    tx: Transaction,
    before: SettingsVersion | None,
    document: dict[str, Any],
    settings: Settings,
    *,
    actor: str,
    now: datetime,
    fixed: dict[str, Any] | None = None,
) -> int:
    """Write ``document``, whose ``settings`` were checked, as the version in force; its number.

    ``fixed`` is what the file fixes, by default what it fixed before.
    """
    stored = before.document if before else {}
    version = tx.settings.append(
        document,
        actor,
        now,
        fixed=fixed if fixed is not None or before is None else before.fixed,
        detail=_detail(stored, document),
    )
    tx.settings.register(settings, now)
    for slug in _moved(stored.get("source", ()), settings.source):
        tx.sources.ask_anew(slug)
    for slug in _moved(stored.get("reads", ()), settings.reads):
        tx.reads.ask_anew(slug)
    return version


def path_by_slug(document: Any, loc: Sequence[int | str]) -> Path:
    """A place in a document, in which entries of arrays are numbers, by their slugs."""
    path: list[str] = []
    for part in loc:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            document = None
        named = isinstance(part, int) and isinstance(document, Mapping)
        path.append(str(document.get("slug", part)) if named else str(part))
    return tuple(path)


def _detail(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What a change changed, for the log; without what opens doors."""
    detail: dict[str, dict[str, Any]] = {"before": {}, "after": {}}
    for path, (old, new) in differences(before, after).items():
        for side, value in (("before", old), ("after", new)):
            if value is not UNSET:
                detail[side][dotted(path)] = hide_secrets(value)
    return detail


def _moved(stored: Iterable[Mapping[str, Any]], now: Iterable[Source | Reads]) -> list[str]:
    """Sources or counters whose address is not the one that was stored."""
    before = {each.get("slug"): each.get("url") for each in stored}
    return [each.slug for each in now if before.get(each.slug, each.url) != each.url]
