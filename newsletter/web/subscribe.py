"""The sign-up form, on a page of ours or framed on the site, and its one answer."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.publication.prompts import placement_prompt
from newsletter.subscribers.floods import Verdict
from newsletter.web.archive import latest_issue
from newsletter.web.asking import (
    BUSY,
    Problem,
    ProblemCode,
    Wish,
    clean_page,
    consent_wording,
    is_attacked,
    known_placement,
    page_of,
    take_wish,
)
from newsletter.web.context import WebContext, newsletter_called
from newsletter.web.endpoint import Handler, field
from newsletter.web.form_stamp import is_fresh, make_stamp
from newsletter.web.frames import framing_origins
from newsletter.web.language import PageLanguage, page_language
from newsletter.web.limits import PostLimit, client_network
from newsletter.web.pages import KeptPages, render_page
from newsletter.web.puzzle import as_attribute, set_puzzle
from newsletter.web.rhythm import describe_rhythm

# A field that no person sees; a program that fills every field fills it too.
TRAP = "website"
_LONGEST_SHOWN = 300


def show_form(*, framed: bool = False) -> Handler:
    """The handler of the form's page, or of the one that stands in a frame."""

    def handle(context: WebContext, request: Request, form: FormData) -> Response:  # noqa: ARG001
        door = _Door(context, request, framed=framed)
        placement = request.query_params.get("placement", "")
        page = clean_page(request.query_params.get("page", "")) or page_of(request)
        return door.show_form(placement=placement, page=page if framed else "")

    return handle


def take_form(limit: PostLimit, *, framed: bool = False) -> Handler:
    """The handler of the posted form, counting posts in ``limit``."""
    answers = KeptPages()

    def handle(context: WebContext, request: Request, form: FormData) -> Response:
        door = _Door(context, request, framed=framed, answers=answers)
        network = client_network(request, context.trusted_proxies)
        if not limit.allow(network, context.clock.monotonic()):
            return door.turn_away(Verdict.NETWORK_BUSY, 60)
        return door.answer() if field(form, TRAP) else door.take(form)

    return handle


class _Door:
    """The sign-up to one newsletter, as one request comes to it."""

    def __init__(
        self,
        context: WebContext,
        request: Request,
        *,
        framed: bool,
        answers: KeptPages | None = None,
    ) -> None:
        self._answers = answers or KeptPages()
        self._context = context
        self._request = request
        self._framed = framed
        self._settings: Settings = context.load_settings()
        slug = request.path_params["newsletter"]
        self._newsletter: Newsletter = newsletter_called(self._settings, slug)
        self._language: PageLanguage = page_language(request, self._settings, self._newsletter)

    def take(self, form: FormData) -> Response:
        """Carry out what a person sent, or show the form again with what is to be done."""
        context, newsletter = self._context, self._newsletter
        address, sure = field(form, "address"), field(form, "sure")
        if sure and address == sure:
            # The suggestion's button speaks for the address that it was made for only.
            address = field(form, "use") or address
        placement, page = field(form, "placement"), field(form, "page")
        stamp = field(form, "stamp")
        if not is_fresh(context.keyring, stamp, newsletter.slug, context.clock.now()):
            # From a form on the site, or an old page: one more press, on a form of ours
            # that shows what the reader agrees to.
            return self.show_form(
                address=address,
                placement=placement,
                page=page or page_of(self._request),
                once_more=True,
            )
        outcome = take_wish(
            context,
            self._request,
            self._settings,
            newsletter,
            self._language,
            Wish(
                address=address,
                placement=placement,
                name=field(form, "name"),
                page=page,
                how="frame" if self._framed else "form",
                sure=address == sure,
                proof=field(form, "proof"),
            ),
        )
        if isinstance(outcome, Problem):
            return self.show_form(address=address, placement=placement, page=page, problem=outcome)
        if outcome is not Verdict.WELCOME:
            return self.turn_away(outcome, BUSY[outcome][1])
        return self.answer()

    def answer(self) -> Response:
        """The same for every address, known or not."""
        key = (self._newsletter.slug, self._language, self._framed)
        return self._answers.page(self._settings, key, lambda: self._page("check_inbox"))

    def turn_away(self, verdict: Verdict, seconds: int) -> Response:
        return self._page(
            "too_many",
            HTTPStatus.TOO_MANY_REQUESTS,
            headers={"Retry-After": str(seconds)},
            values={"sentence": self._language.words.gettext(BUSY[verdict][0])},
        )

    def show_form(
        self,
        *,
        address: str = "",
        placement: str = "",
        page: str = "",
        problem: Problem | None = None,
        once_more: bool = False,
    ) -> Response:
        context, newsletter, words = self._context, self._newsletter, self._language.words
        now = context.clock.now()
        publication = self._settings.publication
        place = newsletter.placement_called(placement)
        puzzle = set_puzzle(context.keyring, newsletter.slug, now, attacked=is_attacked(context))
        return self._page(
            "frame" if self._framed else "subscribe",
            HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            values={
                "rhythm": describe_rhythm(newsletter.send_moment, words),
                "prompt": placement_prompt(publication, newsletter, place, words),
                "wording": consent_wording(newsletter, words),
                "stamp": make_stamp(context.keyring, newsletter.slug, now),
                "puzzle": as_attribute(puzzle),
                "trap": TRAP,
                "placement": known_placement(newsletter, placement),
                "page": clean_page(page),
                "address": address[:_LONGEST_SHOWN],
                "problem": problem.sentence if problem else "",
                "suggestion": problem.suggestion if problem else "",
                # Sent again as it is, it is meant so.
                "sure": _as_shown(address) if problem and problem.code is ProblemCode.SLIP else "",
                "once_more": once_more,
                "latest": None if self._framed else latest_issue(context, newsletter),
            },
        )

    def _page(
        self,
        template: str,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        headers: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Response:
        return render_page(
            self._context,
            self._settings,
            template,
            language=self._language,
            status=status,
            headers=headers,
            framed_by=framing_origins(self._settings, self._context.desk_url)
            if self._framed
            else (),
            script=True,
            newsletter=self._newsletter,
            **(values or {}),
        )


def _as_shown(address: str) -> str:
    return address[:_LONGEST_SHOWN]
