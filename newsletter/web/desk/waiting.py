"""What an issue waits for, and for whom, in one line."""

from dataclasses import dataclass
from datetime import datetime

from newsletter.issues.model import IssueState
from newsletter.publication.editors import Act
from newsletter.storage.issue_lines import IssueLine
from newsletter.words import Words, gettext_noop
from newsletter.workflows.unattended import Rule, tell_rule

STATES = {
    IssueState.DRAFT: gettext_noop("Draft"),
    IssueState.APPROVED: gettext_noop("Approved"),
    IssueState.HELD: gettext_noop("Held"),
    IssueState.SENDING: gettext_noop("On its way"),
    IssueState.PAUSED: gettext_noop("Paused"),
    IssueState.SENT: gettext_noop("Sent"),
    IssueState.RECALLED: gettext_noop("Recalled"),
    IssueState.CANCELLED: gettext_noop("Cancelled"),
}
# States that nobody wants to stay in.
ALARMING = frozenset({IssueState.HELD, IssueState.PAUSED, IssueState.RECALLED})


@dataclass(frozen=True)
class HeldUp:
    """Why an issue on its way can't go on, in English, and in words until when it rests."""

    until: str
    because: str


@dataclass(frozen=True)
class Waiting:
    """``sentence`` in the page's language. ``needs`` is what whoever it waits for may do;
    None where it waits for nobody. ``quote`` is what the service says of it, in English."""

    sentence: str
    needs: Act | None = None
    quote: str = ""


def what_waits(
    line: IssueLine,
    *,
    now: datetime,
    begins: datetime,
    time: str,
    deadline: datetime,
    until: str,
    rule: Rule,
    approver: str,
    words: Words,
    held_up: HeldUp | None = None,
) -> Waiting:
    """What an issue waits for at ``now``.

    ``begins`` is when its sending does; ``time`` and ``until`` are that and its
    ``deadline`` in words, ``rule`` what becomes of it if nobody approves it, ``approver``
    is who did; ``held_up`` why it can't go on, if so.
    """
    state = line.state
    if state is IssueState.DRAFT:
        return Waiting(_of_draft(now, begins, time, deadline, until, rule, words), Act.SEND)
    if state is IssueState.APPROVED:
        if now >= begins:
            return Waiting(words.gettext("Goes out any minute. Nobody has to do anything."))
        return Waiting(
            words.gettext(
                "Approved by %(name)s. Goes out by itself on %(time)s.", name=approver, time=time
            )
        )
    if state is IssueState.HELD:
        return Waiting(
            words.gettext("Held: it goes nowhere until an editor releases or cancels it."),
            Act.EDIT,
            line.held_because,
        )
    if state is IssueState.PAUSED:
        return Waiting(
            words.gettext("Paused on its way, until a publisher goes on or recalls it."),
            Act.SEND,
        )
    if held_up is not None:
        return Waiting(
            words.gettext(
                "Held up on its way, and tried again on %(time)s. A publisher has to look.",
                time=held_up.until,
            ),
            Act.SEND,
            held_up.because,
        )
    return Waiting(words.gettext("On its way to its readers. Nobody has to do anything."))


def _of_draft(
    now: datetime,
    begins: datetime,
    time: str,
    deadline: datetime,
    until: str,
    rule: Rule,
    words: Words,
) -> str:
    if now < begins:
        asked = words.gettext("A publisher has to approve it before %(time)s.", time=time)
        return f"{asked} {tell_rule(words, rule)}"
    if now >= deadline:
        return words.gettext("Its time is over: it was not approved before %(until)s.", until=until)
    if rule is not Rule.WAIT:
        return words.gettext(
            "Its time was %(time)s. Nobody approved it, so it goes out by itself any minute.",
            time=time,
        )
    return words.gettext(
        "Is late: its time was %(time)s. Once a publisher approves it, it goes out at once; "
        "from %(until)s on it is held.",
        time=time,
        until=until,
    )
