"""The pictures of our mails, by the hash of their content."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from newsletter.errors import NotFound
from newsletter.pictures.store import MEDIA_TYPES
from newsletter.web.context import WebContext

# What an address shows never changes, so nobody need ask twice.
_FOR_EVER = "public, max-age=31536000, immutable"


def show_picture(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
    name = request.path_params["name"]
    path = context.pictures.find(name)
    if path is None:
        raise NotFound("this picture is not here", subject="picture")
    headers = {"Cache-Control": _FOR_EVER, "ETag": f'"{path.stem}"'}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, media_type=MEDIA_TYPES[path.suffix[1:]], headers=headers)
