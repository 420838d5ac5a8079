"""What an editor does to an issue: each button and field of its page, read as an act."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from starlette.datastructures import FormData
from starlette.responses import Response

from newsletter.errors import EditClash, EditRefused, RevertRefused, UsageError
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
)
from newsletter.issues.model import Block, BlockKind, Issue, Item, ItemField, Section
from newsletter.issues.places import find_place, find_section
from newsletter.web.desk.issue import issue_page
from newsletter.web.desk.issue_fields import Problem, mark_sent, typed_text
from newsletter.web.desk.issue_page import tell_sentence
from newsletter.web.desk.issue_story import gone_story_page, story_page, words_of
from newsletter.web.desk.places import asked_issue
from newsletter.web.desk.visit import Visit
from newsletter.workflows.edit_issue import (
    Edited,
    edit_issue,
    redo_edit,
    restore_version,
    undo_edit,
)
from newsletter.workflows.place_story import add_story, swap_story
from newsletter.workflows.refresh_issue import refresh_issue

_LINES = (Line.SUBJECT, Line.PREHEADER, Line.NOTE, Line.TITLE)


def take_issue(visit: Visit) -> Response:
    """Do what was pressed, and go on to the issue; what can't be done is told beside it."""
    visit = _naming_its_story(visit)
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        names = tx.editors.names()
    do = _ACTS.get(visit.field("act"))
    try:
        if do is None:
            raise UsageError(f'the desk knows no act "{visit.field("act")}"', subject="act")
        edited = do(visit, issue)
    except EditClash as clash:
        told = tuple(_with_names(one, names) for one in clash.clashes)
        same = "Somebody else changed the same meanwhile."
        return _form_again(visit, issue, Problem(same, told), 409)
    except RevertRefused as error:
        sentence = tell_sentence(_with_names(str(error), names))
        return _form_again(visit, issue, Problem(sentence, past=error.version), 409)
    except EditRefused as error:
        return _form_again(
            visit, issue, Problem(tell_sentence(_with_names(str(error), names))), 409
        )
    except UsageError as error:
        return _form_again(visit, issue, Problem(tell_sentence(str(error))), 400)
    done = [f"You {edited.told}."] if edited.told else []
    notices = [_with_names(notice, names) for notice in edited.notices]
    if visit.field("stay") and find_place(edited.issue, visit.field("story")):
        # Its own page saves what is typed there, and goes on.
        path = f"/issues/{issue.public_id}/stories/{visit.field('story')}"
        return visit.go(path, **visit.seal(notices))
    return visit.go(
        f"/issues/{issue.public_id}",
        anchor=_anchor(visit, issue, edited),
        **visit.seal(done + notices),
    )


def _naming_its_story(visit: Visit) -> Visit:
    """The same, where a button of many stories' form said both the act and its story."""
    act, _, story = visit.field("act").partition(" ")
    if not story:
        return visit
    others = [one for one in visit.form.multi_items() if one[0] not in ("act", "story")]
    return replace(visit, form=FormData([*others, ("act", act), ("story", story)]))


def _form_again(visit: Visit, issue: Issue, problem: Problem, status: int) -> Response:
    """The page that the form stood on, filled as it was typed, with what is in its way."""
    story, act = visit.field("story"), visit.field("act")
    if act in ("story", "back"):
        problem = replace(problem, form="story")
        if find_place(issue, story):
            return story_page(visit, story, problem, status)
        if found := _last_place(visit, issue, story):
            return gone_story_page(visit, found[1], problem, status)
    if act == "reset" and find_place(issue, story):
        return story_page(visit, story, replace(problem, form=act), status)
    return issue_page(visit, replace(problem, form=act), status)


def _anchor(visit: Visit, before: Issue, edited: Edited) -> str:
    """The part of the page that the act was about, as far as it is still there."""
    story, section = visit.field("story"), visit.field("section")
    if story and find_place(edited.issue, story):
        return f"story-{story}"
    if story and (stood := find_place(before, story)):
        section = stood[0].slug
    return f"section-{section}" if section else ""


def _with_names(text: str, names: Mapping[str, str]) -> str:
    """The text with editors called by their names rather than their ids."""
    for public_id, name in names.items():
        text = text.replace(public_id, name)
    return text


def _number(visit: Visit, name: str = "version") -> int | None:
    """The version of the issue that a field of the form names."""
    text = visit.field(name)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UsageError(f'"{text}" is no version of an issue', subject=name)
    return int(text)


def _edit(
    visit: Visit, issue: Issue, *acts: Act, over: Mapping[str, str] = MappingProxyType({})
) -> Edited:
    """One save of all that a form changes, begun from the version that its page showed."""
    return edit_issue(
        visit.installation,
        issue.public_id,
        *acts,
        actor=visit.actor,
        version=_number(visit),
        over=over,
    )


def _on_story(make: Callable[[str], Act]) -> Callable[[Visit, Issue], Edited]:
    return lambda visit, issue: _edit(visit, issue, make(visit.field("story")))


def _on_section(make: Callable[[str], Act]) -> Callable[[Visit, Issue], Edited]:
    return lambda visit, issue: _edit(visit, issue, make(visit.field("section")))


def _move(visit: Visit, issue: Issue) -> Edited:
    position = _position(visit.field("position"))
    act = MoveItem(visit.field("story"), section=visit.field("to"), position=position)
    return _edit(visit, issue, act)


def _position(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:4]) < 1000):
        raise UsageError(f'"{text}" is no place in a section; write a number from 1', subject="to")
    return int(text)


def _swap(visit: Visit, issue: Issue) -> Edited:
    return swap_story(
        visit.installation,
        issue,
        visit.field("story"),
        visit.field("other") or None,
        actor=visit.actor,
        version=_number(visit),
    )


def _add(visit: Visit, issue: Issue) -> Edited:
    name = visit.field("other").strip()
    if not name:
        raise UsageError("paste the address of a story, or choose one of those found")
    return add_story(
        visit.installation,
        issue,
        name,
        visit.field("section"),
        _position(visit.field("position")),
        actor=visit.actor,
        version=_number(visit),
    )


def _write_lines(visit: Visit, issue: Issue) -> Edited:
    """The lines that this editor changed: the others may have been changed by somebody else."""
    base = _base(visit, issue)
    acts, over = [], {}
    for line in _LINES:
        filled = getattr(base, line.value)
        text = typed_text(visit, line.value, filled)
        if text is not None:
            # An empty line is made from the stories again; there is no note then.
            acts.append(EditLine(line, text or None))
            over[line.value] = mark_sent(visit, line.value, filled)
    return _edit(visit, issue, *acts, over=over)


def _base(visit: Visit, issue: Issue) -> Issue:
    """The issue as the editor looked at it."""
    version = _number(visit)
    if version is None or version == issue.version:
        return issue
    with visit.context.database.read() as tx:
        return tx.issues.at_version(issue.public_id, version) or issue


def _write_story(visit: Visit, issue: Issue) -> Edited:
    """The words and the picture of a story, as far as this editor changed them."""
    found = find_place(_base(visit, issue), visit.field("story"))
    if found is None:
        raise EditRefused("that story is not in the issue any more", subject="story")
    item = found[1]
    acts = tuple(_story_acts(visit, item))
    words = words_of(item)
    over = {
        f"story:{item.story_id}:{act.field}": mark_sent(visit, act.field, words[act.field])
        for act in acts
        if isinstance(act, EditItem) and act.field in words
    }
    return _edit(visit, issue, *acts, over=over)


def _put_back(visit: Visit, issue: Issue) -> Edited:
    """A story that was taken out, where it stood, with the words that somebody wrote meanwhile."""
    if find_place(issue, visit.field("story")):
        return _write_story(visit, issue)
    found = _last_place(visit, issue, visit.field("story"))
    if found is None:
        raise EditRefused("that story is not in the issue any more", subject="story")
    section, item = found
    here = find_section(issue, section.slug)
    position = min(item.position, len(here.items) + 1) if here else None
    acts = (AddItem(item, section.slug, position), *_story_acts(visit, item))
    return edit_issue(visit.installation, issue.public_id, *acts, actor=visit.actor)


def _last_place(visit: Visit, issue: Issue, story: str) -> tuple[Section, Item] | None:
    """Where a story that is gone stood last, and how; None where that is not known."""
    with visit.context.database.read() as tx:
        for version in reversed(tx.issues.versions(issue.public_id)):
            if f"story:{story}:place" not in version.save.touched:
                continue
            before = tx.issues.at_version(issue.public_id, version.number - 1)
            if before and (found := find_place(before, story)):
                return found
    return find_place(_base(visit, issue), story)


def _story_acts(visit: Visit, item: Item) -> Iterator[Act]:
    story, picture = item.story_id, item.picture
    shows = visit.field("picture") != "out"
    if "picture" in visit.form and shows is (picture is None):
        yield EditItem(story, ItemField.PICTURE, None if shows else "")
        if not shows:
            # Its description and crop go with it.
            picture = None
    for field, filled in words_of(item).items():
        text = typed_text(visit, field, filled)
        if text is not None and (field is not ItemField.ALT or picture is not None):
            yield EditItem(story, field, text)
    if picture is not None and visit.field("across") and visit.field("down"):
        focus = (_share(visit.field("across")), _share(visit.field("down")))
        if focus != (picture.focus or (0.5, 0.5)):
            yield CropItem(story, focus)


def _share(text: str) -> float:
    """A percentage of a picture's width or height, as a share."""
    try:
        share = float(text) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f'"{text}" is no part of a picture; write 0 to 100', subject="crop")
    return share


def _reset_story(visit: Visit, issue: Issue) -> Edited:
    """One field of a story as the site has it, or all of them."""
    story, name = visit.field("story"), visit.field("field")
    if name not in (*ItemField, ""):
        raise UsageError(f'a story has no "{name}"', subject="field")
    found = find_place(issue, story)
    fields = (ItemField(name),) if name else (found[1].changed if found else ())
    return _edit(visit, issue, *(_reset(story, field) for field in fields))


def _reset(story: str, field: ItemField) -> Act:
    return CropItem(story, None) if field is ItemField.CROP else EditItem(story, field, None)


def _set_block(visit: Visit, issue: Issue) -> Edited:
    kind, text = visit.field("kind"), visit.field("text").strip()
    if not text:
        return _edit(visit, issue, SetBlock(None))
    if kind not in frozenset(BlockKind):
        raise UsageError(f'there is no block "{kind}"', subject="kind")
    block = Block(BlockKind(kind), text, visit.field("source").strip())
    return _edit(visit, issue, SetBlock(block))


def _retitle(visit: Visit, issue: Issue) -> Edited:
    text = visit.field("text").strip()
    return _edit(visit, issue, RetitleSection(visit.field("section"), text or None))


def _undo(visit: Visit, issue: Issue) -> Edited:
    past = _number(visit, "past") or 0
    return undo_edit(visit.installation, issue.public_id, actor=visit.actor, past=past)


def _redo(visit: Visit, issue: Issue) -> Edited:
    past = _number(visit, "past") or 0
    return redo_edit(visit.installation, issue.public_id, actor=visit.actor, past=past)


def _refresh(visit: Visit, issue: Issue) -> Edited:
    return refresh_issue(visit.installation, issue, actor=visit.actor)


def _restore(visit: Visit, issue: Issue) -> Edited:
    number = _position(visit.field("number"))
    if number is None:
        raise UsageError("choose the version to bring back", subject="number")
    return restore_version(visit.installation, issue.public_id, number, actor=visit.actor)


_ACTS: Mapping[str, Callable[[Visit, Issue], Edited]] = {
    "up": _on_story(lambda story: MoveItem(story, by=-1)),
    "down": _on_story(lambda story: MoveItem(story, by=1)),
    "move": _move,
    "pin": _on_story(PinItem),
    "unpin": _on_story(lambda story: PinItem(story, pinned=False)),
    "lead": _on_story(LeadItem),
    "remove": _on_story(RemoveItem),
    "hold": _on_story(HoldItem),
    "swap": _swap,
    "add": _add,
    "lines": _write_lines,
    "story": _write_story,
    "back": _put_back,
    "reset": _reset_story,
    "block": _set_block,
    "retitle": _retitle,
    "drop": _on_section(DropSection),
    "bring": _on_section(RestoreSection),
    "undo": _undo,
    "redo": _redo,
    "refresh": _refresh,
    "restore": _restore,
}
