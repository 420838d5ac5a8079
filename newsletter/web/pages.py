"""Pages: a template in the house's frame, with the headers that keep it safe."""

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence

from cachetools import TTLCache
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from newsletter.publication.model import Settings
from newsletter.web.context import WebContext
from newsletter.web.language import PageLanguage, language_name, paper_languages
from newsletter.web.static_files import FORM_SCRIPT, STYLE, file_version

# No script save where a page asks for ours, styles from our own files only, and
# nobody may frame us save who is named.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
)
# A mail is shown as it was sent: its styles are inline, its pictures elsewhere.
# The sandbox takes its origin away, whatever markup it may hold.
_PICTURES = "img-src http: https: data:"
_MAIL_POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; {_PICTURES}; "
    "base-uri 'none'; form-action 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox "
    "allow-top-navigation-by-user-activation"
)
FRAME_HEADER = "X-Frame-Options"
SAFE_HEADERS: Mapping[str, str] = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    FRAME_HEADER: "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
PUBLIC_CACHE = "public, max-age=300"
_KEPT_SECONDS = 10.0


def render_page(
    context: WebContext,
    settings: Settings | None,
    template: str,
    *,
    language: PageLanguage,
    status: int = 200,
    public: bool = False,
    noindex: bool = False,
    frames: bool = False,
    framed_by: Sequence[str] = (),
    script: bool = False,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """``web/TEMPLATE.html`` in the frame of ``settings``' publication.

    A ``public`` page is the same for everyone: it may be cached, and indexed
    save with ``noindex``. Links to other pages of ours end in ``picked``, to
    keep the visitor's language.
    ``frames`` lets it frame other pages of ours, ``framed_by`` names sites that may
    frame it (it then comes without masthead and footer), ``script`` lets it run
    scripts of ours. ``settings`` is None only
    where they can't be read, on a page that says so.
    """
    languages = paper_languages(settings) if settings else ()
    html = context.templates.render(
        f"web/{template}.html",
        publication=settings.publication if settings else None,
        newsletters=settings.newsletter if settings else (),
        base_path=context.base_path,
        style_version=file_version(STYLE),
        script_version=file_version(*FORM_SCRIPT),
        language=language.tag,
        picked=language.query,
        languages=[(tag, language_name(tag)) for tag in languages],
        zone=settings.publication.zone if settings else None,
        public=public,
        noindex=noindex or not public,
        framed=bool(framed_by),
        **values,
    )
    policy = "; ".join(
        (
            _PAGE_POLICY,
            *(["frame-src 'self'"] if frames else []),
            *(["script-src 'self'"] if script else []),
            "frame-ancestors " + " ".join(framed_by or ("'none'",)),
        )
    )
    return HTMLResponse(
        html,
        status,
        {
            # That header knows no list of sites; the policy's word stands before it.
            **{n: v for n, v in SAFE_HEADERS.items() if not (framed_by and n == FRAME_HEADER)},
            "Content-Security-Policy": policy,
            **({"Cache-Control": PUBLIC_CACHE} if public else {"X-Robots-Tag": "noindex"}),
            **(headers or {}),
        },
    )


class KeptPages:
    """Pages that are the same for all visitors while the settings are, rendered once.

    For the one that answers a sign-up: to render it takes as long as a fifth of all else.
    After ten seconds it is rendered anew, for its template may be another.
    """

    def __init__(self) -> None:
        self._kept: TTLCache[Hashable, tuple[Settings, Response]] = TTLCache(64, _KEPT_SECONDS)
        self._lock = threading.Lock()

    def page(self, settings: Settings, key: Hashable, make: Callable[[], Response]) -> Response:
        """What ``make`` gave for ``key`` under the same settings, or gives now."""
        with self._lock:
            known = self._kept.get(key)
        if known is None or known[0] is not settings:
            known = settings, make()
            with self._lock:
                self._kept[key] = known
        page = known[1]
        # A response is written to on its way out.
        return Response(page.body, page.status_code, dict(page.headers))


def mail_response(
    html: str,
    *,
    framed: bool,
    pictures: bool = True,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A mail's own HTML as a page; ``framed`` for the preview, which our own page frames.

    Without ``pictures`` it shows none, as mail programs do until they are asked to.
    """
    policy = _MAIL_POLICY if pictures else _MAIL_POLICY.replace(_PICTURES, "img-src 'none'")
    ancestors = "'self'" if framed else "'none'"
    cache = {"X-Robots-Tag": "noindex"} if framed else {"Cache-Control": PUBLIC_CACHE}
    return HTMLResponse(
        html,
        headers={
            **SAFE_HEADERS,
            "Content-Security-Policy": f"{policy}; frame-ancestors {ancestors}",
            "X-Frame-Options": "SAMEORIGIN" if framed else "DENY",
            **cache,
            **(headers or {}),
        },
    )


def text_response(text: str, *, status: int = 200, framed: bool = False) -> Response:
    """Plain text, never cached."""
    ancestors = "'self'" if framed else "'none'"
    return PlainTextResponse(
        text,
        status,
        {
            **SAFE_HEADERS,
            "Content-Security-Policy": f"default-src 'none'; frame-ancestors {ancestors}",
            "X-Frame-Options": "SAMEORIGIN" if framed else "DENY",
            "X-Robots-Tag": "noindex",
        },
    )


def data_response(content: str, media_type: str, headers: Mapping[str, str]) -> Response:
    """What programs read, the same for everyone: a feed, a list of pages."""
    return Response(
        content,
        media_type=media_type,
        headers={**SAFE_HEADERS, "Cache-Control": PUBLIC_CACHE, **headers},
    )
