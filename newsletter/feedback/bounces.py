"""Delivery status notifications (RFC 3464): what a mail server tells of a message later."""

import re
from collections.abc import Iterator

from newsletter.delivery.replies import read_reply
from newsletter.feedback.model import BounceAction, BounceReport

# Found by its lines rather than by a parser of MIME: servers wrap the part in many ways,
# and a message may be nested deeper than a parser goes. RFC 6533 has the second type.
_PART = re.compile(rb"^content-type:\s*message/(?:global-)?delivery-status\b", re.I | re.M)
_FOLD = re.compile(r"\n[ \t]+")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_CODE = re.compile(r"([245]\d\d)[ -]")
_MOST_BYTES = 32 * 1024


def read_bounce(message: bytes) -> BounceReport | None:
    """What a report says of the first recipient that it names; None where it is no report.

    The words are the other server's own, with addresses masked and at most 500 letters.
    Of the report's part the first 32 KiB are read.
    """
    text = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    part = _PART.search(text)
    if part is None:
        return None
    for fields in _groups(text[part.start() : part.start() + _MOST_BYTES]):
        action = fields.get("action", "").partition("(")[0].strip().lower()
        if action in set(BounceAction):
            return _report(BounceAction(action), fields)
    return None


def _groups(part: bytes) -> Iterator[dict[str, str]]:
    """The fields of each group: of the message first, then of each recipient."""
    content = part.partition(b"\n\n")[2].partition(b"\n--")[0]
    for group in content.decode("utf-8", "replace").split("\n\n"):
        lines = _FOLD.sub(" ", group.strip("\n")).split("\n")
        fields = (line.partition(":") for line in lines)
        yield {name.strip().lower(): value.strip() for name, _, value in fields}


def _report(action: BounceAction, fields: dict[str, str]) -> BounceReport:
    kind, mark, said = fields.get("diagnostic-code", "").partition(";")
    words = (said if mark else kind).strip()
    code = _CODE.match(words)
    reply = read_reply(int(code[1]) if code else 0, words[code.end() :] if code else words)
    status = _STATUS.search(fields.get("status", ""))
    # The server's own code says more than the one that another made of it.
    enhanced = reply.enhanced or (status[0] if status else "")
    return BounceReport(action, code=reply.code, enhanced=enhanced, text=reply.text)
