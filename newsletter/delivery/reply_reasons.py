"""What servers say, translated into our words for why.

Three tables: enhanced status codes (RFC 3463, the IANA registry, and the ones
of Gmail and Microsoft), texts, and basic codes (RFC 5321). What none of them
knows is "unknown"; the reply itself is kept beside the reason.
"""

import re
from collections.abc import Mapping

from newsletter.delivery.model import Phase, Reply

# What blames the sender even where it is said for now.
SENDER_FAULTS = frozenset(
    {"authentication", "blocked", "policy", "rate_limited", "relay_denied", "spam"}
)
# What a refusal for good says of the reader. Every other word, such as too_big, content or
# system, is said of the sender, the message or the server: it may meet a whole audience.
READER_REASONS = frozenset(
    {"mailbox_full", "non_ascii_address", "suspended", "unknown_host", "unknown_user"}
)

# By subject and detail, the class left out: 4.x.y and 5.x.y share their meaning.
_ENHANCED: Mapping[str, str] = {
    "1.1": "unknown_user",
    "1.2": "unknown_host",
    "1.3": "unknown_user",
    "1.4": "unknown_user",
    "1.6": "unknown_user",
    "1.7": "policy",
    "1.8": "policy",
    "1.9": "system",
    "1.10": "unknown_host",
    "2.1": "suspended",
    "2.2": "mailbox_full",
    "2.3": "too_big",
    "2.4": "system",
    "3.1": "system",
    "3.2": "system",
    "3.3": "system",
    "3.4": "too_big",
    "3.5": "system",
    "4.1": "network",
    "4.2": "network",
    "4.3": "network",
    "4.4": "unknown_host",
    "4.5": "system",
    "4.6": "network",
    "4.7": "expired",
    "5.3": "rate_limited",
    "6.0": "content",
    "6.1": "content",
    "6.2": "content",
    "6.3": "content",
    "6.5": "content",
    "6.6": "content",
    "6.7": "non_ascii_address",
    "6.8": "content",
    "7.2": "policy",
    "7.8": "authentication",
    "7.9": "authentication",
    "7.13": "suspended",
    "7.17": "unknown_user",
    "7.20": "authentication",
    "7.21": "authentication",
    "7.22": "authentication",
    "7.23": "authentication",
    "7.24": "authentication",
    "7.25": "authentication",
    "7.26": "authentication",
    "7.27": "authentication",
    "7.28": "rate_limited",
    "7.29": "policy",
    "7.30": "authentication",
    "7.31": "authentication",
    "7.32": "authentication",
    "7.40": "authentication",
    "7.57": "authentication",
    "7.64": "relay_denied",
    "7.509": "authentication",
    "7.500": "rate_limited",
    "7.511": "blocked",
    "7.515": "authentication",
    "7.606": "blocked",
    "7.649": "blocked",
    "7.650": "rate_limited",
    "7.651": "rate_limited",
    "7.652": "rate_limited",
    "7.708": "blocked",
}

# Codes that servers also use for whatever has no code of its own.
_VAGUE = frozenset({"0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "5.1", "5.2", "5.4", "7.0", "7.1"})

# Tried in order: what blames the sender or passes comes before what would
# condemn an address, since a wrong "unknown user" costs a reader.
_TEXTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(pattern, re.IGNORECASE))
    for reason, pattern in (
        ("greylisted", r"gr[ea]y-?\s?list"),
        # Gmail of a single mailbox that others write to as well: no pace of ours.
        ("system", r"receiving (e?mail|messages) (too quickly|at a rate)"),
        # Said beside reputation or complaints too, and then it is still "slower".
        ("rate_limited", r"rate[ -]?limit|throttl|too fast|(sending|send) limit"
                         r"|(exceed(s|ed|ing)?|over)( \S+){0,3} (rate|maximum number)\b"
                         r"|\brate\b( \S+){0,2} exceed|unusual(ly high)? rate"
                         r"|too (many|much) (\S+ )?(e?mails?|messages|connections|sessions"
                         r"|requests|recipients this hour)|slow down|trop de connexions"
                         r"|unexpected volume|limits? for how many messages"
                         r"|\[TSS?\d\d\]|\bRP-00[123]\b|\bOFR_?\d*_(104|408)\b"
                         r"|maximum (number of )?(concurrent )?connections"
                         r"|server busy|connection limit"),
        ("relay_denied", r"relay(ing)?( access)? (is )?(denied|prohibited|not (allowed|permitted))"
                         r"|(unable|not permitted|not allowed) to relay|(don't|do not) relay"),
        ("authentication", r"\b(spf|dkim|dmarc)\b|authenticat|reverse dns|\bptr\b"),
        ("blocked", r"(block|black|deny)[ -]?list|\b(dns)?[rd]bl\b|spamhaus|spamcop|barracuda"
                    r"|\b(is |been |are )(blocked|banned|listed)|blocked (by|using|due)"
                    r"|(poor|bad|low) reputation"),
        ("spam", r"\bspam|unsolicited|\bjunk\b|\bbulk mail"),
        ("rate_limited", r"too many|limit exceeded"),
        ("mailbox_full", r"(mail)?box (is )?(over )?(full|quota)|over (the )?quota"
                         r"|quota (is )?(exceeded|full)|exceeded (its |the |their )?.{0,20}quota"
                         r"|out of storage|not enough (storage|space)"),
        ("too_big", r"too (large|big)|(message|maximum|size).{0,20} (size )?(limit|exceed)"),
        ("suspended", r"(account|mailbox|user|recipient).{0,40}"
                      r"(disabled|suspended|inactive|deactivated|locked)"),
        ("content", r"virus|malware|attachment|content (rejected|not accept)"),
        ("unknown_user", r"(user|recipient|mailbox|account|address).{0,12} unknown|unknown "
                         r"(user|recipient|mailbox|account|address|local)"
                         r"|no such (user|recipient|mailbox|account|address|person)"
                         r"|(user|recipient|mailbox|account|address).{0,60} "
                         r"(does not|doesn't) exist|(user|mailbox|recipient|account) not found"
                         r"|(invalid|no|not a valid) (recipient|mailbox)"),
        ("unknown_host", r"(host|domain)( name)? (is )?(unknown|not found)|unknown (host|domain)"
                         r"|no such (host|domain)"),
        ("policy", r"policy|access denied|not (authori[sz]ed|allowed|permitted)"),
    )
)  # fmt: skip

# Evidence in words that outweighs a code saying that the address is dead.
_STRONGER = frozenset(
    {"greylisted", "relay_denied", "authentication", "blocked", "spam", "rate_limited",
     "mailbox_full"}
)  # fmt: skip

_BASIC: Mapping[int, str] = {
    421: "network",
    450: "system",
    451: "system",
    452: "system",
    454: "system",
    521: "unknown_host",  # RFC 7504: a host that takes no mail
    530: "authentication",
    534: "authentication",
    535: "authentication",
    538: "authentication",
    556: "unknown_host",  # RFC 7504 and 7505
}
_BASIC_AT: Mapping[tuple[int, Phase], str] = {
    (450, Phase.RCPT): "greylisted",  # RFC 6647 section 2.1: the code it is mostly done with
    (552, Phase.MAIL): "too_big",
    (552, Phase.RCPT): "mailbox_full",
    (552, Phase.DOT): "too_big",
    (550, Phase.RCPT): "unknown_user",
    (551, Phase.RCPT): "unknown_user",
    (553, Phase.RCPT): "unknown_user",
}

# Microsoft's way to say that there is no such mailbox; the code stands for "no answer" elsewhere.
_REJECTED_AT_THE_EDGE = re.compile(r"recipient address rejected", re.IGNORECASE)

# Words of an address are nobody's reason: "spam-reports@" must not read as spam.
_ADDRESS = re.compile(r"\S*@\S*")


def reason_of(reply: Reply, phase: Phase) -> str:
    """The word for why ``reply`` refused, at ``phase``."""
    detail = reply.enhanced.partition(".")[2]
    by_text = _reason_of_text(reply.text)
    by_code = None if detail in _VAGUE else _ENHANCED.get(detail)
    if by_code in ("unknown_user", "unknown_host") and by_text in _STRONGER:
        return by_text
    if by_code == "suspended" and by_text in ("rate_limited", "system"):
        # Servers say "disabled" (x.2.1) of a mailbox that only gets too much at once, too.
        return by_text
    if detail == "4.1" and reply.code >= 500 and _REJECTED_AT_THE_EDGE.search(reply.text):
        return "unknown_user"
    if by_code is not None:
        return by_code
    if by_text is not None:
        return by_text
    if detail.startswith("7."):
        return "policy"
    return _BASIC_AT.get((reply.code, phase)) or _BASIC.get(reply.code, "unknown")


def _reason_of_text(text: str) -> str | None:
    words = _ADDRESS.sub(" ", text)
    return next((reason for reason, pattern in _TEXTS if pattern.search(words)), None)
