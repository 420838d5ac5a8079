"""A mailing's bytes: encoded once, joined with each reader's values.

Headers and both bodies are constant but for a few places; `MessageTemplate`
keeps the constant stretches as bytes, and a message is one join.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from enum import StrEnum
from urllib.parse import urlsplit

from newsletter.delivery.addresses import MAX_LOCAL_OCTETS, wire_address
from newsletter.delivery.headers import require_clean, write_phrase, write_plain, write_text
from newsletter.delivery.model import Delivery, Mailing, MailingKind
from newsletter.delivery.quoted_printable import encode_value, encode_with_slots, merge_pieces
from newsletter.errors import AddressError, RenderError
from newsletter.log import get_logger
from newsletter.rendering.model import ReaderSlot
from newsletter.tokens import Keyring, Purpose

log = get_logger(__name__)

_RECIPIENT_ID_LENGTH = 16  # of the public ids that `newsletter.tokens` makes


class HeaderSlot(StrEnum):
    """A place in the headers that is filled for each reader."""

    ADDRESS = "address"
    RECIPIENT = "recipient"
    UNSUBSCRIBE = "unsubscribe"


@dataclass(frozen=True)
class MessageTemplate:
    """A mailing ready to be addressed.

    The same delivery always gives the same bytes: date, boundary, Message-ID
    and tokens come from the mailing and the recipient, never from the time of
    building.
    """

    mailing: Mailing
    keyring: Keyring
    from_address: str
    return_path: str
    pieces: tuple[bytes | StrEnum, ...]

    @classmethod
    def of(cls, mailing: Mailing, keyring: Keyring) -> "MessageTemplate":
        """Encode what is the same for all; RenderError where a value can't be sent."""
        if not (mailing.public_id.isascii() and mailing.public_id.isalnum()):
            raise RenderError("a mailing has no usable id", subject=mailing.subject)
        from_address = _own_address("the sender's address", mailing.from_address)
        pieces: list[bytes | StrEnum] = [
            *_head(mailing, from_address),
            *_body(mailing),
        ]
        slots = {piece for piece in pieces if not isinstance(piece, bytes)}
        if ReaderSlot.UNSUBSCRIBE in slots and mailing.newsletter_id is None:
            raise RenderError(
                f"mailing {mailing.public_id} has an unsubscribe link but belongs to no newsletter",
                subject=mailing.public_id,
            )
        return_path = _own_address("the return path", mailing.return_path or mailing.from_address)
        template = cls(mailing, keyring, from_address, return_path, merge_pieces(pieces))
        sample = Delivery(0, mailing.public_id, "r" * _RECIPIENT_ID_LENGTH, "")
        if template.envelope_sender(sample) == return_path:
            log.warning("return_path_too_long_for_token", mailing=mailing.public_id)
        return template

    def build(self, delivery: Delivery) -> bytes:
        """The whole message, CRLF throughout, not yet dot-stuffed.

        AddressError for an address that `refuse_address` refuses.
        """
        values = self._values(delivery)
        return b"".join(
            [piece if isinstance(piece, bytes) else values[piece] for piece in self.pieces]
        )

    def envelope_sender(self, delivery: Delivery) -> str:
        """The return path with a token that names mailing and recipient (VERP).

        Where the token does not fit into the 64 octets of a local part (RFC
        5321 section 4.5.3.1.1), the plain address stands: a lost bounce report
        weighs less than a lost issue.
        """
        token = self.keyring.sign(
            Purpose.BOUNCE, self.mailing.public_id, delivery.recipient_id, short=True
        )
        local, _, domain = self.return_path.rpartition("@")
        tagged = f"{local}+{token}"
        if len(tagged) > MAX_LOCAL_OCTETS:
            return self.return_path
        return f"{tagged}@{domain}"

    def _values(self, delivery: Delivery) -> dict[StrEnum, bytes]:
        recipient = delivery.recipient_id
        if not (recipient.isascii() and recipient.isalnum()):
            raise RenderError(
                f"delivery {delivery.id} has no usable recipient id", subject=str(delivery.id)
            )
        preferences = self.keyring.sign(Purpose.PREFERENCES, recipient)
        values: dict[StrEnum, bytes] = {
            HeaderSlot.ADDRESS: wire_address(delivery.address).encode("ascii"),
            HeaderSlot.RECIPIENT: recipient.encode("ascii"),
            ReaderSlot.PREFERENCES: encode_value(preferences),
        }
        if self.mailing.newsletter_id is not None:
            unsubscribe = self.keyring.sign(
                Purpose.UNSUBSCRIBE, recipient, self.mailing.newsletter_id
            )
            values[HeaderSlot.UNSUBSCRIBE] = unsubscribe.encode("ascii")
            values[ReaderSlot.UNSUBSCRIBE] = encode_value(unsubscribe)
        return values


def _head(mailing: Mailing, from_address: str) -> Sequence[bytes | StrEnum]:
    domain = from_address.rpartition("@")[2]
    if mailing.created_at.tzinfo is None:
        raise RenderError(
            f"mailing {mailing.public_id} has a date without a zone", subject=mailing.public_id
        )
    head: list[bytes | StrEnum] = [
        write_phrase("From", mailing.from_name, from_address),
        *(b"To: ", HeaderSlot.ADDRESS, b"\r\n"),
        write_text("Subject", mailing.subject),
        write_plain("Date", format_datetime(mailing.created_at)),
        f"Message-ID: <{mailing.public_id}.".encode("ascii"),
        *(HeaderSlot.RECIPIENT, f"@{domain}>\r\n".encode("ascii")),
    ]
    if mailing.reply_to:
        head.append(write_plain("Reply-To", _own_address("Reply-To", mailing.reply_to)))
    if mailing.kind is MailingKind.ISSUE:
        head += _list_headers(mailing)
    else:
        # RFC 3834 section 5: sent by a program, so that no program answers it.
        head.append(write_plain("Auto-Submitted", "auto-generated"))
    head += [
        write_plain("X-Auto-Response-Suppress", "OOF, AutoReply"),
        write_plain("MIME-Version", "1.0"),
        write_plain("Content-Language", mailing.language),
        b"Content-Type: multipart/alternative;\r\n",
        f' boundary="{_boundary(mailing)}"\r\n'.encode("ascii"),
    ]
    return head


def _list_headers(mailing: Mailing) -> Sequence[bytes | StrEnum]:
    """RFC 2369, 2919 and 8058; the URI stays on one line, whole."""
    fields: list[bytes | StrEnum] = []
    if mailing.newsletter_id is not None:
        if mailing.list_id:
            list_id = _ascii_domain("List-Id", mailing.list_id)
            fields.append(write_phrase("List-Id", mailing.list_name, list_id))
        root = _uri("the base address of the readers' links", mailing.base_url)
        fields += [
            f"List-Unsubscribe: <{root}/unsubscribe/".encode("ascii"),
            *(HeaderSlot.UNSUBSCRIBE, b">\r\n"),
            write_plain("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    if mailing.archive_url:
        uri = _uri("the archive's address", mailing.archive_url)
        fields.append(write_plain("List-Archive", f"<{uri}>"))
    return [*fields, write_plain("List-Post", "NO"), write_plain("Precedence", "bulk")]


def _body(mailing: Mailing) -> Sequence[bytes | StrEnum]:
    delimiter = f"\r\n--{_boundary(mailing)}".encode("ascii")
    pieces: list[bytes | StrEnum] = []
    for kind, content in (("plain", mailing.text), ("html", mailing.html)):
        pieces += [
            delimiter,
            f"\r\nContent-Type: text/{kind}; charset=utf-8\r\n".encode("ascii"),
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
            *encode_with_slots(content),
        ]
    return [*pieces, delimiter, b"--\r\n"]


def _boundary(mailing: Mailing) -> str:
    # Quoted-printable never writes "=_", so the boundary can't stand in a body.
    return f"=_{mailing.public_id}"


def _own_address(what: str, address: str) -> str:
    try:
        return wire_address(require_clean(what, address))
    except AddressError as error:
        raise RenderError(f"{what} is not usable: {error}", subject=what) from error


def _ascii_domain(what: str, domain: str) -> str:
    if domain.isascii():
        return domain
    return _own_address(what, f"list@{domain}").removeprefix("list@")


def _uri(what: str, uri: str) -> str:
    require_clean(what, uri)
    parts = urlsplit(uri)
    if parts.scheme not in ("https", "http") or not parts.netloc:
        raise RenderError(f"{what} must start with https://, not {uri!r}", subject=what)
    if not uri.isascii() or any(character in '<>" ' for character in uri):
        raise RenderError(f"{what} holds a character that no link in a header can", subject=what)
    return uri
