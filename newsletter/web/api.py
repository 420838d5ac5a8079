"""The API for programs, and for the sign-up element on the paper's pages: `/api/v1`.

Every answer is typed and described in `/api/v1/openapi.json`; what can't be done
is said in one sentence. Sign-ups are as neutral here as on the pages.
"""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from newsletter import __version__
from newsletter.errors import NewsletterError, NotFound, SegmentError, StorageError, UnfitText
from newsletter.log import get_logger
from newsletter.publication.cadence import Cadence
from newsletter.publication.design import design_of
from newsletter.publication.prompts import placement_prompt
from newsletter.rendering.bidi import text_direction
from newsletter.subscribers.floods import Verdict
from newsletter.web.api_readers import reader_routes
from newsletter.web.api_refusals import refuse_description, refuse_failure, words_wanted
from newsletter.web.asking import (
    BUSY,
    Problem,
    ProblemCode,
    Wish,
    consent_wording,
    is_attacked,
    take_wish,
)
from newsletter.web.context import WebContext, newsletter_called
from newsletter.web.endpoint import steady_pace
from newsletter.web.language import PageLanguage, wanted_language
from newsletter.web.limits import PostLimit, client_network
from newsletter.web.pages import PUBLIC_CACHE
from newsletter.web.puzzle import set_puzzle
from newsletter.web.refusals import API_PATH, Answer, ErrorAnswer, refuse

log = get_logger(__name__)

# Of the browser's leave to send JSON from another site.
_LEAVE_SECONDS = 86_400


class SubscriptionRequest(Answer):
    """A person's wish to be sent a newsletter."""

    newsletter: str = Field(max_length=40, description="the newsletter's slug")
    address: str = Field(max_length=1000, description="the person's e-mail address")
    name: str = Field("", max_length=1000, description="what to call the person")
    language: str = Field(
        "", max_length=35, description="a BCP 47 tag: of the answer, and of the wording shown"
    )
    placement: str = Field("", max_length=60, description="the slug of the form's place")
    cadence: Cadence | None = Field(
        None,
        description="each: each issue, which is usual; monthly: the best of each month, where the "
        "newsletter offers that",
    )
    page: str = Field("", max_length=2000, description="the address of the page it stood on")
    source: Literal["api", "embed"] = Field("api", description="embed: the element on the site")
    sure: bool = Field(
        False, description="true: the address is meant as it is, though it looks like a slip"
    )
    proof: str = Field(
        "",
        max_length=4000,
        description="the solved puzzle as ALTCHA's widget sends it. Without one the confirmation "
        "takes the slow lane; in an attack it is demanded",
    )


class SubscriptionAnswer(Answer):
    """The same for every address, known or not."""

    status: Literal["check_inbox"] = "check_inbox"
    message: str = Field(description="what to tell the person")


class FormWords(Answer):
    """What a sign-up form says, in one language."""

    newsletter: str
    language: str
    direction: Literal["ltr", "rtl"]
    prompt: str = Field(description="the field's label")
    button: str
    consent: str = Field(description="what the person agrees to; show it")
    working: str
    failed: str
    use: str = Field(description="a button that takes up a suggestion, which stands for %s")
    accent: str = Field(description="the paper's colour")
    on_accent: str


class Puzzle(Answer):
    """ALTCHA's challenge, version 2, of algorithm SHA-256 and cost 1."""

    parameters: dict[str, Any]
    signature: str


_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "The request can't be read"},
    404: {"model": ErrorAnswer, "description": "There is no such newsletter"},
    405: {"model": ErrorAnswer, "description": "The address takes another method"},
    422: {"model": ErrorAnswer, "description": "Something in it is not as it should be"},
    503: {"model": ErrorAnswer, "description": "Our records can't be reached"},
}
_FLOODS: dict[int | str, dict[str, Any]] = {
    403: {"model": ErrorAnswer, "description": "A solved puzzle is demanded at the moment"},
    413: {"model": ErrorAnswer, "description": "The request is too large"},
    429: {"model": ErrorAnswer, "description": "Too many sign-ups; Retry-After says when"},
}
_Slug = Annotated[str, Path(max_length=40, description="the newsletter's slug")]
_Language = Annotated[str, Query(max_length=35, description="a BCP 47 tag")]


def create_api(context: WebContext, limit: PostLimit) -> FastAPI:
    """The API, to be mounted at ``/api/v1``; posts are counted in ``limit``."""
    api = FastAPI(
        title="Newsletter",
        version=__version__,
        description="Sign-up to the paper's newsletters, and who reads them.",
        # The usual pages about an API load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        servers=[{"url": f"{context.base_url}{API_PATH}"}],
        root_path_in_servers=False,
    )
    api.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["content-type"],
        max_age=_LEAVE_SECONDS,
    )
    _add_failures(api, context)

    @api.post(
        "/subscriptions",
        status_code=HTTPStatus.ACCEPTED,
        response_model=SubscriptionAnswer,
        responses=_REFUSALS | _FLOODS,
        summary="Ask for a newsletter to be sent to an address",
    )
    async def subscribe(wanted: SubscriptionRequest, request: Request) -> Any:
        request.state.language = wanted.language
        async with steady_pace(context.steady_seconds):
            return await run_in_threadpool(_subscribe, context, limit, request, wanted)

    @api.get(
        "/newsletters/{newsletter}/form",
        responses=_REFUSALS,
        summary="The words of a sign-up form",
    )
    def form(
        newsletter: _Slug,
        response: Response,
        placement: Annotated[str, Query(max_length=60)] = "",
        language: _Language = "",
    ) -> FormWords:
        settings = context.load_settings()
        found = newsletter_called(settings, newsletter)
        spoken = wanted_language(language, settings, found)
        words = spoken.words
        place = found.placement_called(placement)
        light = design_of(settings.publication).light
        response.headers["Cache-Control"] = PUBLIC_CACHE
        return FormWords(
            newsletter=found.name,
            language=spoken.tag,
            direction="rtl" if text_direction(spoken.tag) == "rtl" else "ltr",
            prompt=placement_prompt(settings.publication, found, place, words),
            button=words.gettext("Sign up"),
            consent=consent_wording(found, words),
            working=words.gettext("One moment…"),
            failed=words.gettext("That did not work. Please try it once more."),
            use=words.gettext("Use %(address)s", address="%s"),
            accent=light.accent,
            on_accent=light.on_accent,
        )

    @api.get(
        "/newsletters/{newsletter}/puzzle",
        responses=_REFUSALS,
        summary="A puzzle whose solution speaks for a sign-up",
    )
    def puzzle(newsletter: _Slug) -> Puzzle:
        found = newsletter_called(context.load_settings(), newsletter)
        attacked = is_attacked(context)
        challenge = set_puzzle(context.keyring, found.slug, context.clock.now(), attacked=attacked)
        return Puzzle.model_validate(challenge)

    api.include_router(reader_routes(context))
    return api


def _subscribe(
    context: WebContext, limit: PostLimit, request: Request, wanted: SubscriptionRequest
) -> SubscriptionAnswer | JSONResponse:
    settings = context.load_settings()
    newsletter = newsletter_called(settings, wanted.newsletter)
    spoken = wanted_language(wanted.language, settings, newsletter)
    # A form speaks its page's language; the reader's own it is where it is another.
    usual = wanted_language("", settings, newsletter)
    language = PageLanguage(spoken.tag, picked=spoken.tag != usual.tag)
    if wanted.cadence is not None and not newsletter.serves(wanted.cadence):
        sentence = spoken.words.gettext(
            "This newsletter does not offer the best of a month: ask for each issue."
        )
        return refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "no_monthly", sentence, field="cadence")
    network = client_network(request, context.trusted_proxies)
    if not limit.allow(network, context.clock.monotonic()):
        return _turn_away(Verdict.NETWORK_BUSY, 60, language)
    outcome = take_wish(
        context,
        request,
        settings,
        newsletter,
        language,
        Wish(
            address=wanted.address,
            placement=wanted.placement,
            name=wanted.name,
            page=wanted.page,
            how=wanted.source,
            sure=wanted.sure,
            proof=wanted.proof,
            must_prove=True,
            cadence=wanted.cadence,
        ),
    )
    if isinstance(outcome, Problem):
        field = "name" if outcome.code is ProblemCode.NO_NAME else "address"
        return refuse(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            outcome.code.value,
            outcome.sentence,
            field=field,
            suggestion=outcome.suggestion or None,
        )
    if outcome is not Verdict.WELCOME:
        return _turn_away(outcome, BUSY[outcome][1], language)
    sentence = language.words.gettext(
        "Now check your inbox: a short mail from %(sender)s is on its way. Press the button in it, "
        "and the next issue is yours.",
        sender=newsletter.sender.name,
    )
    return SubscriptionAnswer(message=sentence)


def _turn_away(verdict: Verdict, seconds: int, language: PageLanguage) -> JSONResponse:
    unproven = verdict is Verdict.PROOF_NEEDED
    return refuse(
        HTTPStatus.FORBIDDEN if unproven else HTTPStatus.TOO_MANY_REQUESTS,
        verdict.value.replace(" ", "_"),
        language.words.gettext(BUSY[verdict][0]),
        field="proof" if unproven else None,
        headers={"Retry-After": str(seconds)},
    )


def _add_failures(api: FastAPI, context: WebContext) -> None:
    @api.exception_handler(RequestValidationError)
    async def not_as_described(request: Request, error: RequestValidationError) -> Response:
        return refuse_description(words_wanted(context, request, error.body), error)

    @api.exception_handler(SegmentError)
    async def no_filter(request: Request, error: SegmentError) -> Response:
        sentence = words_wanted(context, request).tell(error.saying)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return refuse(status, "invalid", sentence, field="filter")

    @api.exception_handler(NotFound)
    async def not_found(request: Request, error: NotFound) -> Response:  # noqa: ARG001
        sentence = words_wanted(context, request).gettext("There is no such newsletter.")
        return refuse(HTTPStatus.NOT_FOUND, "not_found", sentence, field="newsletter")

    @api.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        return refuse_failure(words_wanted(context, request), request, error)

    @api.exception_handler(StorageError)
    async def database_rests(request: Request, error: StorageError) -> Response:
        log.error("database_failed", error=str(error))
        sentence = words_wanted(context, request).gettext(
            "We cannot reach our records right now. Nothing was changed: please try again in a "
            "minute."
        )
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return refuse(status, "database_rests", sentence, headers={"Retry-After": "60"})

    @api.exception_handler(UnfitText)
    async def unfit_text(request: Request, error: UnfitText) -> Response:  # noqa: ARG001
        sentence = words_wanted(context, request).gettext("That could not be read")
        return refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", f"{sentence}.")

    @api.exception_handler(NewsletterError)
    async def failed(request: Request, error: NewsletterError) -> Response:
        log.error("api_failed", error=str(error), subject=error.subject)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        sentence = words_wanted(context, request).gettext(
            "Nothing was changed by halves. Please try again a little later."
        )
        return refuse(status, "failed", sentence)
