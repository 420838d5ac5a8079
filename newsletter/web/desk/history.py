"""Who did what to which thing, with before and after."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from starlette.responses import Response

from newsletter.issues.model import IssueState
from newsletter.log import mask_address
from newsletter.storage.changes import Change
from newsletter.storage.issue_lines import IssueLine
from newsletter.subscribers.suppressions_csv import is_rule
from newsletter.web.desk.fitting import fitting
from newsletter.web.desk.places import issue_address, tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.words import Words, gettext_noop

A_PAGE = 50
_LONGEST = 5_000
_MOST_CHANGES = 6
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_RESUMED = gettext_noop("went on sending")

KINDS: Mapping[str, str] = {
    "issue": gettext_noop("Issues"),
    "settings": gettext_noop("Settings"),
    "editor": gettext_noop("Editors"),
    "import": gettext_noop("Imports"),
    "export": gettext_noop("Exports"),
    "never mailed": gettext_noop("Never mailed"),
    "installation": gettext_noop("Installation"),
}
# What the log calls an act, in words; an act that is not here is told as it is logged.
ACTS: Mapping[str, str] = {
    "issue drafted": gettext_noop("drafted"),
    "issue draft": gettext_noop("made it a draft again"),
    "issue edited": gettext_noop("edited"),
    "issue freshened": gettext_noop("brought up to the site"),
    "issue tested": gettext_noop("sent a test"),
    "issue rehearsed": gettext_noop("rehearsed"),
    "issue approved first": gettext_noop("approved, as the first of two"),
    "issue approved": gettext_noop("approved"),
    "issue rescheduled": gettext_noop("moved to another time"),
    "issue sent soon": gettext_noop("sent in a minute"),
    "issue taken back": gettext_noop("took the send back"),
    "issue held": gettext_noop("held"),
    "issue sending": gettext_noop("began to send"),
    "issue paused": gettext_noop("paused"),
    "issue recalled": gettext_noop("recalled"),
    "issue cancelled": gettext_noop("cancelled"),
    "issue sent": gettext_noop("finished sending"),
    "issue corrected": gettext_noop("corrected"),
    "issue doubt_settled": gettext_noop("settled a doubt"),
    "editor test address kept": gettext_noop("kept an address for tests"),
    "editor test address dropped": gettext_noop("dropped an address for tests"),
    "settings changed": gettext_noop("changed the settings"),
    "import uploaded": gettext_noop("brought a file"),
    "import import wanted": gettext_noop("had a file imported"),
    "import file dropped": gettext_noop("let a file go"),
    "import undo wanted": gettext_noop("had an import taken back"),
    "never mailed added": gettext_noop("forbade to mail"),
    "never mailed lifted": gettext_noop("allowed to mail again"),
    "export exported": gettext_noop("took a list along"),
    "editor added": gettext_noop("let in"),
    "editor role changed": gettext_noop("gave another role"),
    "editor described": gettext_noop("changed their own page"),
    "editor removed": gettext_noop("removed"),
    "editor signed in": gettext_noop("signed in"),
    "editor signed out": gettext_noop("signed out everywhere"),
}
# Those who act in the log and are nobody: programs, and whoever sits at the server.
PROGRAMS: Mapping[str, str] = {
    "scheduler": gettext_noop("the scheduler"),
    "delivery": gettext_noop("the delivery"),
    "sending": gettext_noop("the delivery"),
    "command line": gettext_noop("the command line"),
    "config file": gettext_noop("the config file"),
    "approval auto": gettext_noop("the rule that approves by itself"),
}


@dataclass(frozen=True)
class Difference:
    """What a thing's part was before and after; None where it was not, or is not told."""

    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Line:
    """A line of the log. ``foreign``: the act is told as it is logged, in English."""

    at: str
    actor: str
    who: str
    act: str
    foreign: bool
    kind: str
    subject: str
    thing: str
    address: str
    language: str
    differences: tuple[Difference, ...]


def show_history(visit: Visit) -> Response:
    """The log from its end, or narrowed to a kind, a thing or a person."""
    kind, subject, actor = (visit.query(name)[:100] for name in ("kind", "subject", "actor"))
    before = visit.query("before")[:18]
    with visit.context.database.read() as tx:
        found = tx.changes.latest(
            A_PAGE + 1,
            before=int(before) if before.isascii() and before.isdigit() else None,
            kind=kind,
            subject=subject,
            actor=actor,
        )
        shown = fitting(found[:A_PAGE], lambda one: [json.dumps(one[1].detail)])
        changes = [change for _, change in shown]
        issues = tx.issue_lines.by_ids({c.subject for c in changes if c.kind == "issue"})
        hashes = {c.subject for c in changes if c.kind == "never mailed"}
        addresses = tx.subscribers.addresses(hashes)
        names = tx.editors.names()
    return visit.page(
        "history",
        lines=[_line(visit, change, names, issues, addresses) for change in changes],
        kinds=[(name, visit.words.gettext(message)) for name, message in KINDS.items()],
        kind=kind,
        subject=subject,
        actor=actor,
        narrowed=_narrowed(visit.words, names, subject, actor),
        older=shown[-1][0] if len(found) > len(shown) else None,
        first=not before,
    )


def tell_actor(words: Words, actor: str, names: Mapping[str, str]) -> str:
    """Who an actor of the log is: an editor by name, a program in words."""
    if actor in names:
        return names[actor]
    return words.gettext(PROGRAMS[actor]) if actor in PROGRAMS else actor


def _narrowed(words: Words, names: Mapping[str, str], subject: str, actor: str) -> str:
    if actor:
        return words.gettext("Only what %(name)s did", name=tell_actor(words, actor, names))
    return words.gettext("Only about this one thing") if subject else ""


def _line(
    visit: Visit,
    change: Change,
    names: Mapping[str, str],
    issues: Mapping[str, IssueLine],
    addresses: Mapping[str, str],
) -> Line:
    words = visit.words
    issue = issues.get(change.subject)
    detail = dict(change.detail)
    act = ACTS.get(f"{change.kind} {change.act}")
    thing = names.get(change.subject, change.subject)
    if issue is not None:
        # By the subject that it had then, where an act tells no other change.
        subject = detail.pop("subject", issue.subject)
        thing = f"{_newsletter_name(visit, issue.newsletter)}, {issue.slot} · {subject}"
        if change.act == IssueState.SENDING and _state_before(detail) == IssueState.PAUSED:
            act = _RESUMED
    elif change.kind == "never mailed" and not is_rule(change.subject):
        # Looked up as it is shown: once a reader is forgotten nothing of them stands here.
        address = addresses.get(change.subject)
        thing = (
            mask_address(address)
            if address
            else words.gettext("an address that we do not hold (%(key)s)", key=thing[:8])
        )
    elif change.kind == "settings" or change.subject == change.actor:
        thing = ""
    return Line(
        at=tell_moment(visit, change.at),
        actor=change.actor,
        who=tell_actor(words, change.actor, names),
        act=words.gettext(act) if act else change.act,
        foreign=act is None,
        kind=words.gettext(KINDS[change.kind]) if change.kind in KINDS else change.kind,
        subject=change.subject,
        thing=thing,
        address=issue_address(visit, change.subject) if issue is not None else "",
        language=issue.language if issue is not None else "",
        differences=tell_differences(detail, partial(_tell_at, visit)),
    )


def _newsletter_name(visit: Visit, slug: str) -> str:
    found = [one.name for one in visit.settings.newsletter if one.slug == slug]
    return found[0] if found else slug


def _state_before(detail: Mapping[str, Any]) -> str:
    before = detail.get("before")
    return str(before.get("state", "")) if isinstance(before, dict) else ""


def _tell_at(visit: Visit, text: str) -> str:
    """An instant in the log as the desk's pages tell it; any other text as it is."""
    if not _INSTANT.fullmatch(text):
        return text
    return tell_moment(visit, datetime.fromisoformat(text))


def tell_differences(
    detail: Mapping[str, Any], tell: Callable[[str], str] = str
) -> tuple[Difference, ...]:
    """What a line's detail says: of before and after key by key, all else as it is.

    Changes of an issue stand part by part; of the longest texts its versions alone have all.
    ``tell`` says a text for people.
    """
    changes = detail.get("changes")
    if isinstance(changes, list) and all(isinstance(one, dict) for one in changes):
        others = {key: value for key, value in detail.items() if key != "changes"}
        left = len(changes) - _MOST_CHANGES
        more = (Difference("…", None, f"+{left}"),) if left > 0 else ()
        parts = [_of_change(change, tell) for change in changes[:_MOST_CHANGES]]
        return (*tell_differences(others, tell), *parts, *more)
    before, after = detail.get("before"), detail.get("after")
    if not isinstance(before, dict | None) or not isinstance(after, dict | None):
        before, after = None, None
    rest = {key: value for key, value in detail.items() if key not in ("before", "after")}
    if before is None and after is None:
        rest = dict(detail)
    was, became = before or {}, after or {}
    return (
        *(
            Difference(
                key,
                tell_value(was[key], tell) if key in was else None,
                tell_value(became[key], tell) if key in became else None,
            )
            for key in {**was, **became}
        ),
        *(Difference(key, None, tell_value(value, tell)) for key, value in rest.items()),
    )


def _of_change(change: Mapping[str, Any], tell: Callable[[str], str]) -> Difference:
    """What became of a part of an issue, by the last of its name: a story's is named before."""
    before, after = (tell(str(change.get(side, ""))) or None for side in ("before", "after"))
    return Difference(str(change.get("part", "")).rpartition(":")[2], before, after)


def tell_value(value: object, tell: Callable[[str], str] = str) -> str:
    """A value in one line, cut where it is no text for a page."""
    text = tell(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
