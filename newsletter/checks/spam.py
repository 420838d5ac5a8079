"""What SpamAssassin's verdict means for an issue."""

import re
from dataclasses import dataclass

from newsletter.checks.model import Finding, stop, warn

# SpamAssassin's own bar is 5; receivers add points for what local rules can't see.
WARN_SCORE = 2.0
STOP_SCORE = 5.0

_STATUS = re.compile(rb"^X-Spam-Status: (?:Yes|No), score=(-?\d+(?:\.\d+)?)\s", re.MULTILINE)
_RULE = re.compile(rb"^\s+\*\s+(-?[\d.]+) (\w+) (.*(?:\n\s+\*      .*)*)", re.MULTILINE)
_SHOWN = 5


@dataclass(frozen=True)
class SpamRule:
    """A rule that a message met, what it counts, and what it says of itself."""

    name: str
    score: float
    about: str


@dataclass(frozen=True)
class SpamVerdict:
    """``score`` in points, and the ``rules`` that made it."""

    score: float
    rules: tuple[SpamRule, ...]


def read_verdict(marked: bytes) -> SpamVerdict | None:
    """The verdict in a message that ``spamassassin`` has marked; None where there is none."""
    head = marked.partition(b"\n\n")[0].replace(b"\r\n", b"\n") + b"\n"
    status = _STATUS.search(head)
    if status is None:
        return None
    rules = tuple(
        SpamRule(
            name.decode("ascii", "replace"),
            float(score),
            " ".join(re.sub(rb"\n\s+\*", b" ", about).decode("utf-8", "replace").split()),
        )
        for score, name, about in _RULE.findall(head)
    )
    return SpamVerdict(float(status[1]), rules)


def check_spam(verdict: SpamVerdict) -> tuple[Finding, ...]:
    """A warning above 2 points, and a stop above 5."""
    if verdict.score <= WARN_SCORE:
        return ()
    costly = sorted(
        (rule for rule in verdict.rules if rule.score > 0), key=lambda rule: -rule.score
    )
    named = "; ".join(f"{rule.name} {rule.score:g} ({rule.about})" for rule in costly[:_SHOWN])
    tell = stop if verdict.score > STOP_SCORE else warn
    return (
        tell(
            "spam",
            f"SpamAssassin gives the mail {verdict.score:g} points, and 5 are spam: {named}.",
            "Change the words or links that these rules name.",
            costly[0].name if costly else "message",
        ),
    )
