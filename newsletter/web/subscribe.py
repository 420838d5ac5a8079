"""The sign-up form and its one answer."""

from http import HTTPStatus

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import AddressError, UsageError
from newsletter.publication.model import Newsletter, Settings
from newsletter.subscribers.address import MAX_CHARACTERS, show_address
from newsletter.web.archive import latest_issue
from newsletter.web.context import WebContext, newsletter_called
from newsletter.web.endpoint import Handler, field
from newsletter.web.form_stamp import is_fresh, make_stamp
from newsletter.web.language import PageLanguage, page_language
from newsletter.web.limits import PostLimit, client_network
from newsletter.web.pages import render_page
from newsletter.web.rhythm import describe_rhythm
from newsletter.words import Words
from newsletter.workflows.sign_up import SignUp, request_subscription

# A field that no person sees; a program that fills every field fills it too.
TRAP = "website"
_MAX_PLACEMENT = 60


def consent_wording(newsletter: Newsletter, words: Words) -> str:
    """What a reader agrees to, as the form shows it and the record keeps it."""
    return newsletter.consent or words.gettext(
        "Send me %(newsletter)s by e-mail. I can leave at any time, with one click.",
        newsletter=newsletter.name,
    )


def show_form(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    newsletter = newsletter_called(settings, request.path_params["newsletter"])
    return _form_page(context, page_language(request, settings, newsletter), settings, newsletter)


def take_form(limit: PostLimit) -> Handler:
    """The handler of the posted form, counting posts in ``limit``."""

    def handle(context: WebContext, request: Request, form: FormData) -> Response:
        settings = context.load_settings()
        newsletter = newsletter_called(settings, request.path_params["newsletter"])
        language = page_language(request, settings, newsletter)
        network = client_network(request, context.trusted_proxies)
        if not limit.allow(network, context.clock.monotonic()):
            return render_page(
                context,
                settings,
                "too_many",
                language=language,
                status=HTTPStatus.TOO_MANY_REQUESTS,
                headers={"Retry-After": "60"},
                newsletter=newsletter,
            )
        if field(form, TRAP):
            return _answer(context, language, settings, newsletter)
        return _take(context, language, settings, newsletter, form)

    return handle


def _take(
    context: WebContext,
    language: PageLanguage,
    settings: Settings,
    newsletter: Newsletter,
    form: FormData,
) -> Response:
    now = context.clock.now()
    address = field(form, "address")
    if not is_fresh(context.keyring, field(form, "stamp"), newsletter.slug, now):
        # From a form elsewhere, or an old page: one more press, on a form of ours.
        return _form_page(context, language, settings, newsletter, address=address, once_more=True)
    sign_up = SignUp(
        newsletter=newsletter.slug,
        address=address,
        name=field(form, "name"),
        wording=consent_wording(newsletter, language.words),
        placement=field(form, "placement")[:_MAX_PLACEMENT] or "page",
        language=language.tag if language.picked else None,
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
    except AddressError:
        problem = _problem_with(address, language.words)
        return _form_page(context, language, settings, newsletter, address=address, problem=problem)
    except UsageError:
        problem = language.words.gettext("The name is too long, or holds what no name has.")
        return _form_page(context, language, settings, newsletter, address=address, problem=problem)
    return _answer(context, language, settings, newsletter)


def _problem_with(written: str, words: Words) -> str:
    """What to tell of an address that is none, in the page's language."""
    if not written.strip():
        return words.gettext("Please write your e-mail address.")
    local, at, domain = written.strip().rpartition("@")
    if not at:
        why = words.gettext("it has no @")
    elif not local or not domain:
        why = words.gettext("something is missing beside the @")
    elif "." not in domain:
        why = words.gettext("after the @ there is no dot, as in paper.example")
    elif len(written) > MAX_CHARACTERS:
        why = words.gettext("it is too long")
    else:
        why = words.gettext("it holds signs that no address has")
    return words.gettext(
        "“%(written)s” is no e-mail address: %(why)s.", written=show_address(written), why=why
    )


def _answer(
    context: WebContext, language: PageLanguage, settings: Settings, newsletter: Newsletter
) -> Response:
    """The same for every address, known or not."""
    return render_page(context, settings, "check_inbox", language=language, newsletter=newsletter)


def _form_page(
    context: WebContext,
    language: PageLanguage,
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
        language=language,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        newsletter=newsletter,
        rhythm=describe_rhythm(newsletter.send_moment, language.words),
        wording=consent_wording(newsletter, language.words),
        stamp=make_stamp(context.keyring, newsletter.slug, context.clock.now()),
        trap=TRAP,
        address=address[:300],
        problem=problem,
        once_more=once_more,
        latest=latest_issue(context, newsletter),
    )
