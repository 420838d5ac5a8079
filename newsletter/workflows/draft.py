"""From the stories to a draft: gather, assemble, keep, tell the editors."""

from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.errors import Conflict
from newsletter.issues.assemble import Draft, assemble_issue
from newsletter.issues.model import Block, FreshCheck, Issue, IssueState
from newsletter.log import get_logger
from newsletter.publication.design import design_of
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import Slot
from newsletter.ranking.model import NO_INSTRUCTIONS, Instructions
from newsletter.rendering.passing_on import Link
from newsletter.rendering.system_mail import Quote
from newsletter.storage.transaction import Transaction
from newsletter.words import words_of
from newsletter.workflows.illustrate import illustrate_issue, show_logo
from newsletter.workflows.installation import Installation
from newsletter.workflows.look_again import find_withdrawn, look_again
from newsletter.workflows.material import CANDIDATES, gather_material
from newsletter.workflows.notices import Notice, desk_page, preview_link, queue_notice

log = get_logger(__name__)

AUTO_ACTOR = "approval auto"
# How many times as many stories are looked at where those looked at did not do.
_WIDER = 8
# A story that comes in is looked up as well, and may be gone in its turn.
_ROUNDS = 4


@dataclass(frozen=True)
class DraftResult:
    """The kept draft, and sentences about what it lacks."""

    issue: Issue
    notices: tuple[str, ...]


def draft_issue(
    installation: Installation,
    newsletter: Newsletter,
    slot: Slot,
    *,
    actor: str,
    instructions: Instructions = NO_INSTRUCTIONS,
    fresh: bool = True,
    at: datetime | None = None,
    note: str = "",
    block: Block | None = None,
) -> DraftResult:
    """Draft the issue of ``slot``; Conflict where there is one, NotFound without a story.

    Everything is as it stands ``at`` that instant, by default now: of the same
    stories, reads and settings the same issue is made, its id included.
    Its stories are looked up at their sources, unless ``fresh`` is False. Nothing
    is kept unless the whole draft stands, so a run that failed uses up
    no story. Its pictures are fetched in between, outside of any transaction.
    ``note`` and ``block`` are an editor's own words in it.
    """
    started = installation.clock.monotonic()
    now = at or installation.clock.now()
    with installation.database.read() as tx:
        settings = installation.settings()
        _refuse_second(tx, newsletter, slot)
        draft = propose_issue(tx, settings, newsletter, slot, now, instructions)
    if fresh:
        draft = _freshen(installation, settings, newsletter, slot, now, instructions, draft)
    illustrated = illustrate_issue(installation, settings, draft.issue)
    logo, told = show_logo(installation, settings)
    said = block if block and block.text else None
    issue = replace(illustrated.issue, note=note.strip(), block=said, logo=logo)
    mended = design_of(settings.publication).mended
    notices = (*draft.notices, *illustrated.notices, *told, *mended)
    with installation.database.write() as tx:
        if not tx.issues.create(issue, now, actor):
            raise _already_there(newsletter, slot)
        # An extra is made by hand, so a hand approves it.
        if newsletter.approval == "auto" and not slot.is_extra:
            tx.issues.move(
                issue.public_id, {IssueState.DRAFT}, IssueState.APPROVED, AUTO_ACTOR, now
            )
        else:
            queue_notice(
                tx,
                installation,
                settings,
                newsletter,
                _ready_notice(installation, settings, issue, notices),
                # They get the draft itself, with buttons.
                desk=False,
            )
        kept = tx.issues.by_id(issue.public_id)
    for section in issue.sections:
        for limit in section.relaxed:
            log.info("limit_relaxed", issue=slot.key, section=section.slug, limit=limit)
    log.info(
        "issue_drafted",
        newsletter=newsletter.slug,
        issue=slot.key,
        items=len(issue.items),
        ms=round((installation.clock.monotonic() - started) * 1000),
    )
    return DraftResult(kept or issue, notices)


def _freshen(
    installation: Installation,
    settings: Settings,
    newsletter: Newsletter,
    slot: Slot,
    now: datetime,
    instructions: Instructions,
    draft: Draft,
) -> Draft:
    """The draft as it is once its stories were looked up; what is gone leaves its place."""
    looked: set[str] = set()
    changes: list[str] = []
    notes: list[str] = []
    for _ in range(_ROUNDS):
        headlines = {item.story_id: item.headline for item in draft.issue.items}
        unseen = headlines.keys() - looked
        if not unseen:
            break
        look = look_again(installation, settings, unseen)
        looked |= unseen
        notes += look.notes
        if look.changed:
            with installation.database.read() as tx:
                draft = propose_issue(tx, settings, newsletter, slot, now, instructions)
                withdrawn = find_withdrawn(tx, headlines, now)
            changes += [
                f"“{headlines[story_id]}” was left out: {reason}."
                for story_id, reason in withdrawn.items()
            ]
    check = FreshCheck(now, tuple(changes), tuple(dict.fromkeys(notes)))
    return replace(draft, issue=replace(draft.issue, checks=(check,)))


def propose_issue(
    tx: Transaction,
    settings: Settings,
    newsletter: Newsletter,
    slot: Slot,
    now: datetime,
    instructions: Instructions = NO_INSTRUCTIONS,
) -> Draft:
    """The draft as things stand at ``now``; nothing is kept.

    The best few stories of each section are looked at first, more where bars
    and caps left places free.
    """
    candidates = CANDIDATES
    while True:
        material = gather_material(
            tx, settings, newsletter, slot, now, instructions.story_ids(), candidates=candidates
        )
        draft = assemble_issue(
            newsletter, settings.publication, slot, material, now, instructions=instructions
        )
        if not draft.starved:
            return draft
        candidates *= _WIDER


def _refuse_second(tx: Transaction, newsletter: Newsletter, slot: Slot) -> None:
    there = tx.issues.get(newsletter.slug, slot.key)
    if there is not None and there.state is not IssueState.CANCELLED:
        raise _already_there(newsletter, slot)


def _already_there(newsletter: Newsletter, slot: Slot) -> Conflict:
    return Conflict(
        f"{newsletter.slug} has an issue {slot.key} already; cancel it to draft it again, or "
        f"draft an extra one by --slot {slot.key}.x1",
        subject=slot.key,
    )


def _ready_notice(
    installation: Installation, settings: Settings, issue: Issue, notices: tuple[str, ...]
) -> Notice:
    words = words_of(settings.publication.language)
    stories = len(issue.items)
    told = (*notices, *(s for check in issue.checks for s in (*check.changes, *check.notes)))
    return Notice(
        key=f"draft-ready:{issue.public_id}",
        subject=words.gettext("Waits for your approval: %(subject)s", subject=issue.subject),
        sentences=(
            words.ngettext(
                "The draft of %(newsletter)s, issue %(slot)s, has %(count)s story.",
                "The draft of %(newsletter)s, issue %(slot)s, has %(count)s stories.",
                stories,
                newsletter=issue.newsletter,
                slot=issue.slot,
                count=stories,
            ),
            *map(Quote, told),
            words.gettext(
                "Approve it at the desk: %(address)s",
                address=desk_page(installation, issue.public_id, "/review"),
            ),
        ),
        link=Link(words.gettext("See the draft"), preview_link(installation, issue.public_id)),
    )
