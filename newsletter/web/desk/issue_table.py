"""The desk's pages about issues, with the act that each needs."""

from newsletter.publication.editors import Act
from newsletter.web.desk.background import Background
from newsletter.web.desk.issue import show_issue
from newsletter.web.desk.issue_acts import take_issue
from newsletter.web.desk.issue_checks import show_checks
from newsletter.web.desk.issue_mail import show_issue_mail
from newsletter.web.desk.issue_reader import (
    show_reader_copy,
    show_reader_mail,
    show_reader_search,
    take_reader_search,
)
from newsletter.web.desk.issue_stories import show_stories
from newsletter.web.desk.issue_story import show_story
from newsletter.web.desk.issue_versions import show_versions
from newsletter.web.desk.issues import show_issues
from newsletter.web.desk.mailed_act import (
    show_mailed_act,
    show_mailed_checks,
    show_pressed_act,
    take_mailed_act,
)
from newsletter.web.desk.routes import LONG_TEXTS, DeskRoute, show, take
from newsletter.words import gettext_noop


def issue_routes(background: Background) -> tuple[DeskRoute, ...]:
    """The list of issues, and all that is about one."""
    return (
        show("/issues", show_issues, needs=Act.LOOK, nav=gettext_noop("Issues")),
        show("/issues/{issue}", show_issue, needs=Act.LOOK),
        take("/issues/{issue}", take_issue, needs=Act.EDIT, takes_texts=LONG_TEXTS),
        show("/issues/{issue}/mail", show_issue_mail, needs=Act.LOOK),
        show("/issues/{issue}/readers", show_reader_search, needs=Act.READERS),
        take("/issues/{issue}/readers", take_reader_search, needs=Act.READERS),
        show("/issues/{issue}/readers/{reader}", show_reader_copy, needs=Act.READERS),
        show("/issues/{issue}/readers/{reader}/mail", show_reader_mail, needs=Act.READERS),
        show("/issues/{issue}/checks", show_checks(background), needs=Act.LOOK),
        show("/issues/{issue}/versions", show_versions, needs=Act.LOOK),
        show("/issues/{issue}/stories", show_stories(background), needs=Act.EDIT),
        show("/issues/{issue}/stories/{story}", show_story, needs=Act.EDIT),
        # Whoever holds such a link is known by it; it is signed for one act.
        show("/act/{token}", show_mailed_act, needs=Act.SIGN_IN),
        take("/act/{token}", take_mailed_act(background), needs=Act.SIGN_IN),
        show("/act/{token}/checks", show_mailed_checks(background), needs=Act.SIGN_IN),
        show("/act/{token}/pressed", show_pressed_act(background), needs=Act.SIGN_IN),
    )
