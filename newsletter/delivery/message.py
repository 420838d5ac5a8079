"""A mailing's bytes: encoded once, joined with each reader's values.

Headers and both bodies are constant but for a few places; `MessageTemplate`
keeps the constant stretches as bytes, and a message is a list of them with the
reader's values between.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from newsletter.delivery.addresses import MAX_LOCAL_OCTETS, wire_address
from newsletter.delivery.dkim import MessageSigner
from newsletter.delivery.dkim_keys import Signer
from newsletter.delivery.dsn_parameters import envelope_id
from newsletter.delivery.message_head import HeaderSlot, boundary_of, own_address, write_head
from newsletter.delivery.model import Delivery, Mailing
from newsletter.delivery.quoted_printable import encode_value, encode_with_slots
from newsletter.delivery.stencil import Pieces, Stencil
from newsletter.errors import ConfigError, RenderError
from newsletter.log import get_logger
from newsletter.rendering.model import ReaderSlot
from newsletter.tokens import Keyring, Purpose

log = get_logger(__name__)

_RECIPIENT_ID_LENGTH = 16  # of the public ids that `newsletter.tokens` makes


class Envelope(NamedTuple):
    """What goes before the message: the return path, and a value for ENVID or nothing."""

    sender: str
    envelope_id: str


class Message(NamedTuple):
    """One reader's message as it goes over the wire, short of the final dot, in pieces.

    CRLF throughout and at the end; no line begins with a dot, so that none has to
    be doubled (RFC 5321 section 4.5.2). ``octets`` is its size.
    """

    envelope: Envelope
    pieces: Sequence[bytes]
    octets: int


class MessageTemplate:
    """A mailing ready to be addressed. For any number of threads.

    The same delivery always gives the same bytes: date, boundary, Message-ID,
    tokens and signatures come from the mailing, what it froze and the
    recipient, never from the time of building.
    """

    def __init__(
        self,
        mailing: Mailing,
        keyring: Keyring,
        from_address: str,
        return_path: str,
        stencil: Stencil,
        message_signer: MessageSigner | None,
    ) -> None:
        self.mailing = mailing
        self.from_address = from_address
        self.return_path = return_path
        self._stencil = stencil
        self._message_signer = message_signer
        key_id = mailing.token_key
        self._unsubscribe = keyring.signer(Purpose.UNSUBSCRIBE, key_id=key_id)
        self._leave = keyring.signer(Purpose.LEAVE, key_id=key_id, short=True)
        self._preferences = keyring.signer(Purpose.PREFERENCES, key_id=key_id)
        self._click = keyring.signer(Purpose.CLICK, key_id=key_id, short=True)
        self._bounce = keyring.signer(Purpose.BOUNCE, key_id=key_id, short=True)
        local, _, domain = return_path.rpartition("@")
        self._tagged_start, self._tagged_end = f"{local}+", f"@{domain}"

    @classmethod
    def of(
        cls, mailing: Mailing, keyring: Keyring, signer: Signer | None = None
    ) -> "MessageTemplate":
        """Encode what is the same for all.

        RenderError where a value can't be sent; ConfigError where a key that the
        mailing froze is gone, so that nothing can be sent until it is back.
        """
        if not (mailing.public_id.isascii() and mailing.public_id.isalnum()):
            raise RenderError("a mailing has no usable id", subject=mailing.subject)
        from_address = own_address("the sender's address", mailing.from_address)
        fields, body = write_head(mailing, from_address), _body(mailing)
        stencil = Stencil(
            [
                HeaderSlot.SIGNATURES,
                *(piece for field in fields for piece in field),
                *(b"\r\n", *body),
            ]
        )
        _require_plain_lines(mailing, stencil)
        if ReaderSlot.UNSUBSCRIBE in stencil.slots and mailing.newsletter_id is None:
            raise RenderError(
                f"mailing {mailing.public_id} has an unsubscribe link but belongs to no newsletter",
                subject=mailing.public_id,
            )
        return_path = own_address("the return path", mailing.return_path or mailing.from_address)
        message_signer = _message_signer(mailing, from_address, fields, body, signer)
        template = cls(mailing, keyring, from_address, return_path, stencil, message_signer)
        [sample] = template.envelopes(["r" * _RECIPIENT_ID_LENGTH])
        if sample.sender == return_path:
            log.warning("return_path_too_long_for_token", mailing=mailing.public_id)
        return template

    def build(self, delivery: Delivery, *, utf8: bool = False) -> bytes:
        """The whole message of one delivery, in one.

        ``utf8``: the server takes SMTPUTF8; only the To field can then hold anything
        but ASCII. AddressError for an address that `refuse_address` refuses.
        """
        [message] = self.write([delivery], [wire_address(delivery.address, utf8=utf8)])
        return b"".join(message.pieces)

    def write(self, deliveries: Sequence[Delivery], addresses: Sequence[str]) -> list[Message]:
        """The messages of some deliveries, whose ``addresses`` are as `wire_address` gives them.

        Together they take half the time that they take one by one.
        """
        recipients = [delivery.recipient_id for delivery in deliveries]
        for delivery, recipient in zip(deliveries, recipients, strict=True):
            if not (recipient.isascii() and recipient.isalnum()):
                raise RenderError(
                    f"delivery {delivery.id} has no usable recipient id", subject=str(delivery.id)
                )
        values = self._values(recipients, addresses)
        if self._message_signer is not None:
            values[HeaderSlot.SIGNATURES] = [
                self._message_signer.sign({slot: column[row] for slot, column in values.items()})
                for row in range(len(recipients))
            ]
        filled = self._stencil.fill_all(values, len(recipients))
        return [
            Message(envelope, pieces, octets)
            for envelope, (pieces, octets) in zip(self.envelopes(recipients), filled, strict=True)
        ]

    def envelopes(self, recipients: Sequence[str]) -> list[Envelope]:
        """The return paths with a token that names mailing and recipient (VERP), and ENVIDs.

        Where the token does not fit into the 64 octets of a local part (RFC
        5321 section 4.5.3.1.1), the plain address stands: a lost bounce report
        weighs less than a lost issue.
        """
        start, end = self._tagged_start, self._tagged_end
        room = MAX_LOCAL_OCTETS - len(start)
        mailing = self.mailing.public_id
        return [
            Envelope(
                f"{start}{token}{end}" if len(token) <= room else self.return_path,
                envelope_id(token),
            )
            for token in self._bounce.sign_all([(mailing, recipient) for recipient in recipients])
        ]

    def _values(
        self, recipients: Sequence[str], addresses: Sequence[str]
    ) -> dict[StrEnum, list[bytes]]:
        """What stands in the slots, a column each."""
        slots, newsletter = self._stencil.slots, self.mailing.newsletter_id
        values: dict[StrEnum, list[bytes]] = {
            HeaderSlot.SIGNATURES: [b""] * len(recipients),
            HeaderSlot.ADDRESS: [address.encode() for address in addresses],
            HeaderSlot.RECIPIENT: [recipient.encode("ascii") for recipient in recipients],
        }
        if ReaderSlot.PREFERENCES in slots:
            tokens = self._preferences.sign_all([(recipient,) for recipient in recipients])
            values[ReaderSlot.PREFERENCES] = [encode_value(token) for token in tokens]
        if ReaderSlot.CLICK in slots:
            mailing = self.mailing.public_id
            tokens = self._click.sign_all([(mailing, recipient) for recipient in recipients])
            values[ReaderSlot.CLICK] = [encode_value(token) for token in tokens]
        if newsletter is not None:
            tokens = self._unsubscribe.sign_all([(r, newsletter) for r in recipients])
            values[HeaderSlot.UNSUBSCRIBE] = [token.encode("ascii") for token in tokens]
            values[ReaderSlot.UNSUBSCRIBE] = [encode_value(token) for token in tokens]
        if HeaderSlot.LEAVE in slots and newsletter is not None:
            tokens = self._leave.sign_all([(r, newsletter) for r in recipients])
            values[HeaderSlot.LEAVE] = [token.encode("ascii") for token in tokens]
        return values


def _require_plain_lines(mailing: Mailing, stencil: Stencil) -> None:
    """What the sending side relies on, whatever the encoders do (their values are whole words)."""
    sample = b"\n" + stencil.fill(dict.fromkeys(stencil.slots, b"x"))
    breaks = sample.count(b"\n") - 1
    if b"\n." in sample or not breaks == sample.count(b"\r\n") == sample.count(b"\r"):
        raise RenderError(
            f"mailing {mailing.public_id} has a line that can't go over the wire as it is",
            subject=mailing.public_id,
        )


def _message_signer(
    mailing: Mailing,
    from_address: str,
    fields: Sequence[Pieces],
    body: Pieces,
    signer: Signer | None,
) -> MessageSigner | None:
    if not mailing.dkim_selectors:
        return None
    if signer is None:
        raise ConfigError(
            f"mailing {mailing.public_id} is to be signed with the DKIM key "
            f"{mailing.dkim_selectors[0]}, and there is no key in the data folder; restore its "
            "folder dkim from the backup",
            subject=mailing.dkim_selectors[0],
        )
    identities = signer.identities(mailing.dkim_selectors, from_address.rpartition("@")[2])
    return MessageSigner(fields, body, identities, mailing.created_at)


def _body(mailing: Mailing) -> Pieces:
    """What stands after the empty line."""
    delimiter = f"--{boundary_of(mailing)}".encode("ascii")
    pieces: list[bytes | StrEnum] = []
    for kind, content in (("plain", mailing.text), ("html", mailing.html)):
        pieces += [
            delimiter,
            f"\r\nContent-Type: text/{kind}; charset=utf-8\r\n".encode("ascii"),
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n",
            *encode_with_slots(content),
            b"\r\n",
        ]
    return [*pieces, delimiter, b"--\r\n"]
