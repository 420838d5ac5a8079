"""A draft before it goes out: the real mail, and why each story is in it.

Whoever has the link may look; nothing can be changed here.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.checks.wire import WARN_SIZE
from newsletter.errors import NotFound
from newsletter.issues.model import Issue, IssueState, Variant
from newsletter.issues.states import OPEN
from newsletter.issues.variants import vary_issue
from newsletter.publication.model import Newsletter, Settings
from newsletter.rendering.fill import fill_slots
from newsletter.rendering.filters import format_day
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import ReaderSlot
from newsletter.tokens import Purpose
from newsletter.web.context import WebContext, newsletter_called
from newsletter.web.language import PageLanguage, language_name
from newsletter.web.pages import mail_response, render_page, text_response
from newsletter.words import SOURCE_LANGUAGE
from newsletter.workflows.preview import newest_mailings
from newsletter.workflows.segments import audience_segment

# Stands where a reader's own tokens come: those links lead to the page that says so.
_NOBODY = dict.fromkeys(ReaderSlot, "preview")


class View(StrEnum):
    """How the mail is looked at."""

    DESKTOP = "desktop"
    PHONE = "phone"
    DARK = "dark"
    TEXT = "text"


@dataclass(frozen=True)
class Copy:
    """The mail as one reader would get it, with no reader's links."""

    html: str
    text: str


def show_preview(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings, newsletter, issue = _find(context, request)
    language = _language(request, settings, newsletter, issue)
    copy = _copy(context, settings, newsletter, issue, language)
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
        views=list(View),
        shown_in=language,
        offered={one: language_name(one) for one in newsletter.languages_in(settings.publication)},
        token=request.path_params["token"],
        html_kb=round(len(copy.html.encode()) / 1024, 1),
        size_limit_kb=WARN_SIZE // 1024,
    )


def show_preview_html(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    html = _in_scheme(_asked_copy(context, request).html, _view(request))
    # In the frame a link would open inside it, where the site refuses to be shown.
    return mail_response(html.replace("<a ", '<a target="_blank" rel="noopener" '), framed=True)


def show_preview_text(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    return text_response(_asked_copy(context, request).text, framed=True)


def _asked_copy(context: WebContext, request: Request) -> Copy:
    settings, newsletter, issue = _find(context, request)
    language = _language(request, settings, newsletter, issue)
    return _copy(context, settings, newsletter, issue, language)


def _view(request: Request) -> View:
    asked = request.query_params.get("view", "")
    return View(asked) if asked in frozenset(View) else View.DESKTOP


def _in_scheme(html: str, view: View) -> str:
    """The mail as on a dark or a light screen, whatever the editor's own screen is.

    A frame does not hand its colour scheme on to a sandboxed document, so the
    mail's own query is answered here.
    """
    answer = "@media all" if view is View.DARK else "@media not all"
    return html.replace("@media (prefers-color-scheme: dark)", answer)


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
    return settings, newsletter_called(settings, issue.newsletter), issue


def _language(request: Request, settings: Settings, newsletter: Newsletter, issue: Issue) -> str:
    """Of the languages in which the issue goes out the one asked for, else its own."""
    asked = request.query_params.get("lang", "")
    return asked if asked in newsletter.languages_in(settings.publication) else issue.language


def _copy(
    context: WebContext, settings: Settings, newsletter: Newsletter, issue: Issue, language: str
) -> Copy:
    """The full variant in ``language``."""
    if issue.state not in OPEN:
        with context.database.read() as tx:
            sent = newest_mailings(tx.mailings.of_issue(issue.public_id), issue)
        full = {mailing.language: mailing for mailing in sent if mailing.variant.is_full}
        mailing = full.get(language) or full.get(issue.language)
        if mailing is not None:
            return Copy(fill_slots(mailing.html, _NOBODY), fill_slots(mailing.text, _NOBODY))
    rendered = render_issue(
        vary_issue(issue, Variant(language), newsletter, settings.publication),
        settings.publication,
        newsletter,
        base_url=context.base_url,
        templates=context.templates,
        utm_source=settings.tracking.utm_source,
        archived_in=issue.language,
    )
    return Copy(fill_slots(rendered.html, _NOBODY), fill_slots(rendered.text, _NOBODY))
