"""An editor's acts in words, as the history of an issue tells them."""

from newsletter.issues.acts import (
    Act,
    AddItem,
    CropItem,
    DropSection,
    EditItem,
    EditLine,
    HoldItem,
    LeadItem,
    MoveItem,
    PinItem,
    RemoveItem,
    RestoreSection,
    RetitleSection,
    SetBlock,
    SwapItem,
)
from newsletter.issues.model import Issue
from newsletter.issues.parts import name_part, tell_part


def tell_act(before: Issue, after: Issue, act: Act) -> str:
    """What was done, from the verb on: "moved “Bread rises” to latest/2"."""
    both = (before, after)
    match act:
        case MoveItem(story=story):
            return f"moved {_called(both, story)} to {tell_part(after, f'story:{story}:place')}"
        case PinItem(story=story, pinned=pinned):
            return f"{'pinned' if pinned else 'unpinned'} {_called(both, story)}"
        case LeadItem(story=story):
            return f"let {_called(both, story)} lead"
        case RemoveItem(story=story):
            return f"took {_called(both, story)} out"
        case HoldItem(story=story):
            return f"held {_called(both, story)} for the next issue"
        case SwapItem(story=story, item=item):
            return f"put “{item.headline}” in the place of {_called(both, story)}"
        case AddItem(item=item):
            place = tell_part(after, f"story:{item.story_id}:place")
            return f"added “{item.headline}” at {place}"
        case EditItem(story=story, field=field, text=text):
            verb = "reset" if text is None else "changed"
            return f"{verb} {name_part(both, f'story:{story}:{field}')}"
        case CropItem(story=story, focus=focus):
            verb = "reset" if focus is None else "changed"
            return f"{verb} {name_part(both, f'story:{story}:crop')}"
        case EditLine(line=line, text=text):
            return f"{'reset' if text is None else 'wrote'} the {line}"
        case SetBlock(block=block):
            return "took the block out" if block is None else f"set the block, a {block.kind}"
        case RetitleSection(section=slug):
            return f"changed {name_part(both, f'section:{slug}:title')}"
        case DropSection(section=slug):
            return f"took {name_part(both, f'section:{slug}:shown')} out"
        case RestoreSection(section=slug):
            return f"brought {name_part(both, f'section:{slug}:shown')} in"


def _called(issues: tuple[Issue, Issue], story: str) -> str:
    return name_part(issues, f"story:{story}:place").removeprefix("the place of ")
