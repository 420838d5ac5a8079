"""An issue before it goes out, to be read: to whom, when, and what speaks against it.

What takes long comes after the first paint, each from a page of its own.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from newsletter.errors import NewsletterError
from newsletter.issues.model import Issue, IssueState
from newsletter.issues.states import EDITABLE
from newsletter.publication.editors import Act
from newsletter.publication.newsletters import Newsletter
from newsletter.web.desk.background import Background
from newsletter.web.desk.issue_checks import looked_over, shown_checks
from newsletter.web.desk.issue_page import ON_ITS_WAY, issue_head, tell_sentence
from newsletter.web.desk.places import asked_issue, city_of, newsletter_of, tell_moment
from newsletter.web.desk.routes import DeskHandler
from newsletter.web.desk.visit import Visit
from newsletter.words import gettext_noop
from newsletter.workflows.approve import waits_for_second
from newsletter.workflows.audience_outlook import (
    AudienceOutlook,
    count_outlook,
    is_outdated,
    planned_waves,
    read_outlook,
)
from newsletter.workflows.look_over import LookedOver
from newsletter.workflows.schedule_issue import may_take_back

SAID = {
    "approved": gettext_noop("Approved."),
    "approved-first": gettext_noop("Approved by you. Another person has to approve it too."),
    "held": gettext_noop("Held: it goes nowhere until it is released."),
    "released": gettext_noop("Released: it is a draft again."),
    "cancelled": gettext_noop("Cancelled."),
    "drafted-again": gettext_noop("It is a draft again."),
    "moved": gettext_noop("Its time is another now."),
    "soon": gettext_noop("It goes out in a minute."),
    "taken-back": gettext_noop("Taken back: nothing was sent."),
}
_MOST_ZONES = 12
# The scheduler looks every half minute: what has not begun by then is kept by something.
_SOON = timedelta(minutes=1)
# So often the page asks for a count that is made behind it.
_EVERY_SECONDS = 2
_JUST_NOW = timedelta(seconds=5)


@dataclass(frozen=True)
class ShownWave:
    """A planned wave; ``readers`` None where that is not known beforehand."""

    name: str
    time: str
    readers: int | None


def show_review(visit: Visit) -> Response:
    """The summary; of what is on its way, or over, other pages tell."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    if issue.state in ON_ITS_WAY:
        return visit.go(f"/issues/{issue.public_id}/sending")
    if issue.state not in EDITABLE:
        return visit.go(f"/issues/{issue.public_id}/report")
    return review_page(visit)


def review_page(
    visit: Visit, problem: NewsletterError | None = None, status: int = 200
) -> Response:
    """The summary, with why something was not done."""
    now = visit.context.clock.now()
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        names = tx.editors.names()
        back = may_take_back(tx, issue, now)
    newsletter = newsletter_of(visit, issue)
    outlook = read_outlook(visit.installation, issue)
    return visit.page(
        "issue_review",
        status=status,
        said=SAID,
        **issue_head(visit, issue, newsletter, problem),
        **_standing(visit, issue, newsletter, names, back=back),
        **_readers(visit, issue, newsletter, outlook),
        local=issue.send_at.astimezone(newsletter.zone_in(visit.settings.publication)),
        city=city_of(newsletter.zone_in(visit.settings.publication)),
        seconds_left=round((issue.send_at - now).total_seconds()) if back else 0,
        due=issue.state is IssueState.APPROVED and now >= issue.send_at,
        stuck=now >= issue.send_at + _SOON,
        hold=visit.context.hold(),
        reason=visit.field("reason"),
    )


def show_review_readers(background: Background) -> DeskHandler:
    """To whom it would go; counted anew behind the page where that is to be done."""

    def handle(visit: Visit) -> Response:
        with visit.context.database.read() as tx:
            issue = asked_issue(visit, tx)
        newsletter = newsletter_of(visit, issue)
        outlook = read_outlook(visit.installation, issue)
        if _is_old(visit, outlook):
            background.begin(
                f"readers {issue.public_id}", partial(count_outlook, visit.installation, issue)
            )
        return visit.page(
            "issue_review_readers",
            **issue_head(visit, issue, newsletter),
            **{**_readers(visit, issue, newsletter, outlook), "every": _EVERY_SECONDS},
        )

    return handle


def show_review_checks(background: Background) -> DeskHandler:
    """All checks, links and DNS too, and below them the button that they keep shut."""

    def handle(visit: Visit) -> Response:
        with visit.context.database.read() as tx:
            issue = asked_issue(visit, tx)
        return checks_page(visit, background, issue)

    return handle


def checks_page(
    visit: Visit,
    background: Background,
    issue: Issue,
    problem: NewsletterError | None = None,
    status: int = 200,
    miscounted: NewsletterError | None = None,
) -> Response:
    """What the checks said, or that they are made.

    ``miscounted`` says what is wrong with the number of readers that was written to send it.
    """
    # Only whoever may work on it lets the service ask others.
    asks = visit.editor.may(Act.EDIT)
    looked = looked_over(visit, background, issue, ask=asks)
    newsletter = newsletter_of(visit, issue)
    with visit.context.database.read() as tx:
        names = tx.editors.names()
        back = may_take_back(tx, issue, visit.context.clock.now())
    return visit.page(
        "issue_review_checks",
        status=status,
        said=SAID,
        **issue_head(visit, issue, newsletter, problem),
        **_standing(visit, issue, newsletter, names, back=back),
        **shown_checks(visit, issue, looked),
        **_addresses(visit, issue, looked),
        asked=asks,
        miscounted=tell_sentence(str(miscounted)) if miscounted else "",
        count=visit.field("count"),
    )


def _addresses(visit: Visit, issue: Issue, looked: LookedOver | None) -> dict[str, Any]:
    """Where the checks are once they are made, and where they are made anew."""
    own = f"{visit.root}/issues/{issue.public_id}/review/checks"
    after = looked.at.isoformat() if looked else visit.query("after")
    anew = f"{own}?{urlencode({'after': after})}" if after else own
    return {"again": anew if looked is None else own, "once_more": anew}


def _standing(
    visit: Visit, issue: Issue, newsletter: Newsletter, names: dict[str, str], *, back: bool
) -> dict[str, Any]:
    """Who approved it, and what this editor may do about that.

    ``back``: it is sent now, and can be taken back.
    """
    first = issue.first_approved_by
    waiting = issue.state in (IssueState.DRAFT, IssueState.HELD)
    return {
        "approver": names.get(issue.approved_by, issue.approved_by),
        "approved_at": tell_moment(visit, issue.approved_at, newsletter)
        if issue.approved_at
        else "",
        "wants_two": newsletter.approval == "two",
        "first": names.get(first, first) if waits_for_second(issue) else "",
        "mine": bool(first) and first == visit.actor,
        "may_approve": waiting and visit.editor.may(Act.SEND),
        "may_send_now": issue.state is IssueState.APPROVED
        and visit.context.clock.now() < issue.send_at
        and not back
        and visit.editor.may(Act.SEND),
    }


def _readers(
    visit: Visit, issue: Issue, newsletter: Newsletter, outlook: AudienceOutlook | None
) -> dict[str, Any]:
    if outlook is None:
        return {"outlook": None, "old": True, "every": 0}
    now = visit.context.clock.now()
    zones = dict(outlook.zones)
    waves = planned_waves(visit.settings, issue, outlook, now)
    return {
        "outlook": outlook,
        "old": _is_old(visit, outlook),
        "every": 0,
        "counted": tell_moment(visit, outlook.at, newsletter),
        "counted_now": now - outlook.at < _JUST_NOW,
        "zones": outlook.zones[:_MOST_ZONES],
        "other_zones": sum(count for _, count in outlook.zones[_MOST_ZONES:]),
        "local_time": newsletter.waves.local_time,
        "waves": [
            ShownWave(
                wave.name,
                tell_moment(visit, wave.starts_at, newsletter),
                sum(zones.get(zone, 0) for zone in wave.zones)
                if wave.zones and not wave.others
                else None,
            )
            for wave in waves
        ],
        "last_wave": tell_moment(visit, waves[-1].starts_at, newsletter) if waves else "",
    }


def _is_old(visit: Visit, outlook: AudienceOutlook | None) -> bool:
    return outlook is None or is_outdated(visit.installation, outlook)
