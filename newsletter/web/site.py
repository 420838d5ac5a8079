"""The front page, the colours of the paper's look, and whether we are well."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from newsletter.errors import StorageError
from newsletter.publication.design import design_of, house_design
from newsletter.web.context import WebContext
from newsletter.web.language import page_language
from newsletter.web.pages import PUBLIC_CACHE, render_page
from newsletter.web.rhythm import describe_rhythm
from newsletter.web.stylesheet import brand_css


def show_front(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    settings = context.load_settings()
    language = page_language(request, settings)
    rhythms = {n.slug: describe_rhythm(n.send_moment, language.words) for n in settings.newsletter}
    return render_page(context, settings, "front", language=language, public=True, rhythms=rhythms)


def show_brand(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    try:
        design = design_of(context.load_settings().publication)
    except StorageError:
        # The page that says so is styled all the same.
        design = house_design()
    return Response(
        brand_css(design), media_type="text/css", headers={"Cache-Control": PUBLIC_CACHE}
    )


def show_health(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    try:
        with context.database.read() as tx:
            tx.settings.latest()
        hold = context.hold()
    except StorageError as error:
        return JSONResponse({"status": "unavailable", "reason": str(error)}, 503)
    # The pages are well all the same: readers must be able to leave.
    held = {"sending": "held", "reason": hold} if hold else {}
    return JSONResponse({"status": "ok", **held})
