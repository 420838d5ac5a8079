"""The cookie that holds a session's secret."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from newsletter.publication.editors import LONGEST_SESSION
from newsletter.web.context import WebContext


def cookie_name(context: WebContext) -> str:
    """With the strongest promise that browsers keep for where the desk lies.

    ``__Host-`` wants https and the path "/"; below a path prefix other programs of that
    host would be sent it, so there it is bound to the desk's path instead.
    """
    if not is_secure(context):
        return "desk"
    return "__Host-desk" if _path(context) == "/" else "__Secure-desk"


def is_secure(context: WebContext) -> bool:
    """Whether the desk is served over https."""
    return urlsplit(context.desk_url).scheme == "https"


def read_cookie(context: WebContext, request: Request) -> str:
    """The secret that the browser sent; empty where it sent none."""
    return request.cookies.get(cookie_name(context), "")


def set_cookie(context: WebContext, response: Response, secret: str) -> None:
    """Let the browser keep a session's secret, out of reach of scripts and other sites."""
    response.set_cookie(
        cookie_name(context),
        secret,
        max_age=int(LONGEST_SESSION.total_seconds()),
        path=_path(context),
        secure=is_secure(context),
        httponly=True,
        samesite="lax",
    )


def clear_cookie(context: WebContext, response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(
        cookie_name(context),
        path=_path(context),
        secure=is_secure(context),
        httponly=True,
        samesite="lax",
    )


def _path(context: WebContext) -> str:
    path = urlsplit(context.desk_url).path
    return "/" if path == "/desk" and is_secure(context) else path
