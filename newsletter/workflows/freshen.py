"""The fresh check of an approved issue, right before it is sent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.errors import NotFound
from newsletter.issues.lines import rewrite_lines
from newsletter.issues.mend import keep_places, mend_issue, narrow_plan, retitle
from newsletter.issues.model import FreshCheck, Issue
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import Slot
from newsletter.storage.transaction import Transaction
from newsletter.workflows.draft import propose_issue
from newsletter.workflows.illustrate import illustrate_issue
from newsletter.workflows.installation import Installation
from newsletter.workflows.look_again import find_withdrawn, look_again

# A story that comes in is looked up as well, and may be gone in its turn.
_ROUNDS = 4
_DEAD = "its page does not exist any more"


@dataclass(frozen=True)
class Freshened:
    """``issue`` as it may go out, its last check the one just made.

    ``hold`` says why a person has to look at it first, and is empty where nobody has.
    ``seen`` are the stories that were found where they come from, by public id;
    ``looked`` those that were looked up.
    """

    issue: Issue
    hold: str = ""
    seen: frozenset[str] = frozenset()
    looked: frozenset[str] = frozenset()

    @property
    def changes(self) -> tuple[str, ...]:
        return self.issue.checks[-1].changes


@dataclass(frozen=True)
class _Mended:
    issue: Issue
    changes: tuple[str, ...] = ()
    hold: str = ""


def freshen_issue(
    installation: Installation,
    settings: Settings,
    newsletter: Newsletter,
    issue: Issue,
    *,
    gone: Collection[str] = (),
    before: Freshened | None = None,
) -> Freshened:
    """Look the issue's stories up, and put right what is not as it was. Nothing is kept of it.

    A story that is gone gives way to the next candidate; where the newsletter asks
    for a person's approval, that person has to see it. A site that can't be reached
    is noted and holds nothing up. ``gone`` are stories whose pages turned out to be
    dead in what came of ``before``, though their sources still name them.
    """
    looked: set[str] = set(before.looked) if before else set()
    seen: set[str] = set(before.seen) if before else set()
    notes: list[str] = list(before.issue.checks[-1].notes) if before else []
    mended = _Mended(issue)
    if gone:
        with installation.database.read() as tx:
            mended = _mend(tx, settings, newsletter, issue, gone, installation.clock.now())
    for _ in range(_ROUNDS):
        unseen = {item.story_id for item in mended.issue.items} - looked
        if not unseen:
            break
        look = look_again(installation, settings, unseen)
        notes += look.notes
        seen |= look.seen
        looked |= unseen
        with installation.database.read() as tx:
            mended = _mend(tx, settings, newsletter, issue, gone, installation.clock.now())
    # Pictures of stories that came in; the others have theirs.
    illustrated = illustrate_issue(installation, settings, mended.issue)
    notes += illustrated.notices
    check = FreshCheck(installation.clock.now(), mended.changes, tuple(dict.fromkeys(notes)))
    whole = replace(illustrated.issue, checks=(*issue.checks, check))
    return Freshened(whole, mended.hold, frozenset(seen), frozenset(looked))


def goes_by_itself(newsletter: Newsletter, issue: Issue) -> bool:
    """Whether the issue goes out without a person's approval; an extra never does."""
    return newsletter.approval == "auto" and not _slot_of(issue).is_extra


def _slot_of(issue: Issue) -> Slot:
    return Slot(issue.slot, issue.date, issue.covers_until, issue.send_at)


def _mend(
    tx: Transaction,
    settings: Settings,
    newsletter: Newsletter,
    issue: Issue,
    gone: Collection[str],
    now: datetime,
) -> _Mended:
    publication = settings.publication
    ids = [item.story_id for item in issue.items]
    stories = {story.public_id: story for story in tx.stories.by_ids(ids)}
    take = newsletter.changed_headline == "take"
    titled, changes = retitle(issue, stories, take=take)
    titled = rewrite_lines(newsletter, publication, issue, titled)
    withdrawn = {
        **{story_id: _DEAD for story_id in ids if story_id in gone},
        **find_withdrawn(tx, ids, now),
    }
    if not withdrawn:
        return _Mended(titled, changes)
    slot = _slot_of(issue)
    plan = narrow_plan(newsletter, issue)
    first = _name_gone(issue, withdrawn)
    kept = keep_places(issue, withdrawn)
    # Its source names it still, so that it would be chosen again.
    wishes = replace(kept, excluded=kept.excluded | frozenset(gone))
    try:
        draft = propose_issue(tx, settings, plan, slot, issue.covers_until, wishes)
    except NotFound:
        return _Mended(titled, changes, f"{first} No other story is left to send.")
    mended, told = mend_issue(newsletter, publication, titled, draft.issue, withdrawn)
    hold = ""
    if not goes_by_itself(newsletter, issue):
        hold = f"{first} What comes instead is in the issue now: look at it before you approve."
    return _Mended(mended, (*told, *changes), hold)


def _name_gone(issue: Issue, withdrawn: Mapping[str, str]) -> str:
    """A sentence on the stories that are gone, the first one by name."""
    gone = {i.story_id: i.headline for i in issue.items if i.story_id in withdrawn}
    story_id, headline = next(iter(gone.items()))
    more = f" Gone, too: {len(gone) - 1} more." if len(gone) > 1 else ""
    return f"“{headline}” is gone: {withdrawn[story_id]}.{more}"
