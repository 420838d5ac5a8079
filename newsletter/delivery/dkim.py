"""DKIM signatures (RFC 6376), made quickly for many messages that are nearly the same.

rsa-sha256 and ed25519-sha256 (RFC 8463), relaxed/relaxed, the whole body. What
is the same in all messages of a mailing is brought into canonical form and
hashed once. For each reader only the headers with a slot, and the body from
its first slot on, go through the hash.
"""

import hashlib
import re
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from newsletter.delivery.dkim_keys import SigningIdentity
from newsletter.delivery.stencil import Pieces, Stencil

SIGNED_FIELDS = (
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "reply-to",
    "mime-version",
    "content-type",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-help",
    "list-archive",
    "list-post",
    "feedback-id",
)
"""What is signed wherever it stands in the head, in lower case."""

_WIDTH = 76  # columns
_SPACES = re.compile(rb"[ \t]+")
_SPACES_AT_END = re.compile(rb"[ \t]+(?=\r\n)")
_EMPTY_LINES_AT_END = re.compile(rb"(?:\r\n)*\Z")


class MessageSigner:
    """Signs the messages of one mailing. For any number of threads."""

    def __init__(
        self,
        fields: Sequence[Pieces],
        body: Pieces,
        identities: Sequence[SigningIdentity],
        signed_at: datetime,
    ) -> None:
        """Of the head's ``fields``, each whole with its CRLF, and the ``body``.

        The body begins after the empty line. Slots are filled with words: there
        is no white space in them.
        """
        signed = [field for field in fields if _name(field) in SIGNED_FIELDS]
        # A verifier goes by the order of h=, so that what differs may come last.
        signed.sort(key=lambda field: not _is_constant(field))
        head = [piece for field in signed for piece in _relax(field, relax_field)]
        # "from" once more than it is there: nobody can add a second one (section 5.4.2).
        names = ["from", *map(_name, signed)]
        self._head, self._head_rest = _begin(head)
        self._body, self._body_rest = _begin(_relax(body, relax_body))
        self._signatures = [_Signature(identity, names, signed_at) for identity in identities]

    def sign(self, values: Mapping[StrEnum, bytes]) -> bytes:
        """The DKIM-Signature fields of the message with ``values`` in its slots."""
        body, head = self._body.copy(), self._head.copy()
        # In one piece: the hash lets go of the interpreter for every long one.
        body.update(self._body_rest.fill(values))
        head.update(self._head_rest.fill(values))
        body_hash = b2a_base64(body.digest(), newline=False)
        return b"".join([one.write(head.copy(), body_hash) for one in self._signatures])


class _Signature:
    """One DKIM-Signature field, all but its two values."""

    def __init__(self, identity: SigningIdentity, names: list[str], signed_at: datetime) -> None:
        key, domain = identity
        self._sign = key.sign
        self._start = (
            f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;\r\n"
            f" d={domain}; s={key.selector}; t={int(signed_at.timestamp())};\r\n"
            f" {_fold_names(names)};\r\n bh="
        ).encode("ascii")
        self._hashed_start = relax_field(self._start)

    def write(self, head: "hashlib._Hash", body_hash: bytes) -> bytes:
        # The field itself ends what is signed, with an empty b= and no CRLF (section 3.7).
        head.update(self._hashed_start + body_hash + b"; b=")
        value = b2a_base64(self._sign(head.digest()), newline=False)
        rows = [value[start : start + _WIDTH - 4] for start in range(0, len(value), _WIDTH - 4)]
        return b"".join((self._start, body_hash, b";\r\n b=", b"\r\n  ".join(rows), b"\r\n"))


def relax_field(field: bytes) -> bytes:
    """A header field in the relaxed form (section 3.4.2); its CRLF stays where it has one."""
    name, _, value = field.partition(b":")
    end = b"\r\n" if value.endswith(b"\r\n") else b""
    value = _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.strip(b" \t").lower() + b":" + value + end


def relax_body(body: bytes) -> bytes:
    """A body in the relaxed form (section 3.4.4)."""
    body = _SPACES.sub(b" ", _SPACES_AT_END.sub(b"", body))
    body = _EMPTY_LINES_AT_END.sub(b"", body, count=1)
    return body + b"\r\n" if body else b""


def _relax(pieces: Pieces, relax: Callable[[bytes], bytes]) -> list[bytes | StrEnum]:
    """``pieces`` relaxed as one text, in which a NUL, never sent, stands for each slot."""
    slots = [piece for piece in pieces if not isinstance(piece, bytes)]
    text = b"".join(piece if isinstance(piece, bytes) else b"\0" for piece in pieces)
    first, *others = relax(text).split(b"\0")
    relaxed: list[bytes | StrEnum] = [first]
    for slot, constant in zip(slots, others, strict=True):
        relaxed += [slot, constant]
    return relaxed


def _begin(pieces: Pieces) -> "tuple[hashlib._Hash, Stencil]":
    """The hash of what comes before the first slot, and the rest to be filled."""
    first = next((n for n, piece in enumerate(pieces) if not isinstance(piece, bytes)), len(pieces))
    start = b"".join(piece for piece in pieces[:first] if isinstance(piece, bytes))
    return hashlib.sha256(start), Stencil(pieces[first:])


def _name(field: Pieces) -> str:
    start = field[0]
    return start.partition(b":")[0].decode("ascii").lower() if isinstance(start, bytes) else ""


def _is_constant(field: Pieces) -> bool:
    return all(isinstance(piece, bytes) for piece in field)


def _fold_names(names: list[str]) -> str:
    rows = ["h="]
    for position, name in enumerate(names):
        word = name if position == len(names) - 1 else f"{name}:"
        if len(rows[-1]) + len(word) > _WIDTH:
            rows.append("  ")
        rows[-1] += word
    return "\r\n".join(rows)
