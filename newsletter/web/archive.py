"""Issues that went out, for everyone: the list, and each as it was sent."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.delivery.model import MailingKind
from newsletter.errors import NotFound
from newsletter.issues.model import Issue, IssueState
from newsletter.publication.model import Newsletter
from newsletter.rendering.fill import strip_personal
from newsletter.web.context import WebContext, newsletter_called
from newsletter.web.language import page_language
from newsletter.web.pages import mail_response, render_page

# Somebody has it in the inbox, and may follow its "view in browser".
WENT_OUT = frozenset((IssueState.SENDING, IssueState.PAUSED, IssueState.SENT))
_LISTED = 200


def issues_that_went_out(
    context: WebContext, newsletter: Newsletter, limit: int = _LISTED
) -> list[Issue]:
    """Those of the newest ``limit`` issues that readers have, newest first."""
    with context.database.read() as tx:
        recent = tx.issues.recent(newsletter.slug, limit)
    return [issue for issue in recent if issue.state in WENT_OUT]


def show_archive(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    newsletter = newsletter_called(settings, request.path_params["newsletter"])
    return render_page(
        context,
        settings,
        "archive",
        language=page_language(request, settings, newsletter),
        public=True,
        newsletter=newsletter,
        issues=issues_that_went_out(context, newsletter),
    )


def show_archived_issue(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    newsletter = newsletter_called(settings, request.path_params["newsletter"])
    slot = request.path_params["slot"]
    with context.database.read() as tx:
        issue = tx.issues.get(newsletter.slug, slot)
        sent = tx.mailings.of_issue(issue.public_id) if issue else []
    mailings = [mailing for mailing in sent if mailing.kind is MailingKind.ISSUE]
    if issue is None or issue.state not in WENT_OUT or not mailings:
        raise NotFound(f"no issue {slot} of {newsletter.slug} went out", subject=slot)
    return mail_response(strip_personal(mailings[-1].html), framed=False)
