"""This week: what waits for whom, how the last issue did, and what needs attention."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.responses import Response

from newsletter.delivery.model import Hold, LedgerCounts
from newsletter.issues.model import IssueState
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.slots import upcoming_slot
from newsletter.sources.model import SourceState
from newsletter.storage.issue_lines import IssueLine
from newsletter.storage.transaction import Transaction
from newsletter.web.desk.places import hold_of, issue_address, tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.web.desk.waiting import ALARMING, STATES, Waiting, what_waits
from newsletter.words import gettext_noop
from newsletter.workflows.approve import lacking_approvers
from newsletter.workflows.audience_outlook import foreseen_begin
from newsletter.workflows.totals import read_totals
from newsletter.workflows.unattended import Rule, rule_of

# More than any desk has to do in a week; the others are named by their number.
MOST_ISSUES = 12
MOST_TROUBLES = 8
MOST_PASSED = 3
_SKIPPED = gettext_noop("Skipped: %(time)s.")
_CANCELLED = gettext_noop("Cancelled: %(time)s.")
# A source is asked once a day at least: one that was not has nobody who asks it.
_SILENT = timedelta(hours=36)


@dataclass(frozen=True)
class ThisIssue:
    """An issue under way, as the page shows it; ``mine`` where it waits for who looks."""

    line: IssueLine
    newsletter: str
    address: str
    state: str
    alarming: bool
    waiting: Waiting
    mine: bool
    time: str


@dataclass(frozen=True)
class Coming:
    """A newsletter with no issue under way, and when the next is drafted and sent.

    ``passed`` are sentences on those before it that are skipped or cancelled.
    """

    newsletter: str
    draft_at: str
    send_at: str
    passed: tuple[str, ...]


@dataclass(frozen=True)
class Trouble:
    """What needs attention. ``quote`` is what the service says of it, in English."""

    title: str
    sentence: str
    quote: str = ""


@dataclass(frozen=True)
class LastIssue:
    """The issue that was sent last; ``counts`` None while it is being counted."""

    line: IssueLine
    newsletter: str
    address: str
    state: str
    time: str
    counts: LedgerCounts | None
    clicks: int


def show_home(visit: Visit) -> Response:
    """The desk's first page."""
    with visit.context.database.read() as tx:
        lines = tx.issue_lines.under_way(MOST_ISSUES)
        count = tx.issue_lines.count_under_way() if len(lines) == MOST_ISSUES else len(lines)
        holds = tx.mailings.holds(visit.context.clock.now())
        over = tx.issue_lines.over(1)
        clicks = tx.links.count_clicks(over[0].public_id) if over else 0
        names = tx.editors.names() if any(line.approved_by for line in lines) else {}
        troubles = list(_troubles(visit, tx))
        busy = {line.newsletter for line in lines}
        idle = [n for n in visit.settings.newsletter if n.slug not in busy][:MOST_ISSUES]
        coming = [_coming(visit, tx, newsletter) for newsletter in idle]
    issues = [_this_issue(visit, line, names, holds.get(line.public_id)) for line in lines]
    return visit.page(
        "home",
        issues=issues,
        more_issues=count - len(issues),
        coming=coming,
        last=_last_issue(visit, over[0], clicks) if over else None,
        troubles=troubles[:MOST_TROUBLES],
        more_troubles=max(0, len(troubles) - MOST_TROUBLES),
        hold=visit.context.hold(),
    )


def _this_issue(
    visit: Visit, line: IssueLine, names: dict[str, str], hold: Hold | None
) -> ThisIssue:
    newsletter = visit.settings.newsletter_called(line.newsletter)
    deadline = line.send_at + (newsletter.lateness if newsletter else timedelta(0))
    begins = _begins(visit, line, newsletter)
    waiting = what_waits(
        line,
        now=visit.context.clock.now(),
        begins=begins,
        time=tell_moment(visit, begins, newsletter),
        deadline=deadline,
        until=tell_moment(visit, deadline, newsletter),
        rule=rule_of(newsletter, line.slot) if newsletter else Rule.WAIT,
        approver=names.get(line.approved_by, line.approved_by),
        words=visit.words,
        held_up=hold_of(visit, hold, newsletter),
    )
    return ThisIssue(
        line,
        newsletter.name if newsletter else line.newsletter,
        issue_address(visit, line.public_id),
        visit.words.gettext(STATES[line.state]),
        line.state in ALARMING or hold is not None,
        waiting,
        waiting.needs is not None and visit.editor.may(waiting.needs),
        tell_moment(visit, line.send_at, newsletter),
    )


def _begins(visit: Visit, line: IssueLine, newsletter: Newsletter | None) -> datetime:
    """When its sending begins: before its time where readers in the east are served by theirs."""
    waits = line.state in (IssueState.DRAFT, IssueState.APPROVED)
    if newsletter is None or not waits or not newsletter.waves.local_time:
        return line.send_at
    with visit.context.database.read() as tx:
        issue = tx.issues.by_id(line.public_id)
    return foreseen_begin(visit.installation, visit.settings, issue) if issue else line.send_at


def _coming(visit: Visit, tx: Transaction, newsletter: Newsletter) -> Coming:
    zone = newsletter.zone_in(visit.settings.publication)
    skipped = tx.skipped_slots.of(newsletter.slug)
    slot = upcoming_slot(newsletter, zone, visit.context.clock.now())
    passed = []
    # An issue may be over before its time comes: sent at once, or cancelled.
    while (issue := tx.issues.get(newsletter.slug, slot.key)) or slot.key in skipped:
        if issue is None or issue.state is IssueState.CANCELLED:
            said = _SKIPPED if issue is None else _CANCELLED
            time = tell_moment(visit, slot.send_at, newsletter)
            passed.append(visit.words.gettext(said, time=time))
        slot = upcoming_slot(newsletter, zone, slot.send_at)
    return Coming(
        newsletter.name,
        tell_moment(visit, slot.draft_at, newsletter),
        tell_moment(visit, slot.send_at, newsletter),
        tuple(passed[:MOST_PASSED]),
    )


def _last_issue(visit: Visit, line: IssueLine, clicks: int) -> LastIssue:
    newsletter = visit.settings.newsletter_called(line.newsletter)
    return LastIssue(
        line,
        newsletter.name if newsletter else line.newsletter,
        issue_address(visit, line.public_id),
        visit.words.gettext(STATES[line.state]),
        tell_moment(visit, line.send_at, newsletter),
        read_totals(visit.context.database, line),
        clicks,
    )


def _troubles(visit: Visit, tx: Transaction) -> Iterator[Trouble]:
    words, now = visit.words, visit.context.clock.now()
    if tx.sign_ups.alarm().is_on(now):
        yield Trouble(
            words.gettext("Sign-up"),
            words.gettext("An attack on the sign-up form is going on. The shield holds it off."),
        )
    for newsletter in lacking_approvers(visit.settings, tx.editors.all()):
        yield Trouble(
            newsletter.name,
            words.gettext(
                "Asks for two approvals, and fewer than two people at the desk may approve. An "
                "admin lets another publisher in."
            ),
        )
    for slug, relay in tx.relay_uses.states().items():
        if relay.paused_until is not None and relay.paused_until > now:
            until = tell_moment(visit, relay.paused_until)
            yield Trouble(
                words.gettext("Relay %(slug)s", slug=slug),
                words.gettext("Refused us, and is left alone until %(time)s.", time=until),
                relay.reason,
            )
    for slug, state in tx.sources.states().items():
        yield from _of_polled(visit, words.gettext("Source %(slug)s", slug=slug), state)
    for slug, state in tx.reads.states().items():
        yield from _of_polled(visit, words.gettext("Reads %(slug)s", slug=slug), state)


def _of_polled(visit: Visit, title: str, state: SourceState) -> Iterator[Trouble]:
    words, now = visit.words, visit.context.clock.now()
    asked = max(filter(None, (state.last_success_at, state.last_error_at)), default=None)
    if state.is_failing and state.last_error_at is not None:
        sentence = words.ngettext(
            "Failed %(count)s time in a row, last on %(time)s.",
            "Failed %(count)s times in a row, last on %(time)s.",
            state.failures,
            count=state.failures,
            time=tell_moment(visit, state.last_error_at),
        )
        yield Trouble(title, sentence, state.last_error)
    elif asked is not None and now - asked > _SILENT:
        sentence = words.gettext(
            "Was last asked on %(time)s: is the scheduler running?", time=tell_moment(visit, asked)
        )
        yield Trouble(title, sentence)
