"""What becomes of an issue by an editor's act: the issue as it is then, or why it can't be."""

from dataclasses import dataclass, replace

from newsletter.issues.acts import (
    Act,
    AddItem,
    CropItem,
    DropSection,
    EditItem,
    EditLine,
    HoldItem,
    LeadItem,
    Line,
    MoveItem,
    PinItem,
    RemoveItem,
    RestoreSection,
    RetitleSection,
    SetBlock,
    SwapItem,
)
from newsletter.issues.items import (
    reset_field,
    say_excerpt,
    say_headline,
    show_picture,
)
from newsletter.issues.lines import rewrite_lines, write_lines
from newsletter.issues.marked import clean_marked
from newsletter.issues.model import (
    Block,
    DroppedSection,
    Issue,
    Item,
    ItemField,
    Section,
)
from newsletter.issues.places import (
    HELD_OVER,
    TAKEN_OUT,
    change_item,
    change_section,
    find_place,
    find_section,
    find_twin,
    offer,
    pin_story,
    put_in,
    settle_places,
    take_out,
)
from newsletter.issues.sections import begin_section
from newsletter.publication.brand import Publication
from newsletter.publication.newsletters import Newsletter
from newsletter.stories.text import clean_line

# In characters: room for anything meant, and none for a book.
LONGEST_LINE = 300
LONGEST_EXCERPT = 1_200
LONGEST_NOTE = 5_000


@dataclass(frozen=True)
class Desk:
    """What an act needs to know of the paper."""

    newsletter: Newsletter
    publication: Publication


@dataclass(frozen=True)
class Refusal:
    """Why an act can't be done, in a sentence."""

    sentence: str


def apply_act(issue: Issue, act: Act, desk: Desk) -> Issue | Refusal:
    """The issue after ``act``; the same one where it is so already.

    Lines that were made from the stories follow them; what an editor wrote stays. The
    states are not looked at: see `issues.states.EDITABLE`.
    """
    done = _do(issue, act, desk)
    if isinstance(done, Refusal) or done == issue:
        return done
    done = settle_places(done, desk.newsletter)
    if isinstance(act, EditLine):
        return done
    return rewrite_lines(desk.newsletter, desk.publication, issue, done)


def _do(issue: Issue, act: Act, desk: Desk) -> Issue | Refusal:
    match act:
        case MoveItem():
            return _move(issue, act, desk)
        case PinItem(story=story, pinned=pinned):
            return _pin(issue, story, pinned=pinned)
        case LeadItem(story=story):
            return _lead(issue, story)
        case RemoveItem(story=story):
            return _remove(issue, story)
        case HoldItem(story=story):
            return _hold(issue, story)
        case SwapItem():
            return _swap(issue, act, desk)
        case AddItem():
            return _add(issue, act, desk)
        case EditItem():
            return _edit_item(issue, act)
        case CropItem():
            return _crop(issue, act)
        case EditLine():
            return _edit_line(issue, act, desk)
        case SetBlock(block=block):
            return _set_block(issue, block)
        case RetitleSection():
            return _retitle(issue, act)
        case DropSection(section=slug):
            return _drop(issue, slug)
        case RestoreSection(section=slug):
            return _restore(issue, slug, desk)


def why_not_in(issue: Issue, item: Item, slug: str, desk: Desk) -> str:
    """Why a story does not fit a section, in a sentence; "" where it does."""
    section = find_section(issue, slug)
    if section is None:
        known = ", ".join(one.slug for one in issue.sections) or "it has none"
        return f'Issue {issue.slot} has no section "{slug}", only: {known}.'
    plan = next((plan for plan in desk.newsletter.sections if plan.slug == slug), None)
    department = plan.department if plan else ""
    if section.kind == "department" and item.department.casefold() != department.casefold():
        return (
            f"“{item.headline}” is of {item.department or 'no department'}, and "
            f"“{section.title}” has stories of {department} only."
        )
    if section.kind == "most_read" and not item.reads:
        return (
            f"No reads of “{item.headline}” are known, so it can't stand in “{section.title}”; "
            "choose another section."
        )
    return ""


def _move(issue: Issue, act: MoveItem, desk: Desk) -> Issue | Refusal:
    found = find_place(issue, act.story)
    if found is None:
        return _not_there(issue, act.story)
    old, item = found
    slug = act.section or old.slug
    if slug != old.slug and (why := why_not_in(issue, item, slug, desk)):
        return Refusal(why)
    section = find_section(issue, slug)
    others = [one for one in section.items if one.story_id != act.story] if section else []
    last = len(others) + 1
    if act.by:
        position = min(max(item.position + act.by, 1), last)
    else:
        position = last if act.position is None else act.position
    if not 1 <= position <= last:
        return _no_place(slug, position, last)
    if slug == old.slug and position == item.position:
        return issue
    pins = issue.pins
    moved = put_in(take_out(issue, act.story), item, slug, position)
    moved = settle_places(replace(moved, pins=pins, lead=issue.lead), desk.newsletter)
    return pin_story(moved, act.story)


def _pin(issue: Issue, story: str, *, pinned: bool) -> Issue | Refusal:
    if find_place(issue, story) is None:
        return _not_there(issue, story)
    if pinned:
        return pin_story(issue, story)
    return replace(issue, pins=tuple(pin for pin in issue.pins if pin.story_id != story))


def _lead(issue: Issue, story: str) -> Issue | Refusal:
    if find_place(issue, story) is None:
        return _not_there(issue, story)
    if issue.lead == story and issue.lead_kept:
        return issue
    return pin_story(replace(issue, lead=story, lead_kept=True), story)


def _remove(issue: Issue, story: str) -> Issue | Refusal:
    found = find_place(issue, story)
    if found is None:
        return _not_there(issue, story)
    section, item = found
    left = offer(take_out(issue, story), section.slug, item, TAKEN_OUT)
    return replace(left, excluded=(*left.excluded, story))


def _hold(issue: Issue, story: str) -> Issue | Refusal:
    found = find_place(issue, story)
    if found is None:
        if story in issue.held_over:
            return issue
        return _not_there(issue, story)
    section, item = found
    left = offer(take_out(issue, story), section.slug, item, HELD_OVER)
    return replace(left, held_over=(*left.held_over, story))


def _swap(issue: Issue, act: SwapItem, desk: Desk) -> Issue | Refusal:
    found = find_place(issue, act.story)
    if found is None:
        return _not_there(issue, act.story)
    section, item = found
    twin = find_twin(take_out(issue, act.story), act.item)
    if twin is not None:
        return _twice(act.item, *twin)
    if act.item.story_id == act.story:
        return issue
    if why := why_not_in(issue, act.item, section.slug, desk):
        return Refusal(why)
    left = offer(take_out(issue, act.story), section.slug, item, TAKEN_OUT)
    left = replace(left, excluded=(*left.excluded, act.story))
    swapped = put_in(left, act.item, section.slug, item.position)
    if issue.lead == act.story:
        swapped = replace(swapped, lead=act.item.story_id)
    return pin_story(settle_places(swapped, desk.newsletter), act.item.story_id)


def _add(issue: Issue, act: AddItem, desk: Desk) -> Issue | Refusal:
    twin = find_twin(issue, act.item)
    if twin is not None:
        return _twice(act.item, *twin)
    dropped = next((d.section for d in issue.dropped if d.section.slug == act.section), None)
    if dropped is not None:
        return Refusal(f"“{dropped.title}” was taken out of the issue; bring it back first.")
    if find_section(issue, act.section) is None:
        restored = _restore(issue, act.section, desk)
        if isinstance(restored, Refusal):
            return restored
        issue = restored
    if why := why_not_in(issue, act.item, act.section, desk):
        return Refusal(why)
    section = find_section(issue, act.section)
    last = len(section.items) + 1 if section else 1
    position = last if act.position is None else act.position
    if not 1 <= position <= last:
        return _no_place(act.section, position, last)
    added = settle_places(put_in(issue, act.item, act.section, position), desk.newsletter)
    return pin_story(added, act.item.story_id)


def _edit_item(issue: Issue, act: EditItem) -> Issue | Refusal:
    found = find_place(issue, act.story)
    if found is None:
        return _not_there(issue, act.story)
    item = found[1]
    if act.text is None:
        return change_item(issue, reset_field(item, act.field))
    text = clean_line(act.text)
    match act.field:
        case ItemField.HEADLINE:
            if not text:
                return Refusal("A headline can't be empty; take the story out instead.")
            return _shorter("headline", text) or change_item(issue, say_headline(item, text))
        case ItemField.EXCERPT:
            longest = LONGEST_EXCERPT
            return _shorter("excerpt", text, longest) or change_item(issue, say_excerpt(item, text))
        case ItemField.ALT:
            if item.picture is None:
                return Refusal(f"“{item.headline}” has no picture to describe.")
            picture = replace(item.picture, alt=text)
            return _shorter("alternative text", text) or change_item(
                issue, show_picture(item, picture)
            )
        case ItemField.PICTURE if not text:
            return change_item(issue, show_picture(item, None))
        case _:
            return Refusal("A picture is left out, or shown as the site has it.")


def _crop(issue: Issue, act: CropItem) -> Issue | Refusal:
    found = find_place(issue, act.story)
    if found is None:
        return _not_there(issue, act.story)
    item = found[1]
    if act.focus is None:
        return change_item(issue, reset_field(item, ItemField.CROP))
    if item.picture is None:
        return Refusal(f"“{item.headline}” has no picture to crop.")
    if not all(0 <= share <= 1 for share in act.focus):
        return Refusal("The middle of a crop lies within the picture: two numbers from 0 to 1.")
    if item.picture.focus == act.focus:
        return issue
    # The files are those of another crop.
    return change_item(issue, show_picture(item, replace(item.picture, focus=act.focus, files=())))


def _edit_line(issue: Issue, act: EditLine, desk: Desk) -> Issue | Refusal:
    if act.line is Line.NOTE:
        note = clean_marked(act.text or "")
        return _shorter("note", note, LONGEST_NOTE) or replace(issue, note=note)
    if act.text is None:
        made = write_lines(desk.newsletter, desk.publication, issue)
        lines = {"subject": made.subject, "preheader": made.preheader, "title": made.title}
        return _with_line(issue, act.line, lines[act.line])
    text = clean_line(act.text)
    if not text and act.line is not Line.PREHEADER:
        return Refusal(f"The {act.line} can't be empty; reset it to have it made anew.")
    return _shorter(act.line, text) or _with_line(issue, act.line, text)


def _with_line(issue: Issue, line: Line, text: str) -> Issue:
    match line:
        case Line.SUBJECT:
            return replace(issue, subject=text)
        case Line.PREHEADER:
            return replace(issue, preheader=text)
        case Line.TITLE:
            return replace(issue, title=text)
        case Line.NOTE:
            return replace(issue, note=text)


def _set_block(issue: Issue, block: Block | None) -> Issue | Refusal:
    if block is None:
        return replace(issue, block=None)
    block = replace(block, text=clean_line(block.text), source=clean_line(block.source))
    if not block.text:
        return replace(issue, block=None)
    too_long = _shorter("block", block.text, LONGEST_EXCERPT) or _shorter("source", block.source)
    return too_long or replace(issue, block=block)


def _retitle(issue: Issue, act: RetitleSection) -> Issue | Refusal:
    section = find_section(issue, act.section)
    if section is None:
        return _no_section(issue, act.section)
    made = section.made_title or section.title
    title = made if act.title is None else clean_line(act.title)
    if not title:
        return Refusal("A section's title can't be empty; reset it to have it as it was made.")
    kept = "" if title == made else made
    return _shorter("title", title) or change_section(
        issue, replace(section, title=title, made_title=kept)
    )


def _drop(issue: Issue, slug: str) -> Issue | Refusal:
    section = find_section(issue, slug)
    if section is None:
        return _no_section(issue, slug)
    if not any(one.items for one in issue.sections if one.slug != slug):
        return Refusal(f"“{section.title}” is all that the issue has; hold or cancel it instead.")
    at = issue.sections.index(section)
    behind = issue.sections[at - 1].slug if at else ""
    return replace(
        issue,
        sections=tuple(one for one in issue.sections if one.slug != slug),
        dropped=(*issue.dropped, DroppedSection(section, behind)),
    )


def _restore(issue: Issue, slug: str, desk: Desk) -> Issue | Refusal:
    if find_section(issue, slug) is not None:
        return issue
    dropped = next((one for one in issue.dropped if one.section.slug == slug), None)
    if dropped is None:
        begun = begin_section(issue, slug, desk.newsletter, desk.publication)
        return begun if begun is not None else _no_section(issue, slug)
    # What has come into the issue meanwhile keeps its place there.
    kept = tuple(item for item in dropped.section.items if find_twin(issue, item) is None)
    section = replace(dropped.section, items=kept)
    slugs = [one.slug for one in issue.sections]
    at = slugs.index(dropped.behind) + 1 if dropped.behind in slugs else 0
    return replace(
        issue,
        sections=(*issue.sections[:at], section, *issue.sections[at:]),
        dropped=tuple(one for one in issue.dropped if one is not dropped),
    )


def _shorter(name: str, text: str, longest: int = LONGEST_LINE) -> Refusal | None:
    if len(text) <= longest:
        return None
    return Refusal(f"The {name} has {len(text):,} characters; {longest:,} are the most.")


def _not_there(issue: Issue, story: str) -> Refusal:
    titles = {one.story_id: one.headline for s in issue.sections for one in s.runners_up}
    named = f"“{titles[story]}”" if story in titles else f'A story "{story}"'
    return Refusal(f"{named} is not in issue {issue.slot} any more.")


def _no_section(issue: Issue, slug: str) -> Refusal:
    known = ", ".join(section.slug for section in issue.sections)
    return Refusal(f'Issue {issue.slot} has no section "{slug}", only: {known}.')


def _no_place(slug: str, position: int, last: int) -> Refusal:
    return Refusal(f"There is no place {slug}/{position}; the last one is {slug}/{last}.")


def _twice(item: Item, section: Section, other: Item) -> Refusal:
    same = "" if other.story_id == item.story_id else f", as “{other.headline}”"
    return Refusal(
        f"“{item.headline}” is in the issue already, at {section.slug}/{other.position}{same}."
    )
