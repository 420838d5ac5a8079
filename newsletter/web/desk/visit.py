"""One request to the desk, and how it is answered."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlencode, urlsplit

from markupsafe import Markup
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from newsletter.publication.editors import MAY, ROLE_NAMES, Act, Editor, Session
from newsletter.publication.model import Settings
from newsletter.tokens import secret_digest
from newsletter.web import endpoint
from newsletter.web.context import WebContext
from newsletter.web.desk.uploading import SentFile
from newsletter.web.language import PageLanguage, failure_language, language_name, page_language
from newsletter.web.pages import SAFE_HEADERS
from newsletter.web.static_files import static_version
from newsletter.words import Words, shipped_languages
from newsletter.workflows.installation import Installation

# Scripts, styles and frames of our own only, pictures of the paper's site besides.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "frame-src 'self'; img-src 'self' https: http:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
DESK_HEADERS: Mapping[str, str] = {
    **SAFE_HEADERS,
    "Content-Security-Policy": _POLICY,
    # Ours must tell themselves apart from others: no-referrer would hide the origin of both.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}
# The field that holds a session's token in every form.
CSRF = "csrf"
_TOKEN = Markup('<input type="hidden" name="csrf" value="{}">')


@dataclass(frozen=True)
class NavEntry:
    """A place of the navigation: a path from the desk's root, a message, the act it needs."""

    path: str
    message: str
    needs: Act


@dataclass(frozen=True)
class Visit:
    """A request, who makes it, and what answers it.

    ``session`` is None where nobody is signed in, which only pages that need
    `Act.SIGN_IN` ever see; ``secret`` is what the cookie holds. ``sent`` is the file that the
    form brought: gone after the answer, unless it was moved.
    """

    context: WebContext
    request: Request
    form: FormData
    settings: Settings
    session: Session | None = None
    secret: str = ""
    nav: tuple[NavEntry, ...] = field(default=())
    sent: SentFile | None = None

    @property
    def editor(self) -> Editor:
        """Who is signed in; for pages that need more than `Act.SIGN_IN`."""
        if self.session is None:
            raise LookupError("nobody is signed in here")
        return self.session.editor

    @property
    def installation(self) -> Installation:
        """What workflows are given to work with."""
        if self.context.installation is None:
            raise LookupError("these pages are served without an installation")
        return self.context.installation

    @property
    def actor(self) -> str:
        """How the change log names the editor: by public id."""
        return self.editor.public_id

    @cached_property
    def language(self) -> PageLanguage:
        """The editor's language, else the publication's; of a stranger the browser's."""
        if self.session is None:
            return failure_language(self.request, self.settings)
        return page_language(self.request, self.settings, None, self.editor.language)

    @property
    def words(self) -> Words:
        """The words of that language: ``visit.words.gettext("…")``."""
        return self.language.words

    @property
    def root(self) -> str:
        """The path of the desk's root, without a slash at the end."""
        return urlsplit(self.context.desk_url).path

    @property
    def csrf(self) -> str:
        """What a form of this session has to bring; it tells nobody the cookie."""
        return secret_digest(self.secret, CSRF) if self.session is not None else ""

    def field(self, name: str) -> str:
        """A form field's text; empty where it is missing."""
        return endpoint.field(self.form, name)

    def query(self, name: str) -> str:
        """What the address says after its "?"; empty where it is missing."""
        return self.request.query_params.get(name, "")

    def param(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def go(self, path: str, *, anchor: str = "", **query: str) -> Response:
        """Go on to a page of the desk, at ``anchor`` if one is named.

        ``done="saved"`` lets it say what ``said`` has for that.
        """
        asked = f"?{urlencode(query)}" if query else ""
        place = f"#{anchor}" if anchor else ""
        return RedirectResponse(f"{self.root}{path}{asked}{place}", 303, DESK_HEADERS)

    def seal(self, sentences: Iterable[str]) -> dict[str, str]:
        """Sentences of ours for the page that is gone on to, as what ``go`` may ask.

        Nobody else can make that page say something to this session.
        """
        told = "\n".join(sentences)
        return {"told": told, "seal": self._sealed(told)} if told else {}

    @property
    def told(self) -> tuple[str, ...]:
        """Sentences that an act of this session sealed; none where somebody else did."""
        told, seal = self.query("told"), self.query("seal")
        if not told or not hmac.compare_digest(seal.encode(), self._sealed(told).encode()):
            return ()
        return tuple(told.split("\n"))

    def _sealed(self, told: str) -> str:
        return secret_digest(self.secret, f"told:{told}")[:24]

    def frame(self, template: str, **values: object) -> Response:
        """``web/desk/TEMPLATE.html`` for a frame of our own pages: no script, no form."""
        html = self.context.templates.render(
            f"web/desk/{template}.html",
            language=self.language.tag,
            base_path=self.static_root,
            static_version=static_version(),
            theme=self.editor.theme,
            **values,
        )
        policy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'self'"
        framed = {"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN"}
        return HTMLResponse(html, 200, {**DESK_HEADERS, **framed})

    def page(
        self,
        template: str,
        *,
        status: int = 200,
        said: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> Response:
        """``web/desk/TEMPLATE.html`` in the desk's frame.

        ``said`` are messages of the catalogues by what `go` names as ``done``.
        """
        done = (said or {}).get(self.query("done"))
        editor = self.session.editor if self.session else None
        acts = MAY[editor.role if editor else None]
        html = self.context.templates.render(
            f"web/desk/{template}.html",
            publication=self.settings.publication,
            zone=self.settings.publication.zone,
            language=self.language.tag,
            languages=[(tag, language_name(tag)) for tag in shipped_languages()],
            base_path=self.static_root,
            desk=self.root,
            static_version=static_version(),
            editor=editor,
            role=self.words.gettext(ROLE_NAMES[editor.role]) if editor else "",
            theme=editor.theme if editor else "auto",
            acts=sorted(acts),
            nav=[
                (entry.path, self.words.gettext(entry.message))
                for entry in self.nav
                if editor and entry.needs in acts
            ],
            here=self.request.url.path.removeprefix(self.root),
            token=_TOKEN.format(self.csrf),
            done=self.words.gettext(done) if done else "",
            **values,
        )
        return HTMLResponse(html, status, {**DESK_HEADERS, **(headers or {})})

    @property
    def static_root(self) -> str:
        """Below which path /static and /media lie, as the desk's pages see them."""
        return self.root.removesuffix("/desk")

    def not_allowed(self) -> Response:
        """The page for who is signed in and may not do that."""
        return self.sorry(
            403,
            self.words.gettext("Not with your role"),
            self.words.gettext(
                "You are here as %(role)s, who may not do that. Ask an admin of the desk.",
                role=self.words.gettext(ROLE_NAMES[self.editor.role]),
            ),
        )

    def sorry(
        self,
        status: int,
        heading: str,
        sentence: str,
        *,
        told_in: str = "",
        asks: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A page for what goes wrong, with a way on; both texts in the page's language.

        ``told_in`` is the sentence's where it is another. With ``asks`` the way on is to
        ask for a sign-in link.
        """
        return self.page(
            "failure",
            status=status,
            headers=headers,
            heading=heading,
            sentence=sentence,
            told_in=told_in,
            asks=asks,
        )
