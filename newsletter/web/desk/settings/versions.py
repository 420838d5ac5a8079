"""The versions of the settings: what each changed, and back to one."""

from dataclasses import dataclass

from starlette.responses import Response

from newsletter.errors import Conflict
from newsletter.publication.secret_parts import hide_secrets
from newsletter.publication.settings_document import ORDER, UNSET, differences, dotted
from newsletter.storage.settings import SettingsVersion
from newsletter.web.desk.fitting import fitting
from newsletter.web.desk.guard import local_page
from newsletter.web.desk.history import Difference, tell_actor, tell_value
from newsletter.web.desk.places import tell_moment
from newsletter.web.desk.settings.page import SAID, undo_number
from newsletter.web.desk.visit import Visit
from newsletter.workflows.change_settings import (
    Changed,
    Outcome,
    Overtaken,
    Refused,
    restore_version,
    undo_version,
)

A_PAGE = 20


@dataclass(frozen=True)
class VersionLine:
    """A version in the list; ``first`` has nothing before it, ``latest`` is in force."""

    number: int
    who: str
    at: str
    differences: tuple[Difference, ...]
    first: bool
    latest: bool


def show_versions(visit: Visit) -> Response:
    """The versions from the newest on."""
    asked = visit.query("before")[:9]
    before = int(asked) if asked.isascii() and asked.isdigit() else None
    with visit.context.database.read() as tx:
        found = tx.settings.versions(A_PAGE + 1, before=before)
        latest = tx.settings.version()
        names = tx.editors.names()
    lines = []
    for place, version in enumerate(found[:A_PAGE]):
        earlier = found[place + 1] if place + 1 < len(found) else None
        lines.append(
            VersionLine(
                number=version.version,
                who=tell_actor(visit.words, version.actor, names),
                at=tell_moment(visit, version.at),
                differences=_differences(earlier, version),
                first=earlier is None,
                latest=version.version == latest,
            )
        )
    shown = fitting(
        lines, lambda one: [text for each in one.differences for text in (each.before, each.after)]
    )
    return visit.page(
        "settings/versions",
        said=SAID,
        lines=shown,
        older=shown[-1].number if len(found) > len(shown) else None,
        newest=before is None,
        undo=undo_number(visit),
    )


def take_undo(visit: Visit) -> Response:
    """Take one version back; later changes stay."""
    context = visit.context
    outcome = undo_version(
        context.database,
        context.fixed,
        _number(visit),
        actor=visit.actor,
        now=context.clock.now(),
    )
    back = local_page(visit.root, visit.field("page")).partition("?")[0]
    return _answer(visit, outcome, "undone", back.removeprefix(visit.root) or "/settings/history")


def take_restore(visit: Visit) -> Response:
    """Go back to one version, whatever came after it."""
    context = visit.context
    outcome = restore_version(
        context.database,
        context.fixed,
        _number(visit),
        actor=visit.actor,
        now=context.clock.now(),
    )
    return _answer(visit, outcome, "restored", "/settings/history")


def _answer(visit: Visit, outcome: Outcome, done: str, page: str) -> Response:
    if isinstance(outcome, Changed):
        return visit.go(page, done=done if outcome.anew else "same")
    if isinstance(outcome, Overtaken):
        keys = ", ".join(sorted({dotted(path) for path in outcome.paths}))
        raise Conflict(f"{keys} was changed again since: set it as it should be")
    raise Conflict(_first(outcome))


def _first(outcome: Refused) -> str:
    problem = outcome.problems[0]
    key = dotted(problem.path)
    sentence = f"{problem.sentence[:1].lower()}{problem.sentence[1:]}"
    return f"{key}: {sentence}" if key else sentence


def _number(visit: Visit) -> int:
    number = visit.param("version")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0


def _differences(before: SettingsVersion | None, after: SettingsVersion) -> tuple[Difference, ...]:
    if before is None:
        return ()
    found = differences(before.document, after.document)
    return tuple(
        Difference(
            dotted(path),
            None if old is UNSET else tell_value(hide_secrets(old)),
            None if new is UNSET else tell_value(hide_secrets(new)),
        )
        for path, (old, new) in found.items()
        # An array's order tells of what came and went, which stands there key by key.
        if path[-1] != ORDER or (old is not UNSET and new is not UNSET and set(old) == set(new))
    )
