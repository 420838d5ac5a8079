"""From the stories to a draft: gather, assemble, keep, tell the editors."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.errors import Conflict
from newsletter.issues.assemble import Material, assemble_issue
from newsletter.issues.model import Issue, IssueState
from newsletter.log import get_logger
from newsletter.publication.model import Newsletter, SectionPlan, Settings
from newsletter.publication.slots import Slot
from newsletter.ranking.curve import HORIZON_HOURS
from newsletter.ranking.model import NO_INSTRUCTIONS, Instructions
from newsletter.ranking.windows import window_days
from newsletter.rendering.view import Link
from newsletter.storage.transaction import Transaction
from newsletter.workflows.installation import Installation
from newsletter.workflows.notices import Notice, preview_link, queue_notice

log = get_logger(__name__)

AUTO_ACTOR = "approval auto"
# How many earlier issues are searched for stories that ran before: a year of weeks.
_MEMORY = 53
# A score looks at the reads of a story's life, and learns from as many earlier ones.
_LIFE = timedelta(hours=HORIZON_HOURS)
_PAST_STORIES = 500


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
) -> DraftResult:
    """Draft the issue of ``slot``; Conflict where there is one, NotFound without a story.

    Nothing is kept unless the whole draft stands, so a run that failed uses up
    no story.
    """
    started = installation.clock.monotonic()
    now = installation.clock.now()
    with installation.database.read() as tx:
        settings = installation.settings()
        _refuse_second(tx, newsletter, slot)
        pinned = {pin.story_id for pin in instructions.pins}
        material = gather_material(tx, settings, newsletter, slot, now, pinned)
    draft = assemble_issue(
        newsletter, settings.publication, slot, material, now, instructions=instructions
    )
    issue = draft.issue
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
                _ready_notice(installation, issue, draft.notices),
            )
        kept = tx.issues.by_id(issue.public_id)
    log.info(
        "issue_drafted",
        newsletter=newsletter.slug,
        issue=slot.key,
        items=len(issue.items),
        ms=round((installation.clock.monotonic() - started) * 1000),
    )
    return DraftResult(kept or issue, draft.notices)


def gather_material(
    tx: Transaction,
    settings: Settings,
    newsletter: Newsletter,
    slot: Slot,
    now: datetime,
    pinned: Collection[str] = (),
) -> Material:
    """All that the assembly may look at, read in one transaction."""
    sources = newsletter.sources or tuple(source.slug for source in settings.source)
    counters = settings.primary_counters(sources)
    zone = newsletter.zone_in(settings.publication)
    reads: dict[str, dict[str, int]] = {}
    today = now.astimezone(zone).date()
    less_own = settings.tracking.subtract_own
    so_far = tx.reads.sums(counters, today - _LIFE, today, less_own=less_own)
    past = tx.reads.histories(
        counters,
        sources,
        zone,
        now,
        life_days=_LIFE.days,
        limit=_PAST_STORIES,
        less_own=less_own,
    )
    for plan in newsletter.sections:
        if plan.kind == "most_read":
            first, last = window_days(plan, now, zone)
            reads[plan.slug] = tx.reads.sums(counters, first, last, less_own=less_own)
    # An extra shares the send time of the regular issue that it stands beside and follows.
    before = slot.send_at + timedelta(microseconds=1) if slot.is_extra else slot.send_at
    previous = tx.issues.previous(newsletter.slug, before)
    since = now - _longest_reach(newsletter.sections)
    if previous is not None:
        since = min(since, previous.covers_until)
    stories = {s.public_id: s for s in tx.stories.published_since(sources, since)}
    # "Most read" takes a story of any age, so the read ones come along; so does a pinned one.
    read_ids = {story_id for counts in reads.values() for story_id in counts} | set(pinned)
    for story in tx.stories.by_ids(read_ids - stories.keys()):
        if story.source in sources:
            stories[story.public_id] = story
    return Material(
        stories=tuple(stories.values()),
        reads=reads,
        so_far=so_far,
        past=tuple(past),
        past_uses=tx.issues.past_uses(newsletter.slug, before, _MEMORY),
        covers_from=previous.covers_until if previous else None,
    )


def _longest_reach(plans: tuple[SectionPlan, ...]) -> timedelta:
    return max(plan.window_length for plan in plans)


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


def _ready_notice(installation: Installation, issue: Issue, notices: tuple[str, ...]) -> Notice:
    return Notice(
        key=f"draft-ready:{issue.public_id}",
        subject=f"Waits for your approval: {issue.subject}",
        sentences=(
            f"The draft of {issue.newsletter}, issue {issue.slot}, has {len(issue.items)} stories.",
            *notices,
            f"Approve it with: newsletter issue approve --newsletter {issue.newsletter} "
            f"--slot {issue.slot}",
        ),
        link=Link("See the draft", preview_link(installation, issue.public_id)),
    )
