"""An issue chosen anew by the reads of now, with what editors said of it."""

from dataclasses import replace

from newsletter.errors import InvalidTransition, NotFound
from newsletter.issues.model import Issue
from newsletter.issues.refresh import carry_over, instructions_of, plan_anew
from newsletter.issues.states import EDITABLE
from newsletter.publication.slots import Slot
from newsletter.workflows.draft import propose_issue
from newsletter.workflows.edit_issue import Edited, save_whole
from newsletter.workflows.installation import Installation, newsletter_of


def refresh_issue(installation: Installation, issue: Issue, *, actor: str) -> Edited:
    """Choose the issue's stories as things stand now, and save it as its next version.

    Pins, edits, what was taken out or held over, and lines that an editor wrote stay.
    NotFound where no story is left, Conflict where somebody saved meanwhile.
    """
    settings = installation.settings()
    newsletter = newsletter_of(settings, issue)
    now = installation.clock.now()
    with installation.database.read() as tx:
        current = tx.issues.by_id(issue.public_id)
        if current is None:
            raise NotFound(f"there is no issue {issue.slot} any more", subject=issue.slot)
        if current.state not in EDITABLE:
            raise InvalidTransition(
                f"issue {issue.slot} is {current.state}; its stories are chosen", subject=issue.slot
            )
        plan = plan_anew(newsletter, current)
        slot = Slot(current.slot, current.date, now, current.send_at)
        draft = propose_issue(tx, settings, plan, slot, now, instructions_of(current, plan))
    made = carry_over(current, draft.issue, newsletter, settings.publication)
    edited = save_whole(installation, current, made, "chose the stories anew", actor=actor)
    return replace(edited, notices=(*edited.notices, *draft.notices))
