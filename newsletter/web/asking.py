"""A wish to be sent a newsletter, whichever way it comes in: the page, a frame, the API.

What is told about it depends on what was typed and on how many ask, never on who
is on the list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

from starlette.requests import Request

from newsletter.errors import AddressError, UsageError
from newsletter.publication.cadence import Cadence
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import NO_PLACEMENT, Newsletter
from newsletter.subscribers.address import (
    MAX_CHARACTERS,
    is_role_account,
    normalise_address,
    show_address,
)
from newsletter.subscribers.floods import Verdict
from newsletter.subscribers.slips import likely_address
from newsletter.web.context import WebContext
from newsletter.web.language import PageLanguage
from newsletter.web.limits import client_address
from newsletter.web.puzzle import check_proof
from newsletter.words import Words, gettext_noop
from newsletter.workflows.sign_up import SignUp, Visitor, request_subscription

_MAX_PAGE = 500


class ProblemCode(StrEnum):
    """What is wrong with what was typed."""

    NO_ADDRESS = "no_address"
    SLIP = "slip"
    ROLE = "role_account"
    UNREACHABLE = "unreachable"
    NO_NAME = "no_name"


@dataclass(frozen=True)
class Problem:
    """What to tell at the field; ``suggestion`` is what may have been meant."""

    code: ProblemCode
    sentence: str
    suggestion: str = ""


@dataclass(frozen=True)
class Wish:
    """What was sent. ``sure``: the address was shown again and is meant as it is."""

    address: str
    placement: str = ""
    name: str = ""
    page: str = ""
    how: str = "form"
    sure: bool = False
    proof: str = ""
    must_prove: bool = False
    cadence: Cadence | None = None


def consent_wording(newsletter: Newsletter, words: Words) -> str:
    """What a reader agrees to, as the form shows it and the record keeps it."""
    return newsletter.consent or words.gettext(
        "Send me %(newsletter)s by e-mail. I can leave at any time, with one click.",
        newsletter=newsletter.name,
    )


def take_wish(
    context: WebContext,
    request: Request,
    settings: Settings,
    newsletter: Newsletter,
    language: PageLanguage,
    wish: Wish,
) -> Problem | Verdict:
    """Look the wish over and carry it out."""
    problem = problem_with(context, settings, language.words, wish.address, sure=wish.sure)
    if problem is not None:
        return problem
    now = context.clock.now()
    sign_up = SignUp(
        newsletter=newsletter.slug,
        address=wish.address,
        name=wish.name,
        wording=consent_wording(newsletter, language.words),
        placement=known_placement(newsletter, wish.placement),
        language=language.tag if language.picked else None,
        how=wish.how,
        page=clean_page(wish.page),
        shown_in=language.tag,
        visitor=Visitor(
            client_address(request, context.trusted_proxies),
            check_proof(context.keyring, wish.proof, newsletter.slug, now),
            wish.must_prove,
        ),
        cadence=wish.cadence,
    )
    try:
        return request_subscription(
            context.database,
            context.keyring,
            settings,
            context.templates,
            sign_up,
            base_url=context.base_url,
            now=now,
            dkim_selectors=context.dkim_selectors,
        )
    except UsageError:
        sentence = language.words.gettext("The name is too long, or holds what no name has.")
        return Problem(ProblemCode.NO_NAME, sentence)


def known_placement(newsletter: Newsletter, slug: str) -> str:
    """``slug`` where the newsletter has such a placement."""
    return slug if newsletter.placement_called(slug) else NO_PLACEMENT


def clean_page(address: str) -> str:
    """The address of a page of the site, without what may be about its visitor; else nothing."""
    try:
        parts = urlsplit(address.strip()[: 4 * _MAX_PAGE])
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or not address.isprintable():
        return ""
    host = f"[{host}]" if ":" in host else host
    place = f"{host}:{port}" if port else host
    return urlunsplit((parts.scheme, place, parts.path, "", ""))[:_MAX_PAGE]


def page_of(request: Request) -> str:
    """The page of the site that a form was sent from, as far as the browser tells."""
    return clean_page(request.headers.get("referer", "") or request.headers.get("origin", ""))


def is_attacked(context: WebContext) -> bool:
    """Whether there is an attack on the door at the moment."""
    with context.database.read() as tx:
        return tx.sign_ups.alarm().is_on(context.clock.now())


# What to tell whom a flood kept out, and for how many seconds.
BUSY: Mapping[Verdict, tuple[str, int]] = {
    Verdict.NETWORK_BUSY: (
        gettext_noop(
            "Many sign-ups came from your network just now. Wait a while, then send the form again."
        ),
        1800,
    ),
    Verdict.DOMAIN_BUSY: (
        gettext_noop(
            "Many sign-ups for addresses like yours came just now. Wait a while, then send the "
            "form again."
        ),
        1800,
    ),
    Verdict.ALL_BUSY: (
        gettext_noop("Very many sign-ups came just now. Wait a while, then send the form again."),
        1800,
    ),
    Verdict.PROOF_NEEDED: (
        gettext_noop(
            "At the moment a sign-up has to bring a solved puzzle. Please use the form on our page."
        ),
        60,
    ),
}


def problem_with(
    context: WebContext, settings: Settings, words: Words, written: str, *, sure: bool = False
) -> Problem | None:
    """What is wrong with an address that a reader wrote; ``sure`` as in `Wish`."""
    try:
        address = normalise_address(written)
    except AddressError:
        return Problem(ProblemCode.NO_ADDRESS, _no_address(written, words))
    meant = None if sure else likely_address(address)
    if meant is not None:
        sentence = words.gettext("Did you mean %(address)s?", address=meant)
        return Problem(ProblemCode.SLIP, sentence, meant)
    if settings.sign_up.role_accounts == "refuse" and is_role_account(address):
        sentence = words.gettext(
            "“%(written)s” is the address of an office, not of a reader. Please give your own.",
            written=show_address(address),
        )
        return Problem(ProblemCode.ROLE, sentence)
    domain = address.rpartition("@")[2]
    domains = context.mail_domains
    if settings.sign_up.check_domains and domains is not None and domains.refuses_mail(domain):
        sentence = words.gettext(
            "No mail reaches %(domain)s. Please look at what stands after the @.",
            domain=show_address(domain),
        )
        return Problem(ProblemCode.UNREACHABLE, sentence, likely_address(address) or "")
    return None


def _no_address(written: str, words: Words) -> str:
    """What to tell of an address that is none, in the page's language."""
    if not written.strip():
        return words.gettext("Please write your e-mail address.")
    local, at, domain = written.strip().rpartition("@")
    if not at:
        why = words.gettext("it has no @")
    elif not local or not domain:
        why = words.gettext("something is missing beside the @")
    elif "." not in domain:
        why = words.gettext("after the @ there is no dot, as in paper.example")
    elif len(written) > MAX_CHARACTERS:
        why = words.gettext("it is too long")
    else:
        why = words.gettext("it holds signs that no address has")
    return words.gettext(
        "“%(written)s” is no e-mail address: %(why)s.", written=show_address(written), why=why
    )
