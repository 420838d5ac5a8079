"""Replies read, and judged: what one meant for the delivery it answered."""

import re
from datetime import datetime, timedelta
from functools import lru_cache

from newsletter.delivery.model import Outcome, OutcomeKind, Phase, Reply
from newsletter.delivery.reply_reasons import READER_REASONS, SENDER_FAULTS, reason_of
from newsletter.delivery.retry import next_try
from newsletter.log import mask_address

_MAX_TEXT = 500
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)\s*")
_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;:]+")
# The server wants a login, or one better: RFC 4954 section 6, RFC 3207 section 4.
_LOGIN_CODES = frozenset({530, 534, 535, 538})
_TOO_BIG = "too_big"
_UNKNOWN = "unknown"


def read_reply(code: int, text: str) -> Reply:
    """A reply from its code and its lines, joined by newlines and without their codes.

    The enhanced code (RFC 2034: at the start of every line, of the reply's own
    class) is taken out of the text; addresses in it are masked.
    """
    enhanced = ""
    first = str(code)[:1]
    words: list[str] = []
    for line in text.splitlines():
        if line[1:2] == "." and line[0] == first and (found := _ENHANCED.match(line)):
            enhanced = enhanced or _write_enhanced(found[1])
            line = line[found.end() :]
        words += line.split()
    joined = " ".join(words)
    if not joined.isprintable():
        joined = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in joined)
    if "@" in joined:
        joined = _ADDRESS.sub(lambda address: mask_address(address[0]), joined)
    return Reply(code=code, text=joined[:_MAX_TEXT], enhanced=enhanced)


# A server has few of them, and says one with every message.
@lru_cache(maxsize=256)
def _write_enhanced(code: str) -> str:
    """An enhanced code without leading zeros."""
    return ".".join(str(int(number)) for number in code.split("."))


def judge_reply(
    reply: Reply,
    phase: Phase,
    attempts: int,
    first_tried_at: datetime | None,
    now: datetime,
    give_up_after: timedelta,
) -> Outcome:
    """What ``reply`` to ``phase`` means for its delivery.

    ``attempts`` and ``first_tried_at`` tell of earlier tries that count.
    REQUEUED with ``sender_fault`` means that the relay refuses us, whoever the
    reader is: no row may suffer for it.
    """
    if 200 <= reply.code < 300 and phase is Phase.DOT:
        return Outcome(OutcomeKind.ACCEPTED, "", reply)
    if not 400 <= reply.code < 600:
        # None came, or none that answers the question.
        kind = OutcomeKind.UNCERTAIN if phase is Phase.DOT else OutcomeKind.REQUEUED
        return Outcome(kind, "network", reply)
    if reply.code == 421:
        # RFC 5321 section 3.8: the channel closes, and what was asked was not done.
        return Outcome(OutcomeKind.REQUEUED, reason_of(reply, phase), reply)
    if reply.code < 500:
        reason = reason_of(reply, phase)
        if phase is Phase.MAIL and reason == "rate_limited":
            # Of our pace, and no reader was named yet.
            return Outcome(OutcomeKind.REQUEUED, reason, reply)
        return defer_or_expire(reply, reason, attempts, first_tried_at, now, give_up_after)
    return _judge_refusal(reply, phase)


def defer_or_expire(
    reply: Reply,
    reason: str,
    attempts: int,
    first_tried_at: datetime | None,
    now: datetime,
    give_up_after: timedelta,
) -> Outcome:
    """DEFERRED to the next try, or REFUSED as expired once the time for trying is over."""
    # What came before the first try that counts was undecided.
    since = first_tried_at if attempts and first_tried_at else now
    retry_at = next_try(attempts, reason, since, now, give_up_after)
    fault = reason in SENDER_FAULTS
    if retry_at is None:
        return Outcome(OutcomeKind.REFUSED, "expired", reply, sender_fault=fault)
    return Outcome(OutcomeKind.DEFERRED, reason, reply, sender_fault=fault, retry_at=retry_at)


def _judge_refusal(reply: Reply, phase: Phase) -> Outcome:
    reason = reason_of(reply, phase)
    if reply.code in _LOGIN_CODES:
        # 530 also means "STARTTLS first"; both are between the relay and us.
        return Outcome(OutcomeKind.REQUEUED, "authentication", reply, sender_fault=True)
    if phase is Phase.MAIL:
        # No reader was named yet. Only the declared size belongs to the message.
        if reason == _TOO_BIG:
            return Outcome(OutcomeKind.REFUSED, reason, reply, sender_fault=True)
        return Outcome(OutcomeKind.REQUEUED, reason, reply, sender_fault=True)
    # Without a reason a refused recipient is the reader's; once the recipient was taken, what is
    # refused is the message.
    of_reader = reason in READER_REASONS or (reason == _UNKNOWN and phase is Phase.RCPT)
    return Outcome(OutcomeKind.REFUSED, reason, reply, sender_fault=not of_reader)
