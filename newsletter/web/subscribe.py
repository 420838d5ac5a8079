"""The sign-up form and its one answer."""

from http import HTTPStatus

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import AddressError, UsageError
from newsletter.publication.model import Newsletter, Settings
from newsletter.web.archive import issues_that_went_out
from newsletter.web.context import WebContext, newsletter_called
from newsletter.web.endpoint import Handler, field
from newsletter.web.form_stamp import is_fresh, make_stamp
from newsletter.web.limits import PostLimit, client_network
from newsletter.web.pages import render_page
from newsletter.web.rhythm import describe_rhythm
from newsletter.workflows.sign_up import SignUp, request_subscription

# A field that no person sees; a program that fills every field fills it too.
TRAP = "website"
_MAX_PLACEMENT = 60
# Drafts and cancelled issues may stand before the last one that went out.
_LOOK_BACK = 5


def consent_wording(newsletter: Newsletter) -> str:
    """What a reader agrees to, as the form shows it and the record keeps it."""
    return newsletter.consent or (
        f"Send me {newsletter.name} by e-mail. I can leave at any time, with one click."
    )


def show_form(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    newsletter = newsletter_called(settings, request.path_params["newsletter"])
    return _form_page(context, settings, newsletter)


def take_form(limit: PostLimit) -> Handler:
    """The handler of the posted form, counting posts in ``limit``."""

    def handle(context: WebContext, request: Request, form: FormData) -> Response:
        settings = context.load_settings()
        newsletter = newsletter_called(settings, request.path_params["newsletter"])
        network = client_network(request, context.trusted_proxies)
        if not limit.allow(network, context.clock.monotonic()):
            return render_page(
                context,
                settings,
                "too_many",
                status=HTTPStatus.TOO_MANY_REQUESTS,
                headers={"Retry-After": "60"},
                newsletter=newsletter,
            )
        if field(form, TRAP):
            return _answer(context, settings, newsletter)
        return _take(context, settings, newsletter, form)

    return handle


def _take(
    context: WebContext, settings: Settings, newsletter: Newsletter, form: FormData
) -> Response:
    now = context.clock.now()
    address = field(form, "address")
    if not is_fresh(context.keyring, field(form, "stamp"), newsletter.slug, now):
        # From a form elsewhere, or an old page: one more press, on a form of ours.
        return _form_page(context, settings, newsletter, address=address, once_more=True)
    sign_up = SignUp(
        newsletter=newsletter.slug,
        address=address,
        name=field(form, "name"),
        wording=consent_wording(newsletter),
        placement=field(form, "placement")[:_MAX_PLACEMENT] or "page",
    )
    try:
        request_subscription(
            context.database,
            context.keyring,
            settings,
            context.templates,
            sign_up,
            base_url=context.base_url,
            now=now,
            dkim_selectors=context.dkim_selectors,
        )
    except (AddressError, UsageError) as error:
        return _form_page(context, settings, newsletter, address=address, problem=str(error))
    return _answer(context, settings, newsletter)


def _answer(context: WebContext, settings: Settings, newsletter: Newsletter) -> Response:
    """The same for every address, known or not."""
    return render_page(context, settings, "check_inbox", newsletter=newsletter)


def _form_page(
    context: WebContext,
    settings: Settings,
    newsletter: Newsletter,
    *,
    address: str = "",
    problem: str = "",
    once_more: bool = False,
) -> Response:
    return render_page(
        context,
        settings,
        "subscribe",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        newsletter=newsletter,
        rhythm=describe_rhythm(newsletter.send_moment),
        wording=consent_wording(newsletter),
        stamp=make_stamp(context.keyring, newsletter.slug, context.clock.now()),
        trap=TRAP,
        address=address[:300],
        problem=problem,
        once_more=once_more,
        latest=next(iter(issues_that_went_out(context, newsletter, _LOOK_BACK)), None),
    )
