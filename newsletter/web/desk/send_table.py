"""The desk's pages about sending an issue, with the act that each needs."""

from newsletter.publication.editors import Act
from newsletter.web.desk.background import Background
from newsletter.web.desk.issue_correction import show_correction, take_correction
from newsletter.web.desk.issue_rehearsal import show_rehearsal, take_rehearsal
from newsletter.web.desk.issue_release import (
    take_approval,
    take_back_send,
    take_cancel,
    take_hold,
    take_release,
    take_send_now,
    take_time,
    take_undo_cancel,
)
from newsletter.web.desk.issue_report import (
    show_readers_csv,
    show_report,
    show_stories_csv,
)
from newsletter.web.desk.issue_review import (
    show_review,
    show_review_checks,
    show_review_readers,
)
from newsletter.web.desk.issue_sending import (
    show_sending,
    take_pause,
    take_recall,
    take_resume,
    take_stop,
)
from newsletter.web.desk.issue_tests import show_tests, take_test, take_test_address
from newsletter.web.desk.routes import LONG_TEXTS, DeskRoute, show, take


def send_routes(background: Background) -> tuple[DeskRoute, ...]:
    """From the first test to the report."""
    return (
        show("/issues/{issue}/tests", show_tests, needs=Act.EDIT),
        take("/issues/{issue}/tests", take_test, needs=Act.EDIT),
        take("/issues/{issue}/tests/addresses", take_test_address, needs=Act.EDIT),
        show("/issues/{issue}/rehearsal", show_rehearsal, needs=Act.LOOK),
        take("/issues/{issue}/rehearsal", take_rehearsal, needs=Act.EDIT),
        show("/issues/{issue}/review", show_review, needs=Act.LOOK),
        show("/issues/{issue}/review/readers", show_review_readers(background), needs=Act.LOOK),
        show("/issues/{issue}/review/checks", show_review_checks(background), needs=Act.LOOK),
        take("/issues/{issue}/approve", take_approval(background), needs=Act.SEND),
        take("/issues/{issue}/hold", take_hold, needs=Act.EDIT),
        take("/issues/{issue}/release", take_release, needs=Act.EDIT),
        take("/issues/{issue}/cancel", take_cancel, needs=Act.EDIT),
        take("/issues/{issue}/cancel/undo", take_undo_cancel, needs=Act.EDIT),
        take("/issues/{issue}/time", take_time, needs=Act.SEND),
        take("/issues/{issue}/now", take_send_now(background), needs=Act.SEND),
        take("/issues/{issue}/take-back", take_back_send, needs=Act.SEND),
        show("/issues/{issue}/sending", show_sending(background), needs=Act.LOOK),
        take("/issues/{issue}/pause", take_pause, needs=Act.SEND),
        take("/issues/{issue}/resume", take_resume, needs=Act.SEND),
        take("/issues/{issue}/recall", take_recall, needs=Act.SEND),
        take("/issues/{issue}/stop", take_stop, needs=Act.SEND),
        show("/issues/{issue}/correct", show_correction, needs=Act.SEND),
        take(
            "/issues/{issue}/correct",
            take_correction,
            needs=Act.SEND,
            takes_texts=LONG_TEXTS,
        ),
        show("/issues/{issue}/report", show_report(background), needs=Act.LOOK),
        show("/issues/{issue}/report/stories.csv", show_stories_csv, needs=Act.LOOK),
        show("/issues/{issue}/report/readers.csv", show_readers_csv, needs=Act.READERS),
    )
