"""A button of the preview mail: its page has one more, and that does it."""

from collections.abc import Mapping

from starlette.responses import Response

from newsletter.errors import TokenError
from newsletter.web.desk.places import issue_address, newsletter_of, tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.words import gettext_noop
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


def show_mailed_act(visit: Visit) -> Response:
    """The page with the one button; it changes nothing."""
    try:
        asked = read_act(visit.installation, visit.param("token"))
    except TokenError as error:
        return _is_over(visit, error)
    return _page(visit, asked, done=False)


def take_mailed_act(visit: Visit) -> Response:
    """Press it."""
    try:
        asked = do_act(visit.installation, visit.param("token"))
    except TokenError as error:
        return _is_over(visit, error)
    return _page(visit, asked, done=True)


def _is_over(visit: Visit, error: TokenError) -> Response:
    words = visit.words
    return visit.sorry(
        410, words.gettext("This button no longer works"), f"{error}.".capitalize(), told_in="en"
    )


def _page(visit: Visit, asked: AskedAct, *, done: bool) -> Response:
    words, issue = visit.words, asked.issue
    goes, comes = asked.headlines
    return visit.page(
        "mailed_act",
        issue=issue,
        asked=asked,
        goes=goes,
        comes=comes,
        pressed=done,
        title=words.gettext((DONE if done else ASKS)[asked.act]),
        press=words.gettext(PRESS[asked.act]),
        time=tell_moment(visit, issue.send_at, newsletter_of(visit, issue)),
        address=issue_address(visit, issue.public_id),
    )
