"""The outbox's pages: what the demo's mail catcher took in, as a list, opened, and raw."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from newsletter.demo.outbox_store import (
    CaughtMail,
    OpenedMail,
    count_messages,
    list_messages,
    read_message,
)
from newsletter.errors import NotFound
from newsletter.rendering.environment import Templates

PER_PAGE = 200
# Fields a person looks at first, in this order; the others wait behind a click.
_FIRST_FIELDS = ("From", "To", "Subject", "Date", "List-Id", "List-Unsubscribe", "Message-ID")
_PAGE_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'"
)
# The mail's own page: pictures from anywhere, as in a mail program; no script, no form.
_MAIL_POLICY = (
    "default-src 'none'; img-src * data:; style-src 'unsafe-inline'; sandbox allow-popups "
    "allow-popups-to-escape-sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class _Outbox:
    folder: Path
    templates: Templates

    def _page(self, template: str, request: Request, /, **context: Any) -> HTMLResponse:
        home = str(request.scope.get("root_path", ""))
        text = self.templates.render(
            f"demo/{template}.html", home=f"{home}/", language="en", **context
        )
        return HTMLResponse(
            text,
            headers={"Content-Security-Policy": _PAGE_POLICY, "Referrer-Policy": "no-referrer"},
        )

    def index(self, request: Request) -> Response:
        wanted = " ".join(request.query_params.get("q", "").split())[:100]
        page = _page_number(request.query_params.get("page", "1"))
        if wanted:
            found = [mail for mail in list_messages(self.folder) if _speaks_of(mail, wanted)]
            total, mails = len(found), found[(page - 1) * PER_PAGE : page * PER_PAGE]
        else:
            total = count_messages(self.folder)
            mails = list_messages(self.folder, skip=(page - 1) * PER_PAGE, limit=PER_PAGE)
        pages = max(1, -(-total // PER_PAGE))
        return self._page(
            "outbox", request, mails=mails, total=total, wanted=wanted, page=page, pages=pages
        )

    def mail(self, request: Request) -> Response:
        name = request.path_params["name"]
        mail = read_message(self.folder, name)
        fields = dict(reversed(mail.headers))
        first = [(field, fields[field]) for field in _FIRST_FIELDS if field in fields]
        others = [pair for pair in mail.headers if pair[0] not in _FIRST_FIELDS]
        width = "phone" if request.query_params.get("width") == "phone" else "desktop"
        return self._page(
            "outbox_mail",
            request,
            name=name,
            mail=mail,
            subject=fields.get("Subject", ""),
            first=first,
            others=others,
            width=width,
            part=_part_wanted(request, mail),
        )

    def html(self, request: Request) -> Response:
        mail = read_message(self.folder, request.path_params["name"])
        return HTMLResponse(
            mail.html,
            headers={"Content-Security-Policy": _MAIL_POLICY, "Referrer-Policy": "no-referrer"},
        )

    def raw(self, request: Request) -> Response:
        mail = read_message(self.folder, request.path_params["name"])
        # Eight-bit octets may be of any charset: shown as they are, never guessed at.
        return PlainTextResponse(
            mail.raw.decode("utf-8", "backslashreplace"),
            headers={"X-Content-Type-Options": "nosniff"},
        )

    def missing(self, request: Request, error: Exception) -> Response:
        page = self._page("outbox_missing", request, reason=str(error))
        page.status_code = 404
        return page


def create_outbox(folder: Path, templates: Templates) -> Starlette:
    """Pages over the messages in ``folder``, to be served at any path."""
    outbox = _Outbox(folder, templates)
    return Starlette(
        routes=[
            Route("/", outbox.index),
            Route("/{name}", outbox.mail),
            Route("/{name}/html", outbox.html),
            Route("/{name}/raw", outbox.raw),
        ],
        exception_handlers={NotFound: outbox.missing},
    )


def _speaks_of(mail: CaughtMail, wanted: str) -> bool:
    return wanted.casefold() in f"{mail.to} {mail.subject} {mail.from_}".casefold()


def _page_number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1


def _part_wanted(request: Request, mail: OpenedMail) -> str:
    """Which body to show: the one asked for, if the mail has it."""
    asked = request.query_params.get("part", "html")
    if asked == "text" or not mail.html:
        return "text"
    return "html"
