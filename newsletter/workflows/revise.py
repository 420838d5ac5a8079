"""A correction in mid-send: a new revision for the readers who were not served yet."""

from collections.abc import Callable
from dataclasses import dataclass

from newsletter.checks.model import Finding
from newsletter.errors import Advice, Conflict, InvalidTransition, NotFound, Remedy
from newsletter.issues.correct import (
    Correction,
    correct_issue,
    describe_changes,
    find_leftovers,
    note_changes,
    place_of,
)
from newsletter.issues.model import Issue, IssueState, Save, SaveKind
from newsletter.issues.parts import changes_between, parts_that_differ
from newsletter.log import get_logger
from newsletter.publication.model import Settings
from newsletter.workflows.correct_links import changed_addresses, links_left, put_corrections
from newsletter.workflows.installation import Installation
from newsletter.workflows.look_again import find_withdrawn, look_again
from newsletter.workflows.publish import check_issue, freeze_mailings, refuse_stopped
from newsletter.workflows.unserved import give_newest
from newsletter.workflows.variants import frozen_variants

log = get_logger(__name__)

# A relay answers the final dot within seconds; who takes longer than this is
# asked for again by hand.
PATIENCE_SECONDS = 20.0
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Revision:
    """A correction that was made: its number, what it changed and how many get it.

    ``notices`` are on what still says or leads to what was corrected, and
    on stories that are gone.
    """

    issue: Issue
    number: int
    readers: int
    changes: tuple[str, ...]
    findings: tuple[Finding, ...]
    notices: tuple[Advice, ...]


def revise_issue(
    installation: Installation,
    issue: Issue,
    correction: Correction,
    *,
    actor: str,
    told: str = "",
    version: int | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Revision:
    """Make the next revision of a paused issue; the issue stays paused.

    If somebody has an earlier one, its page in the archive tells what was changed, and
    ``told``, the editor's own words, behind it.

    ``version`` is the one that the correction was made of, Conflict where there is a newer one.
    It goes to whoever certainly has not got the issue. A reader whose message
    may have been taken gets the same bytes again, if anything. InvalidTransition
    where the issue is not paused; Conflict where nothing would change, a check
    stops it, nobody is left, or somebody else corrects it at the same time.
    """
    before = _current(installation, issue)
    if version is not None and version != before.version:
        raise _changed(issue)
    after = correct_issue(before, correction)
    changes = describe_changes(before, after)
    if not changes:
        raise Conflict(
            f"nothing changed: issue {issue.slot} says all of that already", subject=issue.slot
        )
    parts = parts_that_differ(before, after)
    settings = _settings_for(installation, issue)
    with installation.database.read() as tx:
        frozen = frozen_variants(tx, before, after)
    variants, findings = check_issue(installation, settings, after, served=frozen)
    refuse_stopped(after, findings)
    _await_replies(installation, issue)
    now = installation.clock.now()
    with installation.database.write() as tx:
        tx.mailings.take_back(issue.public_id, now)
        number = tx.mailings.newest_revision(issue.public_id) + 1
        # Corrected first, so that nobody resumes the issue before the revision stands.
        unchanged = tx.issues.by_id(issue.public_id) == before
        told_of = f"revision {number}: {', '.join(changes)}"
        save = Save(SaveKind.CORRECTED, told_of, changes_between(before, after, parts), parts)
        if not (unchanged and tx.issues.correct(after, number, actor, now, save)):
            raise _changed(issue)
        if not tx.mailings.has_unserved(issue.public_id):
            raise Conflict(
                f"nobody is left whom a correction of issue {issue.slot} could reach",
                subject=issue.slot,
            )
        freeze_mailings(tx, installation, settings, after, variants, now, revision=number)
        # Who has the issue already is led to the same addresses.
        links = tx.links.of_issue(issue.public_id)
        led = changed_addresses(settings, before, after, links, now, told)
        put_corrections(tx, after, led, actor)
        counts = tx.mailings.counts(issue.public_id)
        has_it = counts.accepted or counts.uncertain
        stories_led = {(one.kind, one.story_id) for one in led}
        for note in note_changes(before, after, now, told) if has_it else ():
            if (note.kind, note.story_id) not in stories_led:
                tx.links.note(issue.public_id, note)
    log.info("issue_corrected", newsletter=issue.newsletter, issue=issue.slot, revision=number)
    _, readers = give_newest(installation, after, on_progress)
    left = links_left(after, before, links) if has_it else ()
    unsaid = (Advice("Nobody has the issue as it was, so its page says nothing of the change."),)
    untold = unsaid if told and not has_it else ()
    notices = (*find_leftovers(before, after), *left, *untold, *_find_gone(installation, after))
    return Revision(after, number, readers, changes, findings, notices)


def _changed(issue: Issue) -> Conflict:
    return Conflict(
        f"somebody else changed issue {issue.slot} meanwhile; look at it and try again",
        subject=issue.slot,
    )


def _settings_for(installation: Installation, issue: Issue) -> Settings:
    """The settings, with links that lead through us where those of the issue did so far.

    Else a link that was corrected meanwhile would have its old address again.
    """
    settings = installation.settings()
    with installation.database.read() as tx:
        links = tx.links.of_issue(issue.public_id)
    if not links or settings.tracking.clicks != "off":
        return settings
    tracking = settings.tracking.model_copy(update={"clicks": "anonymous"})
    return settings.model_copy(update={"tracking": tracking})


def _find_gone(installation: Installation, issue: Issue) -> tuple[Advice, ...]:
    """What is left to do about stories of the issue that readers may not have any more.

    Asked after the correction is made: it is urgent, and a site may be slow.
    """
    places = {
        item.story_id: (place_of(section, item), item.headline)
        for section in issue.sections
        for item in section.items
    }
    look = look_again(installation, installation.settings(), places)
    with installation.database.read() as tx:
        withdrawn = find_withdrawn(tx, places, installation.clock.now())
    gone = (
        Advice(
            f"“{places[story][1]}” is still in it, but {reason}; take it out.",
            *(Remedy.REMOVE, issue.slot, places[story][0]),
        )
        for story, reason in withdrawn.items()
    )
    return (*gone, *map(Advice, look.notes))


def _current(installation: Installation, issue: Issue) -> Issue:
    """The issue as it stands, which must be paused."""
    with installation.database.read() as tx:
        current = tx.issues.by_id(issue.public_id)
    if current is None:
        raise NotFound(f"there is no issue {issue.slot} any more", subject=issue.slot)
    if current.state is IssueState.PAUSED:
        return current
    remedy = None
    rest = (
        "only one that was paused in the middle of its way can be corrected, save for its links "
        "alone"
    )
    if current.state is IssueState.SENDING:
        rest, remedy = "pause it first", Remedy.PAUSE
    raise InvalidTransition(
        f"issue {issue.slot} is {current.state}; {rest}", subject=issue.slot, remedy=remedy
    )


def _await_replies(installation: Installation, issue: Issue) -> None:
    """Wait until no message of the issue is on its way, so that each reader has one revision.

    Else a reader who is put off now could be served the old one later.
    """
    clock = installation.clock
    end = clock.monotonic() + PATIENCE_SECONDS
    while True:
        with installation.database.read() as tx:
            flying = tx.mailings.in_flight(issue.public_id, clock.now())
        if not flying:
            return
        if clock.monotonic() >= end:
            raise Conflict(
                f"the relay's answer for {flying:,} of the readers of issue {issue.slot} is still "
                "awaited; try again in some minutes",
                subject=issue.slot,
            )
        clock.sleep(_LOOK_SECONDS)
