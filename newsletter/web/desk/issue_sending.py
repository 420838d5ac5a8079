"""An issue on its way: how far it is, how fast, who refuses it, and what stops it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from newsletter.delivery.model import DeliveryState
from newsletter.errors import NewsletterError
from newsletter.issues.model import Issue, IssueState
from newsletter.issues.states import EDITABLE
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.issue_lines import IssueLine
from newsletter.storage.transaction import Transaction
from newsletter.web.desk.background import Background
from newsletter.web.desk.issue_page import ON_ITS_WAY, issue_head, tell_length
from newsletter.web.desk.places import asked_issue, hold_of, newsletter_of, tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.words import gettext_noop
from newsletter.workflows.issue_figures import (
    COUNTED_AT_ONCE,
    IssueFigures,
    are_old,
    count_issue_figures,
    read_issue_figures,
)
from newsletter.workflows.publish import move_issue
from newsletter.workflows.waves import wave_lines

SAID = {
    "paused": gettext_noop("Paused: nothing more goes out until it is resumed."),
    "resumed": gettext_noop("It goes on."),
    "recalled": gettext_noop("Recalled: nobody else gets it."),
    "cancelled": gettext_noop("Cancelled."),
    "corrected": gettext_noop("Corrected, for everybody who has not got it yet. It stays paused."),
    "links": gettext_noop("The links lead elsewhere now, in the mails that were sent too."),
}
WAVE_STATES = {
    "waits": gettext_noop("waits"),
    "under way": gettext_noop("under way"),
    "stopped": gettext_noop("stopped"),
    "done": gettext_noop("done"),
}
# Of a long list the figures change no oftener than they are counted.
_SOON, _LATER = 3, 10
_BY_HAND = "by hand"
_NOTHING_WENT = frozenset(
    {DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.SKIPPED, DeliveryState.REFUSED}
)


@dataclass(frozen=True)
class ShownWave:
    """A wave; ``because`` says in English why one that waits has not begun."""

    name: str
    state: str
    time: str
    readers: int
    served: int
    because: str


@dataclass(frozen=True)
class ShownReason:
    """Why so many were refused or put off, in the service's words."""

    reason: str
    refused: int
    deferred: int


def show_sending(background: Background) -> Callable[[Visit], Response]:
    """The page, which keeps itself up to date; long lists are counted behind it."""
    return lambda visit: _show(visit, background)


def take_pause(visit: Visit) -> Response:
    """Let nothing more go out for now."""
    return _move(visit, IssueState.PAUSED, "paused")


def take_resume(visit: Visit) -> Response:
    """Go on with a paused one."""
    return _move(visit, IssueState.SENDING, "resumed")


def take_recall(visit: Visit) -> Response:
    """Stop it for good: who was not served gets nothing."""
    return _move(visit, IssueState.RECALLED, "recalled")


def take_stop(visit: Visit) -> Response:
    """Cancel it while nobody has it, so that it can be drafted again."""
    return _move(visit, IssueState.CANCELLED, "cancelled")


def line_of(tx: Transaction, issue: Issue) -> IssueLine:
    """The issue as lists have it."""
    return tx.issue_lines.by_ids([issue.public_id])[issue.public_id]


def current_figures(
    visit: Visit, background: Background, line: IssueLine
) -> tuple[IssueFigures | None, bool]:
    """The figures as far as they are counted, and whether newer ones are being counted."""
    database, now = visit.context.database, visit.context.clock.now()
    figures = read_issue_figures(database, line, now)
    counting = are_old(figures, line, now)
    if counting:
        background.begin(
            f"count {line.public_id}", lambda: count_issue_figures(database, line, now)
        )
    return figures, counting


def _show(
    visit: Visit,
    background: Background,
    problem: NewsletterError | None = None,
    status: int = 200,
) -> Response:
    now = visit.context.clock.now()
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        line = line_of(tx, issue)
        hold = tx.mailings.holds(now).get(issue.public_id)
        relays = {
            slug: relay
            for slug, relay in tx.relay_uses.states().items()
            if relay.paused_until is not None and relay.paused_until > now
        }
        paused_because = _why_paused(tx, issue)
    if issue.state not in ON_ITS_WAY and problem is None:
        path = "review" if issue.state in EDITABLE else "report"
        return visit.go(f"/issues/{issue.public_id}/{path}")
    newsletter = newsletter_of(visit, issue)
    figures, _ = current_figures(visit, background, line)
    report = figures.report(issue, {}) if figures else None
    counts = report.counts if report else None
    waves = _waves(visit, newsletter, issue, figures) if figures else []
    rate = figures.per_second if figures else 0.0
    sending = issue.state is IssueState.SENDING
    return visit.page(
        "issue_sending",
        status=status,
        said=SAID,
        **issue_head(visit, issue, newsletter, problem),
        every=_SOON if line.readers <= COUNTED_AT_ONCE else _LATER,
        readers=line.readers,
        counts=counts,
        figures=figures,
        counted=_clock(visit, newsletter, figures.at) if figures else "",
        rate=rate,
        left=tell_length(visit.words, counts.open / rate) if counts and rate and sending else "",
        waves=waves,
        reasons=_reasons(figures) if figures else [],
        paused_because=paused_because,
        held_up=hold_of(visit, hold, newsletter),
        relays=[(slug, relay.reason) for slug, relay in relays.items()],
        hold=visit.context.hold(),
        untouched=figures is not None
        and all(group.state in _NOTHING_WENT and not group.doubtful for group in figures.groups),
    )


def _waves(
    visit: Visit, newsletter: Newsletter, issue: Issue, figures: IssueFigures
) -> list[ShownWave]:
    return [
        ShownWave(
            wave.name,
            visit.words.gettext(WAVE_STATES[wave.state]),
            tell_moment(visit, wave.released_at or wave.starts_at, newsletter),
            wave.readers,
            wave.readers - wave.waiting,
            wave.because,
        )
        for wave in wave_lines(visit.installation, issue, figures.waiting)
    ]


def _reasons(figures: IssueFigures) -> list[ShownReason]:
    found: dict[str, dict[DeliveryState, int]] = {}
    for group in figures.groups:
        if group.state in (DeliveryState.REFUSED, DeliveryState.DEFERRED):
            by_state = found.setdefault(group.reason, {})
            by_state[group.state] = by_state.get(group.state, 0) + group.readers
    shown = [
        ShownReason(
            reason, by_state.get(DeliveryState.REFUSED, 0), by_state.get(DeliveryState.DEFERRED, 0)
        )
        for reason, by_state in found.items()
    ]
    return sorted(shown, key=lambda one: (-one.refused, -one.deferred, one.reason))


def _why_paused(tx: Transaction, issue: Issue) -> str:
    """Why the brake paused it; nothing where a person did."""
    if issue.state is not IssueState.PAUSED:
        return ""
    reasons = [
        change.detail.get("reason", "")
        for change in tx.changes.of("issue", issue.public_id)
        if change.act == IssueState.PAUSED.value
    ]
    return reasons[-1] if reasons and reasons[-1] != _BY_HAND else ""


def _clock(visit: Visit, newsletter: Newsletter, at: datetime) -> str:
    return f"{at.astimezone(newsletter.zone_in(visit.settings.publication)):%H:%M:%S}"


def _move(visit: Visit, to: IssueState, done: str) -> Response:
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    try:
        move_issue(
            visit.installation, issue, to, actor=visit.actor, reason=_BY_HAND, only=ON_ITS_WAY
        )
    except NewsletterError as error:
        return _show(visit, Background(), error, 409)
    path = "sending" if to in ON_ITS_WAY else "report"
    return visit.go(f"/issues/{issue.public_id}/{path}", done=done)
