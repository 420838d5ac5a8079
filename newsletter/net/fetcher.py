"""The one way out by HTTP: every address checked, everything limited.

Nothing from the environment is trusted (no proxies, no netrc), cookies are not
kept, and a redirect is checked like a first address.
"""

import ssl
import threading
from collections.abc import Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Self

import httpcore2
import httpx2

from newsletter.clock import Clock, SystemClock
from newsletter.errors import FetchError
from newsletter.net import sentences
from newsletter.net.guard import (
    AddressRefused,
    Connect,
    Deadline,
    GuardedBackend,
    HostUnknown,
    PortRefused,
    Resolver,
    open_stream,
    resolve_host,
)
from newsletter.net.pace import HostPace, parse_retry_after
from newsletter.net.response import (
    HostHeld,
    HostUnnamed,
    PrivateAddress,
    Response,
    StatusError,
    TlsFailure,
    TooLarge,
    TooSlow,
    Unreachable,
)

CONNECT_SECONDS = 10.0
TOTAL_SECONDS = 30.0
MAX_REDIRECTS = 5

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
# We ask for these two only; a server that answers in others, or in several
# layers of them, is not obeying us and may mean harm.
_ENCODINGS = frozenset(("", "identity", "gzip", "x-gzip", "deflate"))
_ERROR_BODY_BYTES = 64 * 1024
# Whoever answers HEAD so may answer GET otherwise; who asks us to wait is not asked twice.
_WAIT = frozenset((429, 503))


class Fetcher:
    """Fetches by GET, and probes by HEAD, safely; keep one for a process and close it.

    ``user_agent`` names us and gives a contact URL. ``seconds_between`` is the
    least time between two requests to one public host; hosts of our own
    network are not spared. Threads may share a fetcher.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        clock: Clock | None = None,
        seconds_between: float = 1.0,
        total_seconds: float = TOTAL_SECONDS,
        resolve: Resolver = resolve_host,
        connect: Connect = open_stream,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._clock = clock or SystemClock()
        self._total_seconds = total_seconds
        self._resolve = resolve
        self._connect = connect
        self._ssl_context = ssl_context
        self._deadline = Deadline(self._clock)
        self._pace = HostPace(self._clock, seconds_between)
        self._opening = threading.Lock()
        # Kept apart, so that a connection which was allowed into a private
        # network is never taken for a call that is not.
        self._clients: dict[bool, httpx2.Client] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections; the fetcher can be used again."""
        with self._opening:
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    def slow_down(self, url: str, seconds: float) -> None:
        """Keep a longer pace with the host of ``url``, as its robots.txt asks (Crawl-delay)."""
        self._pace.slow_down(_checked_url(url).host, seconds)

    def get(
        self,
        url: str,
        *,
        max_bytes: int,
        accept: str = "*/*",
        etag: str | None = None,
        last_modified: str | None = None,
        allow_private: bool = False,
        keep_partial: bool = False,
    ) -> Response:
        """Fetch ``url``: a Response of 2xx or 304, or FetchError.

        ``max_bytes`` counts decoded bytes. ``etag`` and ``last_modified`` are
        sent back as they were received. ``allow_private`` opens private and
        loopback networks. With ``keep_partial`` a body that broke off is given
        with ``cut`` set, else it is an error.
        """
        headers = {"Accept": accept}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        self._deadline.start(self._total_seconds)
        return self._follow("GET", url, headers, max_bytes, allow_private, keep_partial)

    def probe(self, url: str, *, seconds: float, allow_private: bool = False) -> Response:
        """Whether something is at ``url``: a Response of 2xx without a body, or FetchError.

        Asks by HEAD, and by GET where HEAD is refused; a body is not read. It takes at
        most about ``seconds``; HostHeld where the host is to be spared for longer.
        """
        host = _checked_url(url).host
        pause = 0.0 if allow_private else self._pace.pause_left(host)
        if pause > seconds:
            raise HostHeld(
                sentences.held(host, pause), subject=sentences.shown(url), retry_after=pause
            )
        headers = {"Accept": "text/html, */*;q=0.9"}
        self._deadline.start(seconds)
        try:
            return self._follow("HEAD", url, headers, None, allow_private)
        except StatusError as error:
            if error.status in _WAIT:
                raise
        return self._follow("GET", url, headers, None, allow_private)

    def _follow(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        max_bytes: int | None,
        allow_private: bool,
        keep_partial: bool = False,
    ) -> Response:
        target = _checked_url(url)
        for _ in range(MAX_REDIRECTS + 1):
            with self._pace.turn(target.host, paced=not allow_private) as waited:
                self._deadline.extend(waited)
                answer = self._ask(method, target, headers, max_bytes, allow_private, keep_partial)
            if isinstance(answer, Response):
                return answer
            target = answer
        raise FetchError(sentences.redirects(url, MAX_REDIRECTS), subject=sentences.shown(url))

    def _ask(
        self,
        method: str,
        url: httpx2.URL,
        headers: Mapping[str, str],
        max_bytes: int | None,
        allow_private: bool,
        keep_partial: bool,
    ) -> Response | httpx2.URL:
        """One hop: the response, or where to go next. Every error becomes ours."""
        shown = sentences.shown(str(url))
        held = self._pace.held_for(url.host)
        if held:
            raise HostHeld(sentences.held(url.host, held), subject=shown, retry_after=held)
        client = self._client(allow_private)
        try:
            with client.stream(method, url, headers=dict(headers)) as answer:
                if answer.status_code in _REDIRECTS and "location" in answer.headers:
                    return _checked_url(_join(url, answer.headers["location"]))
                if answer.status_code != 304 and not answer.is_success:
                    raise self._status_error(url, answer)
                body, cut = b"", False
                if max_bytes is not None:
                    body, cut = self._read(url, answer, max_bytes, keep_partial)
                return Response(
                    status=answer.status_code,
                    url=_bare(url),
                    headers={name.lower(): value for name, value in answer.headers.items()},
                    body=body,
                    cut=cut,
                )
        except AddressRefused as error:
            raise PrivateAddress(sentences.refused(error), subject=shown) from error
        except PortRefused as error:
            raise FetchError(sentences.port(url.host, error.port), subject=shown) from error
        except HostUnknown as error:
            kind = HostUnnamed if error.unnamed else Unreachable
            raise kind(sentences.unknown_host(url.host), subject=shown) from error
        except httpx2.ConnectTimeout as error:
            raise Unreachable(sentences.silent(url.host), subject=shown) from error
        except httpx2.TimeoutException as error:
            raise TooSlow(
                sentences.too_slow(str(url), self._total_seconds), subject=shown
            ) from error
        except httpx2.ConnectError as error:
            if _caused_by_tls(error):
                raise TlsFailure(sentences.tls(url.host, error), subject=shown) from error
            raise Unreachable(sentences.unreachable(url.host, error), subject=shown) from error
        except httpx2.DecodingError as error:
            raise FetchError(sentences.undecodable(str(url)), subject=shown) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise FetchError(sentences.broken(str(url), error), subject=shown) from error

    def _read(
        self, url: httpx2.URL, answer: httpx2.Response, max_bytes: int, keep_partial: bool
    ) -> tuple[bytes, bool]:
        shown = sentences.shown(str(url))
        encoding = answer.headers.get("content-encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise FetchError(sentences.encoding(str(url), encoding), subject=shown)
        length = answer.headers.get("content-length", "")
        if length.isdecimal() and int(length[:18]) > max_bytes:
            raise TooLarge(sentences.too_large(str(url), max_bytes), subject=shown)
        body = bytearray()
        try:
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > max_bytes:
                    raise TooLarge(sentences.too_large(str(url), max_bytes), subject=shown)
                self._check_time()
        except (httpx2.RemoteProtocolError, httpx2.ReadError):
            if keep_partial and body:
                return bytes(body), True
            raise
        return bytes(body), False

    def _check_time(self) -> None:
        try:
            self._deadline.limit()
        except httpcore2.ReadTimeout as error:
            raise httpx2.ReadTimeout(str(error)) from error

    def _status_error(self, url: httpx2.URL, answer: httpx2.Response) -> StatusError:
        retry_after = parse_retry_after(answer.headers.get("retry-after"), self._clock)
        if answer.status_code in (429, 503) and retry_after:
            self._pace.hold(url.host, retry_after)
        return StatusError(
            sentences.status(str(url), answer.status_code, retry_after),
            subject=sentences.shown(str(url)),
            status=answer.status_code,
            body=b"".join(_beginning(answer, _ERROR_BODY_BYTES)),
            retry_after=retry_after,
        )

    def _client(self, allow_private: bool) -> httpx2.Client:
        with self._opening:
            if allow_private not in self._clients:
                self._clients[allow_private] = self._open_client(allow_private)
            return self._clients[allow_private]

    def _open_client(self, allow_private: bool) -> httpx2.Client:
        if self._ssl_context is None:
            self._ssl_context = httpcore2.default_ssl_context()
        backend = GuardedBackend(
            self._deadline,
            allow_private=allow_private,
            resolve=self._resolve,
            connect=self._connect,
        )
        client = httpx2.Client(
            transport=_GuardedTransport(backend, self._ssl_context),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(self._total_seconds, connect=CONNECT_SECONDS),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate"},
        )
        # A session cookie could show us another page than a reader gets.
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return client


class _GuardedTransport(httpx2.HTTPTransport):
    """httpx2's transport over our backend.

    httpx2 2.16 has no public argument for the backend, so the pool is replaced;
    its minor version is pinned and a test holds that the guard is asked.
    """

    def __init__(self, backend: httpcore2.NetworkBackend, ssl_context: ssl.SSLContext) -> None:
        super().__init__(verify=ssl_context, trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=20,
            max_keepalive_connections=10,
            keepalive_expiry=30.0,
            network_backend=backend,
        )


def _checked_url(text: str) -> httpx2.URL:
    shown = sentences.shown(text)
    try:
        url = httpx2.URL(text).copy_with(fragment=None)
        host, port = url.host, url.port
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        raise FetchError(sentences.no_address(text), subject=shown) from error
    if url.scheme not in ("http", "https") or not host:
        raise FetchError(sentences.no_address(text), subject=shown)
    # Below 1024 lie the doors of other protocols: mail, databases, shells. The
    # guard, which knows the address, lets public ones have fewer yet.
    if port is not None and port not in (80, 443) and not 1024 <= port <= 65535:
        raise FetchError(sentences.port(host, port), subject=shown)
    return url


def _join(url: httpx2.URL, location: str) -> str:
    try:
        return str(url.join(location))
    except (httpx2.InvalidURL, ValueError) as error:
        raise FetchError(sentences.bad_redirect(str(url)), subject=url.host) from error


def _bare(url: httpx2.URL) -> str:
    return str(url.copy_with(username=None, password=None)) if url.userinfo else str(url)


def _caused_by_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _beginning(answer: httpx2.Response, size: int) -> Iterator[bytes]:
    """The first ``size`` bytes of an answer, as far as they come."""
    try:
        for chunk in answer.iter_bytes():
            yield chunk[:size]
            size -= len(chunk)
            if size <= 0:
                return
    except httpx2.HTTPError:
        return
