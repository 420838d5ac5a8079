"""The outbox: reading what the mail catcher kept.

The parser's old policy (compat32) is used throughout: the new one takes apart
every address, which is slower, and raises on some that are broken.
"""

import email.policy
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import Header, decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path

from newsletter.errors import NotFound

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}\.eml")
ENVELOPES = "envelopes.jsonl"  # beside the messages, one line each
# A header section is a few kilobytes: a list need not read what stands below it.
_HEAD_OCTETS = 64 * 1024


@dataclass(frozen=True)
class CaughtMail:
    """One line of the outbox. ``name`` opens it; ``size`` in bytes; ``to`` from the envelope."""

    name: str
    subject: str
    from_: str
    to: str
    date: datetime | None
    size: int


@dataclass(frozen=True)
class OpenedMail:
    """A message taken apart: header fields in order and decoded, both bodies, the raw bytes."""

    headers: tuple[tuple[str, str], ...]
    html: str
    text: str
    raw: bytes


def count_messages(folder: Path) -> int:
    """How many messages the outbox holds."""
    return len(_names(folder))


def list_messages(folder: Path, *, skip: int = 0, limit: int | None = None) -> list[CaughtMail]:
    """The outbox in order of arrival, ``limit`` messages from the ``skip``-th on."""
    end = None if limit is None else skip + limit
    recipients = _envelope_recipients(folder)
    caught = (_summarise(folder, name, recipients) for name in _names(folder)[skip:end])
    return [mail for mail in caught if mail is not None]


def read_message(folder: Path, name: str) -> OpenedMail:
    """The message called ``name``; NotFound if the outbox has none of that name."""
    # A name comes out of a URL: one file of this folder, and nothing through a link.
    path = folder / name
    if not _NAME.fullmatch(name) or path.is_symlink() or not path.is_file():
        raise NotFound(f"the outbox holds no message {name!r}", subject=name)
    raw = path.read_bytes()
    message = BytesParser(policy=email.policy.compat32).parsebytes(raw)
    return OpenedMail(
        headers=tuple((field, _decoded(value)) for field, value in message.items()),
        html=_body(message, "text/html"),
        text=_body(message, "text/plain"),
        raw=raw,
    )


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(
            entry.name
            for entry in entries
            if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
        )


def _summarise(folder: Path, name: str, recipients: Mapping[str, str]) -> CaughtMail | None:
    path = folder / name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            # The parser would go through the body's lines as well.
            head = file.read(_HEAD_OCTETS).partition(b"\r\n\r\n")[0]
    except FileNotFoundError:  # the demo was started anew beside us
        return None
    message = BytesHeaderParser(policy=email.policy.compat32).parsebytes(head)
    return CaughtMail(
        name=name,
        subject=_decoded(message["Subject"]),
        from_=_decoded(message["From"]),
        to=recipients.get(name) or _decoded(message["To"]),
        date=_date(message["Date"]),
        size=size,
    )


def _decoded(value: str | Header | None) -> str:
    try:
        text = str(make_header(decode_header(value or "")))
    except (HeaderParseError, LookupError, ValueError):
        text = str(value)  # not in any encoding we know: as it came
    return " ".join(text.split())


def _date(value: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(value or "")
    except ValueError:
        return None


def _envelope_recipients(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / ENVELOPES).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        try:
            envelope = json.loads(line)
            found[envelope["name"]] = ", ".join(envelope["to"])
        except (ValueError, KeyError, TypeError):
            continue  # the line being written just now, or half of one after a crash
    return found


def _body(message: Message, kind: str) -> str:
    for part in message.walk():
        content = part.get_payload(decode=True)
        if part.get_content_type() == kind and isinstance(content, bytes):
            break
    else:
        return ""
    # What arrives may be anyone's: an unknown charset must not break the page.
    try:
        return content.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")
