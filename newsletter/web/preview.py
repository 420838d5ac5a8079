"""A draft before it goes out: the real mail, and why each story is in it.

Whoever has the link may look; nothing can be changed here.
"""

from dataclasses import replace

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.checks.wire import WARN_SIZE
from newsletter.errors import NotFound
from newsletter.issues.model import Issue, IssueState, Variant
from newsletter.publication.editions import in_edition
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.filters import format_day
from newsletter.tokens import Purpose
from newsletter.web.context import WebContext, newsletter_called
from newsletter.web.language import PageLanguage, language_name
from newsletter.web.mail_copy import Copy, View, copy_issue, dress_copy
from newsletter.web.pages import mail_response, render_page, text_response
from newsletter.words import SOURCE_LANGUAGE
from newsletter.workflows.segments import audience_segment

_VIEWS = (View.DESKTOP, View.PHONE, View.DARK, View.TEXT)


def show_preview(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings, newsletter, issue = _find(context, request)
    language = _language(request, settings, newsletter, issue)
    copy = copy_issue(context, settings, newsletter, issue, Variant(language))
    segment = audience_segment(newsletter, settings, context.clock.now())
    with context.database.read() as tx:
        begun = tx.mailings.counts(issue.public_id).total
        audience = begun or tx.subscribers.audience_size(newsletter.slug, segment)
    return render_page(
        # It lies where the desk does, be that a host of its own.
        replace(context, base_url=context.desk_url.removesuffix("/desk")),
        settings,
        "preview",
        # The reasons beside the stories are written in English.
        language=PageLanguage(SOURCE_LANGUAGE),
        frames=True,
        newsletter=newsletter,
        issue=issue,
        state=describe_state(issue),
        departure=_describe_departure(settings, newsletter, issue),
        audience=audience,
        view=_view(request),
        views=_VIEWS,
        shown_in=language,
        offered={one: language_name(one) for one in newsletter.languages_in(settings.publication)},
        token=request.path_params["token"],
        html_kb=round(len(copy.html.encode()) / 1024, 1),
        size_limit_kb=WARN_SIZE // 1024,
    )


def show_preview_html(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    html = dress_copy(_asked_copy(context, request).html, _view(request))
    return mail_response(html, framed=True)


def show_preview_text(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    return text_response(_asked_copy(context, request).text, framed=True)


def _asked_copy(context: WebContext, request: Request) -> Copy:
    settings, newsletter, issue = _find(context, request)
    language = _language(request, settings, newsletter, issue)
    return copy_issue(context, settings, newsletter, issue, Variant(language))


def _view(request: Request) -> View:
    asked = request.query_params.get("view", "")
    return View(asked) if asked in _VIEWS else View.DESKTOP


def describe_state(issue: Issue) -> str:
    """Where an issue is on its way, in words."""
    if issue.state is IssueState.APPROVED and issue.approved_by:
        return f"Approved by {issue.approved_by}"
    if issue.state is IssueState.HELD and issue.held_because:
        return f"Held: {issue.held_because}"
    return _STATES[issue.state]


_STATES = {
    IssueState.DRAFT: "Draft, waits for approval",
    IssueState.APPROVED: "Approved",
    IssueState.HELD: "Held",
    IssueState.SENDING: "On its way now",
    IssueState.PAUSED: "Paused in the middle of its way",
    IssueState.SENT: "Sent",
    IssueState.RECALLED: "Recalled",
    IssueState.CANCELLED: "Cancelled",
}


def _describe_departure(settings: Settings, newsletter: Newsletter, issue: Issue) -> str:
    """``goes out Friday, August 8, 2025, 07:00 New York``."""
    zone = newsletter.zone_in(settings.publication)
    verb = "goes out" if issue.state in (IssueState.DRAFT, IssueState.APPROVED) else "send time"
    city = zone.key.rpartition("/")[2].replace("_", " ")
    local = issue.send_at.astimezone(zone)
    return f"{verb} {format_day(local, 'en', zone)}, {local:%H:%M} {city}"


def _find(context: WebContext, request: Request) -> tuple[Settings, Newsletter, Issue]:
    (issue_id,) = context.keyring.verify(Purpose.PREVIEW, request.path_params["token"])
    settings = context.load_settings()
    with context.database.read() as tx:
        issue = tx.issues.by_id(issue_id)
    if issue is None:
        raise NotFound("this issue is no longer there", subject="issue")
    newsletter = newsletter_called(settings, issue.newsletter)
    edition = in_edition(newsletter, issue.edition, settings.publication, issue.slot)
    return settings, edition, issue


def _language(request: Request, settings: Settings, newsletter: Newsletter, issue: Issue) -> str:
    """Of the languages in which the issue goes out the one asked for, else its own."""
    asked = request.query_params.get("lang", "")
    return asked if asked in newsletter.languages_in(settings.publication) else issue.language
