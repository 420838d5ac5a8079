"""What stands before every page: the right host, safe headers, a line in the log."""

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newsletter.clock import Clock
from newsletter.log import get_logger
from newsletter.web.pages import FRAME_HEADER, SAFE_HEADERS, text_response

log = get_logger(__name__)

_MOST_TAKEN_IN = 1024 * 1024
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


def allowed_hosts(*own_urls: str) -> frozenset[str]:
    """The host names we answer to: our own, and this machine's for itself."""
    return frozenset(
        (*LOOPBACK_NAMES, *((urlsplit(url).hostname or "").lower() for url in own_urls))
    )


class HostCheck:
    """Answers 400 to a request for another host, which a forged link may have made.

    ``/healthz`` is exempt: a load balancer asks by number.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exempt = scope["type"] != "http" or scope["path"] == "/healthz"
        if exempt or self._is_ours(Headers(scope=scope).getlist("host")):
            await self._app(scope, receive, send)
            return
        refusal = text_response(
            "This server does not answer to that host name; "
            "[web] base_url in its config names the right one.\n",
            status=400,
        )
        await refusal(scope, receive, send)

    def _is_ours(self, hosts: list[str]) -> bool:
        if len(hosts) != 1:
            return False
        try:
            name = urlsplit(f"//{hosts[0]}").hostname
        except ValueError:
            return False
        return name in self._hosts


class OversizeIsEmpty:
    """Passes on a body that is larger than any form of ours as an empty one, below one path.

    For the one click of a mail program, which counts whatever its body is.
    """

    def __init__(self, app: ASGIApp, below: str, most_bytes: int) -> None:
        self._app = app
        self._below = below
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._below):
            await self._app(scope, receive, send)
            return
        taken: list[Message] = []
        size, more = 0, True
        # What is larger is taken in, as far as is cheap: whoever still sends hears no answer.
        while more and size <= _MOST_TAKEN_IN:
            message = await receive()
            size += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
            if size <= self._most:
                taken.append(message)
        if size > self._most:
            taken = [{"type": "http.request", "body": b""}]
            headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
            scope = {**scope, "headers": [*headers, (b"content-length", b"0")]}
        waiting = iter(taken)

        async def receive_taken() -> Message:
            return next(waiting, None) or await receive()

        await self._app(scope, receive_taken, send)


class SizeCheck:
    """Refuses by ``refuse`` what says of itself that it is too large.

    What does not say so is cut off by the limit that stands behind this. ``roomy`` are
    forms of paths that take more, and how much.
    """

    def __init__(
        self,
        app: ASGIApp,
        most_bytes: int,
        refuse: Callable[[Request], Response],
        roomy: Mapping[re.Pattern[str], int],
    ) -> None:
        self._app = app
        self._most = most_bytes
        self._refuse = refuse
        self._roomy = roomy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = Headers(scope=scope).get("content-length", "") if scope["type"] == "http" else ""
        size = int(length[:20]) if length.isascii() and length.isdigit() else 0
        if size <= self._most or size <= self._most_for(scope):
            await self._app(scope, receive, send)
            return
        refusal = await run_in_threadpool(self._refuse, Request(scope))
        await refusal(scope, receive, send)

    def _most_for(self, scope: Scope) -> int:
        path = scope["path"]
        found = (most for form, most in self._roomy.items() if form.fullmatch(path))
        return next(found, self._most)


class SafeHeaders:
    """Adds the strict headers to whatever answer has not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                policy = headers.get("Content-Security-Policy", "")
                for name, value in SAFE_HEADERS.items():
                    # Who may frame a page may stand in its policy alone.
                    if name != FRAME_HEADER or "frame-ancestors" not in policy:
                        headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safely if scope["type"] == "http" else send)


class RequestLog:
    """One line a request, without the tokens that its path may hold, or the visitor."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = self._clock.monotonic()
        status = 500

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        finally:
            log.info(
                "request",
                method=scope["method"],
                path=_safe_path(scope),
                status=status,
                ms=round((self._clock.monotonic() - started) * 1000),
            )


def _safe_path(scope: Scope) -> str:
    path = str(scope["path"])
    token = scope.get("path_params", {}).get("token")
    if token:
        return path.replace(token, "…")
    if "endpoint" in scope:
        return path
    # No page of ours: it may be a link that was cut in the middle of its token.
    first = path.split("/")[1][:20]
    return f"/{first}/…" if path.count("/") > 1 else f"/{first}"
