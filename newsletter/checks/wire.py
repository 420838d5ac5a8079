"""Findings on the very bytes of one reader's message: sizes, places left open, ways to leave.

The message is one that delivery built, with values as long as a reader's; nothing is
encoded here a second time.
"""

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header, make_header
from urllib.parse import urlsplit

from newsletter.checks.model import Finding, in_order, stop, warn
from newsletter.checks.places import list_some
from newsletter.rendering.fill import UNRESOLVED
from newsletter.rendering.model import MARK_START

_KB = 1024
# Gmail clips a message near 102 KB, and the rules for phones and dark go with the rest. It
# does not tell whether it counts before or after encoding, so the larger number counts.
STOP_ENCODED_SIZE = 100 * _KB
WARN_ENCODED_SIZE = 95 * _KB
WARN_SIZE = 90 * _KB

_LONGEST_LINE = 998  # RFC 5322 section 2.1.1
_BOUNDARY = re.compile(rb'boundary="([^"]+)"')
_LEAVE = re.compile(r"<(https?://[^<>\s]+)>(?:, ?<(mailto:[^<>\s]+@[^<>\s]+)>)?")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SIGNED = ("list-unsubscribe", "list-unsubscribe-post")


@dataclass(frozen=True)
class WirePart:
    """A body as it goes over the wire, and what a mail program makes of it (lines end in LF)."""

    kind: str
    encoded: bytes
    content: str


@dataclass(frozen=True)
class WireMessage:
    """A message taken apart. ``fields`` are the head's, as they stand, each with its CRLF."""

    octets: int
    fields: tuple[bytes, ...]
    parts: tuple[WirePart, ...]

    def part(self, kind: str) -> WirePart:
        """The body of that kind, "plain" or "html"; an empty one where there is none."""
        return next((one for one in self.parts if one.kind == kind), WirePart(kind, b"", ""))

    def field(self, name: str) -> list[str]:
        """The values of the fields of that name, in the order in which they stand, unfolded."""
        wanted = name.lower()
        return [
            value.replace("\r\n", "").strip()
            for field in self.fields
            for start, _, value in [field.decode("utf-8", "replace").partition(":")]
            if start.strip().lower() == wanted
        ]


def read_message(message: bytes) -> WireMessage:
    """The head and the bodies of a message that delivery built; its form is taken as given."""
    head, _, rest = message.partition(b"\r\n\r\n")
    fields = tuple(re.findall(rb"[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", head + b"\r\n"))
    boundary = _BOUNDARY.search(head)
    bodies = rest.split(b"--" + boundary[1])[1:-1] if boundary else []
    return WireMessage(len(message), fields, tuple(map(_read_part, bodies)))


def _read_part(body: bytes) -> WirePart:
    head, _, encoded = body.partition(b"\r\n\r\n")
    kind = re.search(rb"Content-Type: text/(\w+)", head)
    encoded = encoded.removesuffix(b"\r\n")
    content = quopri.decodestring(encoded).decode("utf-8", "replace").replace("\r\n", "\n")
    return WirePart(kind[1].decode() if kind else "", encoded, content)


def check_wire(message: bytes, *, told: str = "") -> tuple[Finding, ...]:
    """What may be said against a message's bytes.

    ``told`` are the stories' own words, in which braces are no place left open.
    """
    read = read_message(message)
    return in_order(_check_size(read), _check_open_places(read, told), _check_leaving(read))


def _check_size(message: WireMessage) -> Iterator[Finding]:
    html = message.part("html")
    size, encoded = len(html.content.encode()), len(html.encoded)
    told = f"The mail has {size // _KB} KB, and {encoded // _KB} KB encoded for its way"
    if encoded > STOP_ENCODED_SIZE:
        yield stop(
            "size",
            f"{told}; Gmail cuts off what exceeds some {STOP_ENCODED_SIZE // _KB}.",
            "Take out some stories.",
            "HTML part",
        )
    elif size > WARN_SIZE or encoded > WARN_ENCODED_SIZE:
        yield warn(
            "size",
            f"{told}, close to the {STOP_ENCODED_SIZE // _KB} at which Gmail cuts it off.",
            "Take out some stories.",
            "HTML part",
        )


def _check_open_places(message: WireMessage, told: str) -> Iterator[Finding]:
    known = {match[0] for match in UNRESOLVED.finditer(told)}
    for field in message.fields:
        name, _, value = field.decode("utf-8", "replace").partition(":")
        # Base 64 says by chance what it likes.
        if name.lower() == "dkim-signature":
            continue
        left = {match[0] for match in UNRESOLVED.finditer(_decoded(value))} - known
        left |= {MARK_START} if MARK_START in value else set()
        if left:
            yield stop(
                "marks",
                f"The field {name} of a reader's message holds a place left unfilled: "
                f"{list_some(sorted(left))}.",
                "Look for it in the newsletter's settings and the subject.",
                name,
            )
    for kind, name in (("plain", "text part"), ("html", "HTML part")):
        content = message.part(kind).content
        left = {match[0] for match in UNRESOLVED.finditer(content)} - known
        # Another mark of ours, or half of one.
        left |= {MARK_START} if MARK_START in content else set()
        if left:
            yield stop(
                "marks",
                f"The {name} of a reader's message holds a place left unfilled: "
                f"{list_some(sorted(left))}.",
                "Look for it in the texts, the links and your own template.",
                name,
            )


def _decoded(value: str) -> str:
    """A field's text, its encoded words (RFC 2047) read."""
    return str(make_header(decode_header(value.replace("\r\n", ""))))


def _check_leaving(message: WireMessage) -> Iterator[Finding]:
    """RFC 8058, and what Gmail and Yahoo ask of bulk mail."""
    leave, post = message.field("List-Unsubscribe"), message.field("List-Unsubscribe-Post")
    if len(leave) != 1 or len(post) != 1:
        yield _leaving(
            f"A message has {len(leave)} fields List-Unsubscribe and {len(post)} fields "
            "List-Unsubscribe-Post, and one of each is asked for.",
            "Put the newsletter back into the settings, or call newsletter migrate.",
        )
        return
    address = _LEAVE.fullmatch(leave[0])
    if address is None:
        yield _leaving(
            f"The field List-Unsubscribe says “{leave[0][:120]}”, which mail programs can't read.",
            "Set [web] base_url to an address without odd characters.",
        )
    elif not _is_protected(address[1]):
        yield warn(
            "list_unsubscribe",
            f"The field List-Unsubscribe leads to {address[1].partition('/unsubscribe/')[0]}, "
            "which is not https, and mail programs then offer no way to leave.",
            "Set [web] base_url to an https address.",
            "List-Unsubscribe",
        )
    if post[0] != "List-Unsubscribe=One-Click":
        yield _leaving(
            f"The field List-Unsubscribe-Post says “{post[0][:60]}” and must say "
            "“List-Unsubscribe=One-Click”.",
            "This is a fault of the service: report it.",
        )
    long = [line for field in message.fields for line in field.split(b"\r\n")]
    if any(len(line) > _LONGEST_LINE for line in long):
        yield _leaving(
            f"A header line is longer than the {_LONGEST_LINE} characters that servers take.",
            "Shorten the address of [web] base_url or the newsletter's name.",
        )
    folded = [
        field
        for field in message.fields
        if field.lower().startswith(b"list-unsubscribe") and field.count(b"\r\n") > 1
    ]
    if folded:
        # A URI that is broken over lines is another one to some mail programs.
        yield _leaving(
            "The field List-Unsubscribe is broken over several lines.",
            "Shorten the address of [web] base_url.",
        )
    for signature in message.field("DKIM-Signature"):
        names = re.search(r"\bh=([^;]*)", signature)
        signed = {word.strip().lower() for word in (names[1] if names else "").split(":")}
        if missing := [name for name in _SIGNED if name not in signed]:
            yield _leaving(
                f"A signature leaves out {' and '.join(missing)}, and Gmail then offers no way to "
                "leave.",
                "This is a fault of the service: report it.",
            )


def _is_protected(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


def _leaving(sentence: str, mend: str) -> Finding:
    return stop("list_unsubscribe", sentence, mend, "List-Unsubscribe")
