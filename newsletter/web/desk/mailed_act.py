"""A button of the preview mail: its page has one more, and that does it."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from newsletter.checks.model import Finding, stops
from newsletter.errors import NotFound, TokenError
from newsletter.issues.model import Issue, IssueState
from newsletter.web.desk.issue_checks import shown_finding
from newsletter.web.desk.places import issue_address, newsletter_of, tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.web.desk.waiting import STATES
from newsletter.words import gettext_noop
from newsletter.workflows.approve import waits_for_second
from newsletter.workflows.audience_outlook import read_outlook
from newsletter.workflows.check_issue import check_whole_issue
from newsletter.workflows.mail_preview import AskedAct, MailedAct, do_act, read_act

ASKS: Mapping[MailedAct, str] = {
    MailedAct.APPROVE: gettext_noop("Approve this issue?"),
    MailedAct.SWAP: gettext_noop("Swap these two stories?"),
    MailedAct.DELAY: gettext_noop("Send it an hour later?"),
    MailedAct.HOLD: gettext_noop("Hold this issue?"),
}
PRESS: Mapping[MailedAct, str] = {
    MailedAct.APPROVE: gettext_noop("Yes, approve it"),
    MailedAct.SWAP: gettext_noop("Yes, swap them"),
    MailedAct.DELAY: gettext_noop("Yes, an hour later"),
    MailedAct.HOLD: gettext_noop("Yes, hold it"),
}
DONE: Mapping[MailedAct, str] = {
    MailedAct.APPROVE: gettext_noop("It is approved"),
    MailedAct.SWAP: gettext_noop("They are swapped"),
    MailedAct.DELAY: gettext_noop("It goes out an hour later"),
    MailedAct.HOLD: gettext_noop("It is held"),
}


# What is told of an approval that can't be given by a button any more.
SHUT: Mapping[IssueState, str] = {
    IssueState.APPROVED: gettext_noop("It is approved already"),
    IssueState.HELD: gettext_noop("It is held"),
}
_TOO_LATE = gettext_noop("There is nothing to approve any more")
_FIRST = gettext_noop("Approved, as the first of two")


def show_mailed_act(visit: Visit) -> Response:
    """The page with the one button; it changes nothing."""
    try:
        asked = read_act(visit.installation, visit.param("token"))
    except TokenError as error:
        return _is_over(visit, error)
    title = SHUT.get(asked.issue.state, _TOO_LATE) if asked.shut else ASKS[asked.act]
    return _page(visit, asked, asked.issue, title, looks=asked.approves)


def show_mailed_checks(visit: Visit) -> Response:
    """What is to be said against an issue that a button approves, after that page's first
    paint; hosts are asked when it is pressed."""
    try:
        asked = read_act(visit.installation, visit.param("token"))
    except TokenError as error:
        return _is_over(visit, error)
    if not asked.approves:
        raise NotFound("there are no checks before this act", subject="act")
    checked = check_whole_issue(visit.installation, visit.settings, asked.issue, ask=False)
    return _page(
        *(visit, asked, asked.issue, ASKS[asked.act], checked.findings),
        checked=True,
        shut=bool(stops(checked.findings)),
    )


def take_mailed_act(visit: Visit) -> Response:
    """Press it; where a check stops an approval, say which."""
    try:
        done = do_act(visit.installation, visit.param("token"))
    except TokenError as error:
        return _is_over(visit, error)
    asked, issue = done.asked, done.issue
    if done.stops:
        return _page(
            *(visit, asked, issue, ASKS[asked.act], done.stops),
            checked=True,
            shut=True,
            status=409,
        )
    first = asked.approves and waits_for_second(issue)
    return _page(visit, asked, issue, _FIRST if first else DONE[asked.act], pressed=True)


def _is_over(visit: Visit, error: TokenError) -> Response:
    words = visit.words
    return visit.sorry(
        410, words.gettext("This button no longer works"), f"{error}.".capitalize(), told_in="en"
    )


def _page(
    visit: Visit,
    asked: AskedAct,
    issue: Issue,
    title: str,
    findings: Sequence[Finding] = (),
    *,
    looks: bool = False,
    checked: bool = False,
    shut: bool = False,
    pressed: bool = False,
    status: int = 200,
) -> Response:
    """The page of an act. With ``looks`` its checks come after it, ``checked``: they are there;
    ``shut``: it has no button."""
    goes, comes = asked.headlines
    newsletter = newsletter_of(visit, issue)
    outlook = read_outlook(visit.installation, issue) if asked.approves else None
    return visit.page(
        "mailed_act",
        status=status,
        issue=issue,
        asked=asked,
        goes=goes,
        comes=comes,
        pressed=pressed,
        title=visit.words.gettext(title),
        press=visit.words.gettext(PRESS[asked.act]),
        state=visit.words.gettext(STATES[issue.state]),
        waits=pressed and waits_for_second(issue),
        outlook=outlook,
        time=tell_moment(visit, issue.send_at, newsletter),
        address=issue_address(visit, issue.public_id),
        checks=f"{visit.root}/act/{visit.param('token')}/checks",
        looks=looks and not asked.shut and not asked.signs_in,
        checked=checked,
        findings=[shown_finding(visit, issue, one) for one in findings],
        stops=len(stops(findings)),
        shut=shut or asked.shut,
    )
