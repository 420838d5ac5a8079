"""The draft in the editors' mail: as readers will get it, below buttons that are each one act.

A button's link is signed for one editor, one version of the issue and one act, and ends at
the issue's time. Opening it changes nothing: mail scanners follow every link.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from newsletter.checks.model import Finding
from newsletter.delivery.model import MailingKind
from newsletter.errors import Conflict, NotFound, TokenError
from newsletter.issues.model import Issue, IssueState
from newsletter.issues.places import find_place
from newsletter.log import get_logger
from newsletter.publication.editors import Act, Editor
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.act_bar import ActLink, put_above
from newsletter.rendering.links import lead_straight
from newsletter.tokens import Purpose, derived_public_id
from newsletter.words import Words, nearest_language, words_of
from newsletter.workflows.approve import approve_checked, waits_for_second
from newsletter.workflows.installation import Installation, newsletter_of
from newsletter.workflows.place_story import swap_story
from newsletter.workflows.publish import issue_mailing, move_issue, render_current
from newsletter.workflows.schedule_issue import reschedule_issue

log = get_logger(__name__)

_DELAY = timedelta(hours=1)
# Of each section its last story may give way; more buttons than that nobody reads.
_MOST_SWAPS = 3
_HELD = "an editor held it from the preview mail"


class MailedAct(StrEnum):
    """What one press in the preview mail does."""

    APPROVE = "approve"
    SWAP = "swap"
    DELAY = "delay"
    HOLD = "hold"


NEEDS = {
    MailedAct.APPROVE: Act.SEND,
    MailedAct.SWAP: Act.EDIT,
    MailedAct.DELAY: Act.SEND,
    MailedAct.HOLD: Act.EDIT,
}


@dataclass(frozen=True)
class AskedAct:
    """A button's link as it was read: who presses, on which issue, what.

    ``story`` gives its place to ``other`` where it is a swap. ``signs_in``: the act needs
    a second person, who has to be known by more than a link. ``shut``: the issue is no draft
    any more, and whoever approves another knows only at the desk why.
    """

    editor: Editor
    issue: Issue
    act: MailedAct
    story: str = ""
    other: str = ""
    signs_in: bool = False
    shut: bool = False

    @property
    def approves(self) -> bool:
        return self.act is MailedAct.APPROVE

    @property
    def headlines(self) -> tuple[str, str]:
        """Of a swap what goes and what comes, else empty."""
        found = find_place(self.issue, self.story)
        if found is None:
            return "", ""
        comes = [one.headline for one in found[0].runners_up if one.story_id == self.other]
        return found[1].headline, comes[0] if comes else ""


@dataclass(frozen=True)
class DoneAct:
    """What was asked, and the issue as it is then; where there are ``stops`` nothing was done."""

    asked: AskedAct
    issue: Issue
    stops: tuple[Finding, ...] = ()


def mail_previews(
    installation: Installation, settings: Settings, newsletter: Newsletter, issue: Issue
) -> None:
    """Mail the draft to everybody at the desk who may edit, each once an issue."""
    with installation.database.read() as tx:
        wanted = [
            editor
            for editor in tx.editors.all()
            if editor.may(Act.EDIT) and not tx.mailings.is_known(_key(issue, editor))
        ]
    if not wanted:
        return
    made = render_current(installation, settings, issue)
    straight = lead_straight(made.rendered)
    now = installation.clock.now()
    for editor in wanted:
        words = words_of(nearest_language(editor.language or settings.publication.language))
        links = _links(installation, issue, editor, words)
        notes = (
            words.gettext("Each button opens a page with one more; nothing happens before."),
            words.gettext("Any change of the issue makes these buttons void: use the desk then."),
        )
        desk = f"{installation.desk_url}/issues/{issue.public_id}"
        html, text = put_above(
            straight.html,
            straight.text,
            links=links,
            notes=notes,
            desk=ActLink(words.gettext("Open it at the desk"), desk),
            language=words.language,
        )
        subject = words.gettext("[Preview] %(subject)s", subject=issue.subject)
        with installation.database.write() as tx:
            mailing = replace(
                issue_mailing(tx, installation, settings, issue, made, now),
                public_id=derived_public_id("preview-mail", issue.public_id, editor.public_id),
                kind=MailingKind.TEST,
                subject=subject,
                html=html,
                text=text,
            )
            if tx.mailings.create(mailing, key=_key(issue, editor), newsletter=newsletter.slug):
                recipient = derived_public_id("editor", editor.address)
                tx.mailings.enqueue(mailing.public_id, recipient, editor.address, now)
    log.info("previews_mailed", newsletter=newsletter.slug, issue=issue.slot, editors=len(wanted))


def read_act(installation: Installation, token: str) -> AskedAct:
    """What a button's link is for.

    TokenError for one that is none of ours or has ended, NotFound where its editor or issue
    is gone or may not do that any more, Conflict where the issue was changed since.
    """
    now = installation.clock.now()
    parts = installation.keyring.verify_until(Purpose.MAILED_ACT, token, now)
    try:
        editor_id, issue_id, version, name, *stories = parts
        act = MailedAct(name)
    except ValueError as error:
        raise TokenError("this link is not one of ours", subject="act") from error
    with installation.database.read() as tx:
        editor, issue = tx.editors.by_id(editor_id), tx.issues.by_id(issue_id)
    if editor is None or issue is None or not editor.may(NEEDS[act]):
        raise NotFound("this button is nobody's any more", subject="act")
    if str(issue.version) != version:
        raise Conflict(
            f"issue {issue.slot} was changed since this mail was written, so its buttons are void; "
            "open it at the desk",
            subject=issue.slot,
        )
    settings = installation.settings()
    newsletter = settings.newsletter_called(issue.newsletter)
    approves = act is MailedAct.APPROVE
    shut = approves and issue.state is not IssueState.DRAFT
    two = newsletter is not None and newsletter_of(settings, issue).approval == "two"
    story, other = (*stories, "", "")[:2]
    second = approves and two and waits_for_second(issue)
    return AskedAct(editor, issue, act, story, other, signs_in=second and not shut, shut=shut)


def do_act(installation: Installation, token: str) -> DoneAct:
    """Do what the button says, as `read_act` reads it; errors as there, and those of the act.

    An approval wants the issue looked over lately, as at the desk: ChecksAwaited else.
    """
    asked = read_act(installation, token)
    issue, actor = asked.issue, asked.editor.public_id
    if asked.shut:
        because = f": {issue.held_because}" if issue.held_because else ""
        raise Conflict(
            f"issue {issue.slot} is {issue.state}{because}; open it at the desk",
            subject=issue.slot,
        )
    if asked.signs_in:
        raise Conflict("a second approval is given at the desk", subject=issue.slot)
    match asked.act:
        case MailedAct.APPROVE:
            done = approve_checked(installation, issue, actor=actor, version=issue.version)
            if done.stops:
                return DoneAct(asked, issue, done.stops)
            issue = done.issue
        case MailedAct.HOLD:
            issue = move_issue(installation, issue, IssueState.HELD, actor=actor, reason=_HELD)
        case MailedAct.DELAY:
            issue = reschedule_issue(installation, issue, issue.send_at + _DELAY, actor=actor)
        case MailedAct.SWAP:
            issue = swap_story(
                *(installation, issue, asked.story, asked.other), actor=actor, version=issue.version
            ).issue
    log.info("mailed_act_done", issue=issue.slot, act=asked.act, editor=actor)
    return DoneAct(asked, issue)


def _key(issue: Issue, editor: Editor) -> str:
    return f"preview-mail:{issue.public_id}:{editor.public_id}"


def _links(
    installation: Installation, issue: Issue, editor: Editor, words: Words
) -> tuple[ActLink, ...]:
    def link(label: str, act: MailedAct, *stories: str, main: bool = False) -> ActLink:
        token = installation.keyring.sign_until(
            Purpose.MAILED_ACT,
            issue.send_at,
            *(editor.public_id, issue.public_id, str(issue.version), act.value, *stories),
        )
        return ActLink(label, f"{installation.desk_url}/act/{token}", main=main)

    swaps = [
        link(
            words.gettext(
                "“%(story)s” instead of “%(other)s”",
                story=section.runners_up[0].headline,
                other=section.items[-1].headline,
            ),
            MailedAct.SWAP,
            section.items[-1].story_id,
            section.runners_up[0].story_id,
        )
        for section in issue.sections
        if section.items and section.runners_up
    ]
    offered = (
        (MailedAct.APPROVE, words.gettext("Approve")),
        (MailedAct.DELAY, words.gettext("An hour later")),
        (MailedAct.HOLD, words.gettext("Hold it")),
    )
    allowed = [
        link(label, act, main=act is MailedAct.APPROVE)
        for act, label in offered
        if editor.may(NEEDS[act])
    ]
    return (*allowed, *swaps[:_MOST_SWAPS])
