"""What the checks say of an issue, found once and kept: a page asks for it again and again.

To render an issue in all its variants and to look at each takes a second or two, and to ask
links and DNS some more: no page is to wait for that.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from newsletter.checks.model import Finding, Level, stops
from newsletter.errors import ChecksAwaited
from newsletter.issues.model import Issue
from newsletter.issues.states import EDITABLE
from newsletter.storage.transaction import Transaction
from newsletter.workflows.ask_links import GOOD_FOR, JUST_NOW
from newsletter.workflows.check_issue import CheckedIssue, check_whole_issue
from newsletter.workflows.installation import Installation


@dataclass(frozen=True)
class LookedOver:
    """What was found of an issue ``at`` that moment."""

    at: datetime
    checked: CheckedIssue


def look_over(installation: Installation, issue: Issue, *, ask: bool) -> LookedOver:
    """Make all checks, however long they take, and keep what they say.

    With ``ask`` hosts that the issue links to and DNS are asked.
    """
    settings = installation.settings()
    with installation.database.read() as tx:
        of = _named(tx, issue)
    checked = check_whole_issue(installation, settings, issue, ask=ask)
    now = installation.clock.now()
    with installation.database.write() as tx:
        tx.figures.keep(_name(issue, ask=ask), {"of": of, **asdict(checked)}, now)
    return LookedOver(now, checked)


def read_looked_over(installation: Installation, issue: Issue, *, ask: bool) -> LookedOver | None:
    """What was found lately of the issue as it stands; None where it has to be looked over.

    What stops it is believed for a minute: it may be mended where we can't see it.
    """
    with installation.database.read() as tx:
        kept = tx.figures.kept(_name(issue, ask=ask))
        if kept is None or kept[1]["of"] != _named(tx, issue):
            return None
    checked = _checked(kept[1])
    holds = JUST_NOW if stops(checked.findings) else GOOD_FOR
    age = installation.clock.now() - kept[0]
    return LookedOver(kept[0], checked) if timedelta() <= age < holds else None


def demand_looked_over(installation: Installation, issue: Issue) -> CheckedIssue:
    """What was found lately where hosts and DNS were asked too; ChecksAwaited else."""
    looked = read_looked_over(installation, issue, ask=True)
    if looked is None:
        raise ChecksAwaited(
            f"issue {issue.slot} has to be looked over first: the last checks are of another time, "
            "or of something else",
            subject=issue.slot,
        )
    return looked.checked


def _name(issue: Issue, *, ask: bool) -> str:
    return f"checks:{issue.public_id}:{'asked' if ask else 'alone'}"


def _named(tx: Transaction, issue: Issue) -> list[Any]:
    """What a check is of: another version, other settings, or what went out may fare otherwise."""
    return [issue.version, issue.state in EDITABLE, tx.settings.version()]


def _checked(document: dict[str, Any]) -> CheckedIssue:
    return CheckedIssue(
        tuple(
            Finding(**{**one, "level": Level(one["level"]), "variants": tuple(one["variants"])})
            for one in document["findings"]
        ),
        document["html_octets"],
        document["encoded_octets"],
        tuple(document["variants"]),
    )
