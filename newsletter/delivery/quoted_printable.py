"""Quoted-printable with places left open (RFC 2045 section 6.7).

A reader slot stands between soft line breaks, on physical lines of its own, so
that a value of any length can be joined in without counting columns again.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from newsletter.errors import RenderError
from newsletter.rendering.model import ReaderSlot

_WIDTH = 75  # of the 76 columns one is kept for the sign of a soft break
_VALUE_WIDTH = 70
_SOFT_BREAK = "=\r\n"
_NEWLINE = re.compile("\r\n|\r|\n")
_SLOT = re.compile("(" + "|".join(re.escape(slot.value) for slot in ReaderSlot) + ")")
_TOKEN = re.compile(r"[A-Za-z0-9._-]+")

# Every octet as it is written: printable ASCII but "=", space and tab stand for themselves.
_WRITTEN = {
    chr(octet): chr(octet)
    for octet in range(128)
    if (33 <= octet <= 126 and chr(octet) != "=") or chr(octet) in " \t"
}


def encode_with_slots(text: str) -> list[bytes | ReaderSlot]:
    """``text`` in UTF-8 as quoted-printable, cut at its reader slots.

    Every line break becomes CRLF. Put each slot's value between the pieces by
    `encode_value`. RenderError for text that UTF-8 can't carry.
    """
    pieces: list[bytes | ReaderSlot] = []
    # split() with one group yields text, mark, text, mark, ..., text.
    parts = _SLOT.split(text)
    for index, part in enumerate(parts):
        if index % 2:
            if pieces and not _ends_line(pieces[-1]):
                pieces.append(_SOFT_BREAK.encode())
            pieces.append(ReaderSlot(part))
        elif part:
            if pieces and not part.startswith(("\r", "\n")):
                pieces.append(_SOFT_BREAK.encode())
            is_last = index == len(parts) - 1
            pieces.append(_encode(part, open_end=not is_last).encode("ascii"))
    return pieces


def _ends_line(piece: bytes | ReaderSlot) -> bool:
    return isinstance(piece, bytes) and piece.endswith(b"\n")


def encode_value(value: str) -> bytes:
    """A slot's value, cut to physical lines by soft breaks where it is long."""
    if not _TOKEN.fullmatch(value):
        raise RenderError(
            "a reader slot takes letters, digits, dots, hyphens and underscores only",
            subject="reader slot",
        )
    if len(value) <= _VALUE_WIDTH and not value.startswith("."):
        return value.encode("ascii")
    return _encode_line(value, _VALUE_WIDTH, open_end=True).encode("ascii")


def merge_pieces(pieces: Sequence[bytes | StrEnum]) -> tuple[bytes | StrEnum, ...]:
    """The same pieces with neighbouring bytes joined."""
    merged: list[bytes | StrEnum] = []
    for piece in pieces:
        if merged and isinstance(piece, bytes) and isinstance(merged[-1], bytes):
            merged[-1] += piece
        else:
            merged.append(piece)
    return tuple(merged)


def _encode(text: str, *, open_end: bool) -> str:
    *lines, last = _NEWLINE.split(text)
    written = [_encode_line(line, _WIDTH, open_end=False) for line in lines]
    written.append(_encode_line(last, _WIDTH, open_end=open_end))
    return "\r\n".join(written)


def _encode_line(line: str, width: int, *, open_end: bool) -> str:
    """One line of text as physical lines; ``open_end``: a soft break will follow."""
    body = line if open_end else line.rstrip(" \t")
    rows: list[str] = []
    row = ""
    for position, character in enumerate(body):
        unit = _unit(character)
        if len(row) + len(unit) > width:
            rows.append(row)
            row = ""
        row += unit if row else _first_unit(unit, body, position)
    # White space at the end of a line may be lost on the way (rule 3).
    for character in line[len(body) :]:
        if len(row) + 3 > width:
            rows.append(row)
            row = ""
        row += f"={ord(character):02X}"
    return _SOFT_BREAK.join([*rows, row])


def _unit(character: str) -> str:
    """A character as written; its octets stay together on one physical line."""
    written = _WRITTEN.get(character)
    if written is not None:
        return written
    try:
        return "".join(f"={octet:02X}" for octet in character.encode())
    except UnicodeEncodeError as error:
        raise RenderError(
            f"the text holds half a character (U+{ord(character):04X}); remove it",
            subject="text",
        ) from error


def _first_unit(unit: str, body: str, position: int) -> str:
    # A lone dot ends the message and a leading one is doubled on the wire;
    # "From " at a line's start is rewritten by mbox stores (RFC 2049 section 3).
    if unit == ".":
        return "=2E"
    if unit == "F" and body.startswith("From ", position):
        return "=46"
    return unit
