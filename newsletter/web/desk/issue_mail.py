"""The mail beside the issue: in a frame without scripts, in each way to look at it."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from newsletter.issues.model import Issue, ServedVariant, Variant
from newsletter.issues.states import OPEN
from newsletter.publication.newsletters import Newsletter
from newsletter.storage.transaction import Transaction
from newsletter.web.desk.places import asked_issue, newsletter_of
from newsletter.web.desk.visit import Visit
from newsletter.web.mail_copy import Copy, View, copy_issue, dress_copy, read_out
from newsletter.web.pages import mail_response
from newsletter.words import gettext_noop
from newsletter.workflows.preview import newest_mailings
from newsletter.workflows.variants import choose_variants

VIEW_NAMES: Mapping[View, str] = {
    View.DESKTOP: gettext_noop("Desktop"),
    View.PHONE: gettext_noop("Phone"),
    View.DARK: gettext_noop("Dark"),
    View.INVERTED: gettext_noop("Inverted"),
    View.NO_IMAGES: gettext_noop("Images off"),
    View.TEXT: gettext_noop("Text"),
    View.NO_STYLES: gettext_noop("No styles"),
    View.READ_OUT: gettext_noop("Read out"),
}


def asked_view(visit: Visit) -> View:
    """The view that the address names, else the phone's: most read on one."""
    asked = visit.query("view")
    return View(asked) if asked in frozenset(View) else View.PHONE


def offered_variants(
    visit: Visit, tx: Transaction, newsletter: Newsletter, issue: Issue
) -> tuple[Variant, ...]:
    """The variants that went out, or that would now; the canonical one first."""
    if issue.state not in OPEN:
        sent = newest_mailings(tx.mailings.of_issue(issue.public_id), issue)
        if sent:
            return tuple(mailing.variant for mailing in sent)
    if not newsletter.departments and len(newsletter.languages_in(visit.settings.publication)) < 2:
        return (Variant(issue.language),)
    now = visit.context.clock.now()
    plan: Sequence[ServedVariant] = choose_variants(tx, visit.settings, newsletter, issue, now)
    return tuple(served.variant for served in plan)


def asked_variant(visit: Visit, offered: Sequence[Variant]) -> Variant:
    """The variant that the address names, by its name in reports, else the canonical one."""
    return next((one for one in offered if one.name == visit.query("variant")), offered[0])


def show_issue_mail(visit: Visit) -> Response:
    """What stands in the frame."""
    return frame_copy(visit, _copy(visit))


def frame_copy(visit: Visit, copy: Copy) -> Response:
    """A mail in the view that the address names, for a frame of our own pages."""
    view = asked_view(visit)
    if view is View.TEXT:
        return visit.frame("issue_text", text=copy.text)
    if view is View.READ_OUT:
        return visit.frame("issue_read_out", said=read_out(copy.html))
    return mail_response(
        dress_copy(copy.html, view), framed=True, pictures=view is not View.NO_IMAGES
    )


def _copy(visit: Visit) -> Copy:
    with visit.context.database.read() as tx:
        issue = asked_issue(visit, tx)
        newsletter = newsletter_of(visit, issue)
        variant = asked_variant(visit, offered_variants(visit, tx, newsletter, issue))
    return copy_issue(visit.context, visit.settings, newsletter, issue, variant)
