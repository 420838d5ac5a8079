"""Files of ours that browsers keep: the stylesheet, and the scripts, each made of its pieces."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from newsletter.web.context import WebContext
from newsletter.web.endpoint import Handler

STATIC_FOLDER = Path(__file__).parent / "static"
STYLE = STATIC_FOLDER / "site.css"
_SCRIPTS = Path(__file__).parent / "scripts"
FORM_SCRIPT = (_SCRIPTS / "solver.js", _SCRIPTS / "form.js")
EMBED_SCRIPT = (_SCRIPTS / "solver.js", _SCRIPTS / "element.js")


class CachedFiles(StaticFiles):
    """Static files that browsers may keep: their addresses carry a version.

    As a query, or as a first part such as ``v-0123456789/``, so that a script finds
    those beside it in the same version.
    """

    def get_path(self, scope: Scope) -> str:
        first, slash, rest = super().get_path(scope).partition("/")
        return rest if slash and first.startswith("v-") else f"{first}{slash}{rest}"

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=86400"
        return response


@cache
def file_version(*files: Path) -> str:
    """Changes whenever one of the files does, so that no browser keeps an old one."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]


@cache
def static_version() -> str:
    """Changes whenever any of the static files does."""
    return file_version(*sorted(path for path in STATIC_FOLDER.rglob("*") if path.is_file()))


@cache
def script_text(*pieces: Path) -> str:
    """One script of several pieces, which shares no name with the page it runs on."""
    text = "".join(piece.read_text(encoding="utf-8") for piece in pieces)
    return f'(() => {{\n"use strict";\n{text}}})();\n'


def show_script(*pieces: Path, kept_seconds: int) -> Handler:
    """The handler of a script, also for pages of other sites."""

    def handle(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
        return Response(
            script_text(*pieces),
            media_type="text/javascript",
            headers={
                "Cache-Control": f"public, max-age={kept_seconds}",
                "Cross-Origin-Resource-Policy": "cross-origin",
            },
        )

    return handle
