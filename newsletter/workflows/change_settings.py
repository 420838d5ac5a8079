"""The settings changed by people: each change is a new version, checked as at a start.

A change is made on the version that its page was made from. What somebody else
changed since stays; where both changed one key, nobody's is lost: it is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from newsletter.errors import Conflict, Saying, UsageError
from newsletter.log import get_logger
from newsletter.publication.fixed_keys import FixedKeys
from newsletter.publication.model import Settings
from newsletter.publication.settings_document import (
    ORDER,
    UNSET,
    Path,
    change,
    differences,
    dotted,
    flatten,
    merge,
)
from newsletter.publication.settings_keys import only_in_file
from newsletter.storage.database import Database
from newsletter.storage.settings import SettingsVersion
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.segments import broken_segments
from newsletter.workflows.adopt_settings import add_version, path_by_slug

log = get_logger(__name__)

_LOOKED_AT = 100  # versions, for who was quicker


@dataclass(frozen=True)
class Problem:
    """What can't be so: the key (or table) and a sentence.

    ``kind`` and ``bounds`` are pydantic's, for who tells it in other words; ``saying`` is
    the sentence where it is told in any language.
    """

    path: Path
    sentence: str
    kind: str = ""
    bounds: Mapping[str, Any] | None = None
    saying: Saying | None = None


@dataclass(frozen=True)
class Changed:
    """The version in force now; ``anew`` where this made it."""

    version: int
    anew: bool


@dataclass(frozen=True)
class Refused:
    """Nothing was changed, because it could not be so."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Overtaken:
    """Nothing was changed, because ``by`` has changed the same ``paths`` meanwhile."""

    paths: tuple[Path, ...]
    latest: SettingsVersion
    by: str


Outcome = Changed | Refused | Overtaken


def change_settings(
    database: Database,
    fixed: FixedKeys,
    edits: Mapping[Path, Any],
    *,
    base: int,
    actor: str,
    now: datetime,
) -> Outcome:
    """Make ``edits`` on version ``base``, beside what was changed since.

    Conflict for what the file or the environment fixes, UsageError for what only a
    file may set, NotFound for a version that is none.
    """
    with database.write() as tx:
        tx.settings.lock()
        before = tx.settings.get(base)
        mine = change(before.document, edits)
        _refuse_fixed(fixed, edits, mine)
        _refuse_for_file(before.document, mine)
        return _write(tx, fixed, before, mine, actor=actor, now=now)


def undo_version(
    database: Database, fixed: FixedKeys, number: int, *, actor: str, now: datetime
) -> Outcome:
    """Take back what one version changed; what was changed since stays. NotFound, Conflict."""
    with database.write() as tx:
        tx.settings.lock()
        after = tx.settings.get(number)
        earlier = tx.settings.versions(1, before=number)
        if not earlier:
            raise Conflict("these are the first settings: there is nothing before them")
        mine = earlier[0].document
        _refuse_fixed(fixed, differences(after.document, mine), mine)
        return _write(tx, fixed, after, mine, actor=actor, now=now)


def restore_version(
    database: Database, fixed: FixedKeys, number: int, *, actor: str, now: datetime
) -> Outcome:
    """Let the settings be as they were in a version, but for what is fixed. NotFound."""
    with database.write() as tx:
        tx.settings.lock()
        latest = tx.settings.versions(1)[0]
        mine = fixed.lay_over(tx.settings.get(number).document)
        return _write(tx, fixed, latest, mine, actor=actor, now=now)


def _write(
    tx: Transaction,
    fixed: FixedKeys,
    base: SettingsVersion,
    mine: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
) -> Outcome:
    latest = tx.settings.versions(1)[0]
    merged = merge(base.document, mine, latest.document)
    if merged.conflicts:
        return Overtaken(merged.conflicts, latest, _who_changed(tx, base, merged.conflicts))
    document = fixed.lay_over(merged.document)
    if flatten(document) == flatten(latest.document):
        return Changed(latest.version, anew=False)
    checked = check_document(document)
    if not isinstance(checked, Settings):
        return Refused(checked)
    version = add_version(tx, latest, document, checked, actor=actor, now=now)
    changed = differences(latest.document, document)
    log.info("settings_changed", version=version, by=actor, keys=len(changed))
    return Changed(version, anew=True)


def _who_changed(tx: Transaction, base: SettingsVersion, paths: Sequence[Path]) -> str:
    """Who changed one of these last since a version; at the worst who changed anything."""
    newer = tx.settings.versions(_LOOKED_AT)
    for after, before in pairwise(newer):
        if after.version <= base.version:
            break
        if differences(before.document, after.document).keys() & set(paths):
            return after.actor
    return newer[0].actor


def check_document(document: Mapping[str, Any]) -> Settings | tuple[Problem, ...]:
    """The settings of a document, or what is wrong with it."""
    try:
        settings = Settings.model_validate(document)
    except ValidationError as error:
        return tuple(
            Problem(
                path_by_slug(document, one["loc"]),
                one["msg"].removeprefix("Value error, "),
                one["type"],
                one.get("ctx"),
            )
            for one in error.errors()
        )
    broken = tuple(
        Problem(("newsletter", slug, "segment"), str(error), saying=error.saying)
        for slug, error in broken_segments(settings)
    )
    return broken or settings


def _refuse_fixed(fixed: FixedKeys, edits: Mapping[Path, Any], mine: Mapping[str, Any]) -> None:
    for path in edits:
        if path[-1] != ORDER and (where := fixed.where(path)):
            raise Conflict(
                f"the key {dotted(path)} is fixed by {where}: change it there", subject=where
            )
    if not fixed.hold(mine):
        raise Conflict(
            f"{fixed.file} fixes which of these there are, and their order: change it there",
            subject=fixed.file,
        )


def _refuse_for_file(before: Mapping[str, Any], mine: Mapping[str, Any]) -> None:
    """UsageError for a change that would show the server's files, or its networks, to the desk."""
    values = flatten(mine)
    for path, (_, after) in differences(before, mine).items():
        if after is UNSET:
            continue
        if only_in_file(path):
            raise UsageError(
                f"{dotted(path)} names what lies on the server or in its network: only the config "
                "file may set it",
                subject=dotted(path),
            )
        if path[-1] == "url" and values.get((*path[:-1], "password_file")):
            raise UsageError(
                f"{dotted(path)}: a password is sent there, which only the config file may send "
                "elsewhere",
                subject=dotted(path),
            )
