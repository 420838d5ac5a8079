"""The paper's look, with a mail of it beside the form before anything is saved."""

from dataclasses import replace
from urllib.parse import urlencode

from starlette.responses import Response

from newsletter.errors import NotFound
from newsletter.publication.brand import Publication
from newsletter.publication.design import design_of
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.fill import fill_slots
from newsletter.rendering.issue import render_issue
from newsletter.rendering.model import ReaderSlot
from newsletter.rendering.samples import sample_issues
from newsletter.stories.model import Picture
from newsletter.web.desk.settings.forms import Sent, read_form
from newsletter.web.desk.settings.page import (
    Base,
    again,
    go_on,
    latest_base,
    save,
    show_form,
    take_edits,
    try_out,
)
from newsletter.web.desk.settings.places import BRAND, settings_target
from newsletter.web.desk.visit import Visit
from newsletter.web.mail_copy import View, dress_copy
from newsletter.web.pages import mail_response
from newsletter.workflows.change_settings import Changed, Outcome, Refused

_TARGET = settings_target(BRAND)
_VIEWS = {"light": View.PHONE, "dark": View.DARK}
_SAMPLE = "without pictures"
_NOBODY = dict.fromkeys(ReaderSlot, "preview")
# Where a paper has no newsletter yet.
_ANY_NEWSLETTER = Newsletter.model_validate(
    {
        "slug": "weekly",
        "name": "-",
        "from": {"name": "-", "address": "newsletter@localhost"},
        "section": [{"slug": "latest", "kind": "latest", "title": "-"}],
    }
)


def show_brand_form(visit: Visit) -> Response:
    """The form as it is saved, and the look of it."""
    return _show(visit, latest_base(visit), Sent())


def try_brand(visit: Visit) -> Response:
    """The look of what the form says, without saving it."""
    base, sent = take_edits(visit, _TARGET)
    checked = try_out(visit, base, sent)
    if isinstance(checked, Refused):
        return _show(visit, base, sent, outcome=checked, status=422)
    return _show(visit, base, sent, tried=checked)


def take_brand(visit: Visit) -> Response:
    """Save it."""
    base, sent = take_edits(visit, _TARGET)
    outcome = save(visit, base, sent)
    if isinstance(outcome, Changed):
        return go_on(visit, "/settings/brand", outcome)
    base, status = again(outcome, base)
    return _show(visit, base, sent, outcome=outcome, status=status)


def show_brand_preview(visit: Visit) -> Response:
    """A mail in the look that the address names, key by key; what can't be is left as it is."""
    view = _VIEWS.get(visit.param("view"))
    if view is None:
        raise NotFound("a mail is looked at on a light screen or a dark one")
    base = latest_base(visit)
    sent = read_form(_TARGET, base.settings, visit.context.fixed, visit.request.query_params)
    checked = try_out(visit, base, Sent(sent.edits))
    settings = checked if isinstance(checked, Settings) else base.settings
    newsletter = (*settings.newsletter, _ANY_NEWSLETTER)[0]
    html = _sample_mail(visit, settings.publication, newsletter)
    return mail_response(dress_copy(html, view), framed=True)


def _show(
    visit: Visit,
    base: Base,
    sent: Sent,
    *,
    tried: Settings | None = None,
    outcome: Outcome | None = None,
    status: int = 200,
) -> Response:
    publication = (tried or base.settings).publication
    design = design_of(publication)
    shown = urlencode(sent.typed) if tried else ""
    return show_form(
        visit,
        "brand",
        BRAND,
        _TARGET,
        base,
        sent=sent,
        outcome=outcome,
        status=status,
        tried=tried is not None,
        mended=design.mended,
        palettes=(design.light, design.dark),
        typed=f"?{shown}" if shown else "",
    )


def _sample_mail(visit: Visit, publication: Publication, newsletter: Newsletter) -> str:
    issue, newsletter = sample_issues(newsletter)[_SAMPLE]
    logo = Picture(publication.logo) if publication.logo else None
    rendered = render_issue(
        replace(issue, logo=logo),
        publication,
        newsletter,
        base_url=visit.context.base_url,
        templates=visit.context.templates,
    )
    return fill_slots(rendered.html, _NOBODY)
