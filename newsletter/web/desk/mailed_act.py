"""A button of the preview mail: its page has one more, and that does it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from hashlib import sha256

from starlette.responses import Response

from newsletter.checks.model import Finding, stops
from newsletter.errors import ChecksAwaited, NotFound, TokenError
from newsletter.issues.model import Issue, IssueState
from newsletter.web.desk.background import Background
from newsletter.web.desk.issue_checks import looked_over, shown_finding
from newsletter.web.desk.places import issue_address, newsletter_of, tell_moment
from newsletter.web.desk.routes import DeskHandler
from newsletter.web.desk.visit import Visit
from newsletter.web.desk.waiting import STATES
from newsletter.words import gettext_noop
from newsletter.workflows.approve import waits_for_second
from newsletter.workflows.audience_outlook import read_outlook
from newsletter.workflows.look_over import look_over, read_looked_over
from newsletter.workflows.mail_preview import AskedAct, DoneAct, MailedAct, do_act, read_act

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


class Checks(StrEnum):
    """How the checks of an approval stand on its page."""

    NONE = "none"
    ELSEWHERE = "elsewhere"  # on a page of their own, fetched after the first paint
    AWAITED = "awaited"
    PRESSED = "pressed"  # asked for by who pressed the button
    MADE = "made"


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
    looks = asked.approves and not asked.shut and not asked.signs_in
    return _page(
        visit, asked, asked.issue, title, checks=Checks.ELSEWHERE if looks else Checks.NONE
    )


def show_mailed_checks(background: Background) -> DeskHandler:
    """What is to be said against an issue that a button approves, after that page's first
    paint; hosts are asked when it is pressed."""

    def handle(visit: Visit) -> Response:
        try:
            asked = read_act(visit.installation, visit.param("token"))
        except TokenError as error:
            return _is_over(visit, error)
        if not asked.approves:
            raise NotFound("there are no checks before this act", subject="act")
        looked = looked_over(visit, background, asked.issue, ask=False)
        return _page(
            *(visit, asked, asked.issue, ASKS[asked.act]),
            checks=Checks.MADE if looked else Checks.AWAITED,
            findings=looked.checked.findings if looked else (),
        )

    return handle


def take_mailed_act(background: Background) -> DeskHandler:
    """Press it; where a check stops an approval, say which.

    An issue that was not looked over yet is, behind the page, and approved then.
    """

    def handle(visit: Visit) -> Response:
        token, installation = visit.param("token"), visit.installation
        try:
            done = do_act(installation, token)
        except TokenError as error:
            return _is_over(visit, error)
        except ChecksAwaited:
            issue = read_act(installation, token).issue

            def look_and_do() -> None:
                look_over(installation, issue, ask=True)
                do_act(installation, token)

            background.begin(_pressed(token), look_and_do)
            return visit.go(f"/act/{token}/pressed")
        return _done_page(visit, done)

    return handle


def show_pressed_act(background: Background) -> DeskHandler:
    """What became of an approval whose issue had to be looked over first."""

    def handle(visit: Visit) -> Response:
        token = visit.param("token")
        # Asked first: what is done by then is read below as it is afterwards.
        under_way = background.is_at(_pressed(token))
        try:
            asked = read_act(visit.installation, token)
        except TokenError as error:
            return _is_over(visit, error)
        issue = asked.issue
        if under_way:
            return _page(visit, asked, issue, ASKS[asked.act], checks=Checks.PRESSED)
        if issue.state is IssueState.APPROVED or waits_for_second(issue):
            return _done_page(visit, DoneAct(asked, issue))
        looked = read_looked_over(visit.installation, issue, ask=True)
        if looked is None or not stops(looked.checked.findings):
            return visit.go(f"/act/{token}")
        return _done_page(visit, DoneAct(asked, issue, stops(looked.checked.findings)), 200)

    return handle


def _pressed(token: str) -> str:
    """What an approval is called while it is under way: the log names it where it fails, and
    whoever reads that may not press the button.
    """
    return f"act {sha256(token.encode()).hexdigest()[:16]}"


def _done_page(visit: Visit, done: DoneAct, refused: int = 409) -> Response:
    """What came of pressing; ``refused`` is the status where a check stopped it."""
    asked, issue = done.asked, done.issue
    if done.stops:
        return _page(
            *(visit, asked, issue, ASKS[asked.act]),
            checks=Checks.MADE,
            findings=done.stops,
            status=refused,
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
    *,
    checks: Checks = Checks.NONE,
    findings: Sequence[Finding] = (),
    pressed: bool = False,
    status: int = 200,
) -> Response:
    """The page of an act; it has no button where it is ``pressed``, or a check stops it."""
    own = f"{visit.root}/act/{visit.param('token')}"
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
        own=own,
        checks=checks.value,
        again=f"{own}/{'pressed' if checks is Checks.PRESSED else 'checks'}",
        findings=[shown_finding(visit, issue, one) for one in findings],
        stops=len(stops(findings)),
        shut=bool(stops(findings)) or asked.shut,
    )
