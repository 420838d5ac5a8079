"""The head of a mailing's messages: which fields it has, each with its slots."""

from email.utils import format_datetime
from enum import StrEnum
from urllib.parse import quote, urlsplit

from newsletter.delivery.addresses import wire_address
from newsletter.delivery.headers import require_clean, write_phrase, write_plain, write_text
from newsletter.delivery.model import Mailing, MailingKind
from newsletter.delivery.stencil import Pieces
from newsletter.errors import AddressError, RenderError
from newsletter.tokens import derived_public_id

_SENDER_ID_LENGTH = 15  # the longest that Gmail reads
_LABEL_LENGTH = 28  # with the other fields of a Feedback-ID it stays in 78 columns


class HeaderSlot(StrEnum):
    """A place in the headers that is filled for each reader."""

    SIGNATURES = "signatures"
    ADDRESS = "address"
    RECIPIENT = "recipient"
    UNSUBSCRIBE = "unsubscribe"
    LEAVE = "leave"


def write_head(mailing: Mailing, from_address: str) -> list[Pieces]:
    """The header fields in their order, each with its CRLF."""
    domain = from_address.rpartition("@")[2]
    if mailing.created_at.tzinfo is None:
        raise RenderError(
            f"mailing {mailing.public_id} has a date without a zone", subject=mailing.public_id
        )
    head: list[Pieces] = [
        (write_phrase("From", mailing.from_name, from_address),),
        (b"To: ", HeaderSlot.ADDRESS, b"\r\n"),
        (write_text("Subject", mailing.subject),),
        (write_plain("Date", format_datetime(mailing.created_at)),),
        (
            f"Message-ID: <{mailing.public_id}.".encode("ascii"),
            *(HeaderSlot.RECIPIENT, f"@{domain}>\r\n".encode("ascii")),
        ),
    ]
    if mailing.reply_to:
        head.append((write_plain("Reply-To", own_address("Reply-To", mailing.reply_to)),))
    if mailing.kind is not MailingKind.SYSTEM:
        head += _list_headers(mailing, from_address)
    else:
        # RFC 3834 section 5: sent by a program, so that no program answers it.
        head.append((write_plain("Auto-Submitted", "auto-generated"),))
    content_type = f'Content-Type: multipart/alternative;\r\n boundary="{boundary_of(mailing)}"\r\n'
    return [
        *head,
        (write_plain("Feedback-ID", _feedback_id(mailing, domain)),),
        (write_plain("X-Auto-Response-Suppress", "OOF, AutoReply"),),
        (write_plain("MIME-Version", "1.0"),),
        (write_plain("Content-Language", mailing.language),),
        (content_type.encode("ascii"),),
    ]


def _list_headers(mailing: Mailing, from_address: str) -> list[Pieces]:
    """RFC 2369, 2919 and 8058; the URI stays on one line, whole."""
    fields: list[Pieces] = []
    if mailing.newsletter_id is not None:
        if mailing.list_id:
            list_id = _ascii_domain("List-Id", mailing.list_id)
            fields.append((write_phrase("List-Id", mailing.list_name, list_id),))
        root = _uri("the base address of the readers' links", mailing.base_url)
        fields += [
            (
                f"List-Unsubscribe: <{root}/unsubscribe/".encode("ascii"),
                *(HeaderSlot.UNSUBSCRIBE, b">"),
                *_leaving_by_mail(mailing),
                b"\r\n",
            ),
            (write_plain("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),),
        ]
    # Help is a person, where answers go as well.
    person = own_address("Reply-To", mailing.reply_to) if mailing.reply_to else from_address
    fields.append(
        (write_plain("List-Help", f"<mailto:{quote(person, safe='@!$*')}?subject=help>"),)
    )
    if mailing.archive_url:
        uri = _uri("the archive's address", mailing.archive_url)
        fields.append((write_plain("List-Archive", f"<{uri}>"),))
    return [*fields, (write_plain("List-Post", "NO"),), (write_plain("Precedence", "bulk"),)]


def _leaving_by_mail(mailing: Mailing) -> Pieces:
    """The second URI, for mail programs that know no other way; the https one stays first."""
    if mailing.leave_address is None:
        return ()
    local, _, domain = own_address("the inbox's address", mailing.leave_address).rpartition("@")
    start = f", <mailto:{quote(local, safe='!$*')}+".encode("ascii")
    return (start, HeaderSlot.LEAVE, f"@{domain}?subject=unsubscribe>".encode("ascii"))


def _feedback_id(mailing: Mailing, domain: str) -> str:
    """What Gmail counts complaints by: the issue, the newsletter, last the sender.

    The same for all recipients: a system mail, of which each has one recipient,
    is named by its kind alone.
    """
    sender = derived_public_id("feedback", domain)[:_SENDER_ID_LENGTH]
    if mailing.kind is not MailingKind.ISSUE:
        return f"{mailing.kind}:{sender}"
    label = _ascii_domain("List-Id", mailing.list_id).partition(".")[0][:_LABEL_LENGTH]
    return ":".join(filter(None, (mailing.public_id, label, sender)))


def boundary_of(mailing: Mailing) -> str:
    """What parts the bodies."""
    # Quoted-printable never writes "=_", so the boundary can't stand in a body.
    return f"=_{mailing.public_id}"


def own_address(what: str, address: str) -> str:
    """One of our own addresses in wire form; RenderError names ``what`` it is."""
    try:
        return wire_address(require_clean(what, address))
    except AddressError as error:
        raise RenderError(f"{what} is not usable: {error}", subject=what) from error


def _ascii_domain(what: str, domain: str) -> str:
    if domain.isascii():
        return domain
    return own_address(what, f"list@{domain}").removeprefix("list@")


def _uri(what: str, uri: str) -> str:
    require_clean(what, uri)
    parts = urlsplit(uri)
    if parts.scheme not in ("https", "http") or not parts.netloc:
        raise RenderError(f"{what} must start with https://, not {uri!r}", subject=what)
    if not uri.isascii() or any(character in '<>" ' for character in uri):
        raise RenderError(f"{what} holds a character that no link in a header can", subject=what)
    return uri
