"""The one door for an editor's acts on an issue: done on the newest version, and kept.

A save names the version that the editor looked at. What another saved meanwhile stays: acts
that touch other parts are done on top of it, and of the same part both are shown.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from newsletter.errors import (
    Conflict,
    EditClash,
    EditRefused,
    InvalidTransition,
    NotFound,
    Remedy,
    RevertRefused,
)
from newsletter.issues.acts import Act, EditLine, touched_by
from newsletter.issues.edit import Desk, Refusal, apply_act
from newsletter.issues.lines import made_lines, remake_lines
from newsletter.issues.model import Issue, IssueState, Save, SaveKind, Version
from newsletter.issues.parts import changes_between, parts_that_differ, put_back
from newsletter.issues.places import settle_places
from newsletter.issues.states import EDITABLE
from newsletter.issues.telling import tell_act
from newsletter.issues.versions import (
    DID_AGAIN,
    TOOK_BACK,
    Clash,
    Typed,
    act_of,
    find_clashes,
    go_on_with,
    redo_next,
    standing_since,
    undo_next,
)
from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.storage.transaction import Transaction
from newsletter.workflows.illustrate import illustrate_issue
from newsletter.workflows.installation import Installation, newsletter_of
from newsletter.workflows.soon import at_time, give_back_time, time_before

log = get_logger(__name__)

# Somebody else may save while pictures are fetched.
_TRIES = 3
_LATE = "changed in the minute before it went out, after its time"


@dataclass(frozen=True)
class Edited:
    """An issue after an editor's act. Without a change ``version`` is the one it had.

    ``others`` are what others saved since the version that the editor looked at, and
    ``notices`` sentences that the editor should read. ``revoked``: it was approved.
    """

    issue: Issue
    told: str = ""
    others: tuple[Version, ...] = ()
    notices: tuple[str, ...] = ()
    revoked: bool = False

    @property
    def version(self) -> int:
        return self.issue.version


@dataclass(frozen=True)
class _Made:
    """What a save would make of the newest version."""

    issue: Issue
    save: Save
    others: tuple[Version, ...] = ()
    goes_on: bool = False


def desk_of(settings: Settings, issue: Issue) -> Desk:
    """What acts on the issue need to know of the paper."""
    return Desk(newsletter_of(settings, issue), settings.publication)


def edit_issue(
    installation: Installation,
    issue_id: str,
    *acts: Act,
    actor: str,
    version: int | None = None,
    over: Mapping[str, str] = MappingProxyType({}),
) -> Edited:
    """Do ``acts``, one after the other, as one save begun from ``version`` (None: the newest).

    ``over`` has the marks of texts that were written over, by part (see `issues.parts`): where
    that text stands still, nobody else's is lost. EditRefused where the issue does not allow
    one of the acts, EditClash where another saved the same part since: nothing is saved then.
    InvalidTransition where the issue is on its way already.
    """

    def make(tx: Transaction, now: Issue, desk: Desk) -> _Made | None:
        others: tuple[Version, ...] = ()
        if version is not None and version != now.version:
            base, others = _looked_at(tx, now, version)
            mine, touched = _wanted(base, now, acts, desk)
            typed = Typed(over, actor, installation.clock.now())
            _refuse_clashes(now, find_clashes(base, now, mine, touched, others, typed))
        done, told, touched, changes = now, [], frozenset[str](), frozenset[str]()
        for act in acts:
            before, after = done, apply_act(done, act, desk)
            if isinstance(after, Refusal):
                raise EditRefused(_with_others(after.sentence, others), subject=now.slot)
            if after != before:
                done = after
                told.append(tell_act(before, after, act))
                touched |= touched_by(act, before)
                changes |= touched_by(act, before) | _lines_changed(before, after, act)
        if done == now:
            return None
        save = Save(SaveKind.EDITED, ", ".join(told), changes_between(now, done, changes), touched)
        # An approval, full or the first of two, was of a version: that one stays.
        if now.state is IssueState.APPROVED or now.first_approved_by:
            return _Made(done, save, others)
        newest = tx.issues.versions(issue_id)[-1:]
        longer = go_on_with(newest[0], save, actor, installation.clock.now()) if newest else None
        return _Made(done, longer or save, others, goes_on=longer is not None)

    return _save(installation, issue_id, make, actor=actor)


def _wanted(
    base: Issue, now: Issue, acts: Iterable[Act], desk: Desk
) -> tuple[Issue, frozenset[str]]:
    """What the editor wanted of ``base``, which they looked at, and the parts of it.

    An act that it did not allow can't have been meant for it.
    """
    mine, parts = base, frozenset[str]()
    for act in acts:
        after = apply_act(mine, act, desk)
        if isinstance(after, Issue):
            parts |= touched_by(act, mine) | touched_by(act, now)
            mine = after
    return mine, parts


def undo_edit(installation: Installation, issue_id: str, *, actor: str, past: int = 0) -> Edited:
    """Take back the last act of ``actor``; what others did since stays.

    Conflict where there is none, RevertRefused where another changed the same part since:
    handed the version of that one as ``past``, this takes back what was done before it.
    """
    return _revert(installation, issue_id, SaveKind.UNDONE, past, actor=actor)


def redo_edit(installation: Installation, issue_id: str, *, actor: str, past: int = 0) -> Edited:
    """Do again what ``actor`` undid last, unless they have done something else since.

    Conflict, RevertRefused and ``past`` as for `undo_edit`.
    """
    return _revert(installation, issue_id, SaveKind.REDONE, past, actor=actor)


def restore_version(
    installation: Installation, issue_id: str, number: int, *, actor: str
) -> Edited:
    """Bring back what was saved as version ``number``, as a new version; NotFound."""

    def make(tx: Transaction, now: Issue, desk: Desk) -> _Made | None:
        then = _content_of(tx, now, number)
        if then.version != number:
            raise _not_kept(now, number)
        if then.date != now.date:
            # It was to go out on another day, which its title may tell.
            made = made_lines(desk.newsletter, desk.publication, then)
            then = replace(then, date=now.date)
            then = remake_lines(desk.newsletter, desk.publication, then, made)
        return _whole(now, then, SaveKind.RESTORED, f"restored version {number}", number)

    return _save(installation, issue_id, make, actor=actor)


def save_whole(
    installation: Installation, before: Issue, after: Issue, told: str, *, actor: str
) -> Edited:
    """Save an issue that was made anew of ``before``; Conflict where that is not the newest."""

    def make(_: Transaction, now: Issue, __: Desk) -> _Made | None:
        if now.version != before.version:
            raise Conflict(
                f"somebody else changed issue {now.slot} meanwhile; look at it and try again",
                subject=now.slot,
            )
        return _whole(now, after, SaveKind.REFRESHED, told)

    return _save(installation, before.public_id, make, actor=actor)


def _whole(
    now: Issue, after: Issue, kind: SaveKind, told: str, of: int | None = None
) -> _Made | None:
    after = _under(after, now)
    if after == now:
        return None
    touched = parts_that_differ(now, after)
    return _Made(after, Save(kind, told, changes_between(now, after, touched), touched, of))


def _under(content: Issue, now: Issue) -> Issue:
    """``content`` in the state in which the issue is now."""
    return replace(
        content,
        state=now.state,
        date=now.date,
        send_at=now.send_at,
        held_because=now.held_because,
        approved_by=now.approved_by,
        approved_at=now.approved_at,
        version=now.version,
        first_approved_by=now.first_approved_by,
        first_approved_at=now.first_approved_at,
    )


def _revert(
    installation: Installation, issue_id: str, kind: SaveKind, past: int, *, actor: str
) -> Edited:
    def make(tx: Transaction, now: Issue, desk: Desk) -> _Made | None:
        versions = tx.issues.versions(issue_id)
        find = undo_next if kind is SaveKind.UNDONE else redo_next
        target = find(versions, actor, past)
        if target is None:
            verb = "undo" if kind is SaveKind.UNDONE else "redo"
            raise Conflict(f"there is nothing that you could {verb}", subject=now.slot)
        before = _content_of(tx, now, target.number - 1)
        touched = target.save.touched
        since = standing_since(versions, target.number)
        if clashes := find_clashes(before, now, before, touched, since):
            stands = ", ".join(clash.other() for clash in clashes)
            raise _not_reverted(now, target, kind, f"{stands}, which stands")
        if since:
            back = put_back(now, before, touched)
            if back is None:
                raise _not_reverted(now, target, kind, "its place is gone")
            paper = desk.newsletter, desk.publication
            # A line that is put back was made at that time, or written.
            made = (made_lines(*paper, now) - touched) | (made_lines(*paper, before) & touched)
            back = remake_lines(*paper, settle_places(back, desk.newsletter), made)
        else:
            back = before
        told = f"{TOOK_BACK if kind is SaveKind.UNDONE else DID_AGAIN}{act_of(target)}"
        back = _under(back, now)
        changes = changes_between(now, back, touched)
        return _Made(back, Save(kind, told, changes, touched, target.number))

    return _save(installation, issue_id, make, actor=actor)


def _not_reverted(now: Issue, target: Version, kind: SaveKind, why: str) -> RevertRefused:
    verb = "taken back" if kind is SaveKind.UNDONE else "done again"
    return RevertRefused(
        f"“{act_of(target)}” can't be {verb}: {why}", subject=now.slot, version=target.number
    )


def _save(
    installation: Installation,
    issue_id: str,
    make: Callable[[Transaction, Issue, Desk], _Made | None],
    *,
    actor: str,
) -> Edited:
    """Save what ``make`` makes of the newest version, its new pictures fetched before."""
    settings = installation.settings()
    for _ in range(_TRIES):
        with installation.database.read() as tx:
            now = _editable(tx, issue_id)
            planned = time_before(tx, now)
            # An edit in the minute before it goes out is made of the issue at its own time.
            base = now if planned is None else at_time(settings, now, planned)
            made = make(tx, base, desk_of(settings, now))
        if made is None:
            return Edited(now)
        # Outside of any transaction: pictures come from the site.
        shown = illustrate_issue(installation, settings, made.issue)
        at = installation.clock.now()
        with installation.database.write() as tx:
            if _editable(tx, issue_id) != now:
                continue
            revoked = now.state is IssueState.APPROVED
            back = give_back_time(tx, settings, now, actor, at)
            if revoked:
                late = planned is not None and planned <= at
                _revoke(tx, back, actor, at, made.save.told, late=late)
            put = replace(shown.issue, version=back.version)
            if not tx.issues.replace(put, actor, at, made.save, goes_on=made.goes_on):
                continue
            saved = tx.issues.by_id(issue_id)
        log.info(
            "issue_edited",
            newsletter=now.newsletter,
            issue=now.slot,
            actor=actor,
            version=now.version + 1,
        )
        return Edited(
            saved or shown.issue,
            made.save.told,
            made.others,
            (*_tell_others(made.others), *_tell_revoked(now, saved), *shown.notices),
            revoked,
        )
    raise Conflict(
        f"issue {now.slot} is saved by others without a pause; try again in a moment",
        subject=now.slot,
    )


def _revoke(
    tx: Transaction, issue: Issue, actor: str, at: datetime, told: str, *, late: bool
) -> None:
    """Take the approval; held where a draft would be past its time, and so go out by itself."""
    to = IssueState.HELD if late else IssueState.DRAFT
    reason = f"{_LATE}: {told}" if late else told
    tx.issues.move(issue.public_id, {IssueState.APPROVED}, to, actor, at, reason=reason)


def _editable(tx: Transaction, issue_id: str) -> Issue:
    issue = tx.issues.by_id(issue_id)
    if issue is None:
        raise NotFound("there is no such issue any more", subject=issue_id)
    if issue.state not in EDITABLE:
        raise InvalidTransition(
            f"issue {issue.slot} is {issue.state}; only a draft, or one that is held or approved, "
            "is edited; what readers have is mended by a correction",
            subject=issue.slot,
            remedy=Remedy.CORRECT,
        )
    return issue


def _looked_at(tx: Transaction, now: Issue, version: int) -> tuple[Issue, tuple[Version, ...]]:
    """The issue as the editor looked at it, and what was saved since."""
    if not 0 < version < now.version:
        raise Conflict(
            f"issue {now.slot} has no version {version}; the newest is {now.version}",
            subject=now.slot,
        )
    return _content_of(tx, now, version), standing_since(tx.issues.versions(now.public_id), version)


def _content_of(tx: Transaction, now: Issue, number: int) -> Issue:
    """The issue as it was saved then, or last before that."""
    found = tx.issues.at_version(now.public_id, number)
    if found is None:
        raise _not_kept(now, number)
    return found


def _not_kept(now: Issue, number: int) -> NotFound:
    return NotFound(
        f"version {number} of issue {now.slot} is not kept; its history shows which are",
        subject=now.slot,
        remedy=Remedy.HISTORY,
    )


def _lines_changed(before: Issue, after: Issue, act: Act) -> frozenset[str]:
    """Lines that followed the stories; they are told, and nobody's to clash over."""
    if isinstance(act, EditLine):
        return frozenset()
    lines = ("subject", "preheader", "title", "lead")
    return frozenset(line for line in lines if getattr(before, line) != getattr(after, line))


def _refuse_clashes(now: Issue, clashes: tuple[Clash, ...]) -> None:
    if clashes:
        told = tuple(clash.sentence() for clash in clashes)
        raise EditClash(
            f"nothing was saved of issue {now.slot}: {' '.join(told)}",
            subject=now.slot,
            clashes=told,
        )


def _with_others(sentence: str, others: tuple[Version, ...]) -> str:
    return " ".join((sentence, *_tell_others(others)))


def _tell_others(others: tuple[Version, ...]) -> tuple[str, ...]:
    return tuple(
        f"Meanwhile {one.actor} ({one.at:%H:%M} UTC) {one.save.told or one.save.kind}."
        for one in others
    )


def _tell_revoked(before: Issue, after: Issue | None) -> tuple[str, ...]:
    if before.state is not IssueState.APPROVED or after is None:
        return ()
    if after.state is IssueState.HELD:
        return ("It was about to go out, after its time, and is held: approve it anew.",)
    if after.send_at != before.send_at:
        return (
            "It was about to go out, and is a draft again, for its own time, "
            f"{after.send_at:%Y-%m-%d %H:%M} UTC: approve it anew.",
        )
    return ("It was approved, and is a draft again: approve it anew.",)
