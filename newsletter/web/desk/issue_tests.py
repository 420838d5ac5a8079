"""Tests of an issue: to oneself and to saved addresses, and what became of them."""

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from newsletter.delivery.model import DeliveryState
from newsletter.errors import AddressError, Conflict, NewsletterError, NotFound, UsageError
from newsletter.issues.model import Issue
from newsletter.issues.states import OPEN
from newsletter.storage.mailings import Fate
from newsletter.storage.transaction import Transaction
from newsletter.web.desk.issue_page import issue_head
from newsletter.web.desk.places import asked_issue, newsletter_of, tell_moment
from newsletter.web.desk.visit import Visit
from newsletter.web.language import language_name
from newsletter.words import gettext_noop
from newsletter.workflows.send_test import fates_of_test, is_over, send_test
from newsletter.workflows.test_addresses import drop_test_address, keep_test_address

_MOST_SHOWN = 5
_SAID = {
    "kept": gettext_noop("Kept."),
    "dropped": gettext_noop("Kept no more."),
    "sent": gettext_noop("The test is on its way."),
}
FATES = {
    DeliveryState.QUEUED: gettext_noop("waits for its turn"),
    DeliveryState.CLAIMED: gettext_noop("is being sent"),
    DeliveryState.HANDED_OVER: gettext_noop("is being sent"),
    DeliveryState.ACCEPTED: gettext_noop("sent"),
    DeliveryState.DEFERRED: gettext_noop("put off, and tried again"),
    DeliveryState.REFUSED: gettext_noop("refused"),
    DeliveryState.UNCERTAIN: gettext_noop("may have arrived: the answer was lost"),
    DeliveryState.SKIPPED: gettext_noop("called off"),
}
_BAD = frozenset({DeliveryState.REFUSED, DeliveryState.UNCERTAIN, DeliveryState.SKIPPED})


@dataclass(frozen=True)
class ShownFate:
    """What became of a test at one address; ``reply`` is the relay's, as it wrote it."""

    address: str
    told: str
    bad: bool
    reply: str


@dataclass(frozen=True)
class ShownTest:
    """A test that was sent, and its fates."""

    time: str
    who: str
    version: int
    fates: tuple[ShownFate, ...]
    over: bool


def show_tests(visit: Visit) -> Response:
    """The tests of the issue that were sent, and the form for another."""
    return _page(visit)


def take_test(visit: Visit) -> Response:
    """Send a test, and go on to what becomes of it; what can't be sent is told beside the form."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    chosen = [str(one) for one in visit.form.getlist("to")]
    typed = visit.field("more").replace(",", " ").replace(";", " ").split()
    try:
        send_test(
            visit.installation,
            issue,
            [visit.editor.address if one == "me" else one for one in chosen] + typed,
            actor=visit.actor,
            language=visit.field("language") or None,
            saved=False,
        )
    except (AddressError, UsageError) as error:
        return _page(visit, error, 400)
    except Conflict as error:
        return _page(visit, error, 409)
    return visit.go(f"/issues/{issue.public_id}/tests", done="sent")


def take_test_address(visit: Visit) -> Response:
    """Keep an address for one's tests, or keep it no more."""
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    database, now = visit.context.database, visit.context.clock.now()
    here = f"/issues/{issue.public_id}/tests"
    try:
        if dropped := visit.field("drop"):
            drop_test_address(database, visit.actor, dropped, now=now)
            return visit.go(here, done="dropped")
        keep_test_address(database, visit.actor, visit.field("address"), now=now)
    except AddressError as error:
        return _page(visit, error, 400)
    except Conflict as error:
        return _page(visit, error, 409)
    return visit.go(here, done="kept")


def _page(visit: Visit, problem: NewsletterError | None = None, status: int = 200) -> Response:
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        kept = tx.editor_test_addresses.of(visit.actor)
        names = tx.editors.names()
        sent = _sent(tx, issue)
    newsletter = newsletter_of(visit, issue)
    languages = dict.fromkeys(
        (issue.language, *newsletter.languages_in(visit.settings.publication))
    )
    tests = []
    for change_at, who, version, mailing in sent:
        try:
            fates = fates_of_test(visit.installation, mailing)
        except NotFound:
            continue  # its rows were kept long enough
        tests.append(
            ShownTest(
                tell_moment(visit, change_at, newsletter),
                names.get(who, who),
                version,
                tuple(_shown(visit, fate) for fate in fates),
                is_over(fates),
            )
        )
    return visit.page(
        "issue_tests",
        status=status,
        said=_SAID,
        **issue_head(visit, issue, newsletter, problem),
        may_send=issue.state in OPEN,
        own=visit.editor.address,
        shared=[one for one in newsletter.test_addresses if one != visit.editor.address],
        kept=kept,
        offered=[(tag, language_name(tag)) for tag in languages],
        tests=tests,
        waits=any(not test.over for test in tests),
    )


def _sent(tx: Transaction, issue: Issue) -> list[tuple[datetime, str, int, str]]:
    """The last tests of the issue, the newest first: when, by whom, its version and mailing."""
    found = [
        (change.at, change.actor, change.detail["version"], change.detail["mailing"])
        for change in tx.changes.of("issue", issue.public_id)
        if change.act == "tested" and "mailing" in change.detail
    ]
    return found[: -_MOST_SHOWN - 1 : -1]


def _shown(visit: Visit, fate: Fate) -> ShownFate:
    reply = f"{fate.reply_code} {fate.reply_text}".strip() if fate.reply_code else fate.reason
    told = visit.words.gettext(FATES[fate.state])
    return ShownFate(fate.address, told, fate.state in _BAD, reply)
