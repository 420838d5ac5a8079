"""The versions of an issue: who saved what, which acts still stand, and what is undone next."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from newsletter.issues.model import Issue, Save, SaveKind, Version
from newsletter.issues.parts import LINES, name_part, tell_part

# What an editor may take back.
_ACTS = frozenset((SaveKind.EDITED, SaveKind.REFRESHED, SaveKind.RESTORED, SaveKind.REDONE))
_REVERTS = frozenset((SaveKind.UNDONE, SaveKind.REDONE))
# Before the words of the act that was undone, or done again.
TOOK_BACK = "took back: "
DID_AGAIN = "did again: "
# Who types on within this goes on with what they saved last.
TYPING_PAUSE = timedelta(minutes=2)


@dataclass(frozen=True)
class Clash:
    """A part that two editors changed: as it was, as it is now, and as it was to be."""

    part: str
    name: str
    before: str
    theirs: str
    mine: str
    by: str
    at: datetime

    def other(self) -> str:
        """What another changed, and when."""
        return f"{self.by} changed {self.name} at {self.at:%H:%M} UTC"

    def sentence(self) -> str:
        """What differs, with who saved it when."""
        texts = f"it was “{self.before}”, is “{self.theirs}”, and you would have “{self.mine}”"
        return f"{self.other()}: {texts}."


def undo_next(versions: Sequence[Version], actor: str, past: int = 0) -> Version | None:
    """The act of ``actor`` that an undo takes back; ``versions`` in their order.

    ``past`` is the number of one that can't be taken back: what was done before it is.
    """
    return _newest(_stacks(versions, actor)[0], past)


def redo_next(versions: Sequence[Version], actor: str, past: int = 0) -> Version | None:
    """The undo of ``actor`` that a redo takes back: none once they have done something else."""
    return _newest(_stacks(versions, actor)[1], past)


def act_of(version: Version) -> str:
    """What was done at first, behind any number of undos and redos."""
    return version.save.told.removeprefix(TOOK_BACK).removeprefix(DID_AGAIN)


def _newest(stack: Sequence[Version], past: int) -> Version | None:
    at = next((n for n, one in enumerate(stack) if one.number == past), len(stack))
    return stack[at - 1] if at else None


def _stacks(versions: Sequence[Version], actor: str) -> tuple[list[Version], list[Version]]:
    done: list[Version] = []
    undone: list[Version] = []
    for version in versions:
        kind, of = version.save.kind, version.save.of or 0
        if version.actor != actor or kind not in _ACTS | _REVERTS:
            continue
        # What came after the one that was reverted was stepped over: it stands.
        if kind is SaveKind.UNDONE:
            done = [one for one in done if one.number < of]
            undone.append(version)
        elif kind is SaveKind.REDONE:
            undone = [one for one in undone if one.number < of]
            done.append(version)
        else:
            done.append(version)
            undone = []
    return done, undone


def standing_since(versions: Sequence[Version], number: int) -> tuple[Version, ...]:
    """The versions after ``number`` whose effect stands: what was undone counts for nothing."""
    standing: dict[int, Version] = {}
    for version in versions:
        of = version.save.of
        if version.number <= number:
            continue
        if version.save.kind in _REVERTS and of in standing:
            del standing[of]
        else:
            standing[version.number] = version
    return tuple(standing.values())


def go_on_with(newest: Version, save: Save, actor: str, at: datetime) -> Save | None:
    """``save`` as it takes the place of ``newest``, where that is the same text by the same
    editor and just saved: what is typed is saved many times, and undone at once. Else None."""
    goes_on = (
        newest.save.kind is save.kind is SaveKind.EDITED
        and newest.actor == actor
        and newest.save.touched == save.touched
        and all(_is_text(part) for part in save.touched)
        and at - newest.at <= TYPING_PAUSE
    )
    if not goes_on:
        return None
    began = {change.part: change.before for change in newest.save.changes}
    changes = (
        replace(change, before=began.get(change.part, change.before)) for change in save.changes
    )
    return replace(save, changes=tuple(one for one in changes if one.before != one.after))


def _is_text(part: str) -> bool:
    return part in LINES or part.endswith((":headline", ":excerpt", ":alt", ":title"))


def text_mark(text: str) -> str:
    """A short mark by which one text is told from another; line ends and the spaces round a
    text, which browsers change, do not matter."""
    plain = text.replace("\r\n", "\n").strip()
    return blake2b(plain.encode(), digest_size=6).hexdigest()


@dataclass(frozen=True)
class Typed:
    """Texts of ``actor``, saved ``at`` that time: the marks of what they were written over,
    by part. It may be newer than the version that the act begins from."""

    over: Mapping[str, str]
    actor: str
    at: datetime

    def stands(self, part: str, text: str, last: Version) -> bool:
        """Whether ``text``, saved ``last``, is what was written over, or gone on with."""
        if part not in self.over:
            return False
        own = last.actor == self.actor and self.at - last.at <= TYPING_PAUSE
        return own or self.over[part] == text_mark(text)


def find_clashes(
    base: Issue,
    now: Issue,
    mine: Issue,
    touched: Collection[str],
    since: Sequence[Version],
    typed: Typed | None = None,
) -> tuple[Clash, ...]:
    """What ``mine``, made of ``base``, changes and others changed ``since`` to something else."""
    clashes = []
    for part in sorted(touched):
        theirs = next((one for one in reversed(since) if part in one.save.touched), None)
        is_now = tell_part(now, part)
        if theirs is None or is_now == tell_part(mine, part):
            continue
        if typed is not None and typed.stands(part, is_now, theirs):
            continue
        clashes.append(
            Clash(
                part=part,
                name=name_part((base, now), part),
                before=tell_part(base, part),
                theirs=is_now,
                mine=tell_part(mine, part),
                by=theirs.actor,
                at=theirs.at,
            )
        )
    return tuple(clashes)
