"""The desk's pages about sending an issue, with the act that each needs."""

from newsletter.publication.editors import Act
from newsletter.web.desk.issue_rehearsal import show_rehearsal, take_rehearsal
from newsletter.web.desk.issue_release import (
    take_approval,
    take_back_send,
    take_cancel,
    take_hold,
    take_release,
    take_send_now,
    take_time,
)
from newsletter.web.desk.issue_review import (
    show_review,
    show_review_checks,
    show_review_readers,
)
from newsletter.web.desk.issue_tests import show_tests, take_test, take_test_address
from newsletter.web.desk.routes import DeskRoute, show, take


def send_routes() -> tuple[DeskRoute, ...]:
    """From the first test to the report."""
    return (
        show("/issues/{issue}/tests", show_tests, needs=Act.EDIT),
        take("/issues/{issue}/tests", take_test, needs=Act.EDIT),
        take("/issues/{issue}/tests/addresses", take_test_address, needs=Act.EDIT),
        show("/issues/{issue}/rehearsal", show_rehearsal, needs=Act.LOOK),
        take("/issues/{issue}/rehearsal", take_rehearsal, needs=Act.EDIT),
        show("/issues/{issue}/review", show_review, needs=Act.LOOK),
        show("/issues/{issue}/review/readers", show_review_readers, needs=Act.LOOK),
        show("/issues/{issue}/review/checks", show_review_checks, needs=Act.LOOK),
        take("/issues/{issue}/approve", take_approval, needs=Act.SEND),
        take("/issues/{issue}/hold", take_hold, needs=Act.EDIT),
        take("/issues/{issue}/release", take_release, needs=Act.EDIT),
        take("/issues/{issue}/cancel", take_cancel, needs=Act.EDIT),
        take("/issues/{issue}/time", take_time, needs=Act.SEND),
        take("/issues/{issue}/now", take_send_now, needs=Act.SEND),
        take("/issues/{issue}/take-back", take_back_send, needs=Act.SEND),
    )
