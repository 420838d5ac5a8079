"""`GET /l/ID`: from a link in a mail to the story. No cookie is set, no address is kept."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.errors import NotFound
from newsletter.stories.canonical import web_address
from newsletter.web.context import WebContext, newsletter_called
from newsletter.web.endpoint import Handler
from newsletter.web.language import page_language
from newsletter.web.pages import render_page
from newsletter.workflows.follow import LinkFollower, Visit


def follow_link(follower: LinkFollower) -> Handler:
    """The handler, which asks ``follower``."""

    def handle(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
        token = request.path_params.get("token", "")
        visit = Visit(request.method, request.headers, token)
        link = follower.follow(request.path_params["link"], visit)
        if link.withdrawn:
            settings = context.load_settings()
            newsletter = newsletter_called(settings, link.newsletter)
            return render_page(
                context,
                settings,
                "withdrawn",
                language=page_language(request, settings, newsletter),
                status=410,
                newsletter=newsletter,
                slot=link.slot,
            )
        # It was checked when it was kept; a database can be changed by other hands.
        target = web_address(link.url)
        if not target:
            raise NotFound("this link leads nowhere", subject=link.public_id)
        return Response(status_code=302, headers={"Location": target})

    return handle
