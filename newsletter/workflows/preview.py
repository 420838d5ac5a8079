"""An issue as a reader would get it, for somebody to look at: parts, message and pictures."""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.checks.model import Finding, in_order, of_variants
from newsletter.checks.rendered import check_rendered, words_of_stories
from newsletter.checks.wire import WireMessage, check_wire, read_message
from newsletter.delivery.message import MessageTemplate
from newsletter.delivery.model import Delivery, Mailing, MailingKind
from newsletter.errors import FetchError
from newsletter.issues.model import Issue, StoryLink, Variant
from newsletter.issues.states import OPEN
from newsletter.issues.variants import vary_issue
from newsletter.pictures.store import MEDIA_TYPES
from newsletter.publication.model import Settings
from newsletter.publication.newsletters import Newsletter
from newsletter.rendering.links import lead_straight
from newsletter.rendering.model import RenderedIssue
from newsletter.rendering.screenshots import picture_addresses
from newsletter.tokens import Key, Keyring, derived_public_id
from newsletter.workflows.illustrate import find_missing
from newsletter.workflows.installation import Installation, newsletter_of
from newsletter.workflows.publish import check_issue, issue_mailing

# The domain is nobody's (RFC 2606), so that no answer and no mistake reaches a person.
RECIPIENT = "reader@preview.invalid"
_RECIPIENT_ID = derived_public_id("preview")
# A key that verifies nothing: links as long as a reader's, that open nothing.
_KEY = hashlib.sha256(b"preview").digest()

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style>", re.IGNORECASE | re.DOTALL)
_PICTURE_BYTES = 5_000_000
_PICTURE_TYPES = "image/avif,image/webp,image/png,image/jpeg,image/gif"
_IMAGE_TYPE = re.compile(r"image/[a-z0-9.+-]+")
# No picture from elsewhere is begun after this.
_FETCHING_SECONDS = 30.0


@dataclass(frozen=True)
class Sizes:
    """In octets: ``html_encoded`` on the wire, ``style`` within the style elements."""

    html: int
    html_encoded: int
    text: int
    message: int
    style: int


@dataclass(frozen=True)
class PreviewedVariant:
    """``message`` is the whole e-mail to `RECIPIENT`; ``html`` and ``text`` are its parts.

    ``sizes`` are those of a reader's message, whose links may be longer or shorter.
    """

    variant: Variant
    message: bytes
    html: str
    text: str
    sizes: Sizes


@dataclass(frozen=True)
class Preview:
    """An issue in its variants, the canonical one first, and what the checks say of them."""

    issue: Issue
    variants: tuple[PreviewedVariant, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Pictures:
    """A mail's pictures as data: addresses, by their own, and sentences on those not to be had."""

    found: dict[str, str]
    notes: tuple[str, ...]


def preview_issue(
    installation: Installation, settings: Settings, issue: Issue, *, at: datetime | None = None
) -> Preview:
    """The issue as it would go out, or as it went out last, in each variant.

    Nothing is changed. ``at`` is the date of a message that was not sent, else now: the
    same gives the same bytes. Its links lead straight to the stories: ours are known only
    once it is sent, and then count. Its sizes are those of the mail itself.
    """
    made, findings = _mailings_of(installation, settings, issue, at or installation.clock.now())
    return Preview(
        issue,
        tuple(_preview_variant(installation, rendered, mailing) for rendered, mailing in made),
        findings,
    )


def _preview_variant(
    installation: Installation, rendered: RenderedIssue, mailing: Mailing
) -> PreviewedVariant:
    straight = lead_straight(rendered)
    message = _build(installation, replace(mailing, html=straight.html, text=straight.text))
    shown = read_message(message)
    sizes = _measure(read_message(_build(installation, mailing)))
    html, text = shown.part("html").content, shown.part("plain").content
    return PreviewedVariant(mailing.variant, message, html, text, sizes)


def _build(installation: Installation, mailing: Mailing) -> bytes:
    """The message to `RECIPIENT`, with links of no reader's."""
    keyring = Keyring([Key(mailing.token_key or installation.keyring.signing_key, _KEY)], _KEY)
    # Of keys that have signed it some may be gone by now.
    mailing = replace(mailing, dkim_selectors=installation.dkim_selectors)
    template = MessageTemplate.of(mailing, keyring, installation.signer)
    return template.build(Delivery(0, mailing.public_id, _RECIPIENT_ID, RECIPIENT))


def _measure(message: WireMessage) -> Sizes:
    html = message.part("html")
    return Sizes(
        html=len(html.content.encode()),
        html_encoded=len(html.encoded),
        text=len(message.part("plain").content.encode()),
        message=message.octets,
        style=sum(len(css.encode()) for css in _STYLE.findall(_COMMENT.sub("", html.content))),
    )


def _mailings_of(
    installation: Installation, settings: Settings, issue: Issue, now: datetime
) -> tuple[list[tuple[RenderedIssue, Mailing]], tuple[Finding, ...]]:
    """The newest revision that was frozen, else one made now; and what the checks say of it."""
    if issue.state not in OPEN:
        with installation.database.read() as tx:
            newest = newest_mailings(tx.mailings.of_issue(issue.public_id), issue)
            links = tx.links.of_issue(issue.public_id)
        if newest:
            sent = [(_as_rendered(issue, mailing, links), mailing) for mailing in newest]
            newsletter = newsletter_of(settings, issue)
            findings = of_variants(
                {
                    mailing.variant.name: _check_sent(
                        installation, settings, newsletter, issue, rendered, mailing
                    )
                    for rendered, mailing in sent
                }
            )
            return sent, in_order(findings, find_missing(installation, issue))
    variants, findings = check_issue(installation, settings, issue)
    with installation.database.read() as tx:
        made = [
            (one.rendered, issue_mailing(tx, installation, settings, issue, one, now))
            for one in variants
        ]
    return made, findings


def _as_rendered(issue: Issue, sent: Mailing, links: tuple[StoryLink, ...]) -> RenderedIssue:
    return RenderedIssue(
        *(sent.subject, issue.preheader, sent.html, sent.text, sent.language),
        links=links,
        link_root=f"{sent.base_url}/l/",
    )


def _check_sent(
    installation: Installation,
    settings: Settings,
    newsletter: Newsletter,
    issue: Issue,
    rendered: RenderedIssue,
    sent: Mailing,
) -> tuple[Finding, ...]:
    publication = settings.publication
    varied = vary_issue(issue, sent.variant, newsletter, publication, subject=sent.subject)
    rendered = replace(rendered, preheader=varied.preheader)
    return (
        *check_rendered(varied, rendered, publication, sender=sent.from_address, frozen=True),
        *check_wire(_build(installation, sent), told=words_of_stories(varied)),
    )


def newest_mailings(mailings: Iterable[Mailing], issue: Issue) -> tuple[Mailing, ...]:
    """Of an issue's mailings the newest revision of each variant, the canonical one first."""
    newest = {one.variant.key: one for one in mailings if one.kind is MailingKind.ISSUE}
    canonical = Variant(issue.language).key
    return tuple(newest[key] for key in sorted(newest, key=lambda key: key != canonical))


def gather_pictures(installation: Installation, html: str) -> Pictures:
    """The pictures of a mail: our own from their folder, others from where they lie."""
    found: dict[str, str] = {}
    notes: dict[str, None] = {}
    end = installation.clock.monotonic() + _FETCHING_SECONDS
    for url in picture_addresses(html):
        name = url.removeprefix(f"{installation.base_url}/media/")
        if name != url:
            path = installation.pictures.find(name)
            if path is not None:
                found[url] = _as_data(path.read_bytes(), MEDIA_TYPES[path.suffix[1:]])
        elif installation.clock.monotonic() > end:
            notes["There was no time left to fetch all pictures for the screenshots."] = None
        else:
            try:
                found[url] = _fetch(installation, url)
            except FetchError as error:
                notes[f"A picture is missing in the screenshots: {error}"] = None
    return Pictures(found, tuple(notes))


def _fetch(installation: Installation, url: str) -> str:
    answer = installation.fetcher.get(url, max_bytes=_PICTURE_BYTES, accept=_PICTURE_TYPES)
    if not _IMAGE_TYPE.fullmatch(answer.content_type):
        raise FetchError(f"{url} is no picture", subject=url)
    return _as_data(answer.body, answer.content_type)


def _as_data(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
