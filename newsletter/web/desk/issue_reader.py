"""An issue as one reader gets it: looked up by address, shown without their links."""

from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response

from newsletter.errors import AddressError
from newsletter.issues.model import Issue
from newsletter.issues.states import OPEN
from newsletter.issues.variants import vary_issue
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.transaction import Transaction
from newsletter.subscribers.model import SubscriptionState
from newsletter.web.desk.issue_mail import VIEW_NAMES, asked_view, frame_copy, offered_variants
from newsletter.web.desk.issue_page import issue_head
from newsletter.web.desk.places import asked_issue, newsletter_of, tell_moment
from newsletter.web.desk.reader_page import OUTCOMES
from newsletter.web.desk.reader_words import STATES, SUPPRESSION_REASONS
from newsletter.web.desk.visit import Visit
from newsletter.web.mail_copy import copy_issue, copy_mailing
from newsletter.workflows.reader_acts import find_reader
from newsletter.workflows.reader_copy import ReaderCopy, read_copy


@dataclass(frozen=True)
class _Look:
    """What the address names: an issue in its newsletter, and what the reader gets of it."""

    issue: Issue
    newsletter: Newsletter
    copy: ReaderCopy


def show_reader_search(visit: Visit) -> Response:
    """The field for an address."""
    return _search_page(visit)


def take_reader_search(visit: Visit) -> Response:
    """Go on to who has the address; it never stands in an address of ours."""
    written = visit.field("address")[:400]
    try:
        found, _ = find_reader(visit.context.database, visit.context.keyring, written)
    except AddressError as error:
        return _search_page(visit, written, str(error))
    if found is None:
        return _search_page(visit, written, nobody=True)
    return visit.go(f"/issues/{visit.param('issue')}/readers/{found.public_id}")


def show_reader_copy(visit: Visit) -> Response:
    """Whether the issue goes to that reader, in which variant, and the mail in a frame."""
    with visit.context.database.read() as tx:
        look = _look(visit, tx)
    issue, newsletter, copy = look.issue, look.newsletter, look.copy
    varied = vary_issue(
        issue,
        copy.variant,
        newsletter,
        visit.settings.publication,
        subject=copy.sent.mailing.subject if copy.sent else None,
    )
    head = issue_head(visit, issue, newsletter)
    return visit.page(
        "issue_reader",
        **{**head, "page_address": f"{head['address']}/readers"},
        copy=copy,
        reader=copy.reader,
        told_outcome=_tell_outcome(visit, look),
        subject=varied.subject,
        preheader=varied.preheader,
        spoken=varied.language,
        views=[(view, visit.words.gettext(name)) for view, name in VIEW_NAMES.items()],
        view=asked_view(visit),
    )


def show_reader_mail(visit: Visit) -> Response:
    """What stands in the frame."""
    with visit.context.database.read() as tx:
        look = _look(visit, tx)
    if look.copy.sent:
        return frame_copy(visit, copy_mailing(look.copy.sent.mailing))
    made = copy_issue(visit.context, visit.settings, look.newsletter, look.issue, look.copy.variant)
    return frame_copy(visit, made)


def _look(visit: Visit, tx: Transaction) -> _Look:
    issue = asked_issue(visit, tx)
    newsletter = newsletter_of(visit, issue)
    offered = offered_variants(visit, tx, newsletter, issue)
    copy = read_copy(
        *(tx, visit.context.keyring, visit.settings, newsletter, issue),
        *(visit.param("reader"), offered, visit.context.clock.now()),
    )
    return _Look(issue, newsletter, copy)


def _search_page(
    visit: Visit, address: str = "", problem: str = "", *, nobody: bool = False
) -> Response:
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
    return visit.page(
        "issue_reader_search",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        **{**issue_head(visit, issue, newsletter_of(visit, issue)), "problem": ""},
        written=address,
        unreadable=problem,
        nobody=nobody,
    )


def _tell_outcome(visit: Visit, look: _Look) -> str:
    """Whether the issue goes to the reader, or went, in a sentence."""
    words, copy, newsletter = visit.words, look.copy, look.newsletter.name
    if copy.sent:
        return words.gettext(
            "It was queued for this reader. Since %(time)s it stands so: %(outcome)s.",
            time=tell_moment(visit, copy.sent.at, look.newsletter),
            outcome=words.gettext(OUTCOMES[copy.sent.state]),
        )
    if look.issue.state not in OPEN:
        return words.gettext(
            "It was not sent to this reader, or that is no longer kept. This is what they would "
            "have got."
        )
    if copy.comes:
        return words.gettext("It goes to this reader.")
    if copy.suppressed:
        return words.gettext(
            "It does not go to this reader, who may not be mailed (%(why)s).",
            why=words.gettext(SUPPRESSION_REASONS[copy.suppressed]),
        )
    if copy.state is None:
        return words.gettext(
            "It does not go to this reader, who is not on %(newsletter)s.", newsletter=newsletter
        )
    if copy.state is not SubscriptionState.ACTIVE:
        return words.gettext(
            "It does not go to this reader. On %(newsletter)s they are as follows: %(state)s.",
            newsletter=newsletter,
            state=words.gettext(STATES[copy.state]),
        )
    return words.gettext(
        "It does not go to this reader, who is not among those that this issue is for: see how "
        "often they want it, and the newsletter’s segment."
    )
