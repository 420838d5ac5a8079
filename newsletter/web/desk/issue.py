"""An issue at the desk: its lines, its stories with their reasons, the mail beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from newsletter.issues.inbox_row import (
    PHONE_SUBJECT,
    LineCount,
    count_preheader,
    count_subject,
    suggest_preheaders,
    suggest_subjects,
)
from newsletter.issues.model import Block, BlockKind, Issue, Item, Section, Version
from newsletter.issues.places import is_pinned
from newsletter.issues.states import EDITABLE
from newsletter.issues.versions import act_of, redo_next, undo_next
from newsletter.publication.editors import Act
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.sections import SectionPlan
from newsletter.ranking.reasons import doubts_age, tells_age, tells_reads
from newsletter.rendering.filters import format_weekday
from newsletter.storage.transaction import Transaction
from newsletter.web.desk.issue_fields import Problem, TextField, begun_from, text_field
from newsletter.web.desk.issue_mail import VIEW_NAMES, asked_variant, asked_view, offered_variants
from newsletter.web.desk.places import asked_issue, hold_of, is_removed, newsletter_of, tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.web.desk.waiting import ALARMING, STATES
from newsletter.words import gettext_noop
from newsletter.workflows.edit_issue import desk_of

# A page of more stories has what else can be done to one on its own page only: it would be
# heavy with places and headlines, said anew for each.
_MOST_FOLDS = 20

BLOCK_NAMES: Mapping[BlockKind, str] = {
    BlockKind.QUOTE: gettext_noop("A quotation"),
    BlockKind.NUMBER: gettext_noop("A number"),
    BlockKind.QUESTION: gettext_noop("A question to readers"),
}


@dataclass(frozen=True)
class ShownItem:
    """An item with what the page knows of it. ``picture`` is the address of a small file.

    ``reads`` is None where none are known or a reason says them, ``age`` empty where one says
    it better; ``reasons`` leave out what ``age`` says.
    """

    item: Item
    leads: bool
    pinned: bool
    picture: str
    age: str
    reads: int | None
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ShownSection:
    """A section; ``room`` is how many stories it is planned for, ``title`` what stands in the
    field of its title, filled from that version."""

    section: Section
    items: tuple[ShownItem, ...]
    room: int
    title: str
    version: int


@dataclass(frozen=True)
class Lines:
    """The issue's lines as they stand in their fields: what was typed goes before."""

    version: int
    subject: TextField
    preheader: TextField
    note: TextField
    subject_count: LineCount
    preheader_count: LineCount


@dataclass(frozen=True)
class TypedBlock:
    """The one thing that is no story, as it stands in its fields."""

    version: int
    kind: str
    text: str
    source: str


def show_issue(visit: Visit) -> Response:
    """The issue, to be changed by whoever may."""
    return issue_page(visit)


def issue_page(visit: Visit, problem: Problem | None = None, status: int = 200) -> Response:
    """The page of the issue in the path; what was typed is kept where there is a problem."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        newsletter = newsletter_of(visit, issue)
        versions = tx.issues.versions(issue.public_id)
        names = tx.editors.names()
        variants = offered_variants(visit, tx, newsletter, issue)
        readers = _readers(tx, issue)
        hold = tx.mailings.holds(visit.context.clock.now()).get(issue.public_id)
    planned = {plan.slug: plan for plan in newsletter.sections}
    shown = {section.slug for section in issue.sections}
    dropped = [one.section for one in issue.dropped]
    known = shown | {section.slug for section in dropped}
    removed = is_removed(visit, issue)
    may_edit = issue.state in EDITABLE and visit.editor.may(Act.EDIT) and not removed
    desk = desk_of(visit.settings, issue) if may_edit else None
    variant = asked_variant(visit, variants)
    past = problem.past if problem else 0
    undo, redo = (find(versions, visit.actor, past) for find in (undo_next, redo_next))
    return visit.page(
        "issue",
        status=status,
        issue=issue,
        newsletter=newsletter,
        address=f"{visit.root}/issues/{issue.public_id}",
        state=visit.words.gettext(STATES[issue.state]),
        alarming=issue.state in ALARMING,
        time=tell_moment(visit, issue.send_at, newsletter),
        readers=readers,
        held_up=hold_of(visit, hold, newsletter),
        saved=tell_saved(visit, versions, names, newsletter),
        may_edit=may_edit,
        folds=len(issue.items) <= _MOST_FOLDS,
        removed=removed,
        sections=[_section(visit, issue, section, planned, problem) for section in issue.sections],
        dropped=[
            *[(section.slug, section.title) for section in dropped],
            *[(plan.slug, plan.title) for plan in newsletter.sections if plan.slug not in known],
        ],
        lines=_lines(visit, issue, problem),
        block=_block(visit, issue, problem),
        suggested_subjects=suggest_subjects(issue, desk) if desk else (),
        suggested_preheaders=suggest_preheaders(issue, desk) if desk else (),
        phone_subject=PHONE_SUBJECT,
        blocks=[(kind, visit.words.gettext(BLOCK_NAMES[kind])) for kind in BlockKind],
        undo=act_of(undo) if undo and may_edit else "",
        redo=act_of(redo) if redo and may_edit else "",
        told=visit.told,
        problem=problem,
        views=[(view, visit.words.gettext(name)) for view, name in VIEW_NAMES.items()],
        view=asked_view(visit),
        variants=variants,
        variant=variant,
    )


def _readers(tx: Transaction, issue: Issue) -> int:
    """How many it went to; 0 before that, when counting would take too long for a page."""
    line = tx.issue_lines.by_ids([issue.public_id]).get(issue.public_id)
    return line.readers if line else 0


def tell_saved(
    visit: Visit, versions: list[Version], names: dict[str, str], newsletter: Newsletter
) -> str:
    """When the newest version was saved, and by whom if it was somebody else."""
    if not versions:
        return ""
    last = versions[-1]
    local = last.at.astimezone(newsletter.zone_in(visit.settings.publication))
    today = visit.context.clock.now().astimezone(local.tzinfo).date()
    time = f"{local:%H:%M}"
    if local.date() != today:
        time = f"{format_weekday(local, visit.language.tag)}, {time}"
    who = names.get(last.actor, "")
    if not who or last.actor == visit.actor:
        return visit.words.gettext("saved %(time)s", time=time)
    return visit.words.gettext("saved %(time)s by %(name)s", time=time, name=who)


def _section(
    visit: Visit,
    issue: Issue,
    section: Section,
    planned: Mapping[str, SectionPlan],
    problem: Problem | None,
) -> ShownSection:
    now = visit.context.clock.now()
    plan = planned.get(section.slug)
    room = plan.count if plan else len(section.items)
    items = tuple(_item(visit, issue, item, now) for item in section.items)
    retitled = problem and (problem.form, visit.field("section")) == ("retitle", section.slug)
    mine = problem if retitled else None
    title = visit.field("text") if mine else section.title
    return ShownSection(section, items, room, title, begun_from(visit, issue.version, mine))


def _item(visit: Visit, issue: Issue, item: Item, now: datetime) -> ShownItem:
    reads = item.reads
    if reads is not None and any(tells_reads(reason, reads) for reason in item.reasons):
        reads = None
    doubted = any(doubts_age(reason) for reason in item.reasons)
    age = "" if doubted else _tell_age(visit, item.published_at, now)
    return ShownItem(
        item,
        leads=item.story_id == issue.lead,
        pinned=is_pinned(issue, item.story_id),
        picture=_small_picture(visit, item),
        age=age,
        reads=reads,
        # How old it was when it was chosen says nothing beside how old it is.
        reasons=tuple(one for one in item.reasons if not (age and tells_age(one))),
    )


def _small_picture(visit: Visit, item: Item) -> str:
    if item.picture is None:
        return ""
    files = [file for file in item.picture.files if file.slot == "card"] or item.picture.files[:1]
    if files:
        return f"{visit.static_root}/media/{files[0].name}"
    return item.picture.url


def _tell_age(visit: Visit, published_at: datetime | None, now: datetime) -> str:
    if published_at is None:
        return ""
    hours = max(0, int((now - published_at).total_seconds() // 3600))
    if hours < 48:
        return visit.words.ngettext("%(count)s hour old", "%(count)s hours old", hours, count=hours)
    days = hours // 24
    return visit.words.ngettext("%(count)s day old", "%(count)s days old", days, count=days)


def _lines(visit: Visit, issue: Issue, problem: Problem | None) -> Lines:
    mine = problem if problem and problem.form == "lines" else None
    subject = text_field(visit, "subject", issue.subject, mine)
    preheader = text_field(visit, "preheader", issue.preheader, mine)
    return Lines(
        version=begun_from(visit, issue.version, mine),
        subject=subject,
        preheader=preheader,
        note=text_field(visit, "note", issue.note, mine),
        subject_count=count_subject(subject.value),
        preheader_count=count_preheader(preheader.value),
    )


def _block(visit: Visit, issue: Issue, problem: Problem | None) -> TypedBlock:
    block = issue.block or Block(BlockKind.QUOTE, "")
    mine = problem if problem and problem.form == "block" else None
    return TypedBlock(
        begun_from(visit, issue.version, mine),
        visit.field("kind") if mine else block.kind,
        visit.field("text") if mine else block.text,
        visit.field("source") if mine else block.source,
    )
